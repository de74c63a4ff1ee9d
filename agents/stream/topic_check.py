"""Compare the topics on the broker with the declared ones, at the start of a process and while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping

import structlog
from aiokafka.errors import GroupAuthorizationFailedError, KafkaError, TopicAuthorizationFailedError

from agents.stream.protocol import GroupRequest, MetadataRequest
from agents.stream.rights import AccessRight, Part, lacking, rights_of, topics_of
from agents.stream.topics import FoundTopic, Topic, declare, mismatch
from monitor.config import Config
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import BrokerSettings, admin_client, consumer

logger = structlog.get_logger()

#: Seconds between two checks of the topics while a process runs.
LOOK_EVERY = 20.0
#: The value by which a broker says that it does not report operations.
_NOT_TOLD = -(1 << 31)


def missing(declared: Iterable[Topic], found: Mapping[str, FoundTopic]) -> str:
    """Return a message that names the missing topics and how to create them; '' when none is missing."""
    names = [topic.name for topic in declared if topic.name not in found]
    return f"no topic {', '.join(names)}: run `summitry topics create` first" if names else ""


def changed(before: Mapping[str, FoundTopic], now: Mapping[str, FoundTopic], exact: Iterable[str]) -> str:
    """Return a message on a change of the topics after which a process can't continue; '' when there is none."""
    for name, found in before.items():
        if name not in now:
            return f"topic {name} was deleted"
        if not now[name].partitions:
            continue  # the right to see it was withdrawn
        if found.identity and now[name].identity and found.identity != now[name].identity:
            return f"topic {name} was deleted and created again"
    for name in exact:
        if name in before and now[name].partitions and before[name].partitions != now[name].partitions:
            return f"topic {name} has {now[name].partitions} partitions now, and had {before[name].partitions}"
    return ""


async def check_topics(broker: BrokerSettings, config: Config, part: Part | None = None) -> dict[str, FoundTopic]:
    """Check the topics that a part uses (without a part: all), and return them as they are on the broker.

    A harmless difference in partitions is logged. Raises BrokerError when a topic is missing, since nothing relies on
    auto-creation, or when the part lacks a right, and ConfigError when the number of partitions makes work impossible.
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
    """Check that this user has all rights that a part needs. Raises BrokerError, which names the missing ones."""
    if lacks := await missing_rights(broker, config, part):
        who = f"user {broker.username}" if broker.username else "this user"
        told = "; ".join(map(str, lacks))
        problem = f"{who} at {broker} can't be a {part}, it lacks {told} (see `summitry topics rights {part}`)"
        raise BrokerError(problem, reason="no_right", retryable=False)


async def missing_rights(broker: BrokerSettings, config: Config, part: Part) -> tuple[AccessRight, ...]:
    """Return the rights that this user lacks for a part, as far as the broker reports them. Raises BrokerError."""
    rights = rights_of(part, config)
    topics = await look(broker, {right.name for right in rights if right.kind == "topic"})
    allowed = {("topic", name): found.operations for name, found in topics.items()}
    if any(bits is not None for bits in allowed.values()):
        for right in rights:
            if right.kind == "group":
                allowed[right.resource] = await _group_operations(broker, right.name)
    return lacking(rights, allowed)


async def _group_operations(broker: BrokerSettings, group: str) -> int | None:
    """Return the operations that this user may do with a consumer group; None when the broker does not report them."""
    try:
        async with admin_client(broker) as admin:
            coordinator = await admin.find_coordinator(group)
            answer = await admin._send_request(GroupRequest(group), coordinator)  # noqa: SLF001  # no other way
    except GroupAuthorizationFailedError:
        return 0
    except (KafkaError, OSError):  # a new cluster has no coordinator yet
        return None
    code, operations = answer.groups[0][0], answer.groups[0][-1]
    return _reported(operations) if code == 0 else 0 if code == GroupAuthorizationFailedError.errno else None


def _reported(operations: int) -> int | None:
    """Return the operations that a broker reports, None when it reports none."""
    return None if operations == _NOT_TOLD else operations


async def watch_topics(broker: BrokerSettings, config: Config, before: Mapping[str, FoundTopic]) -> None:
    """Check the topics again and again, for ever. Raises BrokerError when one was deleted, recreated, or has changed.

    The offsets and state that a process has of a recreated topic belong to the old one, so the process must restart.
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
    """Return the named topics as they are on the broker; missing ones are left out. Raises BrokerError.

    A topic that this user may not see has no partitions.
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
        raise BrokerError(f"the topics at {broker} can't be read: {error or type(error).__name__}") from error
    return {
        name: FoundTopic(
            len(partitions), identity if any(identity) else None, _reported(operations) if code == 0 else 0
        )
        for code, name, identity, _, partitions, operations, _ in answer.topics
        if code in {0, TopicAuthorizationFailedError.errno}
    }
