"""Store state in a compacted topic. It is read when a partition is assigned; each write waits for the broker's ack.

State is in the partition with the same number as its input, so only the process that reads the input writes the state.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from agents.stream.outbox import ACK_TIMEOUT, awaited_ack
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings, Keep, keep_all, read_compacted


class Store(Protocol):
    """Values by partition and key."""

    async def load(self, partition: int) -> dict[str, bytes]:
        """Return all values of one partition by key. Raises BrokerError."""

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Write values, and delete keys whose value is None; return when all are stored. Raises BrokerError.

        If the changes fit into one record batch, a failure stores all or none of them.
        """


class KafkaStore:
    """A store on a compacted topic.

    The changes of one `put` are sent as one record batch, which the broker appends completely or not at all
    (https://kafka.apache.org/documentation/#recordbatch), so a killed process can't leave half of them.
    """

    def __init__(self, broker: BrokerSettings, topic: str, producer: AIOKafkaProducer, keep: Keep = keep_all) -> None:
        self._broker, self._topic, self._producer, self._keep = broker, topic, producer, keep

    async def load(self, partition: int) -> dict[str, bytes]:
        """Return the values of one partition, read to its present end. Raises BrokerError."""
        return await read_compacted(self._broker, self._topic, [partition], keep=self._keep)

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Append the changes as one batch and wait for its ack; if they don't fit, as several batches in order.

        Raises BrokerError, not retryable for a value that is too large for the topic.
        """
        batch = self._producer.create_batch()
        for key, value in changes.items():
            name = key.encode(errors="surrogateescape")
            if batch.append(key=name, value=value, timestamp=None) is None:
                await self._send(batch, partition)
                batch = self._producer.create_batch()
                if batch.append(key=name, value=value, timestamp=None) is None:
                    size = len(value or b"")
                    raise BrokerError(f"a state of {size} bytes is too large for {self._topic}", retryable=False)
        if batch.record_count():
            await self._send(batch, partition)

    async def _send(self, batch: BatchBuilder, partition: int) -> None:
        batch.close()
        with awaited_ack(self._topic):
            async with asyncio.timeout(ACK_TIMEOUT):
                await (await self._producer.send_batch(batch, self._topic, partition=partition))


class MemoryStore:
    """A fake for tests. The first `failures` calls of `put` fail."""

    def __init__(self, failures: int = 0) -> None:
        self.values: dict[int, dict[str, bytes]] = {}
        self.failures = failures

    async def load(self, partition: int) -> dict[str, bytes]:
        """Return the stored values of one partition."""
        return dict(self.values.get(partition, {}))

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Store or delete values in memory. Raises BrokerError while `failures` is above 0."""
        if self.failures > 0:
            self.failures -= 1
            raise BrokerError("the fake broker is down")
        held = self.values.setdefault(partition, {})
        for key, value in changes.items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
