"""State in a compacted topic: read to its end when a partition is assigned, written through with awaited acks.

The partition of the state is the partition of the input that it belongs to, so the process that is assigned the one is
the only writer of the other.
"""

from __future__ import annotations

from typing import Protocol

from agents.outbox import Outbox
from monitor.kafka import BrokerSettings, read_compacted


class Store(Protocol):
    """Values by partition and key."""

    async def load(self, partition: int) -> dict[str, bytes]:
        """Everything that one partition holds. Raises BrokerError."""

    async def put(self, partition: int, key: str, value: bytes | None) -> None:
        """Write one value, or delete it (None); it is durable when this returns. Raises BrokerError."""


class KafkaStore:
    """A store on a compacted topic."""

    def __init__(self, broker: BrokerSettings, topic: str, outbox: Outbox) -> None:
        self._broker, self._topic, self._outbox = broker, topic, outbox

    async def load(self, partition: int) -> dict[str, bytes]:
        """Read one partition to the end that it has now."""
        return await read_compacted(self._broker, self._topic, [partition])

    async def put(self, partition: int, key: str, value: bytes | None) -> None:
        """Append one value and await its ack."""
        await self._outbox.send(self._topic, key.encode(errors="surrogateescape"), value, partition=partition)


class MemoryStore:
    """A fake for tests."""

    def __init__(self) -> None:
        self.values: dict[int, dict[str, bytes]] = {}

    async def load(self, partition: int) -> dict[str, bytes]:
        """What was put before."""
        return dict(self.values.get(partition, {}))

    async def put(self, partition: int, key: str, value: bytes | None) -> None:
        """Keep or forget one value."""
        held = self.values.setdefault(partition, {})
        if value is None:
            held.pop(key, None)
        else:
            held[key] = value
