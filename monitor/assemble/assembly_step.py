"""One step of assembly: the events that it opened and changed, and what it sends and stores at its end."""

from __future__ import annotations

import msgspec

from monitor.assemble.claims.kept_mention import KeptMention
from monitor.assemble.event_index import EventIndex
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.stored import EventState, pack, unpack_event
from monitor.records import Event


class Outcome(msgspec.Struct, frozen=True):
    """The result of one step: new revisions to send, keys whose state to store, keys whose state to delete."""

    events: tuple[Event, ...] = ()
    stored: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.events or self.stored or self.removed)


class AssemblyStep:
    """The changes of one step so far: states that were read or changed, and revisions to publish."""

    def __init__(self, index: EventIndex) -> None:
        self._index = index
        self.states: dict[str, EventState] = {}
        self.changed: dict[str, None] = {}
        #: Pairs whose record changed, and the first day of the change.
        self.pairs: dict[str, int] = {}
        #: Events without any mention left, each with its last mentions.
        self.last_mentions: dict[str, tuple[KeptMention, ...]] = {}
        self.removed: list[str] = []
        self.events: list[Event] = []

    def open(self, event_id: str) -> EventState:
        """Return an event's state, unpacked at its first use in the step. Raises KeyError for an unknown event."""
        state = self.states.get(event_id)
        if state is None:
            state = self.states[event_id] = unpack_event(self._index[event_id].data)
        return state

    def store(self, state: EventState, anchor: Anchor | None = None) -> None:
        """Record that an event changed; `anchor` is given if its mentions changed."""
        self._index.put(state, anchor or self._index[state.event_id].anchor)
        self.changed[state.event_id] = None

    def drop(self, event_id: str) -> None:
        """Remove an event. Raises KeyError for an unknown one."""
        self._index.drop(event_id)
        self.removed.append(event_id)
        self.changed.pop(event_id, None)

    def note_pairs(self, changed: dict[str, int]) -> None:
        """Record pairs whose record changed, each with the first day of the change."""
        for pair, day in changed.items():
            self.pairs[pair] = min(day, self.pairs.get(pair, day))

    def end(self, *more: str) -> Outcome:
        """Convert what changed to its stored form, and return the outcome; `more` are further keys to store."""
        for event_id in self.changed:
            self._index[event_id].data = pack(self.states[event_id])
        gone = set(self.removed)
        stored = dict.fromkeys((*more, *(i for i in self.changed if i not in gone), *self.pairs))
        return Outcome(tuple(self.events), tuple(stored), tuple(self.removed))
