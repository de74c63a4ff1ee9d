"""Record the result of an attempt: the message was sent, is retried, or is given up; then decide what comes next."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import TypeAlias

import structlog
from msgspec.structs import replace

from monitor import metrics, tracing
from monitor.config import Reminder
from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery import steps
from monitor.notify.delivery.decider import Decider
from monitor.notify.delivery.ledger import Ledger, LedgerEntry, persist
from monitor.notify.delivery.setup import NotifierSetup, NotifierState
from monitor.notify.delivery.work_queue import WorkQueue, backoff
from monitor.notify.logbook import Delivery, Handle, Pending, Tell
from monitor.notify.receivers.base import GoneError, UncertainError
from monitor.records import Event

logger = structlog.get_logger()

#: The records whose messages are sent as one, each with its pending message.
Members: TypeAlias = Sequence[tuple[LedgerEntry, Pending]]
#: The shortest wait after a receiver's rate limit refused a message.
_SOON = timedelta(seconds=1)


class ResultRecorder:
    """Writes the results of attempts to the ledger, and releases messages that waited for them."""

    def __init__(
        self,
        setup: NotifierSetup,
        ledger: Ledger,
        queues: Mapping[str, WorkQueue],
        decider: Decider,
        known: NotifierState,
    ) -> None:
        self._setup, self._ledger, self._queues, self._decider, self._known = setup, ledger, queues, decider, known

    async def succeeded(self, members: Members, head: Handle | None) -> None:
        """Record that the receiver took the message of all members. `head` is the handle for later updates."""
        name = members[0][0].delivery.receiver
        metrics.notifications.labels(name).inc()
        now = self._setup.clock()
        for entry, pending in members:
            route = self._setup.policy.named(pending.route or entry.delivery.route)
            async with entry.lock:
                acknowledged = entry.delivery.event_id in self._known.acks
                remind: Reminder | None = route.remind if route and not acknowledged else None
                told = steps.succeeded(entry.delivery, pending, head, now, remind)
                await self._setup.checkpoint("before_sent")
                await self._ledger.store_surely(entry, await self.caught_up(told))
                await self._setup.checkpoint("after_sent")
            if pending.tell == "first" and pending.event.last_seen:
                metrics.pipeline_latency.observe(max(0.0, (now - pending.event.last_seen).total_seconds()))
            event_id = pending.event.event_id
            logger.info("told", receiver=name, event_id=event_id, tell=pending.tell, reason=pending.reason)
        if name in self._known.failing:
            await self._free(name)

    async def failed(self, members: Members, error: DeliveryError) -> None:
        """Record a failed attempt for all members: each message is retried later, or given up."""
        name = members[0][0].delivery.receiver
        metrics.notifications_failed.labels(name, error.reason).inc()
        tracing.failed(error.reason)
        self._known.failing.add(name)
        now = self._setup.clock()
        if error.reason == "rate_limited" and error.retry_after is not None:
            self._queues[name].paused_until = now + timedelta(seconds=error.retry_after)
        if isinstance(error, GoneError):
            self._known.gone.add(name)
        roll = self._setup.jitter()  # the same for all members, so that a batch stays together
        for entry, pending in members:
            logger.warning(
                "not_told", receiver=name, event_id=pending.event.event_id, attempts=pending.attempts + 1,
                reason=error.reason, error=str(error),
            )  # fmt: skip
            async with entry.lock:
                await self._again_or_never(entry, pending, error, now, roll)

    async def caught_up(self, delivery: Delivery) -> Delivery:
        """Return the record after deciding about the newer state of the event that came in during the attempt.

        When the decision itself fails, because of a bug, the newer state is set aside with a dead letter.
        """
        event, now = delivery.next, self._setup.clock()
        if event is None:
            return delivery
        try:
            return steps.planned(delivery, event, self._decider.decide(delivery, event), now, delivery.next_trace)
        except Exception as error:
            logger.exception("not_decided", delivery_id=delivery.key)
            tell: Tell = "loud" if delivery.told else "first"
            why = f"not_decided: {type(error).__name__}: {error}"
            undecided = Pending(event=event, tell=tell, reason=tell, since=now, due=now, begun=False, error=why)
            await self.set_aside(delivery, undecided, "not_decided")
            return replace(delivery, pending=None, next=None, failed=undecided, failed_at=now)

    async def set_aside(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Write a dead letter for a message that is given up."""
        with contextlib.suppress(BrokerError):  # the delivery record still says that it was given up
            await persist(partial(self._setup.dead_letters.give_up, delivery, pending, reason), delivery.key)
        metrics.dead_letters.labels("deliver", reason).inc()
        logger.error("given_up", receiver=delivery.receiver, event_id=pending.event.event_id, reason=reason)

    def put_by(self, delivery: Delivery, event: Event) -> Delivery:
        """Return the record with the newest state kept for a receiver that is gone, if there is something to send."""
        decision, now = self._decider.decide(delivery, event), self._setup.clock()
        take_in = steps.planned if decision.tell is None else steps.set_aside
        return take_in(delivery, event, decision, now)

    async def _again_or_never(
        self, entry: LedgerEntry, pending: Pending, error: DeliveryError, now: datetime, roll: float
    ) -> None:
        # "Retry-After: 0", or a time in the past, asks for no wait, so the attempt counts like any other failure.
        limited = error.reason == "rate_limited" and bool(error.retry_after)
        wait = backoff(self._setup.retries, pending.attempts + 1, roll) if error.retryable else None
        if limited:
            wait = _SOON
        if wait is None:
            await self._give_up(entry, pending, error, now)
            return
        asked = timedelta(seconds=error.retry_after or 0.0)
        delivery = steps.refused(
            entry.delivery, pending, now, max(wait, asked), error=f"{error.reason}: {error}",
            doubt=pending.doubt or isinstance(error, UncertainError), counts=not limited,
        )  # fmt: skip
        if delivery.next and delivery.pending and not delivery.pending.doubt:
            delivery = await self.caught_up(delivery)
        await self._ledger.store_surely(entry, delivery)

    async def _give_up(self, entry: LedgerEntry, pending: Pending, error: DeliveryError, now: datetime) -> None:
        name, why = entry.delivery.receiver, f"{error.reason}: {error}"
        doubt = pending.doubt or isinstance(error, UncertainError)
        last = replace(pending, attempts=pending.attempts + 1, error=why, doubt=doubt)
        await self.set_aside(entry.delivery, last, error.reason)
        failed = steps.given_up(entry.delivery, last, now, why)
        if failed.next and name in self._known.gone:
            failed = self.put_by(replace(failed, next=None), failed.next)
        elif not steps.must_come_first(failed):
            failed = await self.caught_up(failed)
        await self._ledger.store_surely(entry, failed)

    async def _free(self, name: str) -> None:
        """Send now what waits for a receiver that works again, and what was set aside while it was gone."""
        self._known.failing.discard(name)
        self._known.gone.discard(name)
        now, queue = self._setup.clock(), self._queues[name]
        for entry in self._ledger.of(name):
            async with entry.lock:
                pending = entry.delivery.pending
                if pending and pending.attempts and not entry.busy:
                    queue.put(entry.delivery.key, now)
                elif steps.is_set_aside(entry.delivery) and not pending:
                    await self._ledger.store_surely(entry, steps.retried(entry.delivery, now))
