"""Declare the rights that each process needs on the broker, and find those that its user lacks.

Rights are the operations of Kafka's access control lists (https://kafka.apache.org/documentation/#security_authz). READ
and WRITE include DESCRIBE. `docs/security.md` has them as a table, `summitry topics rights` prints them as commands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from agents.stream.topics import TopicNames, declare
from monitor.config import Config, KafkaReceiver

#: The clients of the broker: the command `summitry topics create --feeds`, and the three kinds of processes.
Part = Literal["topics", "poller", "worker", "board"]
PARTS: tuple[Part, ...] = get_args(Part)
Operation = Literal["READ", "WRITE", "CREATE", "ALTER", "DESCRIBE"]
#: Kafka's number of each operation (org.apache.kafka.common.acl.AclOperation).
CODES: Mapping[Operation, int] = {"READ": 3, "WRITE": 4, "CREATE": 5, "ALTER": 7, "DESCRIBE": 8}

_READ: tuple[Operation, ...] = ("READ",)
_WRITE: tuple[Operation, ...] = ("WRITE",)
_BOTH: tuple[Operation, ...] = ("READ", "WRITE")
_DESCRIBE: tuple[Operation, ...] = ("DESCRIBE",)


@dataclass(frozen=True, order=True)
class AccessRight:
    """One operation on one topic or consumer group."""

    kind: Literal["topic", "group"]
    name: str
    operation: Operation

    @property
    def resource(self) -> tuple[str, str]:
        """The kind and name of the topic or group."""
        return self.kind, self.name

    def __str__(self) -> str:
        return f"{self.operation} on {self.kind} {self.name}"


def rights_of(part: Part, config: Config) -> tuple[AccessRight, ...]:
    """Return the rights that a part needs for all of its work, sorted."""
    names = TopicNames(config.topics.prefix)
    return tuple(
        sorted(
            AccessRight(kind, name, one) for kind, name, operations in _needs(part, names, config) for one in operations
        )
    )


def topics_of(part: Part, config: Config) -> set[str]:
    """Return the service's own topics that a part uses."""
    ours = {topic.name for topic in declare(config.topics)}
    return {right.name for right in rights_of(part, config) if right.kind == "topic"} & ours


def lacking(rights: Iterable[AccessRight], allowed: Mapping[tuple[str, str], int | None]) -> tuple[AccessRight, ...]:
    """Return the rights that are not among the allowed operations of their topic or group.

    `allowed` has the operations as the broker reports them, one bit for each code. When the broker does not report them
    (None, or no entry), all operations count as allowed.
    """
    return tuple(
        right
        for right in rights
        if (bits := allowed.get(right.resource)) is not None and not bits >> CODES[right.operation] & 1
    )


def commands(rights: Iterable[AccessRight], user: str, servers: str) -> Iterator[str]:
    """Yield the `kafka-acls.sh` commands that give a user exactly these rights."""
    together: dict[tuple[str, str], list[str]] = {}
    for right in rights:
        together.setdefault(right.resource, []).append(right.operation.capitalize())
    for (kind, name), operations in together.items():
        wanted = " ".join(f"--operation {operation}" for operation in operations)
        yield (
            f"kafka-acls.sh --bootstrap-server {servers} --add --allow-principal User:{user} {wanted} --{kind} {name}"
        )


def _needs(
    part: Part, names: TopicNames, config: Config
) -> Iterator[tuple[Literal["topic", "group"], str, tuple[Operation, ...]]]:
    """Yield kind, name and operations."""
    match part:
        case "topics":
            for topic in declare(config.topics):
                # Partitions are only added to topics without state.
                more: tuple[Operation, ...] = () if topic.exact else ("ALTER",)
                yield "topic", topic.name, ("CREATE", "DESCRIBE", *more)
            yield "topic", names.feeds, _BOTH
        case "poller":
            yield "group", names.poller_group, _READ
            yield "topic", names.feeds, _READ
            yield "topic", names.feed_state, _BOTH
            yield "topic", names.articles, _WRITE
            yield "topic", names.dead_letters, _WRITE
        case "worker":
            yield "group", names.group, _READ
            yield "topic", names.articles, _READ
            for both in (names.mentions, names.assembly, names.events, names.deliveries, names.attempts):
                yield "topic", both, _BOTH
            yield "topic", names.silences, _BOTH
            yield "topic", names.acks, _BOTH
            yield "topic", names.feedback, _WRITE
            yield "topic", names.dead_letters, _WRITE
            for receiver in config.receivers.values():
                if isinstance(receiver, KafkaReceiver) and receiver.broker is None:
                    yield "topic", receiver.topic, _WRITE
        case "board":
            # The board only reads the lag of the workers' group.
            yield "group", names.group, _DESCRIBE
            yield "topic", names.articles, _DESCRIBE
            yield "topic", names.mentions, _DESCRIBE
            for read in (names.events, names.deliveries, names.feeds, names.feed_state, names.dead_letters):
                yield "topic", read, _READ
            for both in (names.acks, names.silences, names.feedback):
                yield "topic", both, _BOTH
