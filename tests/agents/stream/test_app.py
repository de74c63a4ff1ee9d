"""Test on a real broker that our Faust agents commit what was handled and lose no record."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest
import structlog
from aiokafka import TopicPartition

from agents.process.logs import set_up_logs
from agents.stream.app import add_agent, make_app
from agents.stream.dead_letters import read
from agents.stream.guard import Guard, RetryPolicy, TopicRecord
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import Log, TopicSettings
from monitor.kafka import BrokerSettings, consumer, producer


class Handler:
    """Keeps what it is given, but for what is bad."""

    def __init__(self) -> None:
        self.seen: list[bytes] = []

    async def __call__(self, record: bytes, /, incoming: TopicRecord) -> None:
        if record == b"bad":
            raise ValueError("this one")
        self.seen.append(record)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(40):
        while not condition():  # noqa: ASYNC110  # a list is no event
            await asyncio.sleep(0.05)


@asynccontextmanager
async def worker(settings: BrokerSettings, names: TopicNames, handler: Handler) -> AsyncIterator[None]:
    async with producer(settings) as client:
        app = make_app(names, settings)
        guard = Guard("detect", KafkaOutbox(client), names.dead_letters, retries=RetryPolicy(waits=()))
        add_agent(app, names.articles, guard, lambda data: data, handler)
        starting = asyncio.create_task(app.start())
        try:
            yield
        finally:
            await app.stop()
            await asyncio.gather(starting, return_exceptions=True)


@pytest.mark.broker
async def test_a_record_that_fails_costs_no_other_and_nothing_comes_twice(broker: str, prefix: str) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    values = [b"1", b"2", b"bad", b"4", b"5"]
    async with producer(settings) as client:
        for value in values:
            await client.send_and_wait(names.articles, value, key=b"k")
        handler = Handler()
        async with worker(settings, names, handler):
            await until(lambda: len(handler.seen) == 4)
            assert handler.seen == [b"1", b"2", b"4", b"5"]
            assert [letter.value for letter in await read(settings, names.dead_letters)] == [b"bad"]
        async with consumer(settings, group_id=names.group) as probe:
            assert await probe.committed(TopicPartition(names.articles, 0)) == len(values)

        again = Handler()
        async with worker(settings, names, again):
            await client.send_and_wait(names.articles, b"6", key=b"k")
            await until(lambda: again.seen)
            assert again.seen == [b"6"]


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """A log stream; afterwards logging is as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in list(logging.root.manager.loggerDict)}
    yield io.StringIO()
    root.handlers[:], root.level = handlers, level
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


def test_logs_are_one_json_object_a_line_with_role_and_context(log: io.StringIO) -> None:
    set_up_logs(Log(format="json"), "worker", log)
    with structlog.contextvars.bound_contextvars(stage="detect"):
        structlog.get_logger().info("done", article_id="a1")
    structlog.get_logger().debug("not this")
    logging.getLogger("some.library").warning("theirs: %s", 1)
    logging.getLogger("aiokafka").error("a broker that is being waited for")
    ours, theirs = (json.loads(line) for line in log.getvalue().splitlines())
    assert (ours["event"], ours["role"], ours["stage"], ours["article_id"]) == ("done", "worker", "detect", "a1")
    assert ours["timestamp"].endswith("Z")
    assert (theirs["event"], theirs["level"], theirs["role"]) == ("theirs: 1", "warning", "worker")


@pytest.mark.parametrize("form", ["json", "console"])
def test_what_a_server_says_begins_no_line_and_moves_no_cursor(log: io.StringIO, form: str) -> None:
    set_up_logs(Log(format=form), "poller", log)  # type: ignore[arg-type]
    hostile = "x\r\n2026-01-01 [error] forged\x1b[2J\x9b31m\u202e"
    structlog.get_logger().warning("feed_health", why=hostile, feed="\x1b[2J", longest="a" * 100_000)
    logging.getLogger("some.library").warning("it said %s", hostile)
    told = log.getvalue()
    assert len(told.splitlines()) == 2
    assert "forged" in told
    assert not set("\r\x1b\x9b\u202e") & set(told)
    assert len(told) < 5_000


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_show_no_values(log: io.StringIO, form: str) -> None:
    set_up_logs(Log(format=form), "worker", log)  # type: ignore[arg-type]
    password = "geheim"
    try:
        len(password) / 0
    except ZeroDivisionError:
        structlog.get_logger().exception("failed")
    assert "ZeroDivisionError" in log.getvalue()
    assert password not in log.getvalue()
