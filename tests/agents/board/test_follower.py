"""Test the follower on a real broker: it reads the topics, resumes, follows recreated topics, and survives kills."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from contextlib import asynccontextmanager

import httpx
import msgspec
import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient

from agents.board.context import BoardContext
from agents.board.follower import Follower, readers
from agents.process.embedded import free_port
from agents.stream import topic_check
from agents.stream.outbox import KafkaOutbox, MemoryOutbox
from agents.stream.topic_check import look
from agents.stream.topics import TopicNames, create
from monitor.archive import Archive, EventFilters, archive_queries
from monitor.config import Config, TopicSettings
from monitor.errors import SummitryError
from monitor.kafka import BrokerSettings, producer, read_compacted
from monitor.notify import Ack, Delivery, Policy
from monitor.records import decode, encode
from monitor.watchlist import bundled
from tests.agents.board.boards import NAMES, form_token
from tests.chaos.driver.poison import KINDS
from tests.monitor.archive.samples import NOW, event

pytestmark = pytest.mark.broker


@asynccontextmanager
async def following(archive: Archive, settings: BrokerSettings, prefix: str):
    """A follower at work; gives the context and the ids that were published."""
    config = Config(topics=TopicSettings(prefix=prefix, partitions=2))
    context = BoardContext(config, TopicNames(prefix), archive, NAMES, bundled(), lambda: NOW, MemoryOutbox())
    published: list[str] = []

    async def publish(ids: list[str]) -> None:
        published.extend(ids)

    task = asyncio.create_task(Follower(context, settings, publish).run())
    try:
        async with asyncio.timeout(40):
            while not context.progress.done:
                assert not task.done(), task.exception()
                await asyncio.sleep(0.05)
        yield context, published
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        context.pool.shutdown()


def ids(archive: Archive) -> set[str]:
    return {found.event.event_id for found in archive_queries.events(archive, NAMES, EventFilters()).entries}


async def until(reached) -> None:
    async with asyncio.timeout(30):
        while not reached():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_board_reads_goes_on_and_shows_the_same(broker, prefix, tmp_path):
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=2))
    async with producer(settings, linger_ms=0) as client:
        outbox = KafkaOutbox(client)

        async def put(*events) -> None:
            for each in events:
                await outbox.send(names.events, each.event_id.encode(), encode(each))

        await put(*(event(f"e{n}") for n in range(20)))
        await outbox.send(names.events, b"bad", b"not an event")
        told = Delivery(receiver="desk", event_id="e1", told=event("e1"), told_at=NOW, route="all")
        await outbox.send(names.deliveries, b"desk|e1", encode(told))
        archive = Archive(tmp_path / "a.sqlite", "x")
        async with following(archive, settings, prefix) as (context, published):
            assert ids(archive) == {f"e{n}" for n in range(20)}
            assert len(archive_queries.kept(archive, "delivery", event_id="e1")) == 1
            await put(event("late"))
            await until(lambda: "late" in published)
            assert not set(published) & {f"e{n}" for n in range(19)}, "what was there before is no news"
        archive.close()
        await put(event("while-away"))
        again = Archive(tmp_path / "a.sqlite", "x")
        async with following(again, settings, prefix) as (context, _):
            assert context.progress.total <= 3, "it goes on where it was"
            assert ids(again) == {*(f"e{n}" for n in range(20)), "late", "while-away"}
        again.close()


async def test_other_topics_mean_another_archive(broker, prefix, tmp_path):
    settings, other = BrokerSettings.from_url(broker), f"{prefix}-other"
    for each in (prefix, other):
        await create(settings, TopicSettings(prefix=each, partitions=2))
    archive = Archive(tmp_path / "a.sqlite", "x")
    async with producer(settings, linger_ms=0) as client:
        for n in range(5):
            await KafkaOutbox(client).send(TopicNames(prefix).events, b"k", encode(event(f"e{n}")), partition=0)
        async with following(archive, settings, prefix):
            assert len(ids(archive)) == 5
        identity = archive.identity
        # As on a broker that was made anew: what the archive has read is more than there is.
        with archive.writing() as connection:
            connection.execute("UPDATE offsets SET next = next + 1000")
        async with following(archive, settings, prefix):
            assert len(ids(archive)) == 5
            assert archive.identity != identity


async def test_topics_made_again_under_a_running_board_are_read_anew(broker, prefix, tmp_path, monkeypatch):
    monkeypatch.setattr(topic_check, "LOOK_EVERY", 0.2)
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    wanted = TopicSettings(prefix=prefix, partitions=2)
    await create(settings, wanted)
    archive = Archive(tmp_path / "a.sqlite", "x")
    async with producer(settings, linger_ms=0) as client:
        if (await look(settings, [names.events]))[names.events].identity is None:
            pytest.skip("the embedded broker's topics have no ids")

        async def put(name: str) -> None:
            await KafkaOutbox(client).send(names.events, b"k", encode(event(name)), partition=0)

        await put("old")
        archive.set_meta("secret", "kept")
        async with following(archive, settings, prefix):
            before, reader = archive.identity, archive.reader
            assert ids(archive) == {"old"}
            admin = AIOKafkaAdminClient(**settings.client_options())
            await admin.start()
            await admin.delete_topics([names.events])
            await admin.close()
            for _ in range(100):
                if names.events in await create(settings, wanted):
                    break
                await asyncio.sleep(0.1)
            # As many records as before: no offset tells the topics apart.
            await put("new")
            await until(lambda: ids(archive) == {"new"})
            assert archive.identity != before
            assert archive.meta("secret") == "kept", "who was logged in still is"
            assert reader.execute("SELECT count(*) FROM events").fetchone()[0] == 1, "who reads may end"
        identity = archive.identity
        async with following(archive, settings, prefix):
            assert archive.identity == identity, "the same topics are no others"


async def test_the_process_serves_acts_dies_and_comes_back(broker, prefix, tmp_path):
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    topics = TopicSettings(prefix=prefix, partitions=2)
    await create(settings, topics)
    port = free_port()
    file = tmp_path / "summitry.yaml"
    file.write_text(
        yaml.safe_dump(
            {
                "topics": {"prefix": prefix, "partitions": 2},
                "board": {"archive": str(tmp_path / "archive.sqlite"), "port": port},
                "log": {"format": "json"},
            }
        )
    )
    command = [sys.executable, "-m", "agents", "board", "--config", str(file), "--broker", broker]

    async def start() -> asyncio.subprocess.Process:
        with (tmp_path / "log").open("ab") as log:
            return await asyncio.create_subprocess_exec(*command, stdout=log, stderr=log, env=dict(os.environ))

    async def ready(client: httpx.AsyncClient) -> None:
        async with asyncio.timeout(60):
            while True:
                try:
                    if (await client.get("/ready")).status_code == 200:
                        return
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)

    base = f"http://127.0.0.1:{port}"
    async with producer(settings, linger_ms=0) as sender, httpx.AsyncClient(base_url=base, trust_env=False) as client:
        await KafkaOutbox(sender).send(names.events, b"a", encode(event("a")))
        process = await start()
        try:
            await ready(client)
            before = (await client.get("/api/v1/events")).json()
            assert [item["event_id"] for item in before["items"]] == ["a"]
            token = form_token(await client.get("/events/a"))
            done = await client.post("/events/a/seen", data={"csrf": token, "by": "Ada"}, follow_redirects=True)
            assert "Seen by <bdi>Ada</bdi>" in done.text
            (ack,) = (await read_compacted(settings, names.acks)).values()
            assert decode(Ack, ack).by == "Ada"
            process.send_signal(signal.SIGKILL)
            await process.wait()
            process = await start()
            await ready(client)
            assert (await client.get("/api/v1/events")).json() == before
            again = await client.post("/events/a/seen", data={"csrf": token, "by": "Bo"}, follow_redirects=True)
            assert "Seen by <bdi>Bo</bdi>" in again.text, "a form that is open survives a restart"
            process.send_signal(signal.SIGTERM)
            assert await asyncio.wait_for(process.wait(), 15) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


def test_no_record_stops_the_board():
    """Whatever a topic holds is read, or refused with an error that the follower passes over."""
    policy = Policy.of(Config())
    for topic, reader in readers(TopicNames("t"), policy).items():
        for name, kind in KINDS.items():
            value = kind()
            if value is None or len(value) > 1_000_000:
                continue
            for key in ("", "k", "a b", "\0"):
                try:
                    reader.read(key, value)
                except (SummitryError, msgspec.MsgspecError, UnicodeError):
                    continue
                except Exception as error:
                    raise AssertionError(f"{name} on {topic}") from error
