"""Kill the board at any moment: afterwards it shows the same events, and alerts are not affected."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.harness import Entry, Service, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(400)]

STORIES = (
    "Emmanuel Macron and Narendra Modi held a phone call on Tuesday",
    "Friedrich Merz and Giorgia Meloni held a video call on Tuesday",
    "Vladimir Putin and Xi Jinping spoke by phone on Tuesday",
    "Keir Starmer and Donald Tusk held a phone call on Tuesday",
)


async def shown(service: Service) -> list[dict[str, Any]]:
    """All events that a board shows, without its own address; empty while it is not ready."""
    async with httpx.AsyncClient(trust_env=False, timeout=20.0) as client:
        base = await service.url("board")
        try:
            if (await client.get(f"{base}/ready")).status_code != 200:
                return []
            items = (await client.get(f"{base}/api/v1/events?limit=500")).json()["items"]
        except httpx.TransportError:
            return []
    return [{name: value for name, value in item.items() if name != "url"} for item in items]


async def test_a_board_killed_again_and_again_is_missed_by_nobody(broker: str, prefix: str, tmp_path: Path) -> None:
    chance = random.Random(11)
    files = {"archive": str(tmp_path / "archive.sqlite")}
    async with world(broker, prefix, tmp_path, ["alpha", "bravo"], board=files) as now:
        service, desk = now.service, now.desk
        (worker,), (poller,) = service.running("worker"), service.running("poller")
        for number, story in enumerate(STORIES):
            await service.start("board")
            await asyncio.sleep(chance.uniform(0.5, 6.0))
            now.newsroom.print("alpha", Entry(f"a{number}", story))
            await asyncio.sleep(chance.uniform(0.0, 2.0))
            await service.kill("board")
            await until("the desk is told, board or not", lambda: len(desk.firsts()) > number, within=90)  # noqa: B023

        await service.start("board")
        told = set(desk.firsts())

        async def complete() -> bool | None:
            return {item["event_id"] for item in await shown(service)} == told or None

        await until("the board shows what was told", complete, within=90)
        after = await shown(service)
        async with httpx.AsyncClient(trust_env=False, timeout=20.0) as client:
            base = await service.url("board")
            seen = await client.post(f"{base}/api/v1/events/{after[0]['event_id']}/seen", json={"by": "Ada"})
            assert seen.status_code == 201
            await service.kill("board")
            await service.start("board")
            await until("it is there again", complete, within=90)
            base = await service.url("board")
            assert "Ada" in (await client.get(f"{base}/events/{after[0]['event_id']}")).text

        # One that never saw the others die, with an archive of its own, shows the same.
        (tmp_path / "fresh").mkdir()
        fresh = Service(broker, prefix, tmp_path / "fresh", "http://127.0.0.1:9/hook")
        try:
            await fresh.start("board")

            async def ready() -> bool | None:
                return bool(await shown(fresh)) or None

            await until("another board has read the topics", ready, within=90)
            assert await shown(fresh) == await shown(service)
        finally:
            await fresh.stop()

        assert set(desk.firsts().values()) == {1}
        assert desk.repeats() == 0
        assert (worker.returncode, poller.returncode) == (None, None)
        assert service.running("worker") == [worker]
        assert [line for line in service.log("worker") if line.get("level") in {"error", "critical"}] == []
