"""Send records so that they are on the broker when `send` returns."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError

from monitor import tracing
from monitor.errors import BrokerError

#: Longer than a broker's restart or a change of leader, shorter than a stage's patience.
ACK_TIMEOUT = 30.0
#: Key, value and partition of a record; the key chooses the partition where none is given.
Row = tuple[bytes, bytes | None, int | None]


@contextmanager
def awaited_ack(topic: str) -> Iterator[None]:
    """Turn whatever keeps the broker from taking a record into a BrokerError.

    It is retryable, but for a record that is too large: that one will be so at each attempt.
    """
    try:
        yield
    except MessageSizeTooLargeError as error:
        raise BrokerError(f"{topic} took no record: {error}", reason="too_large", retryable=False) from error
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"{topic} took no record: {error or type(error).__name__}") from error


async def send_all(
    producer: AIOKafkaProducer, topic: str, rows: Iterable[Row], headers: list[tuple[str, bytes]] | None = None
) -> None:
    """Send records in order, and await the acks of all of them together.

    Raises BrokerError, as `awaited_ack` does, when one is missing.
    """
    with awaited_ack(topic):
        async with asyncio.timeout(ACK_TIMEOUT):
            sent = [
                await producer.send(topic, value, key=key, partition=partition, headers=headers)
                for key, value, partition in rows
            ]
            await asyncio.gather(*sent)


class Outbox(Protocol):
    """Sends records and waits for the broker's word that it has them."""

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Send one record; the key chooses the partition where none is given. Raises BrokerError without an ack."""


class KafkaOutbox:
    """An outbox on a started aiokafka producer."""

    def __init__(self, producer: AIOKafkaProducer) -> None:
        self._producer = producer

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Send one record and await its ack; it carries the current trace on."""
        with awaited_ack(topic):
            async with asyncio.timeout(ACK_TIMEOUT):
                await self._producer.send_and_wait(
                    topic, value, key=key, partition=partition, headers=tracing.headers()
                )


class MemoryOutbox:
    """A fake for tests: keeps what was sent, and fails as many times as `failures` says."""

    def __init__(self, failures: int = 0) -> None:
        self.sent: list[tuple[str, bytes | None, bytes | None, int | None]] = []
        self.failures = failures

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        """Keep the record, or raise BrokerError while failures are left."""
        if self.failures > 0:
            self.failures -= 1
            raise BrokerError("the fake broker is down")
        self.sent.append((topic, key, value, partition))

    def values(self, topic: str) -> list[bytes | None]:
        """Return the values that a topic was sent, in order."""
        return [value for name, _, value, _ in self.sent if name == topic]
