"""Test the notify stage on a real broker: its log, silences and acknowledgements, and moving partitions."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import msgspec
import pytest
from aiohttp import web
from aiokafka.errors import KafkaTimeoutError
from click.testing import CliRunner

from agents.cli import cli
from agents.notify import KafkaDeliveryLog, NotifyStage, signed_pages
from agents.notify.notes import NoteFollower
from agents.process.web import make_web, serving
from agents.stream.dead_letters import read
from agents.stream.guard import TopicRecord
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import Acknowledge, Alerts, Config, Match, Secret, TopicSettings, WebhookReceiver
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, producer, read_compacted, read_to_end
from monitor.notify import Ack, AckLinks, Delivery, Feedback, Retry, Silence
from monitor.notify.replies.ack import Purpose
from monitor.records import Event, EventSource, EventStatus, Fact, Participant, decode, encode
from tests.receivers.webhook import SECRET, WebhookServer

pytestmark = pytest.mark.broker

NOW = datetime(2026, 2, 4, 18, tzinfo=UTC)
ACKNOWLEDGE = Acknowledge(url="http://desk.example", secret=Secret("a sample secret of some length"))


def event(identity: str = "e1", revision: int = 1, *, closed: bool = False, status: EventStatus = "held") -> Event:
    leaders = (("emmanuel-macron", "FR"), ("narendra-modi", "IN"))
    return Event(
        event_id=identity, revision=revision, closed=closed, kind="call", medium="phone", status=status, confidence=0.9,
        participants=tuple(Participant(leader=name, name=name.title(), country=code) for name, code in leaders),
        sources=(EventSource(n=1, article_id="a1", outlet="Alpha", publisher="Alpha", published=NOW),),
        publishers=1, reports=1, first_seen=NOW, last_seen=NOW,
    )  # fmt: skip


def at(partition: int) -> TopicRecord:
    return TopicRecord("events", partition, 0, b"", b"", NOW)


@dataclass
class Place:
    settings: BrokerSettings
    names: TopicNames
    hook: WebhookServer

    @asynccontextmanager
    async def stage(
        self, clock: Callable[[], datetime] = lambda: NOW, certain: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[NotifyStage]:
        receiver = WebhookReceiver(
            url=Secret(self.hook.hook), secrets=(Secret(SECRET),), allow_private_networks=("127.0.0.0/8",)
        )
        alerts = Alerts(acknowledge=ACKNOWLEDGE, update_wait=timedelta(0))
        config = Config(receivers={"desk": receiver}, alerts=alerts)
        async with producer(self.settings) as client:
            stage = NotifyStage(config, self.settings, self.names, KafkaOutbox(client), clock, certain=certain)
            async with stage.running():
                yield stage

    async def write(self, topic: str, key: str, value: bytes | None) -> None:
        async with producer(self.settings) as client:
            await client.send_and_wait(topic, value, key=key.encode(errors="surrogateescape"))


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
        no_zone = b'{"receiver":"desk","event_id":"y","told_at":"2026-02-04T18:00:00"}'
        await client.send_and_wait(place.names.deliveries, no_zone, key=b"desk|y", partition=0)
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received)
        await stage.tidy()
    assert len(await read(place.settings, place.names.dead_letters)) == 2


async def test_a_delivery_record_under_another_key_does_not_stand_for_the_one_that_was_written(place: Place) -> None:
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received and not stage.notifier.deliveries()[0].pending)
        forged = encode(Delivery(receiver="desk", event_id=event().event_id))
    async with producer(place.settings) as client:
        await client.send_and_wait(place.names.deliveries, forged, key=b"another", partition=0)
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        assert [delivery.state for delivery in stage.notifier.deliveries()] == ["sent"]
    assert len(place.hook.received) == 1


LAST = datetime.max.replace(tzinfo=UTC)
#: Records that must neither end the reading of notes nor hold up a single alert.
BAD_NOTES = (
    b"no note",
    b"\xff\xfe",
    b'{"note":"silence","id":"x","match":{},"until":"2026-02-05T00:00:00Z","reason":"\xc3\x28"}',
    b'{"note":"silence","id":"x","match":{},"until":"2026-02-05T00:00:00","reason":"no zone"}',
    b'{"note":"silence","id":"x","match":{"leaders":{}},"until":"2026-02-05T00:00:00Z","reason":"wrong type"}',
    b'{"note":"retry","id":"x","at":"2026-02-05T00:00:00"}',
    b'{"note":"silence","schema":99,"id":"x","match":{},"until":"2026-02-05T00:00:00Z","reason":"newer"}',
    b"[" * 100_000,
)


async def test_bad_silences_and_acknowledgements_are_set_aside_and_stop_nothing(place: Place) -> None:
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event("e0"), at(0))
        for number, bad in enumerate(BAD_NOTES):
            await place.write(place.names.silences, f"bad-{number}", bad)
            await place.write(place.names.acks, f"bad-{number}", bad)
        await place.write(place.names.silences, "\udcff", encode(Retry(id="r", at=NOW)))
        # Whoever silences something for ever writes the last moment that there is.
        forever = Silence(schema=2, id="f", match=Match(), events=("other",), until=LAST, reason="for ever")
        await place.write(place.names.silences, "f", encode(forever))
        await place.write(place.names.silences, "g", encode(Retry(id="g", at=LAST)))
        await place.write(place.names.acks, "other", encode(Ack(event_id="other", by="me", at=LAST)))
        silence = Silence(id="s1", match=Match(kinds=("call",)), until=NOW + timedelta(hours=1), reason="a sample")
        await place.write(place.names.silences, "s1", encode(silence))
        await until(lambda: "s1" in stage.notifier.silences())
        assert (await stage.notifier.accept(event("e1")))["desk"].reason == "silenced"
        await place.write(place.names.silences, "s1", None)
        await until(lambda: "s1" not in stage.notifier.silences())
        await stage.handle(event("e2"), at(0))
        await until(lambda: [message.body["subject"] for message in place.hook.received] == ["e0", "e2"])
    letters = await read(place.settings, place.names.dead_letters)
    assert len(letters) == 2 * len(BAD_NOTES)
    assert {letter.topic for letter in letters} == {place.names.silences, place.names.acks}
    assert {letter.reason for letter in letters} == {"undecodable", "newer_schema"}


async def test_it_is_ready_when_what_was_pending_is_being_sent_and_a_broker_that_stalls_is_waited_for(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.hook.script.faults.append(("status", 500))
    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: [delivery.state for delivery in stage.notifier.deliveries()] == ["retrying"])
    stalls: list[Exception] = [
        KafkaTimeoutError("ListOffsets is not answered"), TimeoutError(), OSError("reset"), BrokerError("no broker"),
    ]  # fmt: skip
    answered = asyncio.Event()

    def stalling(real: Callable[..., object]) -> Callable[..., object]:
        async def load(*arguments: object) -> object:
            if stalls:
                raise stalls.pop()
            await answered.wait()
            return await real(*arguments)  # type: ignore[misc]

        return load

    monkeypatch.setattr("agents.notify.stage._RETRY", 0.01)
    monkeypatch.setattr(KafkaDeliveryLog, "load", stalling(KafkaDeliveryLog.load))
    async with place.stage() as stage:
        assert "silences and acknowledgements are not read yet" in list(stage.not_ready())
        stage.assign([0])
        await until(lambda: not stalls)
        await asyncio.sleep(0.1)
        assert list(stage.not_ready()) == ["deliveries of 0 are not read yet"]
        answered.set()
        await until(lambda: not list(stage.not_ready()))
        assert [delivery.state for delivery in stage.notifier.deliveries()] == ["retrying"]


async def test_a_task_of_the_stage_that_ends_is_an_error_of_the_process(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[str] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: ended.append(str(context.get("job"))))

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(KafkaDeliveryLog, "load", broken)
    monkeypatch.setattr(NoteFollower, "_take", broken)
    await place.write(place.names.acks, "e1", encode(Ack(event_id="e1", by="Ada", at=NOW)))
    async with place.stage() as stage:
        await until(lambda: "notes" in ended)
        stage._notes.known.set()
        stage.assign([0])
        await until(lambda: "deliveries 0" in ended)


async def test_without_an_answered_heartbeat_nothing_is_sent_and_the_stage_is_not_ready(place: Place) -> None:
    certain = True
    async with place.stage(certain=lambda: certain) as stage:
        stage.assign([0])
        await stage.handle(event("e1"), at(0))
        await until(lambda: len(place.hook.received) == 1)
        certain = False
        with pytest.raises(BrokerError):
            await stage.handle(event("e2"), at(0))
        assert any("heartbeats" in problem for problem in stage.not_ready())
        certain = True
        await stage.handle(event("e2"), at(0))
        await until(lambda: len(place.hook.received) == 2)


async def test_old_records_leave_the_topics(place: Place) -> None:
    late = NOW
    ended = Silence(id="s1", match=Match(kinds=("visit",)), until=NOW + timedelta(hours=1), reason="a sample")
    await place.write(place.names.silences, "s1", encode(ended))
    await place.write(place.names.silences, "r1", encode(Retry(id="r1", at=NOW)))
    await place.write(place.names.acks, "e1", encode(Ack(event_id="e1", by="Ada", at=NOW)))
    async with place.stage(clock=lambda: late) as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await stage.handle(event(revision=2, closed=True), at(0))
        await until(lambda: [delivery.state for delivery in stage.notifier.deliveries()] == ["sent"])
        await stage.tidy()
        assert await counts(place) == [1, 2, 1]
        late = NOW + timedelta(days=30)
        await stage.tidy()
        assert await counts(place) == [0, 0, 0]
        await until(lambda: stage.notifier.acknowledged("e1") is None)


async def counts(place: Place) -> list[int]:
    """How many records each topic has that was read whole at a start."""
    topics = (place.names.deliveries, place.names.silences, place.names.acks)
    return [len(await read_compacted(place.settings, topic)) for topic in topics]


async def test_silences_hold_before_anything_is_sent_and_end_when_they_are_deleted(place: Place) -> None:
    silence = Silence(id="s1", match=Match(kinds=("call",)), until=NOW + timedelta(hours=1), reason="a sample")
    await place.write(place.names.silences, "s1", encode(silence))
    for number, bad in enumerate(BAD_NOTES):
        await place.write(place.names.silences, f"bad-{number}", bad)
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
            many = await asyncio.gather(*(client.post(page, data={**fields, "by": f"B{n}"}) for n in range(50)))
            assert {(answer.status_code, "Anna" in answer.text) for answer in many} == {(200, True)}
            assert "Anna" in (await client.get(page, params=fields)).text
        await until(lambda: len(place.hook.received) == 2)
    assert place.hook.received[1].body["data"]["acknowledged"] == "Seen by Anna"
    noted = [record async for record in read_to_end(place.settings, place.names.acks)]
    assert [decode(Ack, record.value).by for record in noted] == ["Anna"], "one click is one record"


async def test_feedback_marks_the_event_silences_it_and_is_kept(place: Place) -> None:
    def fields(purpose: Purpose) -> dict[str, str]:
        query = urlsplit(AckLinks(ACKNOWLEDGE).link("e1", NOW, purpose)).query
        return {name: values[0] for name, values in parse_qs(query).items()}

    async with place.stage() as stage:
        stage.assign([0])
        await stage.handle(event(), at(0))
        await until(lambda: place.hook.received)
        sent = place.hook.received[0].body["data"]
        assert set(sent["feedback"]) == {"This is wrong", "Not this event"}
        application = make_web([], stage.routes())
        async with serving(application, "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
            page = f"http://127.0.0.1:{port}/feedback"
            asked = await client.get(page, params=fields("wrong"))
            assert 'method="post"' in asked.text
            assert await read_compacted(place.settings, place.names.feedback) == {}, "looking changes nothing"
            crossed = {**fields("ack"), "verdict": "wrong"}
            assert (await client.get(page, params=crossed)).status_code == 403, "a link says one thing only"
            assert (await client.post(page, data={**fields("wrong"), "verdict": "not_this_event"})).status_code == 403
            assert (await client.post(page, data={**fields("wrong"), "verdict": "right"})).status_code == 403
            assert (await client.post(page, content=b"\xff", headers={})).status_code == 400
            said = {**fields("wrong"), "by": "Anna", "comment": "they only exchanged letters"}
            answers = await asyncio.gather(*(client.post(page, data=said) for _ in range(20)))
            assert {answer.status_code for answer in answers} == {200}
        await until(lambda: len(place.hook.received) == 2)
        assert place.hook.received[1].body["data"]["acknowledged"] == "Anna says that this is wrong"
        await until(stage.notifier.silences)
        assert (await stage.notifier.accept(event(revision=2, status="denied")))["desk"].reason == "silenced"
        assert (await stage.notifier.accept(event("e2")))["desk"].tell == "first", "it silences this event only"
    kept = [record async for record in read_to_end(place.settings, place.names.feedback)]
    (word,) = (decode(Feedback, record.value) for record in kept)
    assert (word.event_id, word.verdict, word.by, word.revision) == ("e1", "wrong", "Anna", 1)
    assert word.comment == "they only exchanged letters"


async def test_what_readers_said_is_not_remembered_without_end(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signed_pages, "_MAX_CLICKS", 3)
    query = urlsplit(AckLinks(ACKNOWLEDGE).link("e1", NOW, "wrong")).query
    signed = {name: values[0] for name, values in parse_qs(query).items()}
    async with place.stage() as stage:
        stage.assign([0])
        async with (
            serving(make_web([], stage.routes()), "127.0.0.1", 0) as port,
            httpx.AsyncClient(trust_env=False) as client,
        ):
            for number in range(7):
                said = {**signed, "by": f"reader {number}"}
                assert (await client.post(f"http://127.0.0.1:{port}/feedback", data=said)).status_code == 200
        assert stage._pages is not None
        assert len(stage._pages._clicked) <= 3


def test_feedback_is_exported_as_labelled_items(place_names: tuple[str, str]) -> None:
    broker, prefix = place_names
    told = {
        name: msgspec.structs.replace(
            event(name),
            facts={
                "status": Fact(value="held", sources=(1, 2)),
                "medium": Fact(value="phone", sources=(1,)),
            },
            sources=tuple(
                EventSource(
                    n=n, article_id=f"{name}-a{n}", outlet="Alpha", title=f"Title {n}", language="en", published=NOW,
                    report=n,
                )
                for n in (1, 2, 3)
            ),
        )
        for name in ("e1", "e2", "e3")
    }  # fmt: skip
    said = (
        Feedback(event_id="e1", verdict="wrong", by="Anna", at=NOW),
        Feedback(event_id="e2", verdict="right", by="Anna", at=NOW),
        Feedback(event_id="e3", verdict="not_this_event", by="Anna", at=NOW, article_id="e3-a2"),
        Feedback(event_id="gone", verdict="wrong", by="Anna", at=NOW),
    )
    names, settings = TopicNames(prefix), BrokerSettings.from_url(broker)

    async def write() -> None:
        await create(settings, TopicSettings(prefix=prefix, partitions=1))
        async with producer(settings) as client:
            for word in said:
                await client.send_and_wait(names.feedback, encode(word), key=word.key.encode())
            for name, about in told.items():
                await client.send_and_wait(names.events, encode(about), key=name.encode())

    asyncio.run(write())
    environment = {"SUMMITRY_TOPICS__PREFIX": prefix}
    result = CliRunner().invoke(cli, ["feedback", "export", "--broker", broker], env=environment)
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    contact = {"p": ["emmanuel-macron", "narendra-modi"], "m": "phone", "s": "held", "d": None, "k": "call"}
    assert {row["id"]: row["contacts"] for row in rows if "id" in row} == {
        "e1-a1": [], "e1-a2": [], "e1-a3": [], "e2-a1": [contact], "e2-a2": [{**contact, "m": "unknown"}],
    }  # fmt: skip  # nobody has read what the third article of e2 claims instead
    assert [row for row in rows if "a" in row] == [
        {"a": "Title 2", "b": other, "same_event": 0, "tags": ["feedback"]} for other in ("Title 1", "Title 3")
    ]
    listed = CliRunner().invoke(cli, ["feedback", "list", "--broker", broker], env=environment).stdout
    assert "not_this_event e3 Anna" in listed


@pytest.fixture
def place_names(broker: str, prefix: str) -> tuple[str, str]:
    return broker, prefix


ODD_BODIES = (
    (b"", {}),
    (b"\xff\xfe\x00", {"content-type": "application/x-www-form-urlencoded"}),
    (b"event=%ff%fe&until=1&sig=x", {"content-type": "application/x-www-form-urlencoded"}),
    (b"--x", {"content-type": "multipart/form-data; boundary=x"}),
    (b"--x", {"content-type": "multipart/form-data"}),
    (b"{}", {"content-type": "application/json"}),
    (b"a=b&" * 50, {"content-type": "application/x-www-form-urlencoded"}),
    (b"by=" + b"x" * 100_000, {"content-type": "application/x-www-form-urlencoded"}),
    (b"event=e1", {"content-type": "application/x-www-form-urlencoded; charset=nonsense"}),
)


async def test_odd_bodies_and_queries_are_refused_and_leave_no_record(place: Place) -> None:
    async with place.stage() as stage:
        application = make_web([], stage.routes())
        async with serving(application, "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
            page = f"http://127.0.0.1:{port}/ack"
            for body, headers in ODD_BODIES:
                answer = await client.post(page, content=body, headers=headers)
                assert answer.status_code in {400, 403}, (body[:40], headers)
                assert "frame-ancestors" in answer.headers["content-security-policy"]
            for query in ("", "?event=%ff&until=%ff&sig=%ff", "?until=" + "9" * 500, "?event=a&event=b&sig[]=1"):
                assert (await client.get(page + query)).status_code == 403
            assert (await client.put(page)).status_code == 405
    assert await read_compacted(place.settings, place.names.acks) == {}
