"""The notify stage on a real broker: its log, its notes, and handing partitions on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from aiohttp import web

from agents.notify import NotifyStage
from agents.process.web import make_web, serving
from agents.stream.guard import Incoming
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import Acknowledge, Alerts, Config, Match, Secret, TopicSettings, WebhookReceiver
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, producer, read_compacted
from monitor.notify import Ack, AckLinks, Delivery, Silence
from monitor.records import Event, EventSource, Participant, decode, encode
from tests.receivers.webhook import SECRET, WebhookServer

pytestmark = pytest.mark.broker

NOW = datetime(2026, 2, 4, 18, tzinfo=UTC)
ACKNOWLEDGE = Acknowledge(url="http://desk.example", secret=Secret("a sample secret of some length"))


def event(identity: str = "e1", revision: int = 1) -> Event:
    leaders = (("emmanuel-macron", "FR"), ("narendra-modi", "IN"))
    return Event(
        event_id=identity, revision=revision, kind="call", medium="phone", status="held", confidence=0.9,
        participants=tuple(Participant(leader=name, name=name.title(), country=code) for name, code in leaders),
        sources=(EventSource(n=1, article_id="a1", outlet="Alpha", publisher="Alpha", published=NOW),),
        publishers=1, reports=1, first_seen=NOW, last_seen=NOW,
    )  # fmt: skip


def at(partition: int) -> Incoming:
    return Incoming("events", partition, 0, b"", b"", NOW)


@dataclass
class Place:
    settings: BrokerSettings
    names: TopicNames
    hook: WebhookServer

    @asynccontextmanager
    async def stage(self) -> AsyncIterator[NotifyStage]:
        receiver = WebhookReceiver(
            url=Secret(self.hook.hook), secrets=(Secret(SECRET),), allow_private_networks=("127.0.0.0/8",)
        )
        alerts = Alerts(acknowledge=ACKNOWLEDGE, update_wait=timedelta(0))
        config = Config(receivers={"desk": receiver}, alerts=alerts)
        async with producer(self.settings) as client:
            stage = NotifyStage(config, self.settings, self.names, KafkaOutbox(client), lambda: NOW)
            async with stage.running():
                yield stage

    async def write(self, topic: str, key: str, value: bytes | None) -> None:
        async with producer(self.settings) as client:
            await client.send_and_wait(topic, value, key=key.encode())


@pytest.fixture
async def place(broker: str, prefix: str) -> AsyncIterator[Place]:
    settings = BrokerSettings.from_url(broker)
    await create(settings, TopicSettings(prefix=prefix, partitions=2))
    async with WebhookServer() as hook:
        yield Place(settings, TopicNames(prefix), hook)


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # a server's list is no event
            await asyncio.sleep(0.02)


async def test_what_is_told_stands_in_the_log_and_the_next_owner_knows_it(place: Place) -> None:
    async with place.stage() as stage:
        stage.assign([0, 1])
        await stage.handle(event(), at(1))
        await until(lambda: place.hook.received)
        await until(lambda: [delivery.state for delivery in stage.notifier.deliveries()] == ["sent"])
    assert list(await read_compacted(place.settings, place.names.deliveries, [0])) == []
    (value,) = (await read_compacted(place.settings, place.names.deliveries, [1])).values()
    assert decode(Delivery, value).state == "sent"

    async with place.stage() as stage:
        stage.assign([0, 1])
        await stage.handle(event(), at(1))
        await stage.handle(event("e2"), at(1))
        await until(lambda: len(place.hook.received) == 2)
    assert [message.body["subject"] for message in place.hook.received] == ["e1", "e2"]


async def test_a_partition_that_is_not_ours_is_refused_and_one_that_comes_back_is_read_again(place: Place) -> None:
    async with place.stage() as stage:
        with pytest.raises(BrokerError) as caught:
            await stage.handle(event(), at(0))
        assert caught.value.retryable
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received)
        await stage.revoke([0])
        with pytest.raises(BrokerError):
            await stage.handle(event(revision=2), at(0))
        stage.assign([0])
        await stage.handle(event(), at(0))
        assert [delivery.event_id for delivery in stage.notifier.deliveries()] == ["e1"]
    assert len(place.hook.received) == 1


async def test_a_revoked_partition_waits_for_its_message_in_flight(place: Place) -> None:
    place.hook.script.faults.append(("slow", 1.0))
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: stage.notifier.in_flight() > 0)
        await stage.revoke([0])
        assert len(place.hook.received) == 1
    (value,) = (await read_compacted(place.settings, place.names.deliveries, [0])).values()
    assert decode(Delivery, value).state == "sent"


async def test_a_delivery_record_that_can_not_be_read_harms_no_other(place: Place) -> None:
    async with producer(place.settings) as client:
        await client.send_and_wait(place.names.deliveries, b"damaged", key=b"desk|x", partition=0)
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received)


async def test_silences_hold_before_anything_is_sent_and_end_when_they_are_deleted(place: Place) -> None:
    silence = Silence(id="s1", match=Match(kinds=("call",)), until=NOW + timedelta(hours=1), reason="a sample")
    await place.write(place.names.silences, "s1", encode(silence))
    await place.write(place.names.silences, "bad", b"no note")
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        assert stage.notifier.deliveries() == []
        await place.write(place.names.silences, "s1", None)
        revision = 2
        async with asyncio.timeout(20):
            while not place.hook.received:
                await stage.handle(event(revision=revision), at(0))
                revision += 1
                await asyncio.sleep(0.05)


async def test_following_the_link_acknowledges(place: Place) -> None:
    url = urlsplit(AckLinks(ACKNOWLEDGE).link("e1", NOW))
    fields = {name: values[0] for name, values in parse_qs(url.query).items()}
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received)
        application: web.Application = make_web([], stage.routes())
        async with serving(application, "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
            page = f"http://127.0.0.1:{port}{url.path}"
            asked = await client.get(page, params=fields)
            assert asked.status_code == 200
            assert 'method="post"' in asked.text
            assert (await client.post(page, data={**fields, "sig": "x", "by": "Eve"})).status_code == 403
            assert await read_compacted(place.settings, place.names.acks) == {}
            done = await client.post(page, data={**fields, "by": "Anna"})
            assert done.status_code == 200
            assert "Anna" in done.text
        await until(lambda: len(place.hook.received) == 2)
    assert place.hook.received[1].body["data"]["acknowledged"] == "Seen by Anna"
    (value,) = (await read_compacted(place.settings, place.names.acks)).values()
    assert decode(Ack, value).by == "Anna"
