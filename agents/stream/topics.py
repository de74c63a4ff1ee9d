"""Declare every topic (name, partitions, retention, cleanup policy), and create them. Nothing relies on auto-creation.

The settings are Kafka's topic configurations (https://kafka.apache.org/documentation/#topicconfigs).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.errors import IncompatibleBrokerVersion, KafkaError

from monitor.config import TopicSettings
from monitor.errors import BrokerError, ConfigError
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, admin_client

logger = structlog.get_logger()

_ALREADY_EXISTS = 36
_NOT_AUTHORIZED = {29, 31}
#: The retention of mentions and dead letters: they are few, and useful for looking into problems later.
_LONG = timedelta(days=30)
#: Seconds that a request to create topics may take.
_PATIENCE_S = 20.0


@dataclass(frozen=True)
class TopicNames:
    """The names of all topics under one prefix."""

    prefix: str = "summitry"

    def _name(self, kind: str) -> str:
        return f"{self.prefix}.{kind}"

    @property
    def feeds(self) -> str:
        """Feed subscriptions by host group (compacted)."""
        return self._name("feeds")

    @property
    def feed_state(self) -> str:
        """Validators, schedule and seen entries by feed (compacted)."""
        return self._name("feed-state")

    @property
    def articles(self) -> str:
        """New and changed articles by article id."""
        return self._name("articles")

    @property
    def mentions(self) -> str:
        """Mentions; one partition, since reports of one event differ in their participants."""
        return self._name("mentions")

    @property
    def events(self) -> str:
        """Each revision of each event by event id (compacted)."""
        return self._name("events")

    @property
    def assembly(self) -> str:
        """The assembler's state, in several records (compacted)."""
        return self._name("assembly")

    @property
    def deliveries(self) -> str:
        """The delivery log: what was sent, by receiver and event (compacted; in the same partition as the event)."""
        return self._name("deliveries")

    @property
    def silences(self) -> str:
        """Silences by id (compacted)."""
        return self._name("silences")

    @property
    def acks(self) -> str:
        """Acknowledgements by event id (compacted)."""
        return self._name("acks")

    @property
    def attempts(self) -> str:
        """The marks of `agents.stream.crash_marks`: partitions that are read, and records that kill (compacted)."""
        return self._name("attempts")

    @property
    def feedback(self) -> str:
        """Readers' feedback on events that they were alerted to (compacted)."""
        return self._name("feedback")

    @property
    def dead_letters(self) -> str:
        """Records that could not be handled, with the reason."""
        return self._name("dead-letters")

    @property
    def group(self) -> str:
        """The consumer group of the workers, which is also the Faust app's id."""
        return f"{self.prefix}-worker"

    @property
    def poller_group(self) -> str:
        """The consumer group of the pollers."""
        return f"{self.prefix}-poller"


@dataclass(frozen=True)
class Topic:
    """How one topic is created. With `exact`, the service can't work with another number of partitions."""

    name: str
    partitions: int
    config: Mapping[str, str] = field(default_factory=dict)
    exact: bool = False


def declare(settings: TopicSettings) -> tuple[Topic, ...]:
    """Return all topics as the configuration wants them."""
    names = TopicNames(settings.prefix)
    common = {"max.message.bytes": str(MAX_RECORD_BYTES)}
    if settings.replication >= 3:
        common["min.insync.replicas"] = "2"
    # A compacted topic is read completely at each start, so it is cleaned early.
    compacted = {
        **common,
        "cleanup.policy": "compact",
        "min.cleanable.dirty.ratio": "0.1",
        "segment.ms": _milliseconds(timedelta(days=1)),
    }

    def log(kept: timedelta) -> dict[str, str]:
        return {**common, "cleanup.policy": "delete", "retention.ms": _milliseconds(kept)}

    many = settings.partitions
    return (
        Topic(names.feeds, many, compacted, exact=True),
        Topic(names.feed_state, many, compacted, exact=True),
        Topic(names.articles, many, log(settings.retention)),
        Topic(names.mentions, 1, log(max(settings.retention, _LONG)), exact=True),
        Topic(names.assembly, 1, compacted, exact=True),
        Topic(names.events, many, compacted, exact=True),
        Topic(names.deliveries, many, compacted, exact=True),
        Topic(names.silences, 1, compacted),
        Topic(names.acks, 1, compacted),
        Topic(names.feedback, 1, compacted),
        Topic(names.attempts, 1, compacted),
        Topic(names.dead_letters, 1, log(max(settings.retention, _LONG))),
    )


