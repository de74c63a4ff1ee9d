"""Test the chaos driver: its draws repeat, its proxy blocks what it should, it shrinks, and its model finds faults."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka import AIOKafkaConsumer

from agents.process.embedded import free_port
from monitor.kafka import BrokerSettings
from tests.chaos.driver.model import Expected, Told, violations
from tests.chaos.driver.proxy import KafkaProxy
from tests.chaos.driver.shrink import shrink
from tests.chaos.driver.steps import WEIGHTS, draw, dump, load


def test_a_seed_is_a_run_and_a_longer_one_begins_the_same() -> None:
    steps = draw(7, 600)
    assert draw(7, 600) == steps == load(dump(steps))
    assert draw(7, 60) == [step for step in steps if step.at <= 60]
    assert draw(8, 600) != steps
    assert {step.kind for seed in range(5) for step in draw(seed, 600)} == set(WEIGHTS)


async def test_shrinking_leaves_what_it_takes() -> None:
    async def fails(steps: list[int]) -> bool:
        return {3, 17} <= set(steps)

    assert await shrink(range(30), fails, 200) == [3, 17]
    assert {3, 17} <= set(await shrink(range(30), fails, 5))


def message(identity: str, tell: str = "first", leader: str = "a", status: str = "held", revision: int = 1) -> dict:
    event = {
        "event_id": f"e-{leader}", "revision": revision, "status": status,
        "participants": [{"leader": leader}, {"leader": "z"}],
    }  # fmt: skip
    return {"id": identity, "data": {"tell": tell, "event": event}}


def told(*messages: dict) -> Told:
    receiver = Told()
    for each in messages:
        receiver.take(each)
    return receiver


EXPECTED = Expected({frozenset("az"): "held"}, ["articles:0:3"])


def test_the_model_takes_a_clean_run() -> None:
    clean = told(message("1"), message("1"), message("2", "update", revision=2))
    assert violations(EXPECTED, {"desk": clean}, ["articles:0:3"], [("worker", 75)]) == []


@pytest.mark.parametrize(
    ("receiver", "letters", "exits", "found"),
    [
        (told(), ["articles:0:3"], [], "desk: 0 first messages of a and z"),
        (told(message("1"), message("2")), ["articles:0:3"], [], "desk: 2 first messages of a and z"),
        (told(message("1", status="planned")), ["articles:0:3"], [], "last state of a and z is planned and not held"),
        (told(message("1"), message("2", leader="x")), ["articles:0:3"], [], "told of x and z, which nobody published"),
        (told(message("1"), message("1", revision=2)), ["articles:0:3"], [], "message 1 came with 2 contents"),
        (told(message("1")), [], [], "the poisoned record articles:0:3 is no dead letter"),
        (told(message("1")), ["articles:0:3"], [("worker", 1)], "a worker ended with code 1"),
    ],
)
def test_the_model_finds_a_fault(receiver: Told, letters: list[str], exits: list[tuple[str, int]], found: str) -> None:
    assert [found in each for each in violations(EXPECTED, {"desk": receiver}, letters, exits)] == [True]


@pytest.mark.broker
async def test_the_proxy_holds_single_request_types(broker: str) -> None:
    port = free_port()
    async with KafkaProxy(port) as proxy:
        proxy.upstream = int(broker.rpartition(":")[2])
        settings = BrokerSettings.from_url(f"kafka://127.0.0.1:{port}")
        client = AIOKafkaConsumer(**settings.client_options())
        proxy.hold("Metadata")
        starting = asyncio.create_task(client.start())
        await asyncio.sleep(0.5)
        assert not starting.done()
        assert proxy.seen["Metadata"] == 1
        proxy.release()
        await asyncio.wait_for(starting, 10)
        await client.stop()
