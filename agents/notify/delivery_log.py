"""The delivery log and its dead letters on topics."""

from __future__ import annotations

from agents.stream.dead_letters import DeadLetter, write
from agents.stream.guard import Guard
from agents.stream.outbox import Outbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames
from monitor.clock import Clock
from monitor.kafka import BrokerSettings, read_compacted
from monitor.notify import Delivery, Pending
from monitor.records import decode, encode


class KafkaDeliveryLog:
    """Keeps delivery records on a compacted topic, each on the partition of its event."""

    def __init__(self, broker: BrokerSettings, topic: str, outbox: Outbox, guard: Guard) -> None:
        self._broker, self._topic, self._outbox = broker, topic, outbox
        self._keep = readable(guard, {topic: lambda data: decode(Delivery, data)})

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record and await its ack. Raises BrokerError."""
        await self._outbox.send(self._topic, record.key.encode(), encode(record), partition=partition)

    async def forget(self, partition: int, key: str) -> None:
        """Write a tombstone and await its ack. Raises BrokerError."""
        await self._outbox.send(self._topic, key.encode(), None, partition=partition)

    async def load(self, partition: int) -> list[Delivery]:
        """Read the last record of each key; what can't be decoded is set aside. Raises BrokerError."""
        records = await read_compacted(self._broker, self._topic, [partition], keep=self._keep)
        return [decode(Delivery, value) for value in records.values()]


class GivenUp:
    """Sets messages aside that were given up after the last retry, or whose receiver is gone."""

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
