"""Test that harmful records (huge, bombs, every codec) are set aside, and that the next story is alerted."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest

from agents.stream.dead_letters import read
from monitor.kafka import BrokerSettings
from monitor.watchlist import bundled
from tests.chaos.driver.poison import KINDS, STAGES, poison
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(420)]


async def test_no_record_stops_a_stage(broker: str, prefix: str, tmp_path: Path) -> None:
    (before, _), (after, contact) = islice(stories(bundled()), 2)
    async with world(broker, prefix, tmp_path, ["alpha"], alerts={"update_wait": "1s"}) as now:
        settings, names = BrokerSettings.from_url(broker), now.service.names
        (worker,) = now.service.running("worker")
        now.newsroom.print("alpha", Entry("s1", before))
        await until("the first story is told", lambda: len(now.desk.firsts()) == 1)
        places = [
            await poison(settings, names, topic, kind, f"poison-{topic}-{kind}")
            for topic in sorted(STAGES)
            for kind in sorted(KINDS)
            if kind != "half-characters" and (topic, kind) != ("events", "no-key")  # compacted: Kafka refuses that
        ]
        now.newsroom.print("alpha", Entry("s2", after))
        await until("the story behind them is told", lambda: now.desk.of(*contact), within=120)

        async def set_aside() -> bool:
            return set(places) <= {letter.id for letter in await read(settings, names.dead_letters)}

        await until("each is a dead letter", set_aside, within=150, every=1)
        assert now.service.running("worker") == [worker], "the worker ended"


async def test_no_record_stops_a_topic_that_is_read_on_the_side(broker: str, prefix: str, tmp_path: Path) -> None:
    """Each of them is read from its beginning by a process that starts, and followed by one that runs."""
    (before, _), (after, contact) = islice(stories(bundled()), 2)
    async with world(broker, prefix, tmp_path, ["alpha"], alerts={"update_wait": "1s"}) as now:
        settings, names = BrokerSettings.from_url(broker), now.service.names
        now.newsroom.print("alpha", Entry("s1", before))
        await until("the first story is told", lambda: len(now.desk.firsts()) == 1)
        places = {
            await poison(settings, names, topic, kind, f"poison-{topic}-{kind}")
            for topic in ("silences", "acks", "deliveries", "assembly", "feeds", "feed_state")
            for kind in ("garbage", "empty", "deep", "newer", "huge", "bigger-bomb:gzip")
        }
        for topic in ("attempts", "dead_letters"):
            await poison(settings, names, topic, "garbage", "poison")
        for role in ("worker", "poller"):
            await now.service.kill(role)
            await now.service.start(role)
        now.newsroom.print("alpha", Entry("s2", after))
        await until("the next story is told", lambda: now.desk.of(*contact), within=120)

        async def missing() -> set[str]:
            return places - {letter.id for letter in await read(settings, names.dead_letters)}

        async def set_aside() -> bool:
            return not await missing()

        try:
            await until("each is a dead letter", set_aside, within=150, every=1)
        except AssertionError:
            raise AssertionError(f"no dead letters: {sorted(await missing())}") from None
        assert len(now.service.running("worker")) == len(now.service.running("poller")) == 1
    assert set(now.desk.firsts().values()) == {1}
