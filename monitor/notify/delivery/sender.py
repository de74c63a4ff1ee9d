"""The sending half of the delivery engine: one attempt after another, what comes of each, and messages sent as one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial

import structlog
from msgspec.structs import replace

from monitor import metrics, tracing
from monitor.config import Reminder
from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery import batch, steps
from monitor.notify.delivery.attempt import Attempts, NotOursError
from monitor.notify.delivery.composing import Composer, NotComposedError
from monitor.notify.delivery.judge import Judge
from monitor.notify.delivery.lane import Lane, backoff
from monitor.notify.delivery.ledger import Ledger, LedgerEntry, persist
from monitor.notify.delivery.setup import Known, Setup
from monitor.notify.logbook import Delivery, Handle, Pending, Tell
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import GoneError, UncertainError
from monitor.records import Event

logger = structlog.get_logger()

#: Messages that go out as one at most.
_MAX_BATCH = 30
#: How long a message waits before it is looked at again when it could not be sent for a reason of our own.
_SOON, _AFTER_FAULT = timedelta(seconds=1), timedelta(minutes=1)


class Sender:
    """Handles a key when its lane says so."""

    def __init__(self, setup: Setup, ledger: Ledger, lanes: Mapping[str, Lane], judge: Judge, known: Known) -> None:
        self._setup, self._ledger, self._lanes, self._judge, self._known = setup, ledger, lanes, judge, known
        self._attempts, self._composer = Attempts(setup), Composer(setup, known)
        self._notices: dict[str, tuple[Message, int]] = {}

    def tell(self, message: Message) -> None:
        """Send a notice of the service to its receiver. It is tried again on failure, but kept in memory only."""
        self._notices[message.id] = (message, 0)
        self._lanes[message.receiver].put(message.id, self._setup.clock())

    async def handle(self, key: str) -> None:
        """Take one turn of a lane. Never raises: a fault in one message must not end its lane."""
        if key in self._notices:
            await self._send_notice(key)
            return
        entry = self._ledger.entries.get(key)
        if entry is None or entry.busy:
            return
        lane = self._lanes[entry.delivery.receiver]
        try:
            await self._turn(entry)
        except (NotOursError, BrokerError) as error:
            logger.info("not_sent_yet", delivery_id=key, why=str(error) or "the partition may be another's by now")
            lane.put(key, self._setup.clock() + _SOON)
        except Exception as error:
            logger.exception("delivery_fault", delivery_id=key)
            await self._abandon(entry, error)

    async def _abandon(self, entry: LedgerEntry, fault: Exception) -> None:
        """Set a message aside over which the engine itself failed; nobody knows how far it came."""
        pending = entry.delivery.pending
        try:
            if pending is not None:
                error = UncertainError(f"{type(fault).__name__}: {fault}", reason="fault", retryable=False)
                await self._failed([(entry, pending)], error)
        except Exception:
            logger.exception("delivery_fault", delivery_id=entry.delivery.key)
            self._lanes[entry.delivery.receiver].put(entry.delivery.key, self._setup.clock() + _AFTER_FAULT)

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
                await self._resume_batch(entry, pending)
            elif pending.batch and not pending.doubt:
                await self._send_batch(entry, pending)
            else:
                await self._send(entry)
        finally:
            entry.busy = False

    async def _remind(self, entry: LedgerEntry) -> bool:
        """Make the reminder that is due the entry's message; False when there is none."""
        delivery = entry.delivery
        if delivery.remind_at is None:
            return False
        if delivery.event_id in self._known.acks:
            await self._ledger.store(entry, replace(delivery, remind_at=None))
            return False
        await self._store_now(entry, steps.reminder(delivery, self._setup.clock()))
        return True

    async def _store_now(self, entry: LedgerEntry, delivery: Delivery) -> None:
        """Write a record whose message this turn sends: the lane need not call for it again."""
        await self._ledger.store(entry, delivery)
        self._lanes[delivery.receiver].drop(delivery.key)

    async def _send(self, entry: LedgerEntry) -> None:
        """Send a message that stands for itself; one that may have arrived is looked up first."""
        async with entry.lock:
            ready = steps.begun(entry.delivery, self._setup.clock())
            if ready is not entry.delivery:
                await self._store_now(entry, ready)
        pending = entry.delivery.pending
        if pending is not None:
            with _step(pending, entry.delivery.receiver):
                await self._attempt(entry, entry.delivery, pending)

    async def _attempt(self, entry: LedgerEntry, delivery: Delivery, pending: Pending) -> None:
        try:
            message = self._composer.one(delivery, pending)
            if pending.doubt:
                lookup = await self._attempts.find(delivery.receiver, message, delivery.head)
                if lookup.state == "there":
                    await self._succeeded([(entry, pending)], lookup.head)
                    return
                if lookup.state == "absent" and await self._cleared(entry):
                    return
            head = await self._attempts.deliver(delivery.receiver, [entry.partition], message, delivery.head)
        except DeliveryError as error:
            await self._failed([(entry, pending)], error)
        else:
            await self._succeeded([(entry, pending)], head)

    async def _cleared(self, entry: LedgerEntry) -> bool:
        """Note that the in-doubt message did not arrive; True when a newer state takes its place in the lane."""
        async with entry.lock:
            delivery = entry.delivery
            if delivery.pending is None or delivery.next is None:
                return False
            sure = replace(delivery, pending=replace(delivery.pending, doubt=False))
            await self._ledger.store(entry, await self._caught_up(sure))
            return True

    async def _send_batch(self, entry: LedgerEntry, pending: Pending) -> None:
        """Send all messages that were held back together as one."""
        members = await self._gathered(entry, pending)
        try:
            fit = await self._composed(members)
            if len(fit) < 2:
                for alone in fit:
                    await self._send(alone)
                return
            waiting = {each.delivery.key: each.delivery.pending for each in fit if each.delivery.pending}
            for key, message in batch.frozen(entry.delivery.receiver, waiting).items():
                each = self._ledger.entries.get(key)
                if each is None:
                    raise NotOursError
                async with each.lock:
                    await self._store_now(each, replace(each.delivery, pending=message))
            await self._send_frozen(fit)
        finally:
            self._release(members)

    async def _gathered(self, entry: LedgerEntry, pending: Pending) -> list[LedgerEntry]:
        """Return the entry and others of its batch that are due; all of them are busy from now on."""
        now, members = self._setup.clock(), [entry]
        for other in self._ledger.of(entry.delivery.receiver):
            if other is entry or len(members) >= _MAX_BATCH:
                continue
            async with other.lock:
                waiting = other.delivery.pending
                if waiting is None or other.busy or waiting.batch != pending.batch:
                    continue
                if waiting.due <= now and not waiting.doubt and not waiting.sent_as:
                    other.busy = True
                    self._lanes[entry.delivery.receiver].drop(other.delivery.key)
                    members.append(other)
        return members

    async def _composed(self, members: list[LedgerEntry]) -> list[LedgerEntry]:
        """Return the members that can be composed; the others are set aside, so that they hold nobody up."""
        fit = []
        for each, pending in _waiting(members):
            try:
                self._composer.one(each.delivery, pending)
            except NotComposedError as error:
                await self._failed([(each, pending)], error)
            else:
                fit.append(each)
        return fit

    async def _resume_batch(self, entry: LedgerEntry, pending: Pending) -> None:
        """Go on with a batch that was frozen: find out what became of it, send it again as it was, or take it apart."""
        members = [entry]
        for other in self._ledger.of(entry.delivery.receiver):
            async with other.lock:
                waiting = other.delivery.pending
                if other is not entry and waiting and waiting.sent_as == pending.sent_as and not other.busy:
                    other.busy = True
                    self._lanes[entry.delivery.receiver].drop(other.delivery.key)
                    members.append(other)
        try:
            records = {key: each.delivery for key, each in self._ledger.entries.items()}
            fate, head = batch.fate(pending, records)
            if fate == "arrived":
                await self._succeeded(_waiting(members), head)
            elif len(fit := await self._composed(members)) < len(members):
                await self._take_apart(fit)
            elif fate == "whole":
                await self._send_frozen(members)
            elif fate == "apart" and self._known.loading:
                raise NotOursError  # the missing members may be about to come
            elif fate == "apart" and (head := await self._find_frozen(members)):
                await self._succeeded(_waiting(members), head)
            else:
                await self._take_apart(members)
        finally:
            self._release(members)

    async def _send_frozen(self, members: list[LedgerEntry]) -> None:
        """Send a frozen batch of which every member is here."""
        waiting, name = _waiting(members), members[0].delivery.receiver
        with _step(waiting[0][1], name, [pending.trace for _, pending in waiting[1:]]):
            await self._attempt_frozen(name, members, waiting)

    async def _attempt_frozen(
        self, name: str, members: list[LedgerEntry], waiting: list[tuple[LedgerEntry, Pending]]
    ) -> None:
        try:
            message = self._compose_batch(waiting)
            if any(pending.doubt for _, pending in waiting):
                lookup = await self._attempts.find(name, message, None)
                if lookup.state == "there":
                    await self._succeeded(waiting, {**(lookup.head or {}), "batch": message.id})
                    return
            head = await self._attempts.deliver(name, {each.partition for each in members}, message, None)
        except DeliveryError as error:
            await self._failed(waiting, error)
        else:
            await self._succeeded(waiting, {**(head or {}), "batch": message.id})

    async def _find_frozen(self, members: list[LedgerEntry]) -> Handle | None:
        """Look up a batch of which only some members are here; None when it did not arrive, or nobody can know."""
        message = self._compose_batch(_waiting(members))
        try:
            lookup = await self._attempts.find(members[0].delivery.receiver, message, None)
        except DeliveryError as error:
            raise BrokerError(f"the receiver can't be asked: {error}") from error
        return {**(lookup.head or {}), "batch": message.id} if lookup.state == "there" else None

    def _compose_batch(self, waiting: list[tuple[LedgerEntry, Pending]]) -> Message:
        return self._composer.batch([(each.delivery, pending) for each, pending in waiting])

    async def _take_apart(self, members: list[LedgerEntry]) -> None:
        now = self._setup.clock()
        for each in members:
            async with each.lock:
                delivery, pending = each.delivery, each.delivery.pending
                if pending is None:
                    continue
                delivery = replace(delivery, pending=replace(batch.thawed(pending), due=now))
                await self._ledger.store_surely(each, await self._caught_up(delivery))

    def _release(self, members: list[LedgerEntry]) -> None:
        """Let the members of a batch go; one that still waits is called again by its lane."""
        for each in members:
            each.busy = False
            pending = each.delivery.pending
            if pending and self._ledger.entries.get(each.delivery.key) is each:
                lane = self._lanes[each.delivery.receiver]
                if not lane.has(each.delivery.key):
                    lane.put(each.delivery.key, max(pending.due, self._setup.clock() + _SOON))

    async def _succeeded(self, members: list[tuple[LedgerEntry, Pending]], head: Handle | None) -> None:
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
                await self._ledger.store_surely(entry, await self._caught_up(told))
                await self._setup.checkpoint("after_sent")
            if pending.tell == "first" and pending.event.last_seen:
                metrics.pipeline_latency.observe(max(0.0, (now - pending.event.last_seen).total_seconds()))
            event_id = pending.event.event_id
            logger.info("told", receiver=name, event_id=event_id, tell=pending.tell, reason=pending.reason)
        if name in self._known.failing:
            await self._free(name)

    async def _caught_up(self, delivery: Delivery) -> Delivery:
        """Return the record with what came in meanwhile decided upon; what can't be is set aside."""
        event, now = delivery.next, self._setup.clock()
        if event is None:
            return delivery
        try:
            return steps.planned(delivery, event, self._judge.decide(delivery, event), now, delivery.next_trace)
        except Exception as error:
            logger.exception("not_decided", delivery_id=delivery.key)
            tell: Tell = "loud" if delivery.told else "first"
            why = f"not_decided: {type(error).__name__}: {error}"
            undecided = Pending(event=event, tell=tell, reason=tell, since=now, due=now, begun=False, error=why)
            await self.set_aside(delivery, undecided, "not_decided")
            return replace(delivery, pending=None, next=None, failed=undecided, failed_at=now)

    async def _free(self, name: str) -> None:
        """Let what waits for a receiver that is back go now, and what was set aside while it was gone."""
        self._known.failing.discard(name)
        self._known.gone.discard(name)
        now, lane = self._setup.clock(), self._lanes[name]
        for entry in self._ledger.of(name):
            async with entry.lock:
                pending = entry.delivery.pending
                if pending and pending.attempts and not entry.busy:
                    lane.put(entry.delivery.key, now)
                elif steps.is_set_aside(entry.delivery) and not pending:
                    await self._ledger.store_surely(entry, steps.retried(entry.delivery, now))

    async def _failed(self, members: list[tuple[LedgerEntry, Pending]], error: DeliveryError) -> None:
        name = members[0][0].delivery.receiver
        metrics.notifications_failed.labels(name, error.reason).inc()
        tracing.failed(error.reason)
        self._known.failing.add(name)
        now = self._setup.clock()
        if error.reason == "rate_limited" and error.retry_after is not None:
            self._lanes[name].paused_until = now + timedelta(seconds=error.retry_after)
        if isinstance(error, GoneError):
            self._known.gone.add(name)
        roll = self._setup.jitter()  # one for all: members of a batch stay together
        for entry, pending in members:
            logger.warning(
                "not_told", receiver=name, event_id=pending.event.event_id, attempts=pending.attempts + 1,
                reason=error.reason, error=str(error),
            )  # fmt: skip
            async with entry.lock:
                await self._again_or_never(entry, pending, error, now, roll)

    async def _again_or_never(
        self, entry: LedgerEntry, pending: Pending, error: DeliveryError, now: datetime, roll: float
    ) -> None:
        # "Retry-After: 0", or a moment that is over, names no wait: that attempt counts as any other.
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
            delivery = await self._caught_up(delivery)
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
            failed = await self._caught_up(failed)
        await self._ledger.store_surely(entry, failed)

    async def set_aside(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Write the dead letter of a message that is given up."""
        with contextlib.suppress(BrokerError):  # the record says at least that it was given up
            await persist(partial(self._setup.dead_letters.give_up, delivery, pending, reason), delivery.key)
        metrics.dead_letters.labels("deliver", reason).inc()
        logger.error("given_up", receiver=delivery.receiver, event_id=pending.event.event_id, reason=reason)

    def put_by(self, delivery: Delivery, event: Event) -> Delivery:
        """Return the record with the newest state put by for a receiver that is gone, if there is something to tell."""
        decision, now = self._judge.decide(delivery, event), self._setup.clock()
        take_in = steps.planned if decision.tell is None else steps.set_aside
        return take_in(delivery, event, decision, now)

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
            self._lanes[message.receiver].put(key, self._setup.clock() + wait)
        else:
            metrics.notifications.labels(message.receiver).inc()
            del self._notices[key]


def _step(pending: Pending, receiver: str, others: Iterable[str] = ()) -> tracing.TraceStep:
    """Make the step of an attempt, which the decision led to; `others` are the traces of what is sent with it."""
    return tracing.step(
        "send", pending.trace, others, receiver=receiver, event_id=pending.event.event_id, tell=pending.tell
    )


def _waiting(members: list[LedgerEntry]) -> list[tuple[LedgerEntry, Pending]]:
    return [(each, each.delivery.pending) for each in members if each.delivery.pending is not None]
