"""Test that a record or message which kills every worker is set aside after three deaths, and nothing else is."""

from __future__ import annotations

import asyncio
from itertools import islice
from pathlib import Path

import pytest

from agents.stream.dead_letters import read
from monitor.kafka import producer
from monitor.records import Article, encode
from monitor.watchlist import bundled
from tests.brokers import ApacheKafka, Embedded
from tests.chaos.driver.run import stories
from tests.e2e.harness import NOW, Entry, Service, until, world

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(500)]


async def supervise(service: Service, deaths: list[int], leader: str = "") -> None:
    while True:
        worker = await service.start("worker", "tests.chaos.deadly", environment={"DEADLY_LEADER": leader})
        deaths.append(await worker.wait())


async def test_a_record_that_kills_its_workers_is_set_aside(
    broker: str, broker_process: ApacheKafka | Embedded, prefix: str, tmp_path: Path
) -> None:
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("the embedded broker takes a minute to notice each death")
    (before, first), (after, second) = islice(stories(bundled()), 2)
    async with world(broker, prefix, tmp_path, ["alpha"], alerts={"update_wait": "1s"}) as now:
        (worker,) = now.service.running("worker")
        worker.kill()
        await worker.wait()
        deaths: list[int] = []
        topic = now.service.names.articles
        async with producer(now.service.settings) as client:
            for identity, title in (("b", before), ("kill", "Nothing"), ("a", after)):
                article = Article(id=identity, title=title, published=NOW, seen=NOW, outlet="Alpha")
                await client.send_and_wait(topic, encode(article), key=b"k", partition=0)
        supervising = asyncio.create_task(supervise(now.service, deaths))
        try:
            await until("the story behind it is told", lambda: now.desk.of(*second), within=300)
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)
        letters = await read(now.service.settings, now.service.names.dead_letters)
    assert [(letter.id, letter.reason) for letter in letters] == [(f"{topic}:0:1", "deadly")]
    assert deaths == [-9, -9, -9]
    assert now.desk.of(*first)
    assert set(now.desk.firsts().values()) == {1}


async def test_a_message_that_kills_its_workers_is_set_aside(
    broker: str, broker_process: ApacheKafka | Embedded, prefix: str, tmp_path: Path
) -> None:
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("the embedded broker takes a minute to notice each death")
    (deadly, first), (after, second) = islice(stories(bundled()), 2)
    async with world(broker, prefix, tmp_path, ["alpha"], alerts={"update_wait": "1s"}) as now:
        (worker,) = now.service.running("worker")
        worker.kill()
        await worker.wait()
        now.newsroom.print("alpha", Entry("s2", after), Entry("s1", deadly))
        deaths: list[int] = []
        supervising = asyncio.create_task(supervise(now.service, deaths, min(first)))
        try:
            letters = await until(
                "it is set aside",
                lambda: read(now.service.settings, now.service.names.dead_letters),
                within=300,
                every=1,
            )
            await until("the other story is told", lambda: now.desk.of(*second), within=60)
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)
    assert [(letter.stage, letter.reason) for letter in letters] == [("deliver", "deadly")]
    assert deaths == [-9] * 4, "after the first death nobody knows what it was"
    assert set(now.desk.firsts().values()) == {1}
