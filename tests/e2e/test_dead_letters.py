"""Test that records which fail become dead letters, other records are handled, and the command line can replay them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from monitor.kafka import producer
from monitor.records import Article, encode
from tests.e2e.harness import NOW, Desk, Entry, Service, until, world
from tests.feedserver import FeedServer

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(180)]

CALL = "Emmanuel Macron and Narendra Modi held a phone call on Wednesday"
LEADERS = ("emmanuel-macron", "narendra-modi")


async def cli(service: Service, *arguments: str) -> str:
    """Standard output of `summitry dead-letters ...`, which has to succeed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agents", "dead-letters", *arguments,
        "--config", str(service.config), "--broker", service.broker,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **service.clock},
    )  # fmt: skip
    out, err = await process.communicate()
    assert process.returncode == 0, err.decode()
    return out.decode()


async def letters(service: Service, *arguments: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (await cli(service, "list", "--format", "json", *arguments)).splitlines()]


async def send(service: Service, *values: bytes) -> None:
    async with producer(service.settings) as client:
        for number, value in enumerate(values):
            await client.send_and_wait(service.names.articles, value, key=b"key-%d" % number, partition=0)


async def test_bad_records_are_set_aside_listed_shown_and_replayed(broker: str, prefix: str, tmp_path: Path) -> None:
    async with FeedServer() as server:
        desk = Desk(server)
        service = Service(broker, prefix, tmp_path, desk.open())
        await service.prepare([])
        await service.start("worker")
        try:
            newer = b'{"schema":99,"id":"n","title":"From the future"}'
            good = encode(Article(id="g", title=CALL, published=NOW, seen=NOW, outlet="Alpha"))
            await send(service, b"\xff not a record \x1b[2J", newer, good)

            await until("the good one is told", lambda: desk.of(*LEADERS))
            found = await letters(service)
            assert [letter["reason"] for letter in found] == ["undecodable", "newer_schema"]
            assert {letter["stage"] for letter in found} == {"detect"}
            assert [letter["id"] for letter in await letters(service, "--reason", "newer_schema")] == [found[1]["id"]]

            shown = await cli(service, "show", str(found[1]["id"]))
            assert "upgrade" in shown
            assert newer.decode() in shown
            hostile = await cli(service, "show", str(found[0]["id"]))
            assert "\\xff not a record \\x1b[2J" in hostile, "nothing of a record reaches the terminal as a command"
            assert "NewerSchemaError" in shown

            assert "replayed 1 dead letters" in await cli(service, "replay", str(found[1]["id"]))

            async def again() -> bool:
                return len(await letters(service, "--reason", "newer_schema")) == 1 and len(await letters(service)) == 2

            await until("it comes back as a new letter", again)
            assert (await letters(service))[1]["id"] != found[1]["id"]
            assert len(await letters(service, "--all")) == 3
        finally:
            await service.stop()


async def test_a_receiver_that_fails_for_a_while_is_told_once_it_is_back(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    alerts = {"retries": ["0.2s"] * 30}
    async with world(broker, prefix, tmp_path, ["alpha"], alerts=alerts) as now:
        now.desk.failing = 500
        now.newsroom.print("alpha", Entry("a1", CALL))
        await until("some attempts failed", lambda: now.desk.refused >= 4)
        now.desk.failing = 0
        await until("the alert", lambda: now.desk.of(*LEADERS))
        assert list(now.desk.firsts().values()) == [1]
        metrics = await now.service.metrics("worker")
        failed = [name for name in metrics if name.startswith("summitry_notifications_failed_total")]
        assert any('receiver="desk"' in name for name in failed)
        assert await letters(now.service) == []


async def test_a_message_that_was_given_up_is_a_dead_letter_and_can_be_replayed(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    async with world(broker, prefix, tmp_path, ["alpha"], alerts={"retries": ["0.1s", "0.1s"]}) as now:
        now.desk.failing = 500
        now.newsroom.print("alpha", Entry("a1", CALL))

        async def given_up() -> bool:
            return [letter["stage"] for letter in await letters(now.service)] == ["deliver"]

        await until("it is given up", given_up)
        assert now.desk.refused == 3
        now.desk.failing = 0
        await cli(now.service, "replay", "--all", "--stage", "deliver")
        await until("it is told", lambda: now.desk.of(*LEADERS))
        assert list(now.desk.firsts().values()) == [1]
        assert await letters(now.service) == []


async def test_poison_articles_do_not_stop_the_others(broker: str, prefix: str, tmp_path: Path) -> None:
    async with FeedServer() as server:
        desk = Desk(server)
        service = Service(broker, prefix, tmp_path, desk.open())
        await service.prepare([])
        await service.start("worker", module="tests.e2e.poisoned")
        try:
            poison = [encode(Article(id=name, title="An odd headline", published=NOW)) for name in ("crash", "hang")]
            await send(service, *poison, encode(Article(id="g", title=CALL, published=NOW, seen=NOW, outlet="Alpha")))
            await until("the good one is told", lambda: desk.of(*LEADERS))
            found = await letters(service)
            assert [(letter["reason"], letter["attempts"]) for letter in found] == [("error", 1), ("timeout", 1)]
            assert "ZeroDivisionError" in str(found[0]["traceback"])
        finally:
            await service.stop()
