"""Keep state in a compacted topic: read to its end when a partition is assigned, written through with awaited acks.

The partition of the state is the partition of the input that it belongs to, so the process that is assigned the one is
the only writer of the other.
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
        """Give everything that one partition holds. Raises BrokerError."""

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Write some values and delete those that are None; all are durable when this returns. Raises BrokerError.

        After a failure none or all of them are there, as long as they fit into one batch of records.
        """


class KafkaStore:
    """A store on a compacted topic.

    The changes of one `put` travel as one record batch, which the broker appends as a whole or not at all
    (https://kafka.apache.org/documentation/#recordbatch): a process killed in the middle leaves no half of them.
    """

    def __init__(self, broker: BrokerSettings, topic: str, producer: AIOKafkaProducer, keep: Keep = keep_all) -> None:
        self._broker, self._topic, self._producer, self._keep = broker, topic, producer, keep

    async def load(self, partition: int) -> dict[str, bytes]:
        """Read one partition to the end that it has now."""
        return await read_compacted(self._broker, self._topic, [partition], keep=self._keep)

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Append the changes as one batch and await its ack; what does not fit into one goes into more, in order."""
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
    """A fake for tests; fails as many times as `failures` says."""

    def __init__(self, failures: int = 0) -> None:
        self.values: dict[int, dict[str, bytes]] = {}
        self.failures = failures

    async def load(self, partition: int) -> dict[str, bytes]:
        """Give what was put before."""
        return dict(self.values.get(partition, {}))

    async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
        """Keep or forget values, or raise BrokerError while failures are left."""
        if self.failures > 0:
            self.failures -= 1
            raise BrokerError("the fake broker is down")
        held = self.values.setdefault(partition, {})
        for key, value in changes.items():
            if value is None:
                held.pop(key, None)
            else:
                held[key] = value
