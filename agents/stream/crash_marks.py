"""Find the records that crash their process, so that they can be set aside after three crashes.

A record may end its process in ways that no `except` can catch: it uses all memory, or loops inside C code. The next
process would read it again and die too, and so on.

Each partition has a *mark*, a record on a compacted topic. The mark is open while a process reads the partition, and is
closed when that process gives the partition up normally. A process that finds an open mark knows that the previous
owner died. It then reads *carefully* for a while: one record at a time over all its partitions; the offset of a record
is written into the mark before the record is handled, and removed afterwards. So if the process dies, the mark names
the record that killed it. In normal operation nothing else is written.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec
import structlog

from agents.stream.guard import MAX_CRASHES, TopicRecord
from agents.stream.outbox import Outbox
from monitor.errors import BrokerError, DecodeError
from monitor.kafka import BrokerSettings, read_compacted
from monitor.records import Record, decode, encode

logger = structlog.get_logger()

#: Seconds for which a partition is read carefully after its owner died; longer if a marked record is still to come.
CAREFUL_FOR = 15.0
#: The most seconds to wait for the broker's answer, so that a mark never blocks its partition for long.
_PATIENCE = 5.0

Place = tuple[str, int]


class CrashMark(Record, frozen=True, kw_only=True):
    """Whether a process reads a partition (`open`). `suspects` maps offsets to how many processes began that record."""

    topic: str
    partition: int
    open: bool
    suspects: dict[int, int] = msgspec.field(default_factory=dict)


@dataclass
class _CarefulPartition:
    """The state of a partition that is read carefully since the time `since`, in seconds of the monotonic clock.

    `suspects` maps offsets to the number of processes that died with that record. Offsets in `set_aside` stay among
    the `suspects` for a while, because until Faust has committed them, the next process reads them again.
    """

    since: float
    suspects: dict[int, int]
    set_aside: set[int] = field(default_factory=set)


class CrashMarks:
    """Writes and reads the marks. If the broker fails, a warning is logged and reading goes on without marks."""

    def __init__(
        self, broker: BrokerSettings, topic: str, outbox: Outbox, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker, self._topic, self._outbox, self._monotonic = broker, topic, outbox, monotonic
        self._owned: set[Place] = set()
        self._careful: dict[Place, _CarefulPartition] = {}
        #: Held while a suspect record, or a suspect message to a receiver, is processed, so a crash has one cause.
        self.turn = asyncio.Lock()
        #: Set once the marks of all partitions of this process were read.
        self._known = asyncio.Event()

    async def assign(self, partitions: Iterable[Place]) -> None:
        """Open the marks of partitions that are new to this process.

        Partitions whose marks a dead process left open are read carefully. `partitions` are all that this process owns;
        the others belong to other processes from now on.
        """
        wanted = set(partitions)
        new = wanted - self._owned
        self._careful = {place: care for place, care in self._careful.items() if place in wanted}
        self._owned = wanted
        if not new:
            self._known.set()
            return
        self._known.clear()
        marks = await self._read()
        now = self._monotonic()
        for place in new:
            mark = marks.get(place)
            if mark is not None and mark.open:
                self._careful[place] = _CarefulPartition(now, dict(mark.suspects))
        if self._careful:
            logger.info("reading_carefully", partitions=sorted(f"{topic}:{number}" for topic, number in self._careful))
        cares = {place: self._careful.get(place) or _CarefulPartition(now, {}) for place in sorted(new)}
        await asyncio.gather(*(self._mark(place, care.suspects) for place, care in cares.items()))
        self._known.set()

    async def close(self, partitions: Iterable[Place] | None = None) -> None:
        """Close the marks of partitions that are given up normally; of all partitions without an argument.

        A suspect that this process has not finished stays in the mark with its earlier crashes only, since giving up
        the partition is not a crash.
        """
        given_up = self._owned if partitions is None else self._owned & set(partitions)
        self._owned = self._owned - given_up
        marks = []
        for topic, partition in sorted(given_up):
            care = self._careful.pop((topic, partition), None)
            left = {at: n for at, n in care.suspects.items() if at not in care.set_aside} if care else {}
            marks.append(CrashMark(topic=topic, partition=partition, open=bool(left), suspects=left))
        await asyncio.gather(*(self._write(mark) for mark in marks))

    @asynccontextmanager
    async def in_hand(self, incoming: TopicRecord) -> AsyncIterator[int]:
        """Wrap the handling of one record. Yields how many processes died with this record before.

        First waits until the marks were read, since Faust passes on the first records before `assign` has returned.
        """
        if not self._known.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(3 * _PATIENCE):
                    await self._known.wait()
        if not self._careful:
            yield 0
            return
        place = incoming.topic, incoming.partition
        async with self.turn:
            care = self._careful.get(place)
            if care is None:
                yield 0
                return
            deaths = care.suspects.get(incoming.offset, 0)
            await self._mark(place, {**care.suspects, incoming.offset: deaths + 1})
            try:
                yield deaths
            except Exception:  # the guard ends the process for another reason, so the record did not cause it
                await self._mark(place, care.suspects)
                raise
            await self._passed(place, care, incoming.offset, deaths)

    async def _passed(self, place: Place, care: _CarefulPartition, offset: int, deaths: int) -> None:
        """Remove a finished record from the mark, and end the careful reading when it is time."""
        if deaths >= MAX_CRASHES:
            care.set_aside.add(offset)
        else:
            care.suspects.pop(offset, None)
        if self._careful.get(place) is not care:
            return  # the partition was given up meanwhile, and its mark is written
        to_come = any(at > offset for at in care.suspects)
        if not to_come and self._monotonic() - care.since > CAREFUL_FOR:
            del self._careful[place]
            care.suspects.clear()
        await self._mark(place, care.suspects)

    async def _mark(self, place: Place, suspects: dict[int, int]) -> None:
        """Write an open mark."""
        topic, partition = place
        await self._write(CrashMark(topic=topic, partition=partition, open=True, suspects=suspects))

    async def _write(self, mark: CrashMark) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._outbox.send(self._topic, f"{mark.topic}:{mark.partition}".encode(), encode(mark))
        except (BrokerError, TimeoutError) as error:
            logger.warning("mark_not_written", topic=mark.topic, partition=mark.partition, error=str(error))

    async def _read(self) -> dict[Place, CrashMark]:
        try:
            async with asyncio.timeout(_PATIENCE):
                values = await read_compacted(self._broker, self._topic)
        except (BrokerError, TimeoutError) as error:
            logger.warning("marks_not_read", error=str(error))
            return {}
        marks = {}
        for key, value in values.items():
            try:
                mark = decode(CrashMark, value)
            except DecodeError as error:
                logger.warning("mark_unreadable", key=key, error=str(error))
                continue
            if key == f"{mark.topic}:{mark.partition}":  # one under another key is not written by us
                marks[mark.topic, mark.partition] = mark
        return marks
