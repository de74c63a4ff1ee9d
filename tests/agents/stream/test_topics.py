"""Test that topics are declared in one module and created by one command."""

from __future__ import annotations

import asyncio

import pytest
from click.testing import CliRunner

from agents.cli import cli
from agents.stream.topic_check import look
from agents.stream.topics import TopicNames, create, declare
from monitor.config import TopicSettings
from monitor.errors import ConfigError
from monitor.kafka import BrokerSettings
from tests.brokers import ApacheKafka, Embedded


def test_every_name_is_declared_once_under_the_prefix() -> None:
    names = TopicNames("news")
    declared = [topic.name for topic in declare(TopicSettings(prefix="news"))]
    of_class = [
        getattr(names, name)
        for name, value in vars(TopicNames).items()
        if isinstance(value, property) and "group" not in name
    ]
    assert sorted(declared) == sorted(of_class)
    assert all(name.startswith("news.") for name in declared)


def test_partitions_that_belong_together_are_as_many() -> None:
    topics = {topic.name: topic for topic in declare(TopicSettings(partitions=7))}
    names = TopicNames()
    assert topics[names.mentions].partitions == topics[names.assembly].partitions == 1
    assert topics[names.events].partitions == topics[names.deliveries].partitions == 7
    assert topics[names.feeds].partitions == topics[names.feed_state].partitions == 7


def test_state_is_compacted_and_three_replicas_need_two() -> None:
    names = TopicNames()
    topics = {topic.name: topic.config for topic in declare(TopicSettings(replication=3))}
    for name in (
        names.feeds,
        names.feed_state,
        names.assembly,
        names.events,
        names.deliveries,
        names.silences,
        names.acks,
        names.feedback,
    ):
        assert topics[name]["cleanup.policy"] == "compact"
    for name in (names.articles, names.mentions, names.dead_letters):
        assert topics[name]["cleanup.policy"] == "delete"
        assert int(topics[name]["retention.ms"]) >= 7 * 86_400_000
    assert all(config["min.insync.replicas"] == "2" for config in topics.values())


@pytest.mark.broker
async def test_making_them_twice_is_harmless_and_another_number_of_partitions_is_refused(
    broker: str, broker_process: ApacheKafka | Embedded, prefix: str
) -> None:
    settings = BrokerSettings.from_url(broker)
    topics = TopicSettings(prefix=prefix, partitions=2)
    assert sorted(await create(settings, topics)) == sorted(topic.name for topic in declare(topics))
    assert await create(settings, topics) == []
    with pytest.raises(ConfigError, match=r"has 2 partitions instead of 3.*: set topics\.partitions to 2 .*or choose"):
        await create(settings, TopicSettings(prefix=prefix, partitions=3))
    # Articles have no state: they get more partitions, from a broker that can add some.
    articles = TopicNames(prefix).articles
    wanted = 3 if isinstance(broker_process, ApacheKafka) else 2
    async with asyncio.timeout(20):  # the broker tells of a new partition a moment after it has made it
        while (await look(settings, [articles]))[articles].partitions != wanted:  # noqa: ASYNC110  # it can't be told
            await asyncio.sleep(0.2)


@pytest.mark.broker
def test_the_command_makes_and_lists_them(broker: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUMMITRY_TOPICS__PREFIX", prefix)
    made = CliRunner().invoke(cli, ["topics", "create", "--broker", broker])
    assert made.exit_code == 0, made.output
    assert f"created {prefix}.articles" in made.output
    again = CliRunner().invoke(cli, ["topics", "create", "--broker", broker])
    assert "0 topics created, 12 existed already" in again.output
    assert f"{prefix}.dead-letters" in CliRunner().invoke(cli, ["topics", "list"]).output
