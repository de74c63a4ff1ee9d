"""Call a handler for each record of a topic, so that no record is lost and no record blocks the others.

Faust commits a message when its agent asks for the next one, and also when the agent raises; so an error that an agent
raises loses the message (docs/guarantees.md has the measurement). Therefore nothing is ever raised out of an agent. The
guard decodes the record, calls the handler with a time limit, and retries errors that may go away. If that fails, it
writes the record and the reason to the dead letters and waits for the broker's ack. If the broker fails for long, or
the installation or the stored state is broken, it ends the process with code 75 (EX_TEMPFAIL). The offset is then not
committed, and the next process continues with the same record.

Every topic that the service reads goes through a guard, also those without a Faust agent (agents/stream/reading.py).
"""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from typing import TypeVar

import structlog
from aiokafka import ConsumerRecord
from aiokafka.errors import KafkaError

from agents.stream.dead_letters import DeadLetter, write
from agents.stream.outbox import Outbox
from monitor import tracing
from monitor.clock import Clock, real_clock
from monitor.errors import (
    BrokerError,
    ConfigError,
    DataFileError,
    DeadlyRecordError,
    DecodeError,
    StageTimeoutError,
    StateError,
    SummitryError,
)
from monitor.metrics import dead_letters, stage_duration, stage_events
from monitor.record_batches import Unreadable
from monitor.tracing import Headers

T = TypeVar("T")
logger = structlog.get_logger()

#: sysexits.h: "temporary failure; the user is invited to retry". The supervisor starts the process again.
EX_TEMPFAIL = 75
_LONGEST_TRACEBACK = 8000


@dataclass(frozen=True)
class TopicRecord:
    """One record as it was read from a topic. `value` is an `Unreadable` when it could not be read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    timestamp: datetime | None = None
    headers: Headers = ()

    @classmethod
    def of(cls, record: ConsumerRecord) -> TopicRecord:
        """Convert a record of aiokafka."""
        moment = moment_of(record.timestamp / 1000) if record.timestamp is not None else None
        return cls(
            record.topic, record.partition, record.offset, record.key, record.value, moment, record.headers or ()
        )

    @property
    def id(self) -> str:
        """The position of the record: `topic:partition:offset`."""
        return f"{self.topic}:{self.partition}:{self.offset}"


def moment_of(seconds: float | None) -> datetime | None:
    """Return a record's timestamp (seconds since 1970) as a datetime; None when it is missing or out of range."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None and seconds >= 0 else None
    except (OverflowError, ValueError, OSError):
        return None


@dataclass(frozen=True)
class RetryPolicy:
    """The seconds that one attempt may take (`limit`), and the waits between attempts in seconds.

    `broker_waits` are used when the broker fails; after the last one the process ends.
    """

    limit: float = 60.0
    waits: tuple[float, ...] = (0.2, 1.0, 5.0)
    broker_waits: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 5.0, 10.0)


#: Wraps the handling of one record; yields how many processes died with it before (agents/stream/crash_marks.py).
InHand = Callable[[TopicRecord], AbstractAsyncContextManager[int]]
#: A record is set aside without being decoded after it has crashed this many processes.
MAX_CRASHES = 3


@asynccontextmanager
async def uncounted(_incoming: TopicRecord) -> AsyncIterator[int]:
    """Wrap the handling of a record without counting crashes."""
    yield 0


