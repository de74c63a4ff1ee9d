"""Compare the topics on the broker with those that are declared, at the start of a process and while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from io import BytesIO
from typing import Any

import structlog
from aiokafka.errors import KafkaError
from aiokafka.protocol.api import Request, RequestStruct, Response
from aiokafka.protocol.types import Boolean, CompactArray, CompactString, Int16, Int32, Schema, TaggedFields

from agents.stream.topics import FoundTopic, Topic, declare, mismatch
from monitor.config import Config
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import BrokerSettings, consumer

logger = structlog.get_logger()

#: Seconds between two looks at the topics of a running process.
LOOK_EVERY = 20.0


def missing(declared: Iterable[Topic], found: Mapping[str, FoundTopic]) -> str:
    """Say which topics are missing and how to make them; empty when none is."""
    names = [topic.name for topic in declared if topic.name not in found]
    return f"no topic {', '.join(names)}: run `summitry topics create` first" if names else ""


def changed(before: Mapping[str, FoundTopic], now: Mapping[str, FoundTopic], exact: Iterable[str]) -> str:
    """Say what happened to the topics of a running process that it can't go on with; empty when nothing did."""
    for name, found in before.items():
        if name not in now:
            return f"topic {name} was deleted"
        if found.identity and now[name].identity and found.identity != now[name].identity:
            return f"topic {name} was made again"
    for name in exact:
        if name in before and before[name].partitions != now[name].partitions:
            return f"topic {name} has {now[name].partitions} partitions now, and had {before[name].partitions}"
    return ""


async def check_topics(broker: BrokerSettings, config: Config) -> dict[str, FoundTopic]:
    """Give the declared topics as they are; the log is told of those that merely differ.

    Raises BrokerError when one is missing, since nothing relies on auto-creation, and ConfigError when one has a number
    of partitions that can't be worked with.
    """
    declared = declare(config.topics)
    found = await look(broker, [topic.name for topic in declared])
    if problem := missing(declared, found):
        raise BrokerError(f"{broker}: {problem}", reason="no_topic", retryable=False)
    if problem := mismatch(declared, found, ",".join(broker.servers)):
        raise ConfigError("topics", "partitions", problem)
    for topic in declared:
        if (has := found[topic.name].partitions) != topic.partitions:
            mend = "summitry topics create" if has < topic.partitions else f"topics.partitions: {has}"
            logger.warning("topic_partitions_differ", topic=topic.name, has=has, declared=topic.partitions, mend=mend)
    return found


async def watch_topics(broker: BrokerSettings, config: Config, before: Mapping[str, FoundTopic]) -> None:
    """Look at the topics for ever. Raises BrokerError when one was deleted, made again, or can't be worked with now.

    What a process knows of a topic that was made again (positions, state) belongs to the old one: it has to start anew.
    """
    exact = [topic.name for topic in declare(config.topics) if topic.exact]
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            now = await look(broker, before)
        except BrokerError as error:
            logger.info("topics_not_seen", error=str(error))
            continue
        if problem := changed(before, now, exact):
            raise BrokerError(problem, reason="topic_changed", retryable=False)


async def look(broker: BrokerSettings, names: Iterable[str]) -> dict[str, FoundTopic]:
    """Ask the broker for some topics; those that it does not have are left out. Raises BrokerError."""
    wanted = list(names)
    try:
        async with asyncio.timeout(15), consumer(broker) as client:
            try:
                net = client._client  # noqa: SLF001  # aiokafka's own request has no topic ids
                answer = await net.send(net.get_random_node(), _MetadataRequest(wanted))
            except NotImplementedError:  # a broker before Kafka 2.8
                cluster = await net.fetch_all_metadata()
                counts = {name: len(cluster.partitions_for_topic(name) or ()) for name in wanted}
                return {name: FoundTopic(count, None) for name, count in counts.items() if count}
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"the topics at {broker} can't be looked at: {error or type(error).__name__}") from error
    return {
        name: FoundTopic(len(partitions), identity if any(identity) else None)
        for code, name, identity, _, partitions, *_ in answer.topics
        if code == 0
    }


class _Uuid:
    """Kafka's type of topic ids: sixteen bytes."""

    @classmethod
    def encode(cls, value: bytes) -> bytes:
        return value

    @classmethod
    def decode(cls, data: BytesIO) -> bytes:
        return data.read(16)


class _MetadataResponseV10(Response):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3
    API_VERSION = 10
    SCHEMA = Schema(
        ("throttle_time_ms", Int32),
        (
            "brokers",
            CompactArray(
                ("node_id", Int32), ("host", CompactString("utf-8")), ("port", Int32),
                ("rack", CompactString("utf-8")), ("tags", TaggedFields),
            ),
        ),
        ("cluster_id", CompactString("utf-8")),
        ("controller_id", Int32),
        (
            "topics",
            CompactArray(
                ("error_code", Int16), ("name", CompactString("utf-8")), ("topic_id", _Uuid), ("is_internal", Boolean),
                (
                    "partitions",
                    CompactArray(
                        ("error_code", Int16), ("partition", Int32), ("leader", Int32), ("leader_epoch", Int32),
                        ("replicas", CompactArray(Int32)), ("isr", CompactArray(Int32)),
                        ("offline", CompactArray(Int32)), ("tags", TaggedFields),
                    ),
                ),
                ("operations", Int32), ("tags", TaggedFields),
            ),
        ),
        ("cluster_operations", Int32),
        ("tags", TaggedFields),
    )  # fmt: skip


class _MetadataRequestV10(RequestStruct):  # type: ignore[misc]  # aiokafka has no types
    API_KEY = 3
    API_VERSION = 10
    FLEXIBLE_VERSION = True
    RESPONSE_TYPE = _MetadataResponseV10
    SCHEMA = Schema(
        ("topics", CompactArray(("topic_id", _Uuid), ("name", CompactString("utf-8")), ("tags", TaggedFields))),
        ("allow_auto_topic_creation", Boolean),
        ("include_cluster_operations", Boolean),
        ("include_topic_operations", Boolean),
        ("tags", TaggedFields),
    )


class _MetadataRequest(Request[_MetadataRequestV10]):  # type: ignore[misc]  # aiokafka has no types
    """Metadata in version 10, the first one with topic ids (https://kafka.apache.org/protocol#The_Messages_Metadata)."""

    API_KEY = 3

    def __init__(self, topics: list[str]) -> None:
        self._topics = topics

    def build(self, request_struct_class: type[Any]) -> Any:  # noqa: ANN401
        topics: list[tuple[bytes, str, dict[int, bytes]]] = [(bytes(16), name, {}) for name in self._topics]
        return request_struct_class(topics, *(False, False, False), {})
