"""Test dead letters: selecting and replaying them, and letters of messages that were given up."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime

import msgspec
import pytest
import zstandard
from click.testing import CliRunner

from agents.cli import cli
from agents.stream.dead_letters import DeadLetter, read, replay, select, write
from agents.stream.outbox import KafkaOutbox, MemoryOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.errors import DecodeError, SummitryError
from monitor.kafka import BrokerSettings, producer, read_to_end
from monitor.notify import Delivery, Retry
from monitor.records import decode, encode

AT = datetime(2026, 2, 4, 18, tzinfo=UTC)
NAMES = TopicNames()


def letter(identity: str = "summitry.articles:1:5", **fields: object) -> DeadLetter:
    values = {
        "stage": "detect", "topic": NAMES.articles, "partition": 1, "offset": 5, "key": b"k", "value": b"\xff\x00",
        "at": AT, "reason": "error", "error": "ValueError: no",
    }  # fmt: skip
    return DeadLetter(id=identity, **{**values, **fields})  # type: ignore[arg-type]


def test_letters_are_selected_by_id_reason_and_stage() -> None:
    one, two = letter("1"), letter("2", reason="timeout", stage="notify")
    assert select([one, two], (), None, None) == [one, two]
    assert select([one, two], ["2"], None, None) == [two]
    assert select([one, two], (), "timeout", None) == [two]
    assert select([one, two], (), None, "detect") == [one]
    assert select([one, two], ["1"], "timeout", None) == []


def test_bytes_survive_the_way_through_json() -> None:
    assert decode(DeadLetter, encode(letter())) == letter()


async def test_a_record_goes_back_to_its_place_and_the_letter_is_marked() -> None:
    outbox = MemoryOutbox()
    await replay(outbox, NAMES, letter(), AT)
    back, mark = outbox.sent
    assert back == (NAMES.articles, b"k", b"\xff\x00", 1)
    assert mark[0] == NAMES.dead_letters
    assert decode(DeadLetter, mark[2] or b"") == msgspec.structs.replace(letter(), replayed_at=AT)


async def test_a_message_that_was_given_up_is_wished_for_again() -> None:
    outbox = MemoryOutbox()
    delivery = Delivery(receiver="desk", event_id="e1")
    await replay(
        outbox, NAMES, letter("d", topic=NAMES.deliveries, partition=-1, offset=-1, value=encode(delivery)), AT
    )
    topic, _, value, _ = outbox.sent[0]
    assert topic == NAMES.silences
    wish = msgspec.json.decode(value or b"", type=Retry)
    assert (wish.receiver, wish.event_id, wish.at) == ("desk", "e1", AT)


@pytest.mark.broker
async def test_the_topic_tells_each_letter_once_and_hides_what_was_replayed(broker: str, prefix: str) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    async with producer(settings) as client:
        outbox = KafkaOutbox(client)
        for each in (letter("1"), letter("2", partition=0, topic=names.articles), letter("1", attempts=2)):
            await write(outbox, names.dead_letters, each)
        await outbox.send(names.dead_letters, b"k", b"no dead letter at all")
        found = await read(settings, names.dead_letters)
        assert [(each.id, each.attempts) for each in found] == [("1", 2), ("2", 1)]
        await replay(outbox, names, found[1], AT)
        assert [each.id for each in await read(settings, names.dead_letters)] == ["1"]
        assert [each.id for each in await read(settings, names.dead_letters, replayed=True)] == ["1", "2"]


@pytest.mark.broker
async def test_a_letter_that_was_cut_is_replayed_from_its_topic(broker: str, prefix: str) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    value = os.urandom(3_900_000)
    async with producer(settings) as client:
        outbox = KafkaOutbox(client)
        await outbox.send(names.articles, b"key", value, partition=0)
        place = {"topic": names.articles, "partition": 0, "offset": 0}
        await write(outbox, names.dead_letters, letter("cut", value=value, **place))
        await write(outbox, names.dead_letters, letter("other", value=os.urandom(3_900_000), **place))
        await write(outbox, names.dead_letters, letter("gone", value=value, **{**place, "offset": 7}))
        cut, other, gone = await read(settings, names.dead_letters)
        assert cut.cut
        assert cut.size == len(value)
        await replay(outbox, names, cut, AT, settings)
        with pytest.raises(SummitryError, match="is another record now"):
            await replay(outbox, names, other, AT, settings)
        with pytest.raises(SummitryError, match="not in its topic any more"):
            await replay(outbox, names, gone, AT, settings)
    assert [record.value async for record in read_to_end(settings, names.articles)] == [value, value]


@pytest.mark.parametrize(
    ("value", "size"),
    [(b"no frame", 9), (zstandard.compress(b"whole")[:-3], 5), (zstandard.compress(b"whole"), 10**18), (b"", 3)],
    ids=["garbage", "cut", "other-size", "empty"],
)
def test_a_packed_value_that_is_damaged_is_said(value: bytes, size: int) -> None:
    with pytest.raises(DecodeError, match="damaged"):
        letter(value=value, packed="zstd", size=size).whole_value()
    assert letter(value=zstandard.compress(b"whole"), packed="zstd", size=5).whole_value() == b"whole"


@pytest.mark.broker
def test_a_letter_that_can_not_be_replayed_keeps_no_other_from_it(broker: str, prefix: str) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    bad = letter("a", topic=names.articles, value=b"no frame", packed="zstd", size=9)
    foreign, good = letter("b", topic="elsewhere"), letter("c", topic=names.articles, partition=0)

    async def prepare() -> None:
        await create(settings, TopicSettings(prefix=prefix, partitions=1))
        async with producer(settings) as client:
            for each in (bad, foreign, good):
                await write(KafkaOutbox(client), names.dead_letters, each)

    asyncio.run(prepare())
    command = ["dead-letters", "replay", "--all", "--broker", broker]
    done = CliRunner().invoke(cli, command, env={"SUMMITRY_TOPICS__PREFIX": prefix})
    assert done.exit_code == 1
    assert "replayed 1 dead letters" in done.output
    assert "a: the value of a is damaged" in done.output
    assert "b is of elsewhere" in done.output
    assert [each.id for each in asyncio.run(read(settings, names.dead_letters))] == ["a", "b"]
