"""A few short seeds of the chaos driver; `make chaos` plays longer ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from agents.process.embedded import free_port
from tests.brokers import ApacheKafka, Embedded
from tests.chaos.driver.proxy import KafkaProxy
from tests.chaos.driver.run import Run
from tests.chaos.driver.steps import draw, dump

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

SEEDS = range(1, 4)
SECONDS = 45.0


@pytest.fixture(scope="module")
def proxied(broker_process: ApacheKafka | Embedded) -> Iterator[ApacheKafka]:
    """A broker whose clients go through a proxy."""
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("only Apache Kafka keeps what it was given")
    broker = ApacheKafka(proxy=free_port())
    broker.start()
    yield broker
    broker.stop()


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_seed_is_clean(seed: int, proxied: ApacheKafka, tmp_path: Path) -> None:
    steps = draw(seed, SECONDS)
    assert proxied.proxy is not None
    async with KafkaProxy(proxied.proxy) as proxy:
        proxy.upstream = proxied.port
        found = await Run(proxied, proxy, tmp_path, seed).play(steps, SECONDS)
        await asyncio.sleep(0)
    assert found == [], dump(steps)
