"""Test the guard: each record is handled, retried or set aside, or else the process ends."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agents.stream.dead_letters import DeadLetter
from agents.stream.guard import EX_TEMPFAIL, Guard, RetryPolicy, TopicRecord, cpu_limit, moment_of
from agents.stream.outbox import MemoryOutbox
from monitor.errors import (
    BrokerError,
    ConfigError,
    DataFileError,
    DecodeError,
    StageTimeoutError,
    StateError,
    SummitryError,
)
from monitor.kafka import MAX_RECORD_BYTES
from monitor.metrics import REGISTRY
from monitor.record_batches import Unreadable
from monitor.records import Article, decode, encode

AT = datetime(2026, 2, 4, 18, tzinfo=UTC)
FAST = RetryPolicy(limit=0.2, waits=(0.0, 0.0), broker_waits=(0.0, 0.0, 0.0))


class Handler:
    """Raises the given errors one after the other, then takes everything."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors, self.taken, self.calls = list(errors), [], 0

    async def __call__(self, record: Article) -> None:
        self.calls += 1
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(record)


class _EndedError(BaseException):
    pass


def ended(code: int) -> None:
    raise _EndedError(code)


def incoming(value: bytes | None = None) -> TopicRecord:
    data = encode(Article(id="1", title="A title")) if value is None else value
    return TopicRecord("in", 2, 7, b"key", data, AT)


def guard(outbox: MemoryOutbox, retries: RetryPolicy = FAST, **options: object) -> Guard:
    options = {"die": ended, **options}
    return Guard("detect", outbox, "dead", retries=retries, clock=lambda: AT, **options)  # type: ignore[arg-type]


def article(data: bytes) -> Article:
    return decode(Article, data)


def letters(outbox: MemoryOutbox) -> list[DeadLetter]:
    return [decode(DeadLetter, value or b"") for value in outbox.values("dead")]


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


async def test_a_good_record_is_handled_once_and_counted() -> None:
    outbox, handler, done = MemoryOutbox(), Handler(), []
    before = sample("summitry_stage_events_total", stage="detect", outcome="ok")
    assert await guard(outbox, progress=done.append).run(incoming(), article, handler) == "ok"
    assert [record.id for record in handler.taken] == ["1"]
    assert outbox.sent == []
    assert done == [incoming()]
    assert sample("summitry_stage_events_total", stage="detect", outcome="ok") == before + 1


@pytest.mark.parametrize("error", [SummitryError("later", retryable=True), StageTimeoutError("slow"), OSError("net")])
async def test_what_may_succeed_later_is_tried_again(error: Exception) -> None:
    outbox, handler = MemoryOutbox(), Handler(error)
    assert await guard(outbox).run(incoming(), article, handler) == "retried"
    assert len(handler.taken) == 1
    assert outbox.sent == []


async def test_what_keeps_failing_is_set_aside_with_its_bytes_and_its_reason() -> None:
    outbox, handler, done = MemoryOutbox(), Handler(*[SummitryError("no", reason="odd", retryable=True)] * 9), []
    assert await guard(outbox, progress=done.append).run(incoming(), article, handler) == "dead_letter"
    (letter,) = letters(outbox)
    assert handler.calls == 3
    assert letter.id == "in:2:7"
    assert (letter.stage, letter.topic, letter.partition, letter.offset) == ("detect", "in", 2, 7)
    assert (letter.key, letter.value, letter.timestamp, letter.at) == (b"key", incoming().value, AT, AT)
    assert (letter.reason, letter.attempts, letter.replayed_at) == ("odd", 3, None)
    assert "SummitryError: no" in letter.error
    assert "Traceback" in letter.traceback
    assert len(done) == 1


