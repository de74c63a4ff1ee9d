"""Test that records with extreme values, and arbitrary bytes, end no process, and that the next story is alerted."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import islice
from pathlib import Path

import pytest

from monitor.kafka import BrokerSettings, producer
from monitor.watchlist import bundled
from tests.chaos.driver.odd import bytes_of_every_kind, odd_records
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, Service, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]

ROLES = ("worker", "poller", "board")
TOPICS = (
    "articles", "mentions", "events", "silences", "acks", "deliveries", "assembly", "feeds", "feed_state", "attempts",
    "feedback", "dead_letters",
)  # fmt: skip


async def write(service: Service) -> int:
    written = 0
    async with producer(BrokerSettings.from_url(service.broker), max_request_size=4_000_000) as client:
        for odd in odd_records():
            await client.send(
                getattr(service.names, odd.topic), odd.value, key=odd.key, headers=list(odd.headers),
                timestamp_ms=odd.timestamp,
            )  # fmt: skip
            written += 1
        for topic in TOPICS:
            for number, value in enumerate(bytes_of_every_kind(json.dumps({"id": "x", "event_id": "x"}).encode())):
                await client.send(getattr(service.names, topic), value, key=f"odd {number}".encode())
                written += 1
        await client.flush()
    return written


async def tried(service: Service, command: list[str]) -> str:
    """What a command prints on standard error."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agents", *command, *service.arguments("worker"),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, said = await process.communicate()
    return said.decode()


async def test_no_odd_record_stops_anybody(broker: str, prefix: str, tmp_path: Path) -> None:
    (first, one), (second, two), (third, three) = islice(stories(bundled()), 3)
    async with world(broker, prefix, tmp_path, ["alpha"], patience=120, alerts={"update_wait": "1s"}) as now:
        service = now.service
        await service.start("board")
        await until("the board serves", lambda: service.has_logged("board", "serving"))
        running = {role: service.running(role) for role in ROLES}
        now.newsroom.print("alpha", Entry("s1", first))
        await until("the first story is told", lambda: now.desk.of(*one))
        assert await write(service) > 300
        now.newsroom.print("alpha", Entry("s2", second))
        await until("the story behind them is told", lambda: now.desk.of(*two), within=200)
        assert {role: service.running(role) for role in ROLES} == running, "somebody ended"
        for role in ROLES:
            await service.kill(role)
            await service.start(role)
        now.newsroom.print("alpha", Entry("s3", third))
        await until("who starts among them tells, too", lambda: now.desk.of(*three), within=200)
        for path in ("/", "/feeds", "/system"):
            page = await until("the board answers", lambda path=path: service.page("board", path))
            assert page.status_code == 200, path
        for command in ("events", "feeds list", "deliveries list", "dead-letters list", "dead-letters show odd"):
            said = await tried(service, command.split())
            assert "Traceback" not in said, command
        assert all(len(service.running(role)) == 1 for role in ROLES)
        firsts = now.desk.firsts()
        told = {
            item["event"]["event_id"] for item in now.desk.items() if not item["event"]["event_id"].startswith("odd")
        }
        assert {firsts[event] for event in told if event} <= {1}
