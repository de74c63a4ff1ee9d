"""Is the process well? Lag, progress, the event loop, and an end to a process that is not.

A Faust worker can "slowly die": it stays in its group and handles nothing (faust-streaming issues 175, 523, 532, 640).
So health is measured from outside of Faust, with the broker's own numbers: end offsets less committed offsets.
"""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from agents.stream.app import SESSION_TIMEOUT
from agents.stream.guard import EX_TEMPFAIL, Incoming
from monitor.clock import Clock, real_clock
from monitor.metrics import consumer_lag_messages, consumer_lag_seconds, event_loop_lag

logger = structlog.get_logger()

#: Records wait and the committed offset has not moved for this long (seconds): the process is not live.
STUCK_AFTER = 150.0
#: The event loop has not turned for this long (seconds): the process ends.
HUNG_AFTER = 60.0
_TICK = 0.5
_EVERY = 2.0


@dataclass
class _Partition:
    committed: int | None = None
    moved: float = 0.0
    lag: int = 0


class Lag:
    """The lag of the partitions that this process was assigned, in records and in seconds."""

    def __init__(
        self,
        topics: Iterable[str],
        clock: Clock = real_clock,
        monotonic: Callable[[], float] = time.monotonic,
        stuck_after: float = STUCK_AFTER,
    ) -> None:
        self._topics = tuple(topics)
        self._clock, self._monotonic, self._stuck_after = clock, monotonic, stuck_after
        self._assigned: dict[TopicPartition, _Partition] | None = None
        self._handled: dict[str, datetime] = {}
        for topic in self._topics:
            consumer_lag_messages.labels(topic).set(0)
            consumer_lag_seconds.labels(topic).set(0)

    @property
    def assigned(self) -> list[TopicPartition]:
        """The partitions of this process, none before the first assignment."""
        return list(self._assigned or ())

    def assign(self, partitions: Iterable[tuple[str, int]]) -> None:
        """From now on these (topic, partition) pairs are this process's own; they may be none."""
        now, before = self._monotonic(), self._assigned or {}
        wanted = [TopicPartition(topic, number) for topic, number in partitions if topic in self._topics]
        self._assigned = {partition: before.get(partition) or _Partition(moved=now) for partition in wanted}

    def handled(self, incoming: Incoming) -> None:
        """A record was handled."""
        if incoming.timestamp is not None:
            self._handled[incoming.topic] = incoming.timestamp

    async def measure(self, client: AIOKafkaConsumer) -> None:
        """Ask the broker once, with a consumer of the workers' group that is not a member. Raises KafkaError."""
        partitions = self.assigned
        if not partitions:
            return
        ends = await client.end_offsets(partitions)
        starts = await client.beginning_offsets(partitions)
        committed = {partition: await client.committed(partition) for partition in partitions}
        now = self._monotonic()
        for partition in partitions:
            state = (self._assigned or {}).get(partition)
            if state is None:  # revoked while we asked
                continue
            offset = committed[partition]
            state.lag = max(0, ends[partition] - (starts[partition] if offset is None else offset))
            if state.lag == 0 or offset != state.committed:
                state.committed, state.moved = offset, now
        self._publish()

    def _publish(self) -> None:
        now = self._clock()
        for topic in self._topics:
            lag = sum(state.lag for partition, state in (self._assigned or {}).items() if partition.topic == topic)
            handled = self._handled.get(topic)
            consumer_lag_messages.labels(topic).set(lag)
            age = (now - handled).total_seconds() if lag and handled else 0.0
            consumer_lag_seconds.labels(topic).set(max(0.0, age))

    def not_ready(self) -> Iterable[str]:
        """Not ready before the group has given this process its partitions."""
        if self._assigned is None:
            yield "no partitions assigned yet"

    def not_live(self) -> Iterable[str]:
        """Not live when records wait and nothing is committed."""
        now = self._monotonic()
        for partition, state in (self._assigned or {}).items():
            if state.lag and now - state.moved > self._stuck_after:
                yield f"{state.lag} records of {partition.topic}:{partition.partition} wait and none was committed"


async def watch_lag(lag: Lag, client: AIOKafkaConsumer, die: Callable[[int], object] = os._exit) -> None:
    """Measure again and again, for ever, and end a process (code 75) that is not live any more.

    A broker that does not answer is not this process's fault.
    """
    while True:
        try:
            async with asyncio.timeout(10):
                await lag.measure(client)
        except (KafkaError, OSError, TimeoutError) as error:
            logger.debug("lag_unknown", error=str(error))
        else:
            if problems := list(lag.not_live()):
                logger.critical("not_live", problems=problems, exit_code=EX_TEMPFAIL)
                die(EX_TEMPFAIL)
        await asyncio.sleep(_EVERY)


class Heartbeat:
    """Measures how late the event loop wakes up, and ends the process when that can't be helped any more.

    A thread of its own looks at the loop's last beat. It ends the process (code 75) when the loop hangs, and when the
    whole process was stopped for longer than the group's session: then another worker owns its partitions already, and
    whatever it would do next would be done twice.
    """

    def __init__(
        self,
        *,
        hung_after: float = HUNG_AFTER,
        stopped_after: float = SESSION_TIMEOUT,
        die: Callable[[int], object] = os._exit,
    ) -> None:
        self._hung_after, self._stopped_after, self._die = hung_after, stopped_after, die
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="heartbeat", daemon=True)

    async def run(self) -> None:
        """Beat until cancelled."""
        self._beat = time.monotonic()
        self._thread.start()
        try:
            while True:
                before = time.monotonic()
                await asyncio.sleep(_TICK)
                self._beat = time.monotonic()
                event_loop_lag.observe(max(0.0, self._beat - before - _TICK))
        finally:
            self._stop.set()

    def _watch(self) -> None:
        before = time.monotonic()
        while not self._stop.wait(_TICK):
            now = time.monotonic()
            if now - before - _TICK > self._stopped_after:
                self._end("process_was_stopped", now - before)
            elif now - self._beat > self._hung_after:
                self._end("event_loop_hangs", now - self._beat)
            before = now

    def _end(self, event: str, seconds: float) -> None:
        logger.critical(event, seconds=round(seconds, 1), exit_code=EX_TEMPFAIL)
        self._die(EX_TEMPFAIL)
