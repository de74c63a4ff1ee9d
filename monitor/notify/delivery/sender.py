"""Send pending messages: the code that a queue calls when a record is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import structlog
from msgspec.structs import replace

from monitor import metrics
from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery import steps
from monitor.notify.delivery.attempt import Attempts, NotOursError, attempted
from monitor.notify.delivery.batch_sender import BatchSender
from monitor.notify.delivery.composing import Composer, SuspectCounter, check_crashes
from monitor.notify.delivery.ledger import Ledger, LedgerEntry
from monitor.notify.delivery.result_recorder import ResultRecorder
from monitor.notify.delivery.setup import NotifierSetup, NotifierState
from monitor.notify.delivery.work_queue import WorkQueue, backoff
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import UncertainError

logger = structlog.get_logger()

#: How long a message waits when it could not be sent for a reason on our side, and after an unexpected error.
_SOON, _AFTER_FAULT = timedelta(seconds=1), timedelta(minutes=1)


class Sender:
    """Handles the key of a due record: sends its message, reminder or batch."""

    def __init__(
        self,
        setup: NotifierSetup,
        ledger: Ledger,
        queues: Mapping[str, WorkQueue],
        results: ResultRecorder,
        known: NotifierState,
    ) -> None:
        self._setup, self._ledger, self._queues, self._results, self._known = setup, ledger, queues, results, known
        self._attempts, self._composer, self._suspects = (
            Attempts(setup),
            Composer(setup, known),
            SuspectCounter(ledger, setup.turn),
        )
        self._batches = BatchSender(
            setup, ledger, queues, results, known,
            attempts=self._attempts, composer=self._composer, suspects=self._suspects, alone=self._send,
        )  # fmt: skip
        self._notices: dict[str, tuple[Message, int]] = {}

    def tell(self, message: Message) -> None:
        """Send a notice about the service itself. It is retried on failure, but kept in memory only."""
        self._notices[message.id] = (message, 0)
        self._queues[message.receiver].put(message.id, self._setup.clock())

    async def handle(self, key: str) -> None:
        """Handle a due key. Never raises, so that a bug with one message does not end the queue."""
        if key in self._notices:
            await self._send_notice(key)
            return
        entry = self._ledger.entries.get(key)
        if entry is None or entry.busy:
            return
        queue = self._queues[entry.delivery.receiver]
        try:
            await self._turn(entry)
        except (NotOursError, BrokerError) as error:
            why = str(error) or "the partition may belong to another worker"
            logger.info("not_sent_yet", delivery_id=key, why=why)
            queue.put(key, self._setup.clock() + _SOON)
        except Exception as error:
            logger.exception("delivery_fault", delivery_id=key)
            await self._abandon(entry, error)

    async def _abandon(self, entry: LedgerEntry, fault: Exception) -> None:
        """Set aside a message for which the engine itself failed. Whether it was sent is not known."""
        pending = entry.delivery.pending
        try:
            if pending is not None:
                error = UncertainError(f"{type(fault).__name__}: {fault}", reason="fault", retryable=False)
                await self._results.failed([(entry, pending)], error)
        except Exception:
            logger.exception("delivery_fault", delivery_id=entry.delivery.key)
            self._queues[entry.delivery.receiver].put(entry.delivery.key, self._setup.clock() + _AFTER_FAULT)

    async def _turn(self, entry: LedgerEntry) -> None:
        async with entry.lock:
            if entry.delivery.pending is None and not await self._remind(entry):
                return
            entry.busy = True
        try:
            pending = entry.delivery.pending
            if pending is None:
                return
            if pending.sent_as:
                await self._batches.resume(entry, pending)
            elif pending.batch and not pending.doubt:
                await self._batches.send(entry, pending)
            else:
                await self._send(entry)
        finally:
            entry.busy = False

    async def _remind(self, entry: LedgerEntry) -> bool:
        """Make a due reminder the pending message of the entry. Returns False when no reminder is due."""
        delivery = entry.delivery
        if delivery.remind_at is None:
            return False
        if delivery.event_id in self._known.acks:
            await self._ledger.store(entry, replace(delivery, remind_at=None))
            return False
        await self._ledger.store_now(entry, steps.reminder(delivery, self._setup.clock()))
        return True

    async def _send(self, entry: LedgerEntry) -> None:
        """Send a message that is not part of a batch. A message in doubt is looked up first."""
        async with entry.lock:
            ready = steps.begun(entry.delivery, self._setup.clock())
            if ready is not entry.delivery:
                await self._ledger.store_now(entry, ready)
        pending = entry.delivery.pending
        if pending is not None:
            with attempted(pending, entry.delivery.receiver):
                await self._attempt(entry, entry.delivery, pending)

    async def _attempt(self, entry: LedgerEntry, delivery: Delivery, pending: Pending) -> None:
        try:
            check_crashes(pending)
            async with self._suspects.in_hand([entry]):
                message = self._composer.one(delivery, pending)
            if pending.doubt:
                lookup = await self._attempts.find(delivery.receiver, message, delivery.head)
                if lookup.state == "there":
                    await self._results.succeeded([(entry, pending)], lookup.head)
                    return
                if lookup.state == "absent" and await self._cleared(entry):
                    return
            in_hand = self._suspects.in_hand([entry], last=True)
            head = await self._attempts.deliver(
                delivery.receiver, [entry.partition], message, delivery.head, in_hand=in_hand
            )
        except DeliveryError as error:
            await self._results.failed([(entry, pending)], error)
        else:
            await self._results.succeeded([(entry, pending)], head)

    async def _cleared(self, entry: LedgerEntry) -> bool:
        """Note that a message in doubt did not arrive. Returns True when a newer state of the event replaces it."""
        async with entry.lock:
            delivery = entry.delivery
            if delivery.pending is None or delivery.next is None:
                return False
            sure = replace(delivery, pending=replace(delivery.pending, doubt=False))
            await self._ledger.store(entry, await self._results.caught_up(sure))
            return True

    async def _send_notice(self, key: str) -> None:
        message, attempts = self._notices[key]
        try:
            await self._attempts.deliver(message.receiver, (), message, None)
        except DeliveryError as error:
            metrics.notifications_failed.labels(message.receiver, error.reason).inc()
            wait = backoff(self._setup.retries, attempts + 1, self._setup.jitter()) if error.retryable else None
            if wait is None:
                del self._notices[key]
                return
            self._notices[key] = (message, attempts + 1)
            self._queues[message.receiver].put(key, self._setup.clock() + wait)
        else:
            metrics.notifications.labels(message.receiver).inc()
            del self._notices[key]
