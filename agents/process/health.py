"""Measure the health of a process (lag, progress, the event loop), and end a process that is stuck.

A Faust worker can stop working without leaving its group (faust-streaming issues 175, 523, 532, 640). So health is
measured independently of Faust, with numbers of the broker: end offsets minus committed offsets.
"""

from __future__ import annotations

import asyncio
import faulthandler
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
from agents.stream.guard import EX_TEMPFAIL, TopicRecord
from monitor.clock import Clock, boot_time, real_clock
from monitor.metrics import consumer_lag_messages, consumer_lag_seconds, event_loop_lag

logger = structlog.get_logger()

#: A process is not live when records wait and no offset was committed for this many seconds.
STUCK_AFTER = 150.0
#: A process ends when its event loop has not run for this many seconds.
HUNG_AFTER = 60.0
_TICK = 0.5
_EVERY = 2.0
_ARM_EVERY = 5.0
#: Milliseconds to wait for a record of a partition.
_LOOK_MS = 1000
#: Seconds without an answer of the broker until it is logged first, between log lines, and until the process ends.
SAY_AFTER, SAY_EVERY, UNKNOWN_AFTER = 4.0, 60.0, 300.0


@dataclass
class _Partition:
    committed: int | None = None
    moved: float = 0.0
    lag: int = 0


class Lag:
    """Measures the lag, in records and seconds, of the partitions that are assigned to this process."""

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
        #: Why the last measurement failed, '' when it succeeded.
        self.problem = ""
        self._measured = monotonic()
        self._handled: dict[str, datetime] = {}
        for topic in self._topics:
            consumer_lag_messages.labels(topic).set(0)
            consumer_lag_seconds.labels(topic).set(0)

    @property
    def assigned(self) -> list[TopicPartition]:
        """The partitions of this process, none before the first assignment."""
        return list(self._assigned or ())

    def assign(self, partitions: Iterable[tuple[str, int]]) -> None:
        """Set the (topic, partition) pairs that this process owns from now on; there may be none."""
        now, before = self._monotonic(), self._assigned or {}
        wanted = [TopicPartition(topic, number) for topic, number in partitions if topic in self._topics]
        self._assigned = {partition: before.get(partition) or _Partition(moved=now) for partition in wanted}

    def handled(self, incoming: TopicRecord) -> None:
        """Note that a record was handled."""
        if incoming.timestamp is not None:
            self._handled[incoming.topic] = incoming.timestamp

    async def measure(self, client: AIOKafkaConsumer) -> None:
        """Measure the lag once. `client` has the workers' group id but is not a member. Raises KafkaError."""
        partitions = self.assigned
        if not partitions:
            await client.topics()  # only to see whether the broker answers
        ends = await client.end_offsets(partitions)
        starts = await client.beginning_offsets(partitions)
        committed = {partition: await client.committed(partition) for partition in partitions}
        now, looked = self._monotonic(), False
        for partition in partitions:
            state = (self._assigned or {}).get(partition)
            if state is None:  # revoked in the meantime
                continue
            offset = committed[partition]
            # Records after the committed offset may have been deleted by the topic's retention.
            state.lag = max(0, ends[partition] - max(starts[partition], offset or 0))
            # While the broker did not answer, nothing could be committed, so that time does not count.
            if state.lag == 0 or offset != state.committed or self.problem:
                state.committed, state.moved = offset, now
            elif now - state.moved > self._stuck_after / 2 and not looked:
                looked = True  # one partition in each measurement, since this may take a second
                if await only_marks(client, partition, offset):
                    state.lag, state.moved = 0, now
        self.problem, self._measured = "", now
        self._publish()

    def not_measured(self, problem: str) -> float:
        """Note why a measurement failed. Returns the seconds since the last one that succeeded."""
        self.problem = problem
        return self._monotonic() - self._measured

    def _publish(self) -> None:
        now = self._clock()
        for topic in self._topics:
            lag = sum(state.lag for partition, state in (self._assigned or {}).items() if partition.topic == topic)
            handled = self._handled.get(topic)
            consumer_lag_messages.labels(topic).set(lag)
            age = (now - handled).total_seconds() if lag and handled else 0.0
            consumer_lag_seconds.labels(topic).set(max(0.0, age))

    def not_ready(self) -> Iterable[str]:
        """Yield a reason while no partitions are assigned yet, or the broker does not answer."""
        if self._assigned is None:
            yield "no partitions assigned yet"
        if (silent := self._silent_for()) > SAY_AFTER:
            yield f"the broker has not answered for {silent:.0f} s: {self.problem}"

    def not_live(self) -> Iterable[str]:
        """Yield a reason when records wait but no offset is committed, or the broker has not answered for long."""
        if (silent := self._silent_for()) > UNKNOWN_AFTER:
            yield f"the broker has not answered for {silent:.0f} s: {self.problem}"
        if self.problem:
            return
        now = self._monotonic()
        for partition, state in (self._assigned or {}).items():
            if state.lag and now - state.moved > self._stuck_after:
                yield f"{state.lag} records of {partition.topic}:{partition.partition} wait and none was committed"

    def _silent_for(self) -> float:
        """Return for how many seconds the broker has not answered, 0 when it answers."""
        return self._monotonic() - self._measured if self.problem else 0.0