@pytest.mark.parametrize(
    ("value", "reason"),
    [(b"\xff", "undecodable"), (b"", "undecodable"), (b'{"schema":9,"id":"","title":""}', "newer_schema")],
)
async def test_what_can_not_be_read_is_set_aside_at_once(value: bytes, reason: str) -> None:
    outbox, handler = MemoryOutbox(), Handler()
    assert await guard(outbox).run(incoming(value), article, handler) == "dead_letter"
    assert handler.calls == 0
    assert [(letter.reason, letter.attempts, letter.value) for letter in letters(outbox)] == [(reason, 1, value)]


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), RecursionError("deep"), DecodeError("bad"), MemoryError()])
async def test_a_bug_is_not_tried_again(error: Exception) -> None:
    outbox, handler = MemoryOutbox(), Handler(error)
    assert await guard(outbox).run(incoming(), article, handler) == "dead_letter"
    assert handler.calls == 1
    assert len(letters(outbox)) == 1


async def test_a_tombstone_is_read_as_nothing() -> None:
    outbox = MemoryOutbox()
    record = TopicRecord("in", 0, 0, None, None)
    assert await guard(outbox).run(record, article, Handler()) == "dead_letter"
    assert letters(outbox)[0].value is None


async def test_a_handler_that_hangs_is_given_up_and_set_aside() -> None:
    outbox = MemoryOutbox()

    async def hang(_: Article) -> None:
        await asyncio.Event().wait()

    retries = RetryPolicy(limit=0.01, waits=(0.0,), broker_waits=(0.0,))
    assert await guard(outbox, retries).run(incoming(), article, hang) == "dead_letter"
    assert [(letter.reason, letter.attempts) for letter in letters(outbox)] == [("timeout", 2)]


async def test_a_time_limit_inside_the_handler_is_not_taken_for_the_guards_own() -> None:
    outbox = MemoryOutbox()
    assert await guard(outbox).run(incoming(), article, Handler(TimeoutError("theirs"))) == "retried"


async def test_the_dead_letter_itself_is_tried_again() -> None:
    outbox = MemoryOutbox(failures=2)
    assert await guard(outbox).run(incoming(b"bad"), article, Handler()) == "dead_letter"
    assert len(letters(outbox)) == 1


async def test_without_a_dead_letter_the_process_ends_and_the_record_stays_uncommitted() -> None:
    outbox, done = MemoryOutbox(failures=99), []
    with pytest.raises(_EndedError, match=str(EX_TEMPFAIL)):
        await guard(outbox, progress=done.append).run(incoming(b"bad"), article, Handler())
    assert done == []


async def test_a_broker_that_fails_for_long_ends_the_process_and_makes_no_dead_letter() -> None:
    outbox, handler = MemoryOutbox(), Handler(*[BrokerError("gone")] * 99)
    with pytest.raises(_EndedError, match=str(EX_TEMPFAIL)):
        await guard(outbox).run(incoming(), article, handler)
    assert handler.calls == 4
    assert outbox.sent == []


@pytest.mark.parametrize("error", [DataFileError("x", "", "damaged"), ConfigError("x", "", "no"), StateError("x")])
async def test_a_broken_installation_or_state_ends_the_process_and_is_no_records_fault(error: Exception) -> None:
    outbox, handler = MemoryOutbox(), Handler(error)
    with pytest.raises(_EndedError, match=str(EX_TEMPFAIL)):
        await guard(outbox).run(incoming(), article, handler)
    assert outbox.sent == []


async def test_a_record_that_the_broker_will_never_take_is_set_aside() -> None:
    outbox, handler = MemoryOutbox(), Handler(BrokerError("too large", reason="too_large", retryable=False))
    assert await guard(outbox).run(incoming(), article, handler) == "dead_letter"
    assert letters(outbox)[0].reason == "too_large"


async def test_cancelling_is_passed_on() -> None:
    outbox = MemoryOutbox()
    task = asyncio.create_task(guard(outbox).run(incoming(), article, Handler(asyncio.CancelledError())))
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outbox.sent == []


def test_plain_computing_is_interrupted() -> None:
    def compute_for_ever() -> None:
        while True:
            pass

    begun = time.monotonic()
    with pytest.raises(StageTimeoutError) as caught, cpu_limit(0.05):
        compute_for_ever()
    assert time.monotonic() - begun < 2
    assert not caught.value.retryable


def test_a_regular_expression_that_explodes_is_interrupted() -> None:
    with pytest.raises(StageTimeoutError), cpu_limit(0.05):
        re.match(r"(a+)+$", "a" * 40 + "b")


