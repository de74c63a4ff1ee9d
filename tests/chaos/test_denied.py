"""Withdraw and restore a right of running processes: they continue, or end with their reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from agents.stream.guard import EX_TEMPFAIL
from agents.stream.topics import declare
from monitor.watchlist import bundled
from tests.brokers import ACCESS_LISTS, ApacheKafka, Embedded
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, Service, until, world
from tests.kafka.access import ALL, ALLOW, DENY, DESCRIBE, READ, WRITE, add, entry, remove

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def guarded_broker(broker_process: ApacheKafka | Embedded) -> Iterator[ApacheKafka]:
    """A broker of its own, with access lists."""
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("only Apache Kafka has access lists")
    broker = ApacheKafka(properties=ACCESS_LISTS)
    broker.start()
    yield broker
    broker.stop()


async def supervise(service: Service, role: str, ended: list[int]) -> None:
    while True:
        (process,) = service.running(role)
        ended.append(await process.wait())
        await service.start(role)


@pytest.mark.parametrize("operation", [READ, WRITE, DESCRIBE], ids=["read", "write", "describe"])
async def test_processes_that_lack_a_right_for_ten_seconds_go_on_or_end(
    guarded_broker: ApacheKafka, prefix: str, tmp_path: Path, operation: int
) -> None:
    """On every topic at once. What is published meanwhile is told once the right is back."""
    (first, _), (second, meanwhile), (third, contact) = islice(stories(bundled()), 3)
    async with world(
        guarded_broker.url, prefix, tmp_path, ["alpha"], patience=120, alerts={"update_wait": "1s"}
    ) as now:
        now.newsroom.print("alpha", Entry("s1", first))
        await until("the first story is told", lambda: len(now.desk.firsts()) == 1)
        broker, ended = now.service.settings, {role: list[int]() for role in ("worker", "poller")}
        topics = [topic.name for topic in declare(now.service.topics)]
        entries = [entry(topic, *each) for topic in topics for each in ((ALL, ALLOW), (operation, DENY))]
        supervising = [asyncio.create_task(supervise(now.service, role, codes)) for role, codes in ended.items()]
        try:
            await add(broker, entries)
            now.newsroom.print("alpha", Entry("s2", second))
            await asyncio.sleep(10)
            await remove(broker, entries)
            now.newsroom.print("alpha", Entry("s3", third))
            for people in (meanwhile, contact):
                await until("the stories are told", lambda people=people: now.desk.of(*people), within=90)
        finally:
            for task in supervising:
                task.cancel()
            await asyncio.gather(*supervising, return_exceptions=True)
        for role, codes in ended.items():
            assert set(codes) <= {EX_TEMPFAIL}, role
            assert not codes or any(line["level"] in {"error", "critical"} for line in now.service.log(role)), role
    assert set(now.desk.firsts().values()) == {1}
