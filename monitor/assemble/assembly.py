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

from monitor.assemble.assembly_step import AssemblyStep, Outcome
from monitor.assemble.claims.coverage import MAX_SOURCES
from monitor.assemble.claims.kept_mention import KeptMention, canonical_order, group_of, keep
from monitor.assemble.event_index import EventIndex
from monitor.assemble.facts.background import PairArchive
from monitor.assemble.facts.make import build, content_digest
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.identity.cluster import Cluster, bounded, fold, name_clusters
from monitor.assemble.identity.variants import is_variant, link, pairs_of
from monitor.assemble.pair_record import PairRecord
from monitor.assemble.replaced_mentions import edited, older_mention, withdrawn_mentions
from monitor.assemble.revisions import ChangeCause, continuation, next_revision, retraction
from monitor.assemble.stored import EventState, Watermark, pack, unpack
from monitor.records import Mention, utc

_CLOCK = "clock"
_NOTHING = Outcome()


class Assembly:
    """The open events by id, and the record of each pair of leaders."""

    def __init__(self) -> None:
        self._index = EventIndex()
        self._records = PairArchive()
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
                self._index.put(state, Anchor(state.mentions))
                self._index[state.event_id].data = data
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
        yield from sorted(self._index)
        yield from sorted(self._records)

    def state(self, key: str) -> bytes:
        """Return the state to store under a key. Raises KeyError for an unknown key."""
        if key == _CLOCK:
            return pack(Watermark(self._time))
        entry = self._index.get(key)
        return entry.data if entry is not None else pack(self._records[key])

    @property
    def open_events(self) -> int:
        """The number of events in the working state."""
        return len(self._index)

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
        new = keep(mention)
        cause = ChangeCause(new.moment, new.article_id)
        if mention.withdraws:
            return self._withdraw(mention, new, cause)
        if len(new.participants) < 2:
            return _NOTHING
        group = group_of(new.participants)
        older = older_mention(self._index, group, new)
        if older is new:
            return _NOTHING
        step = AssemblyStep(self._index)
        regrouped = self._regroup(step, group, edited(new, older), () if older is None else (older,))
        self._relink(step)
        self._publish(step, cause, regrouped)
        return step.end()

    def _withdraw(self, mention: Mention, notice: KeptMention, cause: ChangeCause) -> Outcome:
        """Take back, in all events, the mentions that a newer revision or a notice replaces."""
        doomed: dict[str, list[KeptMention]] = {}
        for old in withdrawn_mentions(self._index, mention, notice):
            doomed.setdefault(group_of(old.participants), []).append(old)
        if not doomed:
            return _NOTHING
        step = AssemblyStep(self._index)
        regrouped: dict[str, str] = {}
        for group in sorted(doomed):
            regrouped |= self._regroup(step, group, None, doomed[group])
        self._relink(step)
        self._publish(step, cause, regrouped)
        return step.end()

    def advance(self, now: datetime) -> Outcome:
        """Move event time on: plans whose date passed become `unconfirmed`, and old events are closed and removed.

        Only days count: a time on the current day, or before it, changes nothing.
        """
        now = utc(now)
        today = now.toordinal()
        if self._time and today <= self._today:
            return _NOTHING
        self._time = int(now.timestamp())
        passed = ChangeCause(datetime.fromtimestamp(self._time, UTC))
        step = AssemblyStep(self._index)
        for event_id in self._index.due(today):
            closing = self._index[event_id].closes <= today
            if self._index[event_id].gone:
                step.drop(event_id)
                continue
            state = step.open(event_id)
            self._revise(step, state, passed, closed=closing)
            if closing:
                for gone in (event_id, *self._index.parts(event_id)):
                    step.drop(gone)
            else:
                step.store(state)
        return step.end(_CLOCK)

    # -- assembling a group ------------------------------------------------------------------------------------------

    def _regroup(
        self, step: AssemblyStep, group: str, added: KeptMention | None, dropped: Sequence[KeptMention]
    ) -> dict[str, str]:
        """Reset the group to the first day that changes, and assemble it again with one mention added and some removed.

        Returns the ids of events without mentions, each with the event that took them over ('' for none).
        """
        start = min(m.day for m in (*dropped, *((added,) if added is not None else ())))
        ids = [i for i in self._index.group(group) if not self._index[i].gone]
        opened = {i: step.open(i) for i in ids if self._index[i].last >= start}
        pool = [added] if added is not None else []
        clusters = [Cluster(i, None, self._index[i].anchor) for i in ids if i not in opened]
        for event_id, state in opened.items():
            kept = [m for m in state.mentions if m.day < start]
            pool += [m for m in state.mentions if m.day >= start and m not in dropped]
            if kept:
                clusters.append(Cluster(event_id, kept, Anchor(kept)))
        fold(clusters, pool, lambda event_id: step.open(event_id).mentions)
        standing = {c.event_id for c in clusters}
        opened |= {i: step.open(i) for i in ids if i not in opened and i not in standing}
        used = {r for state in opened.values() for r in state.redirects}
        left = name_clusters(
            clusters,
            opened,
            lambda event_id: event_id in self._index or event_id in used,
            (dropped[0], added) if added is not None and dropped else None,
        )
        self._note_withdrawn(step, opened, dropped, added)
        for old, new in left.items():
            self._leave(step, old, new)
        for cluster in clusters:
            if cluster.mentions is not None:
                self._keep(
                    step, cluster, group, {old: opened[old] for old, new in left.items() if new == cluster.event_id}
                )
        return left

    @staticmethod
    def _note_withdrawn(
        step: AssemblyStep, opened: dict[str, EventState], dropped: Sequence[KeptMention], added: KeptMention | None
    ) -> None:
        """Record in each event which articles' mentions were taken back."""
        for state in opened.values():
            gone = {m.article_id: m.revision for m in state.mentions if m in dropped}
            if added is not None:
                gone.pop(added.article_id, None)
            if gone:
                state.withdrawn = (*state.withdrawn, *gone.items())[-MAX_SOURCES:]
                step.changed[state.event_id] = None

    def _leave(self, step: AssemblyStep, old: str, new: str) -> None:
        """Remove an event without mentions; keep it if it was published and no other event took them over."""
        # Events that it was part of, or that were part of it, must be linked again.
        around = (self._index[old].into, *self._index.parts(old))
        step.note_pairs(self._records.forget(old, self._index[old].anchor))
        state = step.states[old]
        if new or not state.revision or state.into:
            step.drop(old)
        else:
            step.last_mentions[old] = state.mentions
            state.gone = max(m.day for m in state.mentions)
            state.mentions = ()
            self._index.put(state, Anchor())
            step.changed[old] = None
        for event_id in around:
            if event_id in self._index:
                step.open(event_id)
                step.changed[event_id] = None

    def _keep(self, step: AssemblyStep, cluster: Cluster, group: str, merged: dict[str, EventState]) -> None:
        """Store a cluster's mentions as its event's, unless nothing changed."""
        mentions = tuple(sorted(bounded(cluster.mentions or ()), key=canonical_order))
        state = step.states.get(cluster.event_id) or EventState(event_id=cluster.event_id, group=group, mentions=())
        redirects = [r for old, event in merged.items() for r in (old, *event.redirects)]
        if state.mentions == mentions and not redirects:
            return
        state.mentions = mentions
        state.redirects = tuple(dict.fromkeys((*state.redirects, *redirects)))
        step.states[state.event_id] = state
        whole = len(mentions) == len(cluster.mentions or ())
        step.store(state, cluster.anchor if whole else Anchor(mentions))

    def _relink(self, step: AssemblyStep) -> None:
        """Decide again, around the events that changed, which events are published as part of another one."""
        todo = list(step.changed)
        around: dict[str, Anchor] = {}
        while todo:
            event_id = todo.pop()
            if event_id in around or event_id not in self._index or self._index[event_id].gone:
                continue
            entry = self._index[event_id]
            around[event_id] = entry.anchor
            todo += [i for i in (entry.into, *self._index.parts(event_id)) if i]
            near = {i for pair in pairs_of(entry.anchor.leaders) for i in self._index.of_pair(pair)}
            todo += [i for i in near if i not in around and is_variant(entry.anchor, self._index[i].anchor)]
        for event_id, root in link(around).items():
            old = self._index[event_id].into
            if root != old:
                state = step.open(event_id)
                state.into = root
                step.store(state)
                step.changed.update(dict.fromkeys(i for i in (old, root) if i in self._index))

    # -- revisions ---------------------------------------------------------------------------------------------------

    def _publish(self, step: AssemblyStep, cause: ChangeCause, left: dict[str, str]) -> None:
        """Publish what changed: first events of their own, then those that are now part of another one."""
        for event_id, mentions in step.last_mentions.items():
            state = step.states[event_id]
            step.events.append(retraction(state, mentions, Anchor(mentions), self._today, cause))
        standing = [i for i in step.changed if not self._index[i].gone]
        roots = sorted({self._index[i].into or i for i in standing})
        parts = sorted(set(standing) - set(roots))
        for event_id in roots:
            step.note_pairs(self._records.record(event_id, self._index[event_id].anchor))
        for event_id in parts:
            step.note_pairs(self._records.forget(event_id, self._index[event_id].anchor))
        for event_id in roots:
            state = step.open(event_id)
            self._revise(step, state, cause)
            step.store(state)
        for event_id in parts:
            state = step.open(event_id)
            if state.shown.get("merged_into") != state.into:
                step.events.append(continuation(state, state.into, self._today, cause))
                step.store(state)
        for old, new in left.items():
            state = step.states[old]
            if state.revision and new:
                step.events.append(continuation(state, self._index[new].into or new, self._today, cause))
        # Later contacts of a pair mention its earlier ones, so they may change too.
        later = {
            i
            for pair, day in step.pairs.items()
            for i in self._index.of_pair(_split(pair))
            if self._index[i].anchor.held_day >= day
        }
        for event_id in sorted(later.difference(roots)):
            entry = self._index[event_id]
            if entry.into or len(entry.anchor.leaders) != 2:
                continue
            state = step.open(event_id)
            if self._revise(step, state, cause):
                step.store(state)

    def _revise(self, step: AssemblyStep, state: EventState, cause: ChangeCause, *, closed: bool = False) -> bool:
        """Publish the next revision of an event, unless nothing visible changed. Updates `state`.

        An event known only from background is not published; if it was published before, it is retracted.
        """
        parts = self._index.parts(state.event_id)
        mentions = [*state.mentions, *(m for part in parts for m in step.open(part).mentions)]
        redirects = tuple(dict.fromkeys((*state.redirects, *parts)))
        anchor = Anchor(mentions) if parts else self._index[state.event_id].anchor
        if not anchor.live:
            if not state.revision or state.shown.get("status") == "retracted":
                return False
            step.events.append(retraction(state, mentions, anchor, self._today, cause))
            return True
        event = build(state.event_id, mentions, anchor, self._today, redirects)
        event = msgspec.structs.replace(event, context=self._records.context(event), closed=closed)
        digest = content_digest(event)
        if digest == state.digest:
            return False
        step.events.append(next_revision(state, event, digest, cause))
        return True


def _split(pair: str) -> tuple[str, str]:
    first, _, second = pair.partition("+")
    return first, second
