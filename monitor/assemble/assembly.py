"""The working state of assembly: open events, and how each new mention changes them. Deterministic, without a clock.

Events of the same states form a group and are assembled together. A mention is never simply added: the group is reset
to the start of the mention's day, and the mentions from that day on are assigned to events again, day after day, and
within a day the most informative first. So the result depends on what was published on which day, not on the order in
which articles were polled, and a late article ends up where it would have been in time.

Changes are explicit. If all mentions of an event moved to another one, it is published once more with `merged_into`,
and the other event lists its id under `redirects`. An event keeps the id under which it was first published.

The caller sends `Outcome.events` first, and then applies `Outcome.stored` and `Outcome.removed`. If it is interrupted
in between, the same mention gives the same events again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from monitor.assemble.claims.coverage import MAX_SOURCES
from monitor.assemble.claims.notices import REACH, is_named, notice_of, taken_back
from monitor.assemble.claims.sighting import HAPPENED, Sighting, canonical_order, group_of, sighting_of
from monitor.assemble.facts import background
from monitor.assemble.facts.make import build, content_digest, retracted, tracked
from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.identity.cluster import Cluster, bounded, fold, name_clusters
from monitor.assemble.identity.variants import is_variant, link, pairs_of
from monitor.assemble.pair_record import PairRecord
from monitor.assemble.slots import Slots
from monitor.assemble.stored import EventState, Watermark, pack, unpack, unpack_event
from monitor.records import Change, Event, Mention, Participant, utc

#: Revisions that an event's history keeps: the first one and the latest ones.
MAX_HISTORY = 40

_CLOCK = "clock"


class Outcome(msgspec.Struct, frozen=True):
    """The result of one step: new revisions to send, keys whose state to store, keys whose state to delete."""

    events: tuple[Event, ...] = ()
    stored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.stored or self.removed)


_NOTHING = Outcome()


class Cause(msgspec.Struct, frozen=True):
    """The article that changed an event, and its event time."""

    moment: datetime
    article_id: str


class _AssemblyStep:
    """The changes of one step so far: states that were read or changed, and revisions to publish."""

    def __init__(self) -> None:
        self.states: dict[str, EventState] = {}
        self.changed: dict[str, None] = {}
        #: Pairs whose record changed, and the first day of the change.
        self.pairs: dict[str, int] = {}
        #: Events without any claim left, each with its last claims.
        self.last_claims: dict[str, tuple[Sighting, ...]] = {}
        self.removed: list[str] = []
        self.events: list[Event] = []

    def outcome(self, *more: str) -> Outcome:
        gone = set(self.removed)
        stored = dict.fromkeys((*more, *(i for i in self.changed if i not in gone), *self.pairs))
        return Outcome(tuple(self.events), tuple(stored), tuple(self.removed))


class Assembly:
    """The open events by id, and the record of each pair of leaders."""

    def __init__(self) -> None:
        self._slots = Slots()
        self._records: dict[str, PairRecord] = {}
        self._time = 0

    # -- state ---------------------------------------------------------------------------------------------------

    @classmethod
    def restore(cls, states: Iterable[bytes]) -> Assembly:
        """Return the assembly with these stored states, given in any order.

        Raises DecodeError when a state is damaged, NewerSchemaError when a newer version wrote it.
        """
        self = cls()
        for data in states:
            state = unpack(data)
            if isinstance(state, EventState):
                self._slots.put(state, Anchor(state.sightings))
                self._slots[state.event_id].data = data
            elif isinstance(state, PairRecord):
                self._records[state.pair] = state
            else:
                self._time = state.time
        return self

    def states(self) -> Iterator[tuple[str, bytes]]:
        """Yield every key with its state."""
        yield from ((key, self.state(key)) for key in self.keys())

    def keys(self) -> Iterator[str]:
        """Yield the keys of all states: `clock`, event ids, and pairs of leaders."""
        if self._time:
            yield _CLOCK
        yield from sorted(self._slots)
        yield from sorted(self._records)

    def state(self, key: str) -> bytes:
        """Return the state to store under a key. Raises KeyError for an unknown key."""
        if key == _CLOCK:
            return pack(Watermark(self._time))
        slot = self._slots.get(key)
        return slot.data if slot is not None else pack(self._records[key])

    @property
    def open_events(self) -> int:
        """The number of events in the working state."""
        return len(self._slots)

    @property
    def now(self) -> datetime | None:
        """The current event time; None before any article."""
        return datetime.fromtimestamp(self._time, UTC) if self._time else None

    @property
    def _today(self) -> int:
        return datetime.fromtimestamp(self._time, UTC).toordinal() if self._time else 0

    # -- input -------------------------------------------------------------------------------------------------------

    def apply(self, mention: Mention) -> Outcome:
        """Apply one mention, or a withdrawal. Applying it again changes nothing."""
        s = sighting_of(mention)
        cause = Cause(s.moment, s.article_id)
        if mention.withdraws:
            return self._withdraw(mention, s, cause)
        if len(s.participants) < 2:
            return _NOTHING
        group = group_of(s.participants)
        replaced = self._replaced(group, s)
        if replaced is s:
            return _NOTHING
        step = _AssemblyStep()
        regrouped = self._regroup(step, group, _edited(s, replaced), () if replaced is None else (replaced,))
        self._relink(step)
        self._tell(step, cause, regrouped)
        return self._packed(step).outcome()

    def _withdraw(self, mention: Mention, notice: Sighting, cause: Cause) -> Outcome:
        """Take back, in all events, the claims that a newer revision or a notice replaces."""
        doomed: dict[str, list[Sighting]] = {}
        for s in self._taken_back(mention, notice):
            doomed.setdefault(group_of(s.participants), []).append(s)
        if not doomed:
            return _NOTHING
        step = _AssemblyStep()
        regrouped: dict[str, str] = {}
        for group in sorted(doomed):
            regrouped |= self._regroup(step, group, None, doomed[group])
        self._relink(step)
        self._tell(step, cause, regrouped)
        return self._packed(step).outcome()

    def _taken_back(self, mention: Mention, notice: Sighting) -> list[Sighting]:
        if mention.withdraws == "older":
            slots = [slot for slot in self._slots.values() if notice.key in slot.articles]
            claims = [s for slot in slots for s in unpack_event(slot.data).sightings]
            return [s for s in claims if s.article_id == notice.article_id and s.revision < notice.revision]
        near = [slot for slot in self._slots.values() if slot.last >= notice.day - REACH]
        leaders = {leader for slot in near for leader in slot.anchor.leaders}
        named = {leader for leader in leaders if self._names(mention, leader)}
        claims = [s for slot in near if slot.anchor.leaders & named for s in unpack_event(slot.data).sightings]
        return taken_back(mention, claims, notice.time)

    @staticmethod
    def _names(mention: Mention, leader: str) -> bool:
        return mention.source is not None and is_named(Participant(leader=leader, name=leader), mention.source)

    def advance(self, now: datetime) -> Outcome:
        """Move event time on: plans whose date passed become `unconfirmed`, and old events are closed and removed.

        Only days count: a time on the current day, or before it, changes nothing.
        """
        now = utc(now)
        today = now.toordinal()
        if self._time and today <= self._today:
            return _NOTHING
        self._time = int(now.timestamp())
        step = _AssemblyStep()
        for event_id in self._slots.due(today):
            closing = self._slots[event_id].closes <= today
            if self._slots[event_id].gone:
                self._drop(step, event_id)
                continue
            state = self._open(step, event_id)
            self._revise(step, state, None, closed=closing)
            if closing:
                for gone in (event_id, *self._slots.parts(event_id)):
                    self._drop(step, gone)
            else:
                self._store(step, state)
        return self._packed(step).outcome(_CLOCK)

    # -- assembling a group ------------------------------------------------------------------------------------------

    def _replaced(self, group: str, s: Sighting) -> Sighting | None:
        """The older revision's sighting that `s` replaces; `s` itself if it brings nothing new."""
        older: list[Sighting] = []
        for event_id in self._slots.group(group):
            slot = self._slots[event_id]
            if s.key not in slot.articles:
                continue
            state = unpack_event(slot.data)
            if any(article == s.article_id and s.revision <= revision for article, revision in state.withdrawn):
                return s
            for known in state.sightings:
                if known.article_id != s.article_id:
                    continue
                if known.revision > s.revision or (known.revision == s.revision and known.contact == s.contact):
                    return s
                if known.revision < s.revision:
                    older.append(known)
        return max(
            older,
            key=lambda o: (o.contact == s.contact, o.status == s.status, o.remote == s.remote, canonical_order(o)),
            default=None,
        )

    def _regroup(
        self, step: _AssemblyStep, group: str, added: Sighting | None, dropped: Sequence[Sighting]
    ) -> dict[str, str]:
        """Reset the group to the first day that changes, and assemble it again with one claim added and some removed.

        Returns the ids of events without claims, each with the event that took them over ('' for none).
        """
        start = min(s.day for s in (*dropped, *((added,) if added is not None else ())))
        ids = [i for i in self._slots.group(group) if not self._slots[i].gone]
        opened = {i: self._open(step, i) for i in ids if self._slots[i].last >= start}
        pool = [added] if added is not None else []
        clusters = [Cluster(i, None, self._slots[i].anchor) for i in ids if i not in opened]
        for event_id, state in opened.items():
            kept = [x for x in state.sightings if x.day < start]
            pool += [x for x in state.sightings if x.day >= start and x not in dropped]
            if kept:
                clusters.append(Cluster(event_id, kept, Anchor(kept)))
        fold(clusters, pool, lambda event_id: self._open(step, event_id).sightings)
        standing = {c.event_id for c in clusters}
        opened |= {i: self._open(step, i) for i in ids if i not in opened and i not in standing}
        used = {r for state in opened.values() for r in state.redirects}
        left = name_clusters(
            clusters,
            opened,
            lambda event_id: event_id in self._slots or event_id in used,
            (dropped[0], added) if added is not None and dropped else None,
        )
        self._note_withdrawn(step, opened, dropped, added)
        for old, new in left.items():
            self._leave(step, old, new, group)
        for cluster in clusters:
            if cluster.sightings is not None:
                self._keep(
                    step, cluster, group, {old: opened[old] for old, new in left.items() if new == cluster.event_id}
                )
        return left

    @staticmethod
    def _note_withdrawn(
        step: _AssemblyStep, opened: dict[str, EventState], dropped: Sequence[Sighting], added: Sighting | None
    ) -> None:
        """Record in each event which articles' claims were taken back."""
        for state in opened.values():
            gone = {s.article_id: s.revision for s in state.sightings if s in dropped}
            if added is not None:
                gone.pop(added.article_id, None)
            if gone:
                state.withdrawn = (*state.withdrawn, *gone.items())[-MAX_SOURCES:]
                step.changed[state.event_id] = None

    def _leave(self, step: _AssemblyStep, old: str, new: str, group: str) -> None:
        """Remove an event without claims; it is kept if it was published and no other event took its claims over."""
        # Events that it was part of, or that were part of it, must be linked again.
        around = (self._slots[old].into, *self._slots.parts(old))
        self._forget(step, old)
        state = step.states[old]
        if new or not state.revision or state.into:
            self._drop(step, old)
        else:
            step.last_claims[old] = state.sightings
            state.gone = max(s.day for s in state.sightings)
            state.sightings = ()
            self._slots.put(state, Anchor())
            step.changed[old] = None
        for event_id in around:
            if event_id in self._slots:
                self._open(step, event_id)
                step.changed[event_id] = None

    def _keep(self, step: _AssemblyStep, cluster: Cluster, group: str, merged: dict[str, EventState]) -> None:
        """Store a cluster's claims as its event's, unless nothing changed."""
        sightings = tuple(sorted(bounded(cluster.sightings or ()), key=canonical_order))
        state = step.states.get(cluster.event_id) or EventState(event_id=cluster.event_id, group=group, sightings=())
        redirects = [r for old, event in merged.items() for r in (old, *event.redirects)]
        if state.sightings == sightings and not redirects:
            return
        state.sightings = sightings
        state.redirects = tuple(dict.fromkeys((*state.redirects, *redirects)))
        step.states[state.event_id] = state
        whole = len(sightings) == len(cluster.sightings or ())
        self._store(step, state, cluster.anchor if whole else Anchor(sightings))

    def _relink(self, step: _AssemblyStep) -> None:
        """Decide again, around the events that changed, which events are published as part of another one."""
        todo = list(step.changed)
        around: dict[str, Anchor] = {}
        while todo:
            event_id = todo.pop()
            if event_id in around or event_id not in self._slots or self._slots[event_id].gone:
                continue
            slot = self._slots[event_id]
            around[event_id] = slot.anchor
            todo += [i for i in (slot.into, *self._slots.parts(event_id)) if i]
            near = {i for pair in pairs_of(slot.anchor.leaders) for i in self._slots.of_pair(pair)}
            todo += [i for i in near if i not in around and is_variant(slot.anchor, self._slots[i].anchor)]
        for event_id, root in link(around).items():
            old = self._slots[event_id].into
            if root != old:
                state = self._open(step, event_id)
                state.into = root
                self._store(step, state)
                step.changed.update(dict.fromkeys(i for i in (old, root) if i in self._slots))

    # -- revisions ---------------------------------------------------------------------------------------------------

    def _tell(self, step: _AssemblyStep, cause: Cause, left: dict[str, str]) -> None:
        """Publish what changed: first events of their own, then those that are now part of another one."""
        for event_id, claims in step.last_claims.items():
            state = step.states[event_id]
            step.events.append(self._retracted(state, claims, Anchor(claims), cause))
        standing = [i for i in step.changed if not self._slots[i].gone]
        roots = sorted({self._slots[i].into or i for i in standing})
        parts = sorted(set(standing) - set(roots))
        for event_id in roots:
            self._record(step, event_id)
        for event_id in parts:
            self._forget(step, event_id)
        for event_id in roots:
            state = self._open(step, event_id)
            self._revise(step, state, cause)
            self._store(step, state)
        for event_id in parts:
            state = self._open(step, event_id)
            if state.shown.get("merged_into") != state.into:
                step.events.append(self._gone(state, state.into, cause))
                self._store(step, state)
        for old, new in left.items():
            state = step.states[old]
            if state.revision and new:
                step.events.append(self._gone(state, self._slots[new].into or new, cause))
        # Later contacts of a pair mention its earlier ones, so they may change too.
        later = {
            i
            for pair, day in step.pairs.items()
            for i in self._slots.of_pair(_split(pair))
            if self._slots[i].anchor.held_day >= day
        }
        for event_id in sorted(later.difference(roots)):
            slot = self._slots[event_id]
            if slot.into or len(slot.anchor.leaders) != 2:
                continue
            state = self._open(step, event_id)
            if self._revise(step, state, cause):
                self._store(step, state)

    def _revise(self, step: _AssemblyStep, state: EventState, cause: Cause | None, *, closed: bool = False) -> bool:
        """Publish the next revision of an event, unless nothing visible changed. Updates `state`.

        An event known only from background is not published; if it was published before, it is retracted.
        """
        parts = self._slots.parts(state.event_id)
        sightings = [*state.sightings, *(s for part in parts for s in self._open(step, part).sightings)]
        redirects = tuple(dict.fromkeys((*state.redirects, *parts)))
        anchor = Anchor(sightings) if parts else self._slots[state.event_id].anchor
        if not anchor.live:
            if not state.revision or state.shown.get("status") == "retracted":
                return False
            step.events.append(self._retracted(state, sightings, anchor, cause))
            return True
        event = build(state.event_id, sightings, anchor, self._today, redirects)
        event = msgspec.structs.replace(event, context=self._context(event), closed=closed)
        digest = content_digest(event)
        if digest == state.digest:
            return False
        step.events.append(self._next(state, event, digest, cause))
        return True

    def _retracted(self, state: EventState, claims: Sequence[Sighting], anchor: Anchor, cause: Cause | None) -> Event:
        """The revision that says that no article supports an event any more; `claims` are its last ones."""
        event = build(state.event_id, claims, anchor, self._today, state.redirects)
        return self._next(state, retracted(event), b"", cause)

    def _gone(self, state: EventState, into: str, cause: Cause) -> Event:
        """The revision that says that an event continues as another one."""
        event = build(state.event_id, state.sightings, Anchor(state.sightings), self._today, state.redirects)
        return self._next(state, msgspec.structs.replace(event, merged_into=into, closed=True), b"", cause)

    def _next(self, state: EventState, event: Event, digest: bytes, cause: Cause | None) -> Event:
        values = tracked(event)
        names = dict.fromkeys((*values, *state.shown))
        changed = {k: (state.shown.get(k), values.get(k)) for k in names if state.shown.get(k) != values.get(k)}
        at = cause.moment if cause is not None else datetime.fromtimestamp(self._time, UTC)
        state.revision += 1
        change = Change(revision=state.revision, at=at, changed=changed, article_id=cause.article_id if cause else "")
        history = (*state.history, change)
        state.history = history if len(history) <= MAX_HISTORY else (history[0], *history[1 - MAX_HISTORY :])
        state.digest, state.shown = digest, values
        return msgspec.structs.replace(event, revision=state.revision, history=state.history)

    # -- the archive -------------------------------------------------------------------------------------------------

    def _context(self, event: Event) -> str:
        found = background.pairs(p.leader for p in event.participants)
        record = self._records.get(found[0]) if len(found) == 1 else None
        return background.context(event.event_id, record) if record is not None and event.status in HAPPENED else ""

    def _record(self, step: _AssemblyStep, event_id: str) -> None:
        """Record a contact that took place under each of its pairs."""
        anchor = self._slots[event_id].anchor
        contact = background.contact_of(event_id, anchor)
        for pair in background.pairs(anchor.leaders):
            old = self._records.get(pair)
            if contact is None and old is None:
                continue
            old = old or PairRecord(pair)
            new = old.with_contact(contact) if contact is not None else old.without(event_id)
            self._changed(step, event_id, old, new)

    def _forget(self, step: _AssemblyStep, event_id: str) -> None:
        for pair in background.pairs(self._slots[event_id].anchor.leaders):
            if (old := self._records.get(pair)) is not None:
                self._changed(step, event_id, old, old.without(event_id))

    def _changed(self, step: _AssemblyStep, event_id: str, old: PairRecord, new: PairRecord) -> None:
        if new != old:
            self._records[new.pair] = new
            days = [c.day for c in (*old.contacts, *new.contacts) if c.event_id == event_id]
            step.pairs[new.pair] = min([*days, step.pairs.get(new.pair, days[0])])

    # -- the index ---------------------------------------------------------------------------------------------------

    def _open(self, step: _AssemblyStep, event_id: str) -> EventState:
        state = step.states.get(event_id)
        if state is None:
            state = step.states[event_id] = unpack_event(self._slots[event_id].data)
        return state

    def _store(self, step: _AssemblyStep, state: EventState, anchor: Anchor | None = None) -> None:
        """Record that an event changed; `anchor` is given if its sightings changed."""
        self._slots.put(state, anchor or self._slots[state.event_id].anchor)
        step.changed[state.event_id] = None

    def _packed(self, step: _AssemblyStep) -> _AssemblyStep:
        """Convert what changed to its stored form, once a step."""
        for event_id in step.changed:
            self._slots[event_id].data = pack(step.states[event_id])
        return step

    def _drop(self, step: _AssemblyStep, event_id: str) -> None:
        self._slots.drop(event_id)
        step.removed.append(event_id)
        step.changed.pop(event_id, None)


def _edited(s: Sighting, older: Sighting | None) -> Sighting:
    """A newer revision's claim. If a plan was edited into its report, the report keeps the planned day, if due."""
    if older is None or s.when is not None or s.status not in HAPPENED or older.when is None or older.span is None:
        return s
    due = s.day - READ_OUT <= older.span[0] == older.span[1] <= s.day
    return msgspec.structs.replace(s, when=older.when) if due and notice_of(s.title) is None else s


def _split(pair: str) -> tuple[str, str]:
    first, _, second = pair.partition("+")
    return first, second
