"""The delivery records in memory. A change is always written to the log first, then to memory, then to the queue."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from monitor import metrics
from monitor.errors import BrokerError
from monitor.notify.delivery.setup import NotifierSetup
from monitor.notify.delivery.work_queue import WorkQueue
from monitor.notify.logbook import Delivery

logger = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


@dataclass
class LedgerEntry:
    """One delivery record in memory. `lock` guards its changes; `busy` is True while its message is in flight.

    `suspect` is True when the message was due already when its partition was assigned: the process that had it before
    may have died from it (see `composing`).
    """

    partition: int
    delivery: Delivery
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: bool = False
    suspect: bool = False


class Ledger:
    """All records of the assigned partitions by their key."""

    def __init__(self, setup: NotifierSetup, queues: Mapping[str, WorkQueue]) -> None:
        self.entries: dict[str, LedgerEntry] = {}
        self._setup, self._queues = setup, queues

    def of(self, receiver: str) -> Iterator[LedgerEntry]:
        """Yield the records of one receiver. Records may be added and removed during the iteration."""
        return (entry for entry in list(self.entries.values()) if entry.delivery.receiver == receiver)

    async def store(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record to the log, then to memory, and put it into the receiver's work queue.

        Does nothing when the partition was revoked: then another worker writes it. Raises BrokerError when the log
        can't be written, or while it is not certain that the partition is still ours.
        """
        if self.entries.get(delivery.key) is not entry:
            return
        if not self._setup.owns(entry.partition):
            raise BrokerError(f"partition {entry.partition} may belong to another worker", reason="not_assigned")
        old, pending = entry.delivery.pending, delivery.pending
        if pending:
            await self._setup.checkpoint("before_pending")
        await self._setup.log.append(entry.partition, delivery)
        entry.delivery = delivery
        gauge = metrics.notifications_pending.labels(delivery.receiver)
        gauge.inc((pending is not None) - (old is not None))
        queue = self._queues[delivery.receiver]
        if pending:
            await self._setup.checkpoint("after_pending")
            queue.put(delivery.key, pending.due)
        elif delivery.remind_at:
            queue.put(delivery.key, delivery.remind_at)
        else:
            queue.drop(delivery.key)

    async def store_now(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record whose message is being sent now, without queuing it. Raises BrokerError."""
        await self.store(entry, delivery)
        self._queues[delivery.receiver].drop(delivery.key)

    async def store_surely(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record that must not be lost; try again for as long as the broker is away."""
        try:
            await persist(lambda: self.store(entry, delivery), delivery.key)
        except BrokerError:
            # It can never be written, for example because it is too large. Keep it at least in this process.
            entry.delivery = delivery

    async def forget(self, entry: LedgerEntry) -> None:
        """Delete a record from the log and from memory. Raises BrokerError."""
        key = entry.delivery.key
        if self.entries.get(key) is not entry or not self._setup.owns(entry.partition):
            return
        await self._setup.log.forget(entry.partition, key)
        del self.entries[key]
        self._queues[entry.delivery.receiver].drop(key)


async def persist(write: Callable[[], Awaitable[None]], delivery_id: str) -> None:
    """Call `write` until the broker takes the record. Raises BrokerError only when trying again is useless."""
    pause = _FIRST_PAUSE
    while True:
        try:
            return await write()
        except BrokerError as error:
            logger.warning("delivery_not_written", delivery_id=delivery_id, error=str(error))
            if not error.retryable:
                raise
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE)
