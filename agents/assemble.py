"""Turn mentions into events: the one writer of events and of the assembler's state.

New revisions are on the broker before the state that knows of them, and both before the mention's offset is committed.
After a crash in between, the same mention gives the same revisions once more. After any error the state in memory is
thrown away and read again, so it is never ahead of what is stored.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time

import structlog

from agents.store import Store
from agents.stream.guard import Incoming
from agents.stream.outbox import Outbox
from monitor import metrics, tracing
from monitor.assemble import Assembly, Outcome
from monitor.clock import Clock, real_clock
from monitor.errors import DecodeError, NewerSchemaError, StateError, SummitryError
from monitor.records import Event, Mention, encode

logger = structlog.get_logger()

#: Seconds between two looks at the calendar.
_TICK = 60.0


def check_state(data: bytes) -> None:
    """Raise DecodeError when a state is damaged, StateError when a newer version wrote it.

    A damaged record is set aside and the key's state before it stands; a newer one stops an older version.
    """
    try:
        Assembly.restore([data])
    except NewerSchemaError as error:
        raise StateError(str(error)) from error


class AssembleStage:
    """Owns the assembly of the mentions' partition while it is assigned to this process."""

    def __init__(self, store: Store, outbox: Outbox, events_topic: str, clock: Clock = real_clock) -> None:
        self._store, self._outbox, self._topic, self._clock = store, outbox, events_topic, clock
        self._owned: set[int] = set()
        self._assembly: tuple[int, Assembly] | None = None
        self._turn = asyncio.Lock()
        self._merged: dict[str, int] = {}
        self._contacts: dict[str, float] = {}

    async def assign(self, partitions: set[int]) -> None:
        """Own these partitions of the mentions from now on; their state is read when it is needed.

        Returns when nothing of those before is being written any more.
        """
        async with self._turn:
            self._owned = partitions
            self._assembly = None

    async def handle(self, mention: Mention, /, incoming: Incoming) -> None:
        """Take in one mention; return when its effects are on the broker. Raises BrokerError, StateError."""
        async with self._turn:
            await self._step(incoming.partition, lambda assembly: assembly.advance(self._clock()))
            await self._step(incoming.partition, lambda assembly: assembly.apply(mention))

    async def tick(self) -> None:
        """Let time pass for events that nobody mentions any more. Raises BrokerError, StateError."""
        async with self._turn:
            for partition in self._owned:
                await self._step(partition, lambda assembly: assembly.advance(self._clock()))

    async def run(self) -> None:
        """Tick for ever."""
        while True:
            try:
                await self.tick()
            except SummitryError as error:
                logger.warning("tick_failed", error=str(error))
            await asyncio.sleep(_TICK)

    async def _current(self, partition: int) -> Assembly:
        if self._assembly is not None and self._assembly[0] == partition:
            return self._assembly[1]
        states = await self._store.load(partition)
        try:
            assembly = Assembly.restore(states.values())
        except DecodeError as error:
            raise StateError(f"the state of open events can't be read: {error}") from error
        self._assembly = (partition, assembly)
        logger.info("assembly_restored", open_events=assembly.open_events, states=len(states))
        metrics.events_open.set(assembly.open_events)
        return assembly

    async def _step(self, partition: int, step: Callable[[Assembly], Outcome]) -> None:
        assembly = await self._current(partition)
        # Until the step is stored, what is in memory is ahead of what would be read; one that fails is half done.
        self._assembly = None
        outcome = step(assembly)
        for event in outcome.events:
            await self._outbox.send(self._topic, event.event_id.encode(), encode(event))
        if outcome:
            changes: dict[str, bytes | None] = {key: assembly.state(key) for key in outcome.stored}
            changes.update(dict.fromkeys(outcome.removed))
            await self._store.put(partition, changes)
        self._assembly = (partition, assembly)
        for event in outcome.events:
            self._count(event)
        metrics.events_open.set(assembly.open_events)

    def _count(self, event: Event) -> None:
        metrics.event_revisions.inc()
        if event.revision == 1:
            metrics.events.labels(event.kind, event.status).inc()
        merged = len(event.sources) - event.reports
        metrics.reports_merged.inc(max(0, merged - self._merged.get(event.event_id, 0)))
        self._merged[event.event_id] = merged
        if event.closed:
            self._merged.pop(event.event_id, None)
        if event.status == "held" and len(event.participants) == 2 and event.when is not None:
            pair = "+".join(sorted(p.leader for p in event.participants))
            day = datetime.combine(event.when.end, time(), UTC).timestamp()
            self._contacts[pair] = max(day, self._contacts.get(pair, 0.0))
            metrics.contact_last.labels(pair).set(self._contacts[pair])
        tracing.mark("event", event_id=event.event_id, revision=event.revision, status=event.status)
        logger.info("event", event_id=event.event_id, revision=event.revision, status=event.status, brief=event.brief)