def test_the_limit_ends_with_its_block() -> None:
    with cpu_limit(0.05):
        pass
    time.sleep(0.1)


async def test_the_limit_does_nothing_in_other_threads() -> None:
    def work() -> str:
        with cpu_limit(0.01):
            time.sleep(0.05)
        return "done"

    assert await asyncio.to_thread(work) == "done"


@pytest.mark.parametrize("value", [b"\xff" * (MAX_RECORD_BYTES - 200), b"\xff" * 60_000_000, os.urandom(3_900_000)])
async def test_a_dead_letter_of_a_huge_record_fits_and_says_size_and_digest(value: bytes) -> None:
    outbox = MemoryOutbox()
    assert await guard(outbox).run(incoming(value), article, Handler()) == "dead_letter"
    (sent,) = outbox.values("dead")
    assert len(sent or b"") < MAX_RECORD_BYTES
    (letter,) = letters(outbox)
    assert (letter.size, letter.digest) == (len(value), hashlib.sha256(value).hexdigest())
    kept = letter.whole_value()
    assert kept == (value[: len(kept or b"")] if letter.cut else value)


async def test_a_dead_letter_of_a_huge_key_fits() -> None:
    outbox, place = MemoryOutbox(), replace(incoming(b"\xff"), key=os.urandom(4_000_000))
    assert await guard(outbox).run(place, article, Handler()) == "dead_letter"
    assert len(outbox.values("dead")[0] or b"") < MAX_RECORD_BYTES


async def test_an_error_that_quotes_half_characters_is_set_aside_too() -> None:
    outbox = MemoryOutbox()
    assert await guard(outbox).run(incoming(), article, Handler(ValueError("\ud800"))) == "dead_letter"
    assert letters(outbox)[0].error == "ValueError: \\ud800"


async def test_a_broker_that_takes_only_little_gets_a_short_letter() -> None:
    class Small(MemoryOutbox):
        async def send(self, topic: str, key: bytes | None, value: bytes | None, **options: object) -> None:
            if len(value or b"") > 100_000:
                raise BrokerError("too large", reason="too_large", retryable=False)
            await super().send(topic, key, value)

    outbox, value = Small(), os.urandom(500_000)
    assert await guard(outbox).run(incoming(value), article, Handler()) == "dead_letter"
    (letter,) = letters(outbox)
    assert (letter.cut, letter.size) == (True, len(value))


async def test_a_dead_letter_that_no_attempt_could_write_ends_the_process() -> None:
    class Refusing(MemoryOutbox):
        async def send(self, *_: object, **__: object) -> None:
            raise BrokerError("too large", reason="too_large", retryable=False)

    with pytest.raises(_EndedError):
        await guard(Refusing()).run(incoming(b"\xff"), article, Handler())


async def test_what_could_not_be_read_is_set_aside_with_its_place() -> None:
    outbox, handler = MemoryOutbox(), Handler()
    place = replace(incoming(), value=Unreadable("the batch can't be read: it is damaged", last=9))
    assert await guard(outbox).run(place, article, handler) == "dead_letter"
    (letter,) = letters(outbox)
    assert (letter.reason, letter.cut, handler.calls) == ("unreadable", True, 0)
    assert "offsets 7 to 9" in letter.error


async def test_after_three_deaths_a_record_is_set_aside_unread() -> None:
    @asynccontextmanager
    async def after(deaths: int) -> AsyncIterator[int]:
        yield deaths

    outbox, handler = MemoryOutbox(), Handler()
    assert await guard(outbox, in_hand=lambda _: after(2)).run(incoming(), article, handler) == "ok"
    assert await guard(outbox, in_hand=lambda _: after(3)).run(incoming(), article, handler) == "dead_letter"
    assert [letter.reason for letter in letters(outbox)] == ["deadly"]
    assert handler.calls == 1


def test_a_timestamp_that_no_calendar_has_is_none() -> None:
    assert moment_of(2**60) is None
    assert moment_of(-1) is None
    assert moment_of(AT.timestamp()) == AT
