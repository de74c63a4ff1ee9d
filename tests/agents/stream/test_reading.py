"""Test that a record of a compacted topic that can't be decoded is set aside, and the value before it is used."""

from __future__ import annotations

import asyncio

import pytest

from agents.stream.dead_letters import read
from agents.stream.guard import Guard
from agents.stream.outbox import KafkaOutbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, follow_compacted, producer, read_compacted
from monitor.records import Article, decode, encode

POISON = [b"\xff\xfe", b"{", b"[" * 100_000, b'{"schema":99,"id":"","title":""}', b'"\xf0\x28\x8c\x28"', b""]


@pytest.mark.broker
async def test_poison_on_a_compacted_topic_is_set_aside_and_the_value_before_it_stands(
    broker: str, prefix: str
) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    good = encode(Article(id="1", title="One"))
    async with producer(settings) as client:
        outbox = KafkaOutbox(client)
        keep = readable(
            Guard("notes", outbox, names.dead_letters), {names.silences: lambda data: decode(Article, data)}
        )
        await outbox.send(names.silences, b"a", good)
        for poison in POISON:
            await outbox.send(names.silences, b"a", poison)
        await outbox.send(names.silences, b"b", good)
        await outbox.send(names.silences, b"b", None)
        assert await read_compacted(settings, names.silences, keep=keep) == {"a": good}

        following = follow_compacted(settings, names.silences, keep=keep)
        assert await anext(following) == {(names.silences, "a"): good}
        await outbox.send(names.silences, b"a", POISON[0])
        await outbox.send(names.silences, b"c", good)
        assert await asyncio.wait_for(anext(following), 20) == {(names.silences, "c"): good}
        await following.aclose()
    letters = await read(settings, names.dead_letters)
    assert [letter.value or b"" for letter in letters] == [*POISON, POISON[0]]
    assert {letter.reason for letter in letters} == {"undecodable", "newer_schema"}