async def only_marks(client: AIOKafkaConsumer, partition: TopicPartition, offset: int | None) -> bool:
    """Tell whether there are no records after an offset, only transaction markers or offsets that compaction removed.

    A consumer never sees such offsets, so they are never committed. Raises KafkaError.
    """
    client.assign([partition])
    try:
        end = (await client.end_offsets([partition]))[partition]
        client.seek(partition, offset or 0)
        return not await client.getmany(timeout_ms=_LOOK_MS, max_records=1) and await client.position(partition) >= end
    finally:
        client.unsubscribe()


async def watch_lag(lag: Lag, client: AIOKafkaConsumer, die: Callable[[int], object] = os._exit) -> None:
    """Measure the lag again and again, for ever, and end the process (code 75) when it is not live.

    When the broker does not answer, that is logged and shown on `/ready`. The process ends only after UNKNOWN_AFTER
    seconds, because the cause may be elsewhere; a new process may be able to connect.
    """
    say_after = SAY_AFTER
    while True:
        try:
            async with asyncio.timeout(3):
                await lag.measure(client)
        except (KafkaError, OSError, TimeoutError) as error:
            seconds = lag.not_measured(str(error) or type(error).__name__)
            if seconds >= say_after:
                logger.warning("waiting_for_broker", seconds=round(seconds), error=lag.problem)
                say_after = seconds + SAY_EVERY
        else:
            say_after = SAY_AFTER
        if problems := list(lag.not_live()):
            logger.critical("not_live", problems=problems, exit_code=EX_TEMPFAIL)
            die(EX_TEMPFAIL)
        await asyncio.sleep(_EVERY if not lag.problem else 1.0)


class Watchdog:
    """Measures how late the event loop wakes up, and ends the process when the loop hangs.

    A thread checks the time of the loop's last beat, from `start` to the end of the process. It ends the process (code
    75) when the loop hangs. It also ends it when the whole process was suspended for longer than the group's session
    timeout, because then another worker already owns its partitions.

    C code that never returns can keep all Python threads from running. With `below_python` a thread of the interpreter
    (faulthandler) then ends the process, with code 1 and all stacks on standard error.
    """

    def __init__(
        self,
        *,
        hung_after: float = HUNG_AFTER,
        stopped_after: float = SESSION_TIMEOUT,
        below_python: bool = False,
        die: Callable[[int], object] = os._exit,
    ) -> None:
        self._hung_after, self._stopped_after, self._below_python = hung_after, stopped_after, below_python
        self._die = die
        self._beat = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._beat = time.monotonic()
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread; only tests do this."""
        self._stop.set()

    async def beat(self) -> None:
        """Note the time again and again in the event loop, until cancelled."""
        armed = 0.0
        while True:
            before = time.monotonic()
            if self._below_python and before - armed > _ARM_EVERY:
                faulthandler.dump_traceback_later(self._hung_after + 2 * _ARM_EVERY, exit=True)
                armed = before
            await asyncio.sleep(_TICK)
            self._beat = time.monotonic()
            event_loop_lag.observe(max(0.0, self._beat - before - _TICK))

    def _watch(self) -> None:
        before = boot_time()
        while not self._stop.wait(_TICK):
            now, beat = boot_time(), time.monotonic() - self._beat
            if now - before - _TICK > self._stopped_after:
                self._end("process_was_stopped", now - before)
            elif beat > self._hung_after:
                self._end("event_loop_hangs", beat)
            before = now

    def _end(self, event: str, seconds: float) -> None:
        logger.critical(event, seconds=round(seconds, 1), exit_code=EX_TEMPFAIL)
        self._die(EX_TEMPFAIL)
