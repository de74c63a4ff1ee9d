"""Store the delivery log, and dead letters of messages that were given up, on topics."""

from __future__ import annotations

import structlog

from agents.stream.dead_letters import DeadLetter, write
from agents.stream.guard import Guard
from agents.stream.outbox import Outbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames
from monitor.clock import Clock
from monitor.kafka import BrokerSettings, read_compacted
from monitor.notify import Delivery, Pending
from monitor.records import decode, encode

logger = structlog.get_logger()


class KafkaDeliveryLog:
    """Stores delivery records on a compacted topic, each in the partition of its event."""

    def __init__(self, broker: BrokerSettings, topic: str, outbox: Outbox, guard: Guard) -> None:
        self._broker, self._topic, self._outbox = broker, topic, outbox
        self._keep = readable(guard, {topic: lambda data: decode(Delivery, data)})

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record and wait for its ack. Raises BrokerError."""
        await self._outbox.send(self._topic, record.key.encode(), encode(record), partition=partition)

    async def forget(self, partition: int, key: str) -> None:
        """Write a tombstone and wait for its ack. Raises BrokerError."""
        await self._outbox.send(self._topic, key.encode(), None, partition=partition)

    async def load(self, partition: int) -> list[Delivery]:
        """Return the last record of each key of a partition. Raises BrokerError.

        A record that can't be decoded becomes a dead letter. A record whose key is not its own was not written by us
        and is ignored, since it could replace a real one.
        """
        records = await read_compacted(self._broker, self._topic, [partition], keep=self._keep)
        found = {key: decode(Delivery, value) for key, value in records.items()}
        if strangers := [key for key, record in found.items() if record.key != key]:
            logger.warning(
                "deliveries_under_other_keys", partition=partition, keys=[key[:200] for key in strangers[:5]]
            )
        return [record for key, record in found.items() if record.key == key]


class KafkaDeadLetters:
    """Writes dead letters for messages that were given up after the last retry, or whose receiver is gone."""

    def __init__(self, outbox: Outbox, names: TopicNames, clock: Clock) -> None:
        self._outbox, self._names, self._clock = outbox, names, clock

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Write the dead letter; its value is the delivery record. Raises BrokerError."""
        letter = DeadLetter(
            id=f"{self._names.deliveries}:{delivery.key}:{pending.event.revision}:{pending.tell}",
            stage="deliver",
            topic=self._names.deliveries,
            partition=-1,
            offset=-1,
            key=delivery.key.encode(),
            value=encode(delivery),
            at=self._clock(),
            reason=reason,
            error=pending.error,
            attempts=pending.attempts,
        )
        await write(self._outbox, self._names.dead_letters, letter)
