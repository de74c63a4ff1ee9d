"""Run ten short seeds of the chaos driver on one service; `make chaos` runs longer ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.process.embedded import free_port
from tests.brokers import ApacheKafka, Embedded
from tests.chaos.driver.proxy import KafkaProxy
from tests.chaos.driver.run import Run
from tests.chaos.driver.steps import draw, dump

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(900)]

SEEDS, SECONDS = range(3, 13), 9.0


@pytest.fixture
def proxied(broker_process: ApacheKafka | Embedded) -> Iterator[ApacheKafka]:
    """A broker whose clients go through a proxy."""
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("only Apache Kafka keeps what it was given")
    broker = ApacheKafka(proxy=free_port())
    broker.start()
    yield broker
    broker.stop()


async def test_ten_seeds_are_clean(proxied: ApacheKafka, tmp_path: Path) -> None:
    steps = [
        replace(step, at=step.at + number * SECONDS)
        for number, seed in enumerate(SEEDS)
        for step in draw(seed, SECONDS)
    ]
    assert proxied.proxy is not None
    async with KafkaProxy(proxied.proxy) as proxy:
        proxy.upstream = proxied.port
        found = await Run(proxied, proxy, tmp_path, SEEDS[0]).play(steps, SECONDS * len(SEEDS))
    assert found == [], dump(steps)
