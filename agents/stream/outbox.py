"""Send records, and return only when the broker has acknowledged them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from monitor import tracing
from monitor.errors import BrokerError

#: Seconds to wait for an ack: longer than a restart of a broker or a change of leader, shorter than a stage's limit.
ACK_TIMEOUT = 30.0
#: Key, value and partition of a record. When the partition is None, the key decides it.
Row = tuple[bytes, bytes | None, int | None]


@contextmanager
def awaited_ack(topic: str) -> Iterator[None]:
    """Turn any error of sending a record into a BrokerError; it is retryable unless the record is too large."""
    try:
        yield
    except MessageSizeTooLargeError as error:
        raise BrokerError(f"{topic} took no record: {error}", reason="too_large", retryable=False) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"{topic} took no record: {error or type(error).__name__}") from error


async def send_all(
    producer: AIOKafkaProducer, topic: str, rows: Iterable[Row], headers: list[tuple[str, bytes]] | None = None
) -> None:
    """Send records in order, and wait for the acks of all of them. Raises BrokerError when an ack is missing."""
    with awaited_ack(topic):
        async with asyncio.timeout(ACK_TIMEOUT):
            sent = [
                await producer.send(topic, value, key=key, partition=partition, headers=headers)
                for key, value, partition in rows
            ]
            await asyncio.gather(*sent)


class Outbox(Protocol):
    """Sends records and waits for the broker's ack."""

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Send one record; without a partition the key decides it. Raises BrokerError when there is no ack."""


class KafkaOutbox:
    """An outbox on a started aiokafka producer."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Send one record, with the current trace in its headers, and wait for its ack. Raises BrokerError."""
        with awaited_ack(topic):
            async with asyncio.timeout(ACK_TIMEOUT):
                await self._producer.send_and_wait(
                    topic, value, key=key, partition=partition, headers=tracing.headers()
                )


class MemoryOutbox:
    """A fake for tests: keeps records in memory. The first `failures` calls of `send` fail."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, int | None]] = []
        self.failures = failures

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Store the record in `sent`. Raises BrokerError while `failures` is above 0."""
        if self.failures > 0:
            self.failures -= 1
            raise BrokerError("the fake broker is down")
        self.sent.append((topic, key, value, partition))

    def values(self, topic: str) -> list[bytes | None]:
        """Return the values that were sent to a topic, in order."""
        return [value for name, _, value, _ in self.sent if name == topic]
