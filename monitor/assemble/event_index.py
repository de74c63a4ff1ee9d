"""The open events in memory: each packed to bytes, with an index by states, by pairs of leaders, and by day."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from heapq import heappop, heappush
from typing import TypeVar

from monitor.assemble.claims.kept_mention import article_key
from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.identity.match import FAR, PLAN_REACH, VISIT_WAVE, WAVE
from monitor.assemble.identity.variants import pairs_of
from monitor.assemble.lifecycle.stages import UNCONFIRMED_AFTER
from monitor.assemble.stored import EventState

#: Days that an event stays open: after the contact, after a planned date, and after its last claim was taken back. A
#: plan for the far future stays open for at most FAR days after its last mention, one postponed without a new day for
#: PLAN_REACH days.
KEEP_HELD = 30
KEEP_PLANNED = 14
KEEP_GONE = 14

_K = TypeVar("_K")


class IndexEntry:
    """One open event: its packed state, and the values needed to find and compare it without unpacking."""

    __slots__ = ("anchor", "articles", "closes", "data", "due", "gone", "group", "into", "last")

    def __init__(self, state: EventState, anchor: Anchor) -> None:
        self.group = state.group
        self.data = b""
        self.describe(state, anchor)

    def describe(self, state: EventState, anchor: Anchor) -> None:
        """Set the values that are needed without unpacking; `anchor` summarises the event's mentions."""
        self.into = state.into
        self.anchor = anchor
        known = {m.key for m in state.mentions} | {article_key(article) for article, _ in state.withdrawn}
        self.articles = array("q", sorted(known))
        self.last = max((m.day for m in state.mentions), default=state.gone)
        self.gone = bool(state.gone)
        self.closes = self.last + KEEP_GONE if self.gone else closing_day(self.anchor, self.last)
        plan = self.anchor.plan
        self.due = plan[1] + UNCONFIRMED_AFTER + 1 if plan is not None and not self.anchor.held else 0


def closing_day(anchor: Anchor, last: int) -> int:
    """Return the day on which an event closes; `last` is the day of its last mention. Days are ordinals."""
    if not anchor.live:
        return last + WAVE + READ_OUT
    if anchor.held:
        return max(anchor.day or anchor.first_held, anchor.first_held) + KEEP_HELD
    if anchor.waits:
        return anchor.last + PLAN_REACH
    if anchor.plan is not None:
        return max(min(anchor.plan[1], anchor.last + FAR), anchor.last) + KEEP_PLANNED
    return anchor.last + (VISIT_WAVE if "visit" in anchor.kinds else WAVE) + READ_OUT


class EventIndex(dict[str, IndexEntry]):
    """Entries by event id. Change them only with `put` and `drop`, which update the index."""

    def __init__(self) -> None:
        super().__init__()
        self._groups: dict[str, set[str]] = {}
        self._by_pair: dict[tuple[str, str], set[str]] = {}
        self._parts: dict[str, set[str]] = {}
        self._timers: list[tuple[int, str]] = []

    def group(self, states: str) -> list[str]:
        """Return the ids of a group's events, sorted."""
        return sorted(self._groups.get(states, ()))

    def of_pair(self, pair: tuple[str, str]) -> set[str]:
        """Return the ids of the events in which both leaders take part."""
        return self._by_pair.get(pair, set())

    def parts(self, event_id: str) -> list[str]:
        """Return the ids of the events that are published as part of this one, sorted."""
        return sorted(self._parts.get(event_id, ()))

    def due(self, today: int) -> Iterator[str]:
        """Yield the ids of events whose plan or time is over by a day; an id is repeated if both are."""
        while self._timers and self._timers[0][0] <= today:
            day, event_id = heappop(self._timers)
            entry = self.get(event_id)
            if entry is not None and not entry.into and day in (entry.closes, entry.due):
                yield event_id

    def put(self, state: EventState, anchor: Anchor) -> None:
        """Add or update an event; `anchor` summarises its mentions."""
        event_id = state.event_id
        entry = self.get(event_id)
        timers: set[int] = set()
        if entry is None:
            entry = self[event_id] = IndexEntry(state, anchor)
            self._groups.setdefault(state.group, set()).add(event_id)
        else:
            self._unindex(event_id, entry)
            # Part of another event: no timers of its own. It gets new ones when it stands alone again.
            timers = set() if entry.into else {entry.closes, entry.due}
            entry.describe(state, anchor)
        for pair in pairs_of(entry.anchor.leaders):
            self._by_pair.setdefault(pair, set()).add(event_id)
        if entry.into:
            self._parts.setdefault(entry.into, set()).add(event_id)
        for day in {entry.closes, entry.due} - timers - {0}:
            heappush(self._timers, (day, event_id))

    def drop(self, event_id: str) -> None:
        """Remove an event. Raises KeyError for an unknown one."""
        entry = self.pop(event_id)
        self._unindex(event_id, entry)
        _discard(self._groups, entry.group, event_id)

    def _unindex(self, event_id: str, entry: IndexEntry) -> None:
        for pair in pairs_of(entry.anchor.leaders):
            _discard(self._by_pair, pair, event_id)
        if entry.into:
            _discard(self._parts, entry.into, event_id)


def _discard(index: dict[_K, set[str]], key: _K, event_id: str) -> None:
    members = index[key]
    members.discard(event_id)
    if not members:
        del index[key]
