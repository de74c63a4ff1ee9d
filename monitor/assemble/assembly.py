"""The working state of assembly: open events, and what each new mention changes in them. Deterministic, no clock.

Events of the same states (a group) are assembled together. A mention is never just added to what stands: the group is
taken back to the start of the mention's day, and the mentions from that day on are put to events again, day after day,
within a day those first that say most. So the result depends on what was told on which day, never on the order in which
the articles of a day happened to be polled; an article that comes late finds the place that it would have had.

What that changes is explicit: an event whose mentions all went to another one is published once more with
`merged_into`, and the other keeps its id under `redirects`; an event keeps the id it was first published with.

The caller sends `Outcome.events` first and then stores `Outcome.stored` and `Outcome.removed`. When it is stopped in
between, the same mention gives the same events once more.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from heapq import heappop, heappush

import msgspec

from monitor.assemble import context
from monitor.assemble.build import build, content_digest, tracked
from monitor.assemble.coverage import MAX_SOURCES
from monitor.assemble.identity import READ_OUT, THRESHOLD, VISIT_WAVE, WAVE, Anchor, score
from monitor.assemble.lifecycle import UNCONFIRMED_AFTER
from monitor.assemble.sighting import HAPPENED, Sighting, canonical_order, group_of, sighting_of
from monitor.assemble.state import Clock, EventState, pack, unpack, unpack_event
from monitor.records import Change, Event, Mention, utc

#: Days that an event stays open: after the contact, after a planned date, and after a plan of an unknown date was last
#: talked of. A plan for the far future stays no longer than FAR after it was last talked of.
KEEP_HELD = 30
KEEP_PLANNED = 14
FAR = 400
#: Revisions that an event's history keeps: the first one, and the last ones.
MAX_HISTORY = 40

_CLOCK = "clock"


class Outcome(msgspec.Struct, frozen=True):
    """What one step changed: new revisions to send, keys whose state to store, keys whose state to delete."""

    events: tuple[Event, ...] = ()
    stored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.stored or self.removed)


_NOTHING = Outcome()


class _Slot:
    """An open event as it lies in memory: packed, with what is needed to find it and to compare with it."""

    __slots__ = ("anchor", "articles", "closes", "data", "due", "group", "last")

    def __init__(self, state: EventState) -> None:
        self.group = state.group
        self.pack(state)

    def pack(self, state: EventState) -> None:
        self.data = pack(state)
        self.anchor = Anchor(state.sightings)
        self.articles = array("q", sorted({s.key for s in state.sightings}))
        self.last = max(s.day for s in state.sightings)
        self.closes = _closing_day(self.anchor, self.last)
        plan = self.anchor.plan
        self.due = plan[1] + UNCONFIRMED_AFTER + 1 if plan is not None and not self.anchor.held else 0


class _Cluster:
    """Sightings that belong together while a group is assembled anew."""

    __slots__ = ("anchor", "changed", "event_id", "sightings")

    def __init__(self, event_id: str, sightings: list[Sighting] | None, anchor: Anchor) -> None:
        self.event_id = event_id
        #: None while nothing was added to an event that was not taken back.
        self.sightings = sightings
        self.anchor = anchor
        self.changed = False


def _closing_day(anchor: Anchor, last: int) -> int:
    if not anchor.live:
        return last + WAVE + READ_OUT
    if anchor.held:
        return max(anchor.day or anchor.first_held, anchor.first_held) + KEEP_HELD
    if anchor.plan is not None:
        return max(min(anchor.plan[1], anchor.last + FAR), anchor.last) + KEEP_PLANNED
    return anchor.last + (VISIT_WAVE if "visit" in anchor.kinds else WAVE) + READ_OUT


def _fold_order(s: Sighting) -> tuple[int, int, tuple[int, str, int, str]]:
    """Within a day, what says more comes first, so that what says less finds it."""
    dated = s.span is not None and s.span[0] == s.span[1]
    if s.status == "past":
        tier = 5
    elif s.status in HAPPENED:
        tier = 0 if dated else 2
    else:
        tier = 1 if dated else 3 if s.span is not None or s.forum or s.place else 4
    return tier, int(s.remote is None), canonical_order(s)


class Assembly:
    """Open events by id, and what is on record of each pair of leaders."""

    def __init__(self) -> None:
        self._slots: dict[str, _Slot] = {}
        self._groups: dict[str, set[str]] = {}
        self._records: dict[str, context.Record] = {}
        self._timers: list[tuple[int, str]] = []
        self._time = 0

    # -- state ---------------------------------------------------------------------------------------------------

    @classmethod
    def restore(cls, states: Iterable[bytes]) -> Assembly:
        """The assembly whose `states()` these are, in any order.

        Raises DecodeError when one is damaged, NewerSchemaError when a newer version wrote it.
        """
        self = cls()
        for data in states:
            state = unpack(data)
            if isinstance(state, EventState):
                self._put(state)
            elif isinstance(state, context.Record):
                self._records[state.pair] = state
            else:
                self._time = state.time
        return self

    def states(self) -> Iterator[tuple[str, bytes]]:
        """Every key with its state."""
        yield from ((key, self.state(key)) for key in self.keys())

    def keys(self) -> Iterator[str]:
        """The keys of all states: `clock`, event ids, and pairs of leaders."""
        if self._time:
            yield _CLOCK
        yield from sorted(self._slots)
        yield from sorted(self._records)

    def state(self, key: str) -> bytes:
        """The state to store under a key; raises KeyError for a key that is not there."""
        if key == _CLOCK:
            return pack(Clock(self._time))
        slot = self._slots.get(key)
        return slot.data if slot is not None else pack(self._records[key])

    @property
    def open_events(self) -> int:
        """How many events are in the working state."""
        return len(self._slots)

    @property
    def now(self) -> datetime | None:
        """The watermark, None before any time was told."""
        return datetime.fromtimestamp(self._time, UTC) if self._time else None

    @property
    def _today(self) -> int:
        return datetime.fromtimestamp(self._time, UTC).toordinal()

    # -- what comes in ---------------------------------------------------------------------------------------------

    def apply(self, mention: Mention) -> Outcome:
        """Take in one mention. The same article, revision and contact a second time changes nothing."""
        s = sighting_of(mention)
        if len(s.participants) < 2:
            return _NOTHING
        group = group_of(s.participants)
        replaced = self._replaced(group, s)
        if replaced is s:
            return _NOTHING
        return self._assemble(group, s, replaced)

    def advance(self, now: datetime) -> Outcome:
        """Event time moved on: plans whose date passed become `unconfirmed`, old events are closed and leave.

        Only days count: a time of the day told last, or before it, changes nothing.
        """
        now = utc(now)
        today = now.toordinal()
        if self._time and today <= self._today:
            return _NOTHING
        self._time = int(now.timestamp())
        events: list[Event] = []
        stored: list[str] = [_CLOCK]
        removed: list[str] = []
        while self._timers and self._timers[0][0] <= today:
            day, event_id = heappop(self._timers)
            slot = self._slots.get(event_id)
            if slot is None or day not in (slot.closes, slot.due):
                continue
            state = unpack_event(slot.data)
            closing = slot.closes <= today
            event = self._revise(state, slot.anchor, None, closed=closing)
            if event is not None:
                events.append(event)
            if closing:
                self._drop(event_id)
                removed.append(event_id)
            else:
                slot.pack(state)
                stored.append(event_id)
        gone = set(removed)
        return Outcome(tuple(events), tuple(dict.fromkeys(k for k in stored if k not in gone)), tuple(removed))

    # -- assembling a group ------------------------------------------------------------------------------------------

    def _replaced(self, group: str, s: Sighting) -> Sighting | None:
        """The sighting of an older revision of the article that `s` stands for now; `s` itself when it is not news."""
        older: list[Sighting] = []
        for event_id in self._groups.get(group, ()):
            slot = self._slots[event_id]
            if s.key not in slot.articles:
                continue
            for known in unpack_event(slot.data).sightings:
                if known.article_id != s.article_id:
                    continue
                if known.revision > s.revision or (known.revision == s.revision and known.contact == s.contact):
                    return s
                if known.revision < s.revision:
                    older.append(known)
        if not older:
            return None
        return max(
            older,
            key=lambda o: (o.contact == s.contact, o.status == s.status, o.remote == s.remote, canonical_order(o)),
        )

    def _assemble(self, group: str, s: Sighting, replaced: Sighting | None) -> Outcome:
        start = s.day if replaced is None else min(s.day, replaced.day)
        ids = self._groups.get(group, set())
        opened = {i: unpack_event(self._slots[i].data) for i in ids if self._slots[i].last >= start}
        pool = [s]
        clusters = [_Cluster(i, None, self._slots[i].anchor) for i in ids if i not in opened]
        for event_id, state in opened.items():
            kept = [x for x in state.sightings if x.day < start]
            pool += [x for x in state.sightings if x.day >= start and not _same(x, replaced)]
            if kept:
                clusters.append(_Cluster(event_id, kept, Anchor(kept)))
        self._fold(clusters, pool)
        merged = _name(clusters, opened, {*self._slots, *(r for st in opened.values() for r in st.redirects)})
        return self._settle(clusters, opened, merged, s)

    def _fold(self, clusters: list[_Cluster], pool: list[Sighting]) -> None:
        for s in sorted(pool, key=lambda s: (s.day, _fold_order(s))):
            best: tuple[float, int, int, _Cluster] | None = None
            for cluster in clusters:
                fit = score(s, cluster.anchor)
                if fit is None or fit < THRESHOLD:
                    continue
                rank = (round(fit, 6), cluster.anchor.last, -cluster.anchor.first)
                if best is None or rank > best[:3]:
                    best = (*rank, cluster)
            if best is None:
                clusters.append(_Cluster("", [s], Anchor((s,))))
                continue
            cluster = best[3]
            if cluster.sightings is None:
                cluster.sightings = list(unpack_event(self._slots[cluster.event_id].data).sightings)
                cluster.anchor = Anchor(cluster.sightings)
            cluster.sightings.append(s)
            cluster.anchor.add(s)

    def _settle(
        self, clusters: list[_Cluster], opened: dict[str, EventState], merged: dict[str, str], cause: Sighting
    ) -> Outcome:
        events: list[Event] = []
        stored: list[str] = []
        redirects: dict[str, list[str]] = {}
        for old, new in merged.items():
            redirects.setdefault(new, []).extend((old, *opened[old].redirects))
        pairs: set[str] = set()
        for cluster in clusters:
            if cluster.sightings is None:
                continue
            event_id = cluster.event_id
            known = opened.get(event_id) or (
                unpack_event(self._slots[event_id].data) if event_id in self._slots else None
            )
            sightings = tuple(sorted(_bounded(cluster.sightings), key=canonical_order))
            if known is not None and known.sightings == sightings and event_id not in redirects:
                continue
            state = known or EventState(event_id=event_id, group=group_of(sightings[0].participants), sightings=())
            state.sightings = sightings
            state.redirects = tuple(dict.fromkeys((*state.redirects, *redirects.get(event_id, ()))))
            anchor = cluster.anchor if len(sightings) == len(cluster.sightings) else Anchor(sightings)
            pairs |= self._record(state, anchor)
            event = self._revise(state, anchor, cause)
            if event is not None:
                events.append(event)
            self._put(state)
            stored.append(event_id)
        for old, new in merged.items():
            events.append(self._gone(opened[old], new, cause))
            pairs |= self._forget(opened[old])
            self._drop(old)
        return Outcome(tuple(events), tuple(dict.fromkeys((*stored, *sorted(pairs)))), tuple(merged))

    # -- revisions ---------------------------------------------------------------------------------------------------

    def _revise(
        self, state: EventState, anchor: Anchor, cause: Sighting | None, *, closed: bool = False
    ) -> Event | None:
        """The next revision of an event, None when nothing that a reader sees has changed. Updates `state`."""
        event = build(state.event_id, state.sightings, self._today if self._time else 0, state.redirects)
        event = msgspec.structs.replace(event, context=self._context(event, anchor), closed=closed)
        digest = content_digest(event)
        if digest == state.digest:
            return None
        return self._next(state, event, digest, cause)

    def _next(self, state: EventState, event: Event, digest: bytes, cause: Sighting | None) -> Event:
        values = tracked(event)
        changed = {
            name: (state.shown.get(name), value) for name, value in values.items() if state.shown.get(name) != value
        }
        if event.closed:
            changed["closed"] = (False, True)
        if event.merged_into:
            changed["merged_into"] = (None, event.merged_into)
        if state.redirects and (known := list(state.shown.get("redirects", ()))) != list(state.redirects):
            changed["redirects"] = (known, list(state.redirects))
            values["redirects"] = list(state.redirects)
        at = cause.moment if cause is not None else datetime.fromtimestamp(self._time, UTC)
        state.revision += 1
        change = Change(revision=state.revision, at=at, changed=changed, article_id=cause.article_id if cause else "")
        history = (*state.history, change)
        state.history = history if len(history) <= MAX_HISTORY else (history[0], *history[1 - MAX_HISTORY :])
        state.digest, state.shown = digest, values
        return msgspec.structs.replace(event, revision=state.revision, history=state.history)

    def _gone(self, state: EventState, into: str, cause: Sighting) -> Event:
        """The last revision of an event that turned out to be another one."""
        event = build(state.event_id, state.sightings, self._today if self._time else 0, state.redirects)
        event = msgspec.structs.replace(event, merged_into=into, closed=True)
        return self._next(state, event, b"", cause)

    # -- the archive -------------------------------------------------------------------------------------------------

    def _context(self, event: Event, anchor: Anchor) -> str:
        found = context.pairs(p.leader for p in event.participants)
        contact = _contact(event.event_id, event, anchor)
        if len(found) != 1 or contact is None or found[0] not in self._records:
            return ""
        return context.context(contact, self._records[found[0]])

    def _record(self, state: EventState, anchor: Anchor) -> set[str]:
        """Note a contact that took place under each of its pairs; returns the pairs whose record changed."""
        changed = set()
        for pair in context.pairs(anchor.leaders):
            old = self._records.get(pair) or context.Record(pair)
            contact = _contact_of(state.event_id, anchor)
            new = old.with_contact(contact) if contact is not None else old.without(state.event_id)
            if new != old:
                self._records[pair] = new
                changed.add(pair)
        return changed

    def _forget(self, state: EventState) -> set[str]:
        changed = set()
        for pair in context.pairs(p.leader for p in state.sightings[0].participants):
            old = self._records.get(pair)
            if old is not None and (new := old.without(state.event_id)) != old:
                self._records[pair] = new
                changed.add(pair)
        return changed

    # -- the index ---------------------------------------------------------------------------------------------------

    def _put(self, state: EventState) -> None:
        slot = self._slots.get(state.event_id)
        if slot is None:
            slot = self._slots[state.event_id] = _Slot(state)
            self._groups.setdefault(state.group, set()).add(state.event_id)
        else:
            slot.pack(state)
        heappush(self._timers, (slot.closes, state.event_id))
        if slot.due:
            heappush(self._timers, (slot.due, state.event_id))

    def _drop(self, event_id: str) -> None:
        slot = self._slots.pop(event_id)
        group = self._groups[slot.group]
        group.discard(event_id)
        if not group:
            del self._groups[slot.group]


def _same(a: Sighting, b: Sighting | None) -> bool:
    return b is not None and a.article_id == b.article_id and a.revision == b.revision and a.contact == b.contact


def _contact_of(event_id: str, anchor: Anchor) -> context.Contact | None:
    """The contact that took place, None when none is reported."""
    if not anchor.held:
        return None
    medium = anchor.medium
    kind = max(anchor.kinds, key=lambda k: (anchor.kinds[k], k))
    day = anchor.day if anchor.day is not None else anchor.first_held
    return context.Contact(event_id, day, "unknown" if medium is None else "remote" if medium else "in_person", kind)


def _contact(event_id: str, event: Event, anchor: Anchor) -> context.Contact | None:
    return _contact_of(event_id, anchor) if event.status in HAPPENED else None


def _bounded(sightings: Sequence[Sighting]) -> Sequence[Sighting]:
    """At most MAX_SOURCES sightings: of later ones, those stay that claim something not claimed before."""
    if len(sightings) <= MAX_SOURCES:
        return sightings
    kept: list[Sighting] = []
    spare: list[Sighting] = []
    claimed = set()
    for s in sorted(sightings, key=canonical_order):
        claim = (s.status, s.medium, s.span, s.place, s.forum, s.speaks_for if s.official else "")
        (spare if claim in claimed else kept).append(s)
        claimed.add(claim)
    return [*kept[:MAX_SOURCES], *spare[: max(0, MAX_SOURCES - len(kept))]]


def _name(clusters: list[_Cluster], opened: dict[str, EventState], taken: set[str]) -> dict[str, str]:
    """Give ids to new clusters: of an event that was taken back whole, the one that most of it went to; else a new one.

    Returns the ids that no cluster bears any more, each with the id its mentions went to.
    """
    home: dict[tuple[str, int, str], _Cluster] = {
        (s.article_id, s.revision, s.contact): c for c in clusters for s in c.sightings or ()
    }
    standing = {c.event_id for c in clusters if c.event_id}
    free = [state for event_id, state in opened.items() if event_id not in standing]
    shares: list[tuple[int, int, str, int]] = []
    counts: dict[tuple[str, int], int] = {}
    number = {id(c): i for i, c in enumerate(clusters)}
    for state in free:
        for s in state.sightings:
            cluster = home.get((s.article_id, s.revision, s.contact))
            if cluster is not None:
                key = state.event_id, number[id(cluster)]
                counts[key] = counts.get(key, 0) + 1
    shares = sorted((-count, -opened[i].revision, i, n) for (i, n), count in counts.items())
    used: set[str] = set()
    for _, _, event_id, n in shares:
        if not clusters[n].event_id and event_id not in used:
            clusters[n].event_id = event_id
            used.add(event_id)
    for cluster in clusters:
        if not cluster.event_id:
            cluster.event_id = _new_id(cluster.sightings or [], taken)
            taken.add(cluster.event_id)
    merged: dict[str, str] = {}
    for state in free:
        if state.event_id in used:
            continue
        target = next((clusters[n].event_id for _, _, i, n in shares if i == state.event_id), "")
        merged[state.event_id] = target or next(c.event_id for c in reversed(clusters) if c.sightings)
    return merged


def _new_id(sightings: Sequence[Sighting], taken: set[str]) -> str:
    """An id from what the first sighting says: the same input gives the same id."""
    first = min(sightings, key=canonical_order)
    parts = [*(p.leader for p in first.participants), first.article_id, first.contact]
    salt = 0
    while True:
        event_id = blake2b("\n".join([*parts, str(salt)]).encode("utf-8", "replace"), digest_size=8).hexdigest()
        if event_id not in taken:
            return event_id
        salt += 1
