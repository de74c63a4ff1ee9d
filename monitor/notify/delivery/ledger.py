"""The delivery records in memory, and the one way to change one: the log first, then memory, then the lane."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field

import structlog

from monitor import metrics
from monitor.errors import BrokerError
from monitor.notify.delivery.lane import Lane
from monitor.notify.delivery.setup import Setup
from monitor.notify.logbook import Delivery

logger = structlog.get_logger()

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


@dataclass
class LedgerEntry:
    """One delivery record in memory. `lock` guards its changes, `busy` is true while a message is in flight."""

    partition: int
    delivery: Delivery
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: bool = False


class Ledger:
    """All records of the assigned partitions by their key."""

    def __init__(self, setup: Setup, lanes: Mapping[str, Lane]) -> None:
        self.entries: dict[str, LedgerEntry] = {}
        self._setup, self._lanes = setup, lanes

    def of(self, receiver: str) -> Iterator[LedgerEntry]:
        """Yield the records of one receiver; entries may come and go meanwhile."""
        return (entry for entry in list(self.entries.values()) if entry.delivery.receiver == receiver)

    async def store(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record, then take it over and see to it that it is handled in time.

        Does nothing when the partition went to another worker, which alone writes now. Raises BrokerError, also while
        it is not certain that the partition is still ours.
        """
        if self.entries.get(delivery.key) is not entry:
            return
        if not self._setup.owns(entry.partition):
            raise BrokerError(f"partition {entry.partition} may be another's by now", reason="not_assigned")
        old, pending = entry.delivery.pending, delivery.pending
        if pending:
            await self._setup.checkpoint("before_pending")
        await self._setup.log.append(entry.partition, delivery)
        entry.delivery = delivery
        gauge = metrics.notifications_pending.labels(delivery.receiver)
        gauge.inc((pending is not None) - (old is not None))
        lane = self._lanes[delivery.receiver]
        if pending:
            await self._setup.checkpoint("after_pending")
            lane.put(delivery.key, pending.due)
        elif delivery.remind_at:
            lane.put(delivery.key, delivery.remind_at)
        else:
            lane.drop(delivery.key)

    async def store_surely(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record that must not be lost, however long the broker is away."""
        try:
            await persist(lambda: self.store(entry, delivery), delivery.key)
        except BrokerError:
            # It can never be written (too large): what the receiver knows holds at least in this process.
            entry.delivery = delivery

    async def forget(self, entry: LedgerEntry) -> None:
        """Delete a record for good. Raises BrokerError."""
        key = entry.delivery.key
        if self.entries.get(key) is not entry or not self._setup.owns(entry.partition):
            return
        await self._setup.log.forget(entry.partition, key)
        del self.entries[key]
        self._lanes[entry.delivery.receiver].drop(key)


async def persist(write: Callable[[], Awaitable[None]], delivery_id: str) -> None:
    """Write until the broker takes it. Raises BrokerError only when it never will."""
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
