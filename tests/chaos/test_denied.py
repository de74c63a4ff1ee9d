"""Read access to a topic is taken from a running worker and given back: it goes on, or ends with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from agents.stream.guard import EX_TEMPFAIL
from monitor.watchlist import bundled
from tests.brokers import ACCESS_LISTS, ApacheKafka, Embedded
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, Service, until, world
from tests.kafka.access import ALL, ALLOW, DENY, READ, add, entry, remove

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


async def supervise(service: Service, ended: list[int]) -> None:
    while True:
        (worker,) = service.running("worker")
        ended.append(await worker.wait())
        await service.start("worker")


async def test_a_worker_that_may_not_read_for_ten_seconds_goes_on_or_ends(
    guarded_broker: ApacheKafka, prefix: str, tmp_path: Path
) -> None:
    (first, _), (second, contact) = islice(stories(bundled()), 2)
    async with world(guarded_broker.url, prefix, tmp_path, ["alpha"], alerts={"update_wait": "1s"}) as now:
        now.newsroom.print("alpha", Entry("s1", first))
        await until("the first story is told", lambda: len(now.desk.firsts()) == 1)
        broker, topic, ended = now.service.settings, now.service.names.articles, []
        entries = [entry(topic, ALL, ALLOW), entry(topic, READ, DENY)]
        supervising = asyncio.create_task(supervise(now.service, ended))
        try:
            await add(broker, entries)
            await asyncio.sleep(10)
            await remove(broker, entries)
            now.newsroom.print("alpha", Entry("s2", second))
            await until("the second story is told", lambda: now.desk.of(*contact), within=75)
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)
        assert set(ended) <= {EX_TEMPFAIL}
        if ended:
            assert now.service.logged("worker", "failed"), "it ended without a reason"
    assert set(now.desk.firsts().values()) == {1}