@dataclass(frozen=True)
class FoundTopic:
    """A topic as it is on the broker. Its `identity` changes when it is recreated; None from brokers without topic ids.

    `operations` are those that this user may do, one bit for each (`agents.stream.rights`); None when the broker does
    not report them. A topic that the user may not see has no partitions and no operations.
    """

    partitions: int
    identity: bytes | None
    operations: int | None = None


def mismatch(declared: Iterable[Topic], found: Mapping[str, FoundTopic], servers: str) -> str:
    """Return a message on topics whose number of partitions is wrong, and how to fix it; '' when all are right.

    The number of partitions decides in which partition the state of a key is. So all topics with state must have the
    declared number.
    """
    exact = {topic.name: topic.partitions for topic in declared if topic.exact}
    has = {name: found[name].partitions for name in exact}
    differing = [name for name in exact if has[name] != exact[name]]
    if not differing:
        return ""
    told = ", ".join(f"{name} has {has[name]} partitions instead of {exact[name]}" for name in differing)
    tool = f"kafka-topics.sh --bootstrap-server {servers}"
    if single := [name for name in differing if exact[name] == 1]:
        commands = "; ".join(f"{tool} --delete --topic {name}" for name in single)
        return f"{told}: stop all processes, run `{commands}`, then `summitry topics create`"
    most = max(has[name] for name in exact)
    steps = [
        f"run `{tool} --alter --topic {name} --partitions {most}`"
        for name in exact
        if exact[name] != 1 and has[name] < most
    ]
    if most not in exact.values():
        steps.append(f"set topics.partitions to {most} (SUMMITRY_TOPICS__PARTITIONS={most})")
    return f"{told}: {' and '.join(steps)}, or choose another topics.prefix and run `summitry topics create`"


async def create(broker: BrokerSettings, settings: TopicSettings) -> list[str]:
    """Create missing topics, and add partitions to topics without state that have too few.

    Returns the names of the topics that were created. Raises BrokerError when the broker refuses one, ConfigError when
    a topic has a number of partitions with which the service can't work.
    """
    declared = declare(settings)
    try:
        async with admin_client(broker, _PATIENCE_S) as admin:
            made = await _create_missing(admin, declared, settings.replication)
            counts = await _wait_until_led(admin, declared)
            more = {t.name: t.partitions for t in declared if not t.exact and counts[t.name] < t.partitions}
            if more:
                await _add_partitions(admin, more)
    except (KafkaError, OSError, TimeoutError, UnicodeError) as error:
        raise BrokerError(f"topics can't be created at {broker}: {error}") from error
    found = {name: FoundTopic(count, None) for name, count in counts.items()}
    if problem := mismatch(declared, found, ",".join(broker.servers)):
        raise ConfigError("topics", "partitions", problem)
    return made


async def _add_partitions(admin: AIOKafkaAdminClient, wanted: Mapping[str, int]) -> None:
    try:
        await admin.create_partitions({name: NewPartitions(count) for name, count in wanted.items()})
    except IncompatibleBrokerVersion:  # the embedded broker
        logger.warning("partitions_not_added", topics=dict(wanted), reason="the broker can't add any")
    else:
        logger.info("partitions_added", topics=dict(wanted))


async def _create_missing(admin: AIOKafkaAdminClient, declared: tuple[Topic, ...], replication: int) -> list[str]:
    response = await admin.create_topics(
        [NewTopic(topic.name, topic.partitions, replication, topic_configs=dict(topic.config)) for topic in declared]
    )
    made = []
    for name, code, message in response.topic_errors:
        if code == 0:
            made.append(name)
        elif code in _NOT_AUTHORIZED:
            problem = f"topic {name} can't be created: this user lacks CREATE (see `summitry topics rights topics`)"
            raise BrokerError(problem, reason="no_right", retryable=False)
        elif code != _ALREADY_EXISTS:
            raise BrokerError(f"topic {name} can't be created: {message or f'error {code}'}")
    return made


async def _wait_until_led(admin: AIOKafkaAdminClient, declared: tuple[Topic, ...]) -> dict[str, int]:
    """Wait until every partition has a leader; Kafka answers before that. Returns the partitions of each topic."""
    for _ in range(100):
        found = await admin.describe_topics([topic.name for topic in declared])
        partitions = {topic["topic"]: topic["partitions"] for topic in found}
        if all(partitions.values()) and all(p["leader"] >= 0 for each in partitions.values() for p in each):
            return {name: len(each) for name, each in partitions.items()}
        await asyncio.sleep(0.1)
    raise BrokerError("the new topics have no leaders after 10 s; check the brokers of the cluster")


def _milliseconds(length: timedelta) -> str:
    return str(int(length.total_seconds() * 1000))
