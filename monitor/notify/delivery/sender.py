"""The sending half of the delivery engine: one attempt after another, what comes of each, and messages sent as one."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from time import perf_counter
from typing import Protocol

import structlog
from msgspec.structs import replace

from monitor import metrics
from monitor.clock import Clock
from monitor.config import Reminder
from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery import steps
from monitor.notify.delivery.lane import Lane, backoff
from monitor.notify.delivery.ledger import Entry, Ledger, persist
from monitor.notify.logbook import Delivery, Handle, Pending, batch_id
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.messages.wording import Wording
from monitor.notify.policy.decision import Decision, Policy
from monitor.notify.receivers.base import GoneError, Receiver, UncertainError
from monitor.notify.replies.ack import Ack, AckLinks
from monitor.records import Event

logger = structlog.get_logger()

#: Messages that go out as one at most.
_MAX_BATCH = 30


class DeadLetters(Protocol):
    """Where messages go that were given up."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Set the message aside durably. Raises BrokerError."""


class Sender:
    """Handles a key when its lane says so. `decide` is asked about what came in while a message was in flight.

    `acks` are the acknowledgements by event, `gone` the receivers that said that they are gone.
    """

    def __init__(
        self,
        ledger: Ledger,
        lanes: Mapping[str, Lane],
        receivers: Mapping[str, Receiver],
        *,
        policy: Policy,
        words: Wording,
        retries: tuple[timedelta, ...],
        dead_letters: DeadLetters,
        ack_links: AckLinks | None,
        decide: Callable[[Delivery, Event], Decision],
        clock: Clock,
        jitter: Callable[[], float],
        checkpoint: Callable[[str], Awaitable[None]],
    ) -> None:
        self.acks: dict[str, Ack] = {}
        self.gone: set[str] = set()
        self._ledger, self._lanes, self._receivers, self._policy = ledger, lanes, receivers, policy
        self._words, self._retries, self._dead_letters, self._ack_links = words, retries, dead_letters, ack_links
        self._decide, self._clock, self._jitter, self._checkpoint = decide, clock, jitter, checkpoint
        self._failing: set[str] = set()
        self._notices: dict[str, tuple[Message, int]] = {}

    def tell(self, message: Message) -> None:
        """Send a notice of the service to its receiver. It is tried again on failure, but kept in memory only."""
        self._notices[message.id] = (message, 0)
        self._lanes[message.receiver].put(message.id, self._clock())

    async def handle(self, key: str) -> None:
        """One turn of a lane. Never raises: a fault in one message must not end its lane."""
        if key in self._notices:
            await self._send_notice(key)
            return
        entry = self._ledger.entries.get(key)
        if entry is None:
            return
        try:
            async with entry.lock:
                if not await self._ready(entry):
                    return
                entry.busy = True
            try:
                pending = entry.delivery.pending
                if pending and pending.batch:
                    await self._send_batch(entry, pending)
                elif pending:
                    await self._send(entry, pending)
            finally:
                entry.busy = False
        except Exception:
            logger.exception("delivery_fault", delivery_id=key)
            self._lanes[entry.delivery.receiver].put(key, self._clock() + timedelta(minutes=1))

    async def _ready(self, entry: Entry) -> bool:
        """True when the entry has a message to send now."""
        now, delivery = self._clock(), entry.delivery
        if delivery.pending is None:
            if delivery.remind_at is None:
                return False
            if delivery.event_id in self.acks:
                await self._ledger.store(entry, replace(delivery, remind_at=None))
                return False
            await self._ledger.store(entry, steps.reminder(delivery, now))
            # The ledger has put it into the lane once more; this turn sends it.
            self._lanes[delivery.receiver].drop(delivery.key)
        elif delivery.pending.due > now and not delivery.pending.doubt:
            # Freed before its time: the log must say so, or the next owner would not doubt it.
            await self._ledger.store(entry, replace(delivery, pending=replace(delivery.pending, due=now)))
            self._lanes[delivery.receiver].drop(delivery.key)
        return True

    def _compose(self, delivery: Delivery, pending: Pending) -> Message:
        ack = self.acks.get(delivery.event_id)
        link = self._ack_links.link(delivery.event_id, pending.since) if self._ack_links and ack is None else ""
        by = ack.by if ack else delivery.acknowledged
        return compose(self._words, self._policy, delivery, pending, ack_url=link, acknowledged=by)

    async def _send(self, entry: Entry, pending: Pending) -> None:
        delivery = entry.delivery
        try:
            message = self._compose(delivery, pending)
            head = await self._attempt(delivery.receiver, message, delivery.head, doubt=pending.doubt)
        except DeliveryError as error:
            await self._failed([(entry, pending)], error)
        else:
            await self._succeeded([(entry, pending)], head)

    async def _send_batch(self, entry: Entry, pending: Pending) -> None:
        """Send all messages that were held back together as one; those of an in-doubt batch are exactly its own."""
        name, now = entry.delivery.receiver, self._clock()
        members = [(entry, pending)]
        try:
            for other in self._ledger.of(name):
                if other is entry or len(members) >= _MAX_BATCH:
                    continue
                async with other.lock:
                    waiting = other.delivery.pending
                    if waiting is None or other.busy or waiting.batch != pending.batch:
                        continue
                    if waiting.due <= now or waiting.doubt:
                        other.busy = True
                        self._lanes[name].drop(other.delivery.key)
                        members.append((other, waiting))
            if len(members) == 1 and not pending.batch.startswith("msg_"):
                await self._send(entry, pending)
                return
            identity = pending.batch
            if not identity.startswith("msg_"):
                identity = batch_id(name, pending.batch, (each.delivery.event_id for each, _ in members))
                members = [(each, replace(waiting, batch=identity)) for each, waiting in members]
                for each, frozen in members:
                    async with each.lock:
                        await self._ledger.store(each, replace(each.delivery, pending=frozen))
                        self._lanes[name].drop(each.delivery.key)
            message = gathered(
                self._words, tuple(self._compose(each.delivery, waiting) for each, waiting in members), identity
            )
            try:
                head = await self._attempt(name, message, None, doubt=pending.doubt)
            except DeliveryError as error:
                await self._failed(members, error)
            else:
                await self._succeeded(members, {**(head or {}), "batch": identity})
        finally:
            for each, _ in members:
                each.busy = False

    async def _attempt(self, name: str, message: Message, head: Handle | None, *, doubt: bool) -> Handle | None:
        """Look an in-doubt message up, send any other. Raises DeliveryError for whatever goes wrong."""
        receiver = self._receivers[name]
        begun = perf_counter()
        try:
            async with asyncio.timeout(receiver.traits.timeout):
                if doubt:
                    found, handle = await receiver.find(message, head)
                    if found:
                        return handle
                handle = await receiver.deliver(message, head)
        except TimeoutError as error:
            raise UncertainError("no answer in time", reason="timeout") from error
        except DeliveryError:
            raise
        except Exception as error:
            # A receiver's library may raise anything; that harms this message only.
            logger.exception("receiver_fault", receiver=name, delivery_id=message.id)
            raise UncertainError(f"{type(error).__name__} in the receiver", reason="error") from error
        finally:
            metrics.notification_latency.labels(name).observe(perf_counter() - begun)
        await self._checkpoint("after_send")
        return handle

    async def _succeeded(self, members: list[tuple[Entry, Pending]], head: Handle | None) -> None:
        name = members[0][0].delivery.receiver
        metrics.notifications.labels(name).inc()
        now = self._clock()
        for entry, pending in members:
            route = self._policy.named(pending.route or entry.delivery.route)
            async with entry.lock:
                remind: Reminder | None = route.remind if route and entry.delivery.event_id not in self.acks else None
                told = steps.succeeded(entry.delivery, pending, head, now, remind)
                await self._checkpoint("before_sent")
                await self._ledger.store_surely(entry, self._caught_up(told))
                await self._checkpoint("after_sent")
            if pending.tell == "first" and pending.event.last_seen:
                metrics.pipeline_latency.observe(max(0.0, (now - pending.event.last_seen).total_seconds()))
            event_id = pending.event.event_id
            logger.info("told", receiver=name, event_id=event_id, tell=pending.tell, reason=pending.reason)
        if name in self._failing:
            self._free(name)

    def _caught_up(self, delivery: Delivery) -> Delivery:
        """The record with what came in meanwhile decided upon."""
        event = delivery.next
        if event is None:
            return delivery
        decision = self._decide(delivery, event)
        return steps.planned(delivery, event, decision, self._clock())

    def _free(self, name: str) -> None:
        """The receiver is back: what waits for a later attempt goes now."""
        self._failing.discard(name)
        now, lane = self._clock(), self._lanes[name]
        for entry in self._ledger.of(name):
            pending = entry.delivery.pending
            if pending and pending.attempts and not entry.busy:
                lane.put(entry.delivery.key, now)

    async def _failed(self, members: list[tuple[Entry, Pending]], error: DeliveryError) -> None:
        name = members[0][0].delivery.receiver
        metrics.notifications_failed.labels(name, error.reason).inc()
        self._failing.add(name)
        now = self._clock()
        limited = error.reason == "rate_limited" and error.retry_after is not None
        if limited and error.retry_after is not None:
            self._lanes[name].paused_until = now + timedelta(seconds=error.retry_after)
        if isinstance(error, GoneError):
            self.gone.add(name)
        for entry, pending in members:
            logger.warning(
                "not_told", receiver=name, event_id=pending.event.event_id, attempts=pending.attempts + 1,
                reason=error.reason, error=str(error),
            )  # fmt: skip
            async with entry.lock:
                await self._again_or_never(entry, pending, error, now, limited=limited)

    async def _again_or_never(
        self, entry: Entry, pending: Pending, error: DeliveryError, now: datetime, *, limited: bool
    ) -> None:
        wait = backoff(self._retries, pending.attempts + 1, self._jitter()) if error.retryable else None
        if limited:
            wait = timedelta(0)
        if wait is None:
            await self._give_up(entry, pending, error, now)
            return
        asked = timedelta(seconds=error.retry_after or 0.0)
        delivery = steps.refused(
            entry.delivery, pending, now, max(wait, asked), error=f"{error.reason}: {error}",
            doubt=isinstance(error, UncertainError), counts=not limited,
        )  # fmt: skip
        if delivery.next and delivery.pending and not delivery.pending.doubt and not delivery.pending.batch:
            delivery = self._caught_up(delivery)
        await self._ledger.store_surely(entry, delivery)

    async def _give_up(self, entry: Entry, pending: Pending, error: DeliveryError, now: datetime) -> None:
        name = entry.delivery.receiver
        last = replace(pending, attempts=pending.attempts + 1, error=f"{error.reason}: {error}")
        with contextlib.suppress(BrokerError):  # the record says at least that it was given up
            letter = partial(self._dead_letters.give_up, entry.delivery, last, error.reason)
            await persist(letter, entry.delivery.key)
        metrics.dead_letters.labels("deliver", error.reason).inc()
        logger.error("given_up", receiver=name, event_id=pending.event.event_id, reason=error.reason)
        failed = steps.given_up(entry.delivery, pending, now, f"{error.reason}: {error}")
        await self._ledger.store_surely(entry, self._caught_up(failed) if name not in self.gone else failed)

    async def _send_notice(self, key: str) -> None:
        message, attempts = self._notices[key]
        try:
            await self._attempt(message.receiver, message, None, doubt=False)
        except DeliveryError as error:
            metrics.notifications_failed.labels(message.receiver, error.reason).inc()
            wait = backoff(self._retries, attempts + 1, self._jitter()) if error.retryable else None
            if wait is None:
                del self._notices[key]
                return
            self._notices[key] = (message, attempts + 1)
            self._lanes[message.receiver].put(key, self._clock() + wait)
        else:
            metrics.notifications.labels(message.receiver).inc()
            del self._notices[key]
