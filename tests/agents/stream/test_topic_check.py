"""Test that topics which differ from their declaration are named with the fix, and recreated topics are noticed."""

from __future__ import annotations

import asyncio

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from agents.stream import topic_check
from agents.stream.topic_check import changed, check_topics, look, missing, watch_topics
from agents.stream.topics import FoundTopic, TopicNames, create, declare, mismatch
from monitor.config import Config, TopicSettings
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import BrokerSettings

DECLARED = declare(TopicSettings(partitions=4))
NAMES = TopicNames()


def found(**partitions: int) -> dict[str, FoundTopic]:
    asked = {getattr(NAMES, name): count for name, count in partitions.items()}
    return {topic.name: FoundTopic(asked.get(topic.name, topic.partitions), b"id") for topic in DECLARED}


def test_what_is_as_declared_is_no_problem() -> None:
    assert missing(DECLARED, found()) == mismatch(DECLARED, found(), "k:9092") == ""
    assert mismatch(DECLARED, found(articles=1, dead_letters=3, silences=2), "k:9092") == ""


def test_a_missing_topic_is_named_with_the_command_that_makes_it() -> None:
    there = found()
    del there[NAMES.acks]
    assert missing(DECLARED, there) == "no topic summitry.acks: run `summitry topics create` first"


def test_topics_that_agree_with_each_other_but_not_with_the_configuration() -> None:
    problem = mismatch(DECLARED, found(feeds=2, feed_state=2, events=2, deliveries=2), "k:9092")
    assert "summitry.events has 2 partitions instead of 4" in problem
    assert "set topics.partitions to 2 (SUMMITRY_TOPICS__PARTITIONS=2)" in problem
    assert "--alter" not in problem


def test_topics_that_do_not_agree_with_each_other() -> None:
    problem = mismatch(DECLARED, found(events=6), "k:9092")
    for name in ("feeds", "feed-state", "deliveries"):
        assert f"`kafka-topics.sh --bootstrap-server k:9092 --alter --topic summitry.{name} --partitions 6`" in problem
    assert "set topics.partitions to 6" in problem
    problem = mismatch(DECLARED, found(deliveries=2), "k:9092")
    assert "--alter --topic summitry.deliveries --partitions 4`" in problem
    assert "set topics.partitions" not in problem


def test_a_topic_that_must_have_one_partition() -> None:
    problem = mismatch(DECLARED, found(mentions=2), "k:9092")
    assert "`kafka-topics.sh --bootstrap-server k:9092 --delete --topic summitry.mentions`" in problem
    assert "then `summitry topics create`" in problem


def test_what_happens_to_topics_under_a_running_process() -> None:
    before, exact = found(), [NAMES.events]
    assert changed(before, found(articles=9), exact) == ""
    assert changed(before, found(events=9), exact) == "topic summitry.events has 9 partitions now, and had 4"
    assert (
        changed(before, {**before, NAMES.acks: FoundTopic(1, b"other")}, exact)
        == "topic summitry.acks was deleted and created again"
    )
    assert changed(before, {**before, NAMES.acks: FoundTopic(1, None)}, exact) == ""
    del before[NAMES.acks]
    assert changed(found(), before, exact) == "topic summitry.acks was deleted"


@pytest.mark.broker
async def test_the_start_names_what_differs(broker: str, prefix: str) -> None:
    settings = BrokerSettings.from_url(broker)
    with pytest.raises(BrokerError, match="run `summitry topics create` first"):
        await check_topics(settings, Config(topics=TopicSettings(prefix=prefix)))
    await create(settings, TopicSettings(prefix=prefix, partitions=2))
    with pytest.raises(ConfigError, match=r"set topics\.partitions to 2"):
        await check_topics(settings, Config(topics=TopicSettings(prefix=prefix, partitions=3)))
    topics = await check_topics(settings, Config(topics=TopicSettings(prefix=prefix, partitions=2)))
    assert all(topic.identity for topic in topics.values())
    assert await look(settings, ["no-such-topic"]) == {}


@pytest.mark.broker
async def test_a_topic_that_is_made_again_is_noticed(broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert topic_check.LOOK_EVERY <= 30, "within a minute"
    monkeypatch.setattr(topic_check, "LOOK_EVERY", 0.2)
    settings, wanted = BrokerSettings.from_url(broker), TopicSettings(prefix=prefix, partitions=1)
    await create(settings, wanted)
    config = Config(topics=wanted)
    watching = asyncio.create_task(watch_topics(settings, config, await check_topics(settings, config)))
    await asyncio.sleep(1)
    assert not watching.done()
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    await admin.delete_topics([TopicNames(prefix).acks])
    await admin.close()
    for _ in range(50):
        await asyncio.sleep(0.1)
        if await create(settings, wanted):
            break
    with pytest.raises(BrokerError, match=r"acks was deleted") as caught:
        await asyncio.wait_for(watching, 10)
    assert caught.value.reason == "topic_changed"
