"""Read access to a topic is taken from a running worker and given back: it goes on, or ends with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Array, Int8, Int16, Int32, Schema, String

from agents.stream.guard import EX_TEMPFAIL
from monitor.kafka import BrokerSettings, consumer
from monitor.watchlist import bundled
from tests.brokers import ACCESS_LISTS, ApacheKafka, Embedded
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, Service, until, world

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(300)]

_TOPIC, _LITERAL, _READ, _ALL, _DENY, _ALLOW = 2, 3, 3, 2, 2, 3
_ENTRY = [
    ("resource_type", Int8), ("name", String("utf-8")), ("pattern", Int8), ("principal", String("utf-8")),
    ("host", String("utf-8")), ("operation", Int8), ("permission", Int8),
]  # fmt: skip


class _Created(Response):
    API_KEY, API_VERSION = 30, 1
    SCHEMA = Schema(("throttle", Int32), ("results", Array(("code", Int16), ("message", String("utf-8")))))


class _CreateV1(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE = 30, 1, _Created
    SCHEMA = Schema(("creations", Array(*_ENTRY)))


class _Deleted(Response):
    API_KEY, API_VERSION = 31, 1
    SCHEMA = Schema(("throttle", Int32))  # the rest is not looked at


class _DeleteV1(RequestStruct):
    API_KEY, API_VERSION, RESPONSE_TYPE = 31, 1, _Deleted
    SCHEMA = Schema(("filters", Array(*_ENTRY)))


class _Create(Request[_CreateV1]):
    API_KEY = 30

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self.entries = entries

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self.entries)


class _Delete(Request[_DeleteV1]):
    API_KEY = 31

    def __init__(self, entries: list[tuple[Any, ...]]) -> None:
        self.entries = entries

    def build(self, request_struct_class: type[Any]) -> Any:
        return request_struct_class(self.entries)


async def ask(broker: BrokerSettings, request: _Create | _Delete) -> None:
    async with consumer(broker) as client:
        await client._client.send(client._client.get_random_node(), request)


def entry(topic: str, operation: int, permission: int) -> tuple[Any, ...]:
    return (_TOPIC, topic, _LITERAL, "User:ANONYMOUS", "*", operation, permission)


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
        entries = [entry(topic, _ALL, _ALLOW), entry(topic, _READ, _DENY)]
        supervising = asyncio.create_task(supervise(now.service, ended))
        try:
            await ask(broker, _Create(entries))
            await asyncio.sleep(10)
            await ask(broker, _Delete(entries))
            now.newsroom.print("alpha", Entry("s2", second))
            await until("the second story is told", lambda: now.desk.of(*contact), within=75)
        finally:
            supervising.cancel()
            await asyncio.gather(supervising, return_exceptions=True)
        assert set(ended) <= {EX_TEMPFAIL}
        if ended:
            assert now.service.logged("worker", "failed"), "it ended without a reason"
    assert set(now.desk.firsts().values()) == {1}
