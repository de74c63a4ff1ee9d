"""Compare the topics on the broker with those that are declared, at the start of a process and while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from agents.stream.protocol import GroupRequest, MetadataRequest
from agents.stream.rights import Part, Right, lacking, rights_of, topics_of
from agents.stream.topics import FoundTopic, Topic, declare, mismatch
from monitor.config import Config
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import BrokerSettings, consumer

logger = structlog.get_logger()

#: Seconds between two looks at the topics of a running process.
LOOK_EVERY = 20.0
#: What a broker says of operations that it does not tell.
_NOT_TOLD = -(1 << 31)


def missing(declared: Iterable[Topic], found: Mapping[str, FoundTopic]) -> str:
    """Say which topics are missing and how to make them; empty when none is."""
    names = [topic.name for topic in declared if topic.name not in found]
    return f"no topic {', '.join(names)}: run `summitry topics create` first" if names else ""


def changed(before: Mapping[str, FoundTopic], now: Mapping[str, FoundTopic], exact: Iterable[str]) -> str:
    """Say what happened to the topics of a running process that it can't go on with; empty when nothing did."""
    for name, found in before.items():
        if name not in now:
            return f"topic {name} was deleted"
        if not now[name].partitions:
            continue  # the right to see it was withdrawn
        if found.identity and now[name].identity and found.identity != now[name].identity:
            return f"topic {name} was made again"
    for name in exact:
        if name in before and now[name].partitions and before[name].partitions != now[name].partitions:
            return f"topic {name} has {now[name].partitions} partitions now, and had {before[name].partitions}"
    return ""


async def check_topics(broker: BrokerSettings, config: Config, part: Part | None = None) -> dict[str, FoundTopic]:
    """Give the declared topics that a part uses as they are; the log is told of those that merely differ.

    Without a part, all of them. Raises BrokerError when one is missing, since nothing relies on auto-creation, or when
    the part lacks a right, and ConfigError when one has a number of partitions that can't be worked with.
    """
    used = topics_of(part, config) if part else None
    declared = [topic for topic in declare(config.topics) if used is None or topic.name in used]
    if part:
        await check_rights(broker, config, part)
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


async def check_rights(broker: BrokerSettings, config: Config, part: Part) -> None:
    """Raise BrokerError that names each right which this user lacks to do a part's work."""
    if lacks := await missing_rights(broker, config, part):
        who = f"user {broker.username}" if broker.username else "this user"
        told = "; ".join(map(str, lacks))
        problem = f"{who} at {broker} can't be a {part}, it lacks {told} (see `summitry topics rights {part}`)"
        raise BrokerError(problem, reason="no_right", retryable=False)


async def missing_rights(broker: BrokerSettings, config: Config, part: Part) -> tuple[Right, ...]:
    """Give the rights that this user lacks to do a part's work, as far as the broker tells. Raises BrokerError."""
    rights = rights_of(part, config)
    topics = await look(broker, {right.name for right in rights if right.kind == "topic"})
    allowed = {("topic", name): found.operations for name, found in topics.items()}
    if any(bits is not None for bits in allowed.values()):
        for right in rights:
            if right.kind == "group":
                allowed[right.resource] = await _group_operations(broker, right.name)
    return lacking(rights, allowed)


async def _group_operations(broker: BrokerSettings, group: str) -> int | None:
    """Give the operations that this user may do with a consumer group; None when the broker does not tell (yet)."""
    admin = AIOKafkaAdminClient(**broker.client_options(), request_timeout_ms=10_000)
    try:
        await admin.start()
        coordinator = await admin.find_coordinator(group)
        answer = await admin._send_request(GroupRequest(group), coordinator)  # noqa: SLF001  # there is no other way
    except GroupAuthorizationFailedError:
        return 0
    except (KafkaError, OSError):  # a new cluster has no coordinator before its first group
        return None
    finally:
        await admin.close()
    code, operations = answer.groups[0][0], answer.groups[0][-1]
    return _told(operations) if code == 0 else 0 if code == GroupAuthorizationFailedError.errno else None


def _told(operations: int) -> int | None:
    """Give what a broker says of operations; the smallest number stands for nothing."""
    return None if operations == _NOT_TOLD else operations


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
    """Ask the broker for some topics; those that it does not have are left out. Raises BrokerError.

    Those that this user may not see are there without partitions.
    """
    wanted = list(names)
    try:
        async with asyncio.timeout(15), consumer(broker) as client:
            try:
                net = client._client  # noqa: SLF001  # aiokafka's own request has no topic ids
                answer = await net.send(net.get_random_node(), MetadataRequest(wanted))
            except NotImplementedError:  # a broker before Kafka 2.8
                cluster = await net.fetch_all_metadata()
                counts = {name: len(cluster.partitions_for_topic(name) or ()) for name in wanted}
                return {name: FoundTopic(count, None) for name, count in counts.items() if count}
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"the topics at {broker} can't be looked at: {error or type(error).__name__}") from error
    return {
        name: FoundTopic(len(partitions), identity if any(identity) else None, _told(operations) if code == 0 else 0)
        for code, name, identity, _, partitions, operations, _ in answer.topics
        if code in {0, TopicAuthorizationFailedError.errno}
    }