class Guard:
    """Calls one stage's handler for its records. `progress` is called after each record.

    `in_hand` wraps the handling and counts crashes. `die` ends the process; tests replace it.
    """

    def __init__(
        self,
        stage: str,
        outbox: Outbox,
        dead_letter_topic: str,
        *,
        retries: RetryPolicy | None = None,
        clock: Clock = real_clock,
        progress: Callable[[TopicRecord], None] = lambda _: None,
        in_hand: InHand = uncounted,
        die: Callable[[int], object] = os._exit,
    ) -> None:
        self.stage = stage
        self._outbox = outbox
        self._dead_letter_topic = dead_letter_topic
        self._retries = retries or RetryPolicy()
        self._clock = clock
        self._progress = progress
        self._in_hand = in_hand
        self._die = die

    async def run(
        self, incoming: TopicRecord, decode: Callable[[bytes], T], handle: Callable[[T], Awaitable[None]]
    ) -> str:
        """Handle one record. Returns `ok`, `retried` (succeeded after a retry) or `dead_letter`.

        Raises nothing but CancelledError. Ends the process when the record is not the cause of the failure.
        """
        started = time.perf_counter()
        step = tracing.step(
            self.stage, tracing.carried(incoming.headers),
            topic=incoming.topic, partition=incoming.partition, offset=incoming.offset,
        )  # fmt: skip
        with structlog.contextvars.bound_contextvars(stage=self.stage, record=incoming.id), step:
            try:
                async with self._in_hand(incoming) as deaths:
                    outcome = await self._attempts(incoming, decode, handle, deaths)
            except _GivenUpError as given_up:  # outside of `in_hand`, so that this end does not count for the record
                self._die(EX_TEMPFAIL)
                raise SystemExit(EX_TEMPFAIL) from given_up  # only reached in tests, which replace `die`
        stage_duration.labels(self.stage).observe(time.perf_counter() - started)
        stage_events.labels(self.stage, outcome).inc()
        self._progress(incoming)
        return outcome

    async def _attempts(
        self, incoming: TopicRecord, decode: Callable[[bytes], T], handle: Callable[[T], Awaitable[None]], deaths: int
    ) -> str:
        waits = iter(self._retries.waits)
        broker_waits = iter(self._retries.broker_waits)
        attempt = 0
        while True:
            attempt += 1
            try:
                await self._once(incoming, decode, handle, deaths)
            except (DataFileError, ConfigError, StateError) as error:
                # The installation or the stored state is broken, not the record; every record would fail like this.
                raise _given_up("not_the_records_fault", error) from error
            except Exception as error:  # every error of a handler ends here
                broker = isinstance(error, BrokerError | KafkaError)
                wait = next(broker_waits if broker else waits, None) if _is_retryable(error) else None
                if wait is None:
                    if broker and _is_retryable(error):
                        raise _given_up("broker_lost", error) from error
                    await self._set_aside(incoming, error, attempt)
                    return "dead_letter"
                tracing.mark("retry", reason=_reason(error))
                logger.warning("retry", attempt=attempt, wait=wait, error=str(error), reason=_reason(error))
                await asyncio.sleep(wait)
            else:
                return "ok" if attempt == 1 else "retried"

    async def _once(
        self, incoming: TopicRecord, decode: Callable[[bytes], T], handle: Callable[[T], Awaitable[None]], deaths: int
    ) -> None:
        if deaths >= MAX_CRASHES:
            raise DeadlyRecordError(f"{deaths} processes died while they handled this record; it is set aside")
        if isinstance(incoming.value, Unreadable):
            raise DecodeError(_unreadable(incoming.offset, incoming.value), reason="unreadable")
        record = decode(incoming.value or b"")
        limit = asyncio.timeout(self._retries.limit)
        try:
            async with limit:
                await handle(record)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StageTimeoutError(f"{self.stage} took longer than {self._retries.limit:g} s") from error

    async def _set_aside(self, incoming: TopicRecord, error: Exception, attempts: int) -> None:
        """Write the dead letter. Raises _GivenUpError, which ends the process, when that fails."""
        try:
            letter = self._letter(incoming, error, attempts)
            for wait in (*self._retries.broker_waits, None):
                try:
                    await write(self._outbox, self._dead_letter_topic, letter)
                except BrokerError as failure:
                    if wait is None or not failure.retryable:
                        raise _given_up("dead_letter_lost", failure) from failure
                    await asyncio.sleep(wait)
                else:
                    break
        except _GivenUpError:
            raise
        except Exception as failure:  # an error that leaves the agent would lose the record
            raise _given_up("dead_letter_lost", failure) from failure
        dead_letters.labels(self.stage, letter.reason).inc()
        tracing.failed(letter.reason)
        logger.error("dead_letter", reason=letter.reason, error=letter.error, attempts=attempts)

    def _letter(self, incoming: TopicRecord, error: Exception, attempts: int) -> DeadLetter:
        value = incoming.value
        return DeadLetter(
            id=incoming.id,
            stage=self.stage,
            topic=incoming.topic,
            partition=incoming.partition,
            offset=incoming.offset,
            key=incoming.key,
            value=bytes(value) if isinstance(value, Unreadable) else value,
            timestamp=incoming.timestamp,
            at=self._clock(),
            reason=_reason(error),
            error=_encodable(f"{type(error).__name__}: {error}"[:_LONGEST_TRACEBACK]),
            traceback=_encodable("".join(traceback.format_exception(error))[-_LONGEST_TRACEBACK:]),
            attempts=attempts,
            cut=isinstance(value, Unreadable),
        )


class _GivenUpError(Exception):
    """The process has to end, for a reason that is not the record's fault."""


def _given_up(event: str, error: Exception) -> _GivenUpError:
    logger.critical(event, error=str(error), exit_code=EX_TEMPFAIL)
    return _GivenUpError(event)


def _unreadable(offset: int, value: Unreadable) -> str:
    return value.reason if value.last <= offset else f"{value.reason} (offsets {offset} to {value.last})"


def _encodable(text: str) -> str:
    """Return the text with lone surrogates escaped: an error may quote a hostile record, and JSON can't hold them."""
    return text.encode("utf-8", "backslashreplace").decode()


def _is_retryable(error: Exception) -> bool:
    if isinstance(error, SummitryError):
        return error.retryable
    return isinstance(error, KafkaError | OSError)


def _reason(error: Exception) -> str:
    return error.reason if isinstance(error, SummitryError) else "error"


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Interrupt Python code that runs longer than `seconds`, by raising StageTimeoutError (not retryable) in it.

    The event loop can't interrupt code that never awaits, but a timer signal can; the standard library's regular
    expressions check for signals too. Works in the main thread only, and does nothing in other threads.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise StageTimeoutError(f"it computed for longer than {seconds:g} s", retryable=False)

    before = signal.signal(signal.SIGALRM, interrupt)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, *timer)
