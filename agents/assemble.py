"""The assemble stage: turns mentions into events. One process at a time writes events and the assembler's state.

For each mention, new revisions of events are written first, then the state that contains them, and then the mention's
offset is committed. After a crash in between, the mention is handled again and gives the same revisions. After any
error the state in memory is dropped and read again, so it is never ahead of the stored one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, time

import structlog

from agents.store import Store
from agents.stream.guard import TopicRecord
from agents.stream.outbox import Outbox
from monitor import metrics, tracing
from monitor.assemble import Assembly, Outcome
from monitor.clock import Clock, real_clock
from monitor.errors import DecodeError, NewerSchemaError, StateError, SummitryError
from monitor.records import Event, Mention, encode

logger = structlog.get_logger()

#: Seconds between two calls of `tick`.
_TICK = 60.0


def check_state(data: bytes) -> None:
    """Check a record of the state. Raises DecodeError when it is damaged, StateError when a newer version wrote it.

    A damaged record is set aside, and the state before it counts. A newer record ends the process.
    """
    try:
        Assembly.restore([data])
    except NewerSchemaError as error:
        raise StateError(str(error)) from error


class AssembleStage:
    """Runs the assembly while the partition of the mentions is assigned to this process."""

    def __init__(self, store: Store, outbox: Outbox, events_topic: str, clock: Clock = real_clock) -> None:
        self._store, self._outbox, self._topic, self._clock = store, outbox, events_topic, clock
        self._owned: set[int] = set()
        self._assembly: tuple[int, Assembly] | None = None
        self._turn = asyncio.Lock()
        self._merged: dict[str, int] = {}
        self._contacts: dict[str, float] = {}

    async def assign(self, partitions: set[int]) -> None:
        """Take over these partitions of the mentions; their state is read when it is first needed.

        Returns when all writes for the partitions before have ended.
        """
        async with self._turn:
            self._owned = partitions
            self._assembly = None

    async def handle(self, mention: Mention, /, incoming: TopicRecord) -> None:
        """Handle one mention; return when its effects are on the broker. Raises BrokerError, StateError."""
        async with self._turn:
            await self._step(incoming.partition, lambda assembly: assembly.advance(self._clock()))
            await self._step(incoming.partition, lambda assembly: assembly.apply(mention))

    async def tick(self) -> None:
        """Update events whose date has passed, without a new mention. Raises BrokerError, StateError."""
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
        # Drop the state in memory until the step is stored: a step that fails leaves it half changed.
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
