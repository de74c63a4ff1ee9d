"""Test settings from a URL, and reading topics on a real broker."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.process.embedded import free_port
from monitor.config import Broker, Secret, Security
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import (
    BrokerSettings,
    consumer,
    follow,
    follow_compacted,
    partitions_of,
    producer,
    read_compacted,
    read_to_end,
    wait_for_broker,
)


def test_plain_addresses() -> None:
    assert BrokerSettings.from_url("kafka://a:1,b:2").servers == ("a:1", "b:2")
    assert BrokerSettings.from_url("a").servers == ("a:9092",)
    assert BrokerSettings.from_url("[::1]").servers == ("[::1]:9092",)
    assert BrokerSettings.from_url("kafka://a:1").client_options() == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "PLAINTEXT",
    }


def test_tls_and_sasl() -> None:
    tls = BrokerSettings.from_url("kafka+ssl://a:1")
    assert tls.protocol == "SSL"
    assert tls.client_options()["ssl_context"].check_hostname
    sasl = BrokerSettings.from_url("kafka+sasl://anna:p%40ss@a:1?mechanism=PLAIN&tls=false")
    assert sasl.client_options() == {
        "bootstrap_servers": ["a:1"],
        "security_protocol": "SASL_PLAINTEXT",
        "sasl_mechanism": "PLAIN",
        "sasl_plain_username": "anna",
        "sasl_plain_password": "p@ss",
    }


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://a:1", "unknown scheme"),
        ("kafka://", "no host"),
        ("kafka://a:x", "bad host and port"),
        ("kafka://a:99999", "bad host and port"),
        ("kafka://a..b:1", "bad host and port"),
        (f"kafka://{'x' * 64}.example:1", "bad host and port"),
        ("kafka://a\x00:1", "bad host and port"),
        ("kafka://[::1:1", "no address"),
        ("kafka://a:1?tsl=1", "unknown option 'tsl'"),
        ("kafka+sasl://a:1", "no user"),
    ],
)
def test_a_mistake_in_the_url_is_named(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        BrokerSettings.from_url(url)


def test_a_certificate_that_is_not_there_is_named() -> None:
    with pytest.raises(ConfigError, match="certificate"):
        BrokerSettings.from_url("kafka+ssl://a:1?cafile=/nowhere.pem").client_options()


def test_the_password_is_never_shown() -> None:
    settings = BrokerSettings.from_url("kafka+sasl://anna:geheim@a:1")
    assert "geheim" not in f"{settings} {settings!r}"


def test_from_the_configuration() -> None:
    security = Security(protocol="SASL_SSL", username="anna", password=Secret("geheim"))
    settings = BrokerSettings.from_config(Broker(url="a:1,b:2", security=security))
    assert (settings.servers, settings.protocol, settings.mechanism) == (("a:1", "b:2"), "SASL_SSL", "SCRAM-SHA-512")
    assert settings.client_options()["sasl_plain_password"] == "geheim"
    with pytest.raises(ConfigError, match="embedded"):
        BrokerSettings.from_config(Broker())


async def test_no_broker_is_said_in_time() -> None:
    begun = time.monotonic()
    with pytest.raises(BrokerError, match=r"no broker at plaintext://127.0.0.1:\d+ within 0.5 s"):
        await wait_for_broker(BrokerSettings.from_url(f"127.0.0.1:{free_port()}"), 0.5)
    assert time.monotonic() - begun < 5


async def test_a_silent_port_is_no_broker() -> None:
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _, writer: writers.append(writer), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    with pytest.raises(BrokerError):
        await wait_for_broker(BrokerSettings.from_url(f"127.0.0.1:{port}"), 0.5)
    server.close()
    for writer in writers:
        writer.close()
        await writer.wait_closed()


async def test_no_broker_for_producers_and_consumers() -> None:
    nowhere = BrokerSettings.from_url(f"127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError, match="no producer"):
        async with producer(nowhere):
            pass
    with pytest.raises(BrokerError, match="no consumer"):
        async with consumer(nowhere):
            pass


@pytest.fixture
async def topic(broker: str, prefix: str) -> str:
    admin = AIOKafkaAdminClient(bootstrap_servers=broker.removeprefix("kafka://"))
    await admin.start()
    await admin.create_topics([NewTopic(prefix, 3, 1)])
    await admin.close()
    async with producer(BrokerSettings.from_url(broker)) as client:
        for partition, key, value in [
            (0, b"a", b"1"), (0, b"a", b"2"), (1, b"b", b"1"), (1, b"c", b"1"), (1, b"b", None), (0, None, b"no key"),
        ]:  # fmt: skip
            await client.send_and_wait(prefix, value, key=key, partition=partition)
    return prefix


@pytest.mark.broker
async def test_compacted_topics_are_read_to_their_end(broker: str, topic: str) -> None:
    settings = BrokerSettings.from_url(broker)
    assert await read_compacted(settings, topic) == {"a": b"2", "c": b"1"}
    assert await read_compacted(settings, topic, [1]) == {"c": b"1"}
    assert await read_compacted(settings, topic, [2]) == {}
    assert await read_compacted(settings, topic, []) == {}
    assert [(r.partition, r.value) async for r in read_to_end(settings, topic, [0])] == [
        (0, b"1"),
        (0, b"2"),
        (0, b"no key"),
    ]
    async with consumer(settings) as client:
        assert await partitions_of(client, topic) == [0, 1, 2]


@pytest.mark.broker
async def test_following_goes_on(broker: str, topic: str) -> None:
    settings = BrokerSettings.from_url(broker)
    whole = follow(settings, topic, from_beginning=True)
    news = follow(settings, topic)
    seen = [(await anext(whole)).value for _ in range(6)]
    assert sorted(seen, key=str) == sorted([b"1", b"2", b"1", b"1", None, b"no key"], key=str)
    coming = asyncio.ensure_future(anext(news))
    async with producer(settings) as client:
        while not coming.done():  # the follower begins at the end, wherever that is when it has connected
            await client.send_and_wait(topic, b"new", key=b"n", partition=2)
            await asyncio.sleep(0.1)
    assert coming.result().value == b"new"
    await whole.aclose()
    await news.aclose()


@pytest.mark.broker
async def test_state_first_and_then_each_change(broker: str, topic: str) -> None:
    settings = BrokerSettings.from_url(broker)
    changes = follow_compacted(settings, topic)
    assert await anext(changes) == {(topic, "a"): b"2", (topic, "c"): b"1", (topic, ""): b"no key"}
    async with producer(settings) as client:
        await client.send_and_wait(topic, b"2", key=b"c", partition=1)
        await client.send_and_wait(topic, None, key=b"c", partition=1)
    assert await anext(changes) == {(topic, "c"): b"2"}
    assert await anext(changes) == {(topic, "c"): None}
    await changes.aclose()


@pytest.mark.broker
async def test_a_topic_that_is_missing_is_named(broker: str) -> None:
    with pytest.raises(BrokerError, match="no topic nothing-of-the-kind") as caught:
        await read_compacted(BrokerSettings.from_url(broker), "nothing-of-the-kind")
    assert not caught.value.retryable


@pytest.mark.parametrize(("open_client", "kind"), [(producer, AIOKafkaProducer), (consumer, AIOKafkaConsumer)])
async def test_a_client_whose_start_is_given_up_is_closed(monkeypatch, open_client, kind):
    """A broker that stands still never answers; each look at it would leave its connections behind."""
    closed = []

    async def hangs(_client):
        await asyncio.sleep(3600)

    async def stop(client):
        closed.append(client)
        await stopped(client)

    stopped = kind.stop
    monkeypatch.setattr(kind, "start", hangs)
    monkeypatch.setattr(kind, "stop", stop)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05), open_client(BrokerSettings.from_url("kafka://127.0.0.1:9")):
            raise AssertionError("it has not started")
    assert len(closed) == 1
