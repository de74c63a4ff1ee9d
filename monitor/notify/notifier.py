"""The delivery engine: takes events, decides, writes the log before and after each send, and never sends out of order.

    notifier = Notifier(...)
    notifier.start()
    await notifier.assign(partition, records)      # what the log holds of a partition, before its first event
    await notifier.accept(event, partition)        # returns once what is to be sent is durable
    await notifier.revoke(partition)               # waits for what is in flight
    await notifier.stop()

Every decision is taken against the log's record, so a process may die at any line. After the message was sent and
before that was written, the record is *in doubt*: the next owner looks the message up at the receiver (Slack), or sends
it again as it was with the same id (webhooks), before anything newer. See docs/guarantees.md.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import perf_counter
from typing import Protocol

import structlog
from msgspec.structs import replace

from monitor import metrics
from monitor.clock import Clock, real_clock
from monitor.config import Reminder, Storm
from monitor.errors import BrokerError, DeliveryError
from monitor.notify import steps
from monitor.notify.ack import Ack, AckLinks
from monitor.notify.lane import Lane, StormGate, backoff
from monitor.notify.log import Delivery, DeliveryLog, Handle, Pending, batch_id
from monitor.notify.message import Message, compose, gathered
from monitor.notify.policy import WHY_NOT, Decision, Policy, decide
from monitor.notify.receivers.base import GoneError, Receiver, UncertainError
from monitor.notify.silences import Note, Retry, Silence
from monitor.notify.wording import Wording
from monitor.records import Event

logger = structlog.get_logger()

#: Seconds that a revoked partition's messages in flight may take to end.
_REVOKE_PATIENCE = 20.0
_FIRST_LOG_PAUSE, _LONGEST_LOG_PAUSE = 0.1, 5.0
#: Messages that go out as one at most.
_MAX_BATCH = 30
#: The steps at which a test may end the process.
CHECKPOINTS = ("before_pending", "after_pending", "after_send", "before_sent", "after_sent")


class DeadLetters(Protocol):
    """Where messages go that were given up."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Set the message aside durably. Raises BrokerError."""


async def no_checkpoint(name: str) -> None:
    """The checkpoint of production: does nothing."""


@dataclass
class _Entry:
    """One delivery record in memory. `lock` guards its changes, `busy` is true while a message is in flight."""

    partition: int
    delivery: Delivery
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    busy: bool = False


class Notifier:
    """Tells receivers about events, once. `jitter` gives numbers in [0, 1)."""

    def __init__(
        self,
        policy: Policy,
        receivers: Mapping[str, Receiver],
        log: DeliveryLog,
        words: Wording,
        *,
        retries: tuple[timedelta, ...],
        dead_letters: DeadLetters,
        storm: Storm | None = None,
        ack_links: AckLinks | None = None,
        clock: Clock = real_clock,
        jitter: Callable[[], float] = random.random,
        checkpoint: Callable[[str], Awaitable[None]] = no_checkpoint,
    ) -> None:
        self._policy, self._receivers, self._log, self._words = policy, receivers, log, words
        self._retries, self._dead_letters, self._ack_links = retries, dead_letters, ack_links
        self._clock, self._jitter, self._checkpoint = clock, jitter, checkpoint
        self._entries: dict[str, _Entry] = {}
        self._partitions: set[int] = set()
        self._silences: dict[str, Silence] = {}
        self._acks: dict[str, Ack] = {}
        self._gone: set[str] = set()
        self._failing: set[str] = set()
        self._wishes: dict[str, Retry] = {}
        self._notices: dict[str, tuple[Message, int]] = {}
        self._storms = {name: StormGate(storm) for name in receivers}
        self._lanes = {
            name: Lane(name, receiver.traits.concurrency, self._handle, clock) for name, receiver in receivers.items()
        }
        for name in receivers:
            metrics.notifications.labels(name)
            metrics.notifications_pending.labels(name).set(0)
        for reason in WHY_NOT:
            metrics.notifications_suppressed.labels(reason)

    # --- the way in -------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Begin to send."""
        for lane in self._lanes.values():
            lane.start()

    async def stop(self) -> None:
        """Stop sending at once, and close the receivers. What is in flight is in doubt for the next owner."""
        await asyncio.gather(*(lane.stop() for lane in self._lanes.values()))
        await asyncio.gather(*(receiver.close() for receiver in self._receivers.values()))

    async def assign(self, partition: int, records: Iterable[Delivery]) -> None:
        """Take over a partition with what the log holds of it. Records of receivers that are no more are left alone."""
        self._partitions.add(partition)
        now = self._clock()
        for record in records:
            receiver = self._receivers.get(record.receiver)
            if receiver is None:
                continue
            delivery = steps.loaded(record, now)
            entry = _Entry(partition, delivery)
            self._entries[record.key] = entry
            if delivery.pending:
                metrics.notifications_pending.labels(record.receiver).inc()
                settle = timedelta(seconds=receiver.traits.settle if delivery.pending.doubt else 0)
                self._lanes[record.receiver].put(record.key, max(delivery.pending.due, now + settle))
            elif delivery.remind_at:
                self._lanes[record.receiver].put(record.key, delivery.remind_at)
            for wish in self._wishes.values():
                await self._grant(entry, wish)
            if ack := self._acks.get(record.event_id):
                await self._seen(entry, ack)

    async def revoke(self, partition: int) -> None:
        """Give a partition up, once its messages in flight have ended."""
        self._partitions.discard(partition)
        keys = {key for key, entry in self._entries.items() if entry.partition == partition}
        for lane in self._lanes.values():
            for key in keys:
                lane.drop(key)
        try:
            async with asyncio.timeout(_REVOKE_PATIENCE):
                await asyncio.gather(*(lane.settled(keys) for lane in self._lanes.values()))
        except TimeoutError:
            logger.warning("revoked_in_flight", partition=partition)
        for key in keys:
            entry = self._entries.pop(key)
            if entry.delivery.pending:
                metrics.notifications_pending.labels(entry.delivery.receiver).dec()

    async def accept(self, event: Event, partition: int = 0) -> dict[str, Decision]:
        """Decide for every receiver and write what is to be sent; returns the decisions once that is durable.

        Raises BrokerError when the log can't be written or the partition belongs to somebody else by now.
        """
        if partition not in self._partitions:
            raise BrokerError(f"partition {partition} of the events is not ours", reason="not_assigned")
        names = list(self._receivers)
        decisions = await asyncio.gather(*(self._consider(name, event, partition) for name in names))
        return dict(zip(names, decisions, strict=True))

    async def note(self, note: Note) -> None:
        """Take in a record of the topic of silences: a silence, or a wish to send again what was given up."""
        if isinstance(note, Silence):
            self._silences[note.id] = note
            return
        self._wishes[note.id] = note
        for entry in list(self._entries.values()):
            await self._grant(entry, note)

    def unsilence(self, identity: str) -> None:
        """Forget a silence that was deleted."""
        self._silences.pop(identity, None)

    async def acknowledge(self, ack: Ack) -> None:
        """Take in that somebody has seen an event: reminders stop and messages say so."""
        self._acks[ack.event_id] = ack
        for name in self._receivers:
            if entry := self._entries.get(f"{name}|{ack.event_id}"):
                await self._seen(entry, ack)

    def tell(self, message: Message) -> None:
        """Send a notice of the service to its receiver. It is tried again on failure, but kept in memory only."""
        self._notices[message.id] = (message, 0)
        self._lanes[message.receiver].put(message.id, self._clock())

    def deliveries(self) -> list[Delivery]:
        """The records of the assigned partitions."""
        return [entry.delivery for entry in self._entries.values()]

    # --- deciding ---------------------------------------------------------------------------------------------------

    async def _consider(self, name: str, event: Event, partition: int) -> Decision:
        key = f"{name}|{event.event_id}"
        entry = self._entries.get(key)
        if entry is None:
            entry = _Entry(partition, Delivery(receiver=name, event_id=event.event_id))
            self._entries[key] = entry
            await self._adopt(entry, event)
        async with entry.lock:
            delivery = entry.delivery
            if event.revision <= delivery.revision:
                return self._suppressed("unchanged")
            if name in self._gone:
                return self._suppressed("disabled")
            if delivery.pending and (entry.busy or delivery.pending.doubt):
                await self._store(entry, replace(delivery, next=event))
                return Decision(None, "waiting")
            decision = self._decide(delivery, event)
            if decision.tell is None:
                self._suppressed(decision.reason)
                if delivery.pending:
                    await self._store(entry, steps.planned(delivery, event, decision, self._clock()))
                elif delivery.told is None and delivery.failed is None:
                    del self._entries[key]  # nothing to remember
                return decision
            await self._store(entry, steps.planned(delivery, event, decision, self._clock()))
            return decision

    def _decide(self, delivery: Delivery, event: Event) -> Decision:
        now = self._clock()
        name = delivery.receiver
        decision = decide(
            self._policy,
            name,
            event,
            delivery.told,
            now,
            told_route=delivery.route,
            silences=self._silences.values(),
            edits=self._receivers[name].traits.edits,
        )
        if decision.tell != "first" or delivery.pending:
            return decision
        if decision.due is not None:
            return decision if decision.batch else replace_batch(decision, f"quiet:{decision.due.isoformat()}")
        freed = self._storms[name].admit(now)
        if freed is None:
            return decision
        return Decision("first", "first", route=decision.route, due=freed, batch=f"storm:{freed.isoformat()}")

    async def _adopt(self, entry: _Entry, event: Event) -> None:
        """Carry on the message of an event that turned out to be this one, when the receiver was told of it.

        Only events of partitions that this process has are known here: told elsewhere, both have their message.
        """
        for other in event.redirects:
            old = self._entries.get(f"{entry.delivery.receiver}|{other}")
            if old is None or old.busy:
                continue
            async with old.lock:
                told = old.delivery.told
                if told is None or told.merged_into:
                    continue
                begun = replace(told, event_id=event.event_id, revision=-1)
                carried = replace(old.delivery, event_id=event.event_id, told=begun, pending=None, next=None)
                async with entry.lock:
                    await self._store(entry, carried)
                over = replace(told, merged_into=event.event_id)
                await self._store(old, replace(old.delivery, told=over, pending=None, next=None, remind_at=None))
                return

    @staticmethod
    def _suppressed(reason: str) -> Decision:
        metrics.notifications_suppressed.labels(reason).inc()
        return Decision(None, reason)

    async def _store(self, entry: _Entry, delivery: Delivery) -> None:
        """Write a record, then take it over and see to it that it is handled in time. Raises BrokerError."""
        if self._entries.get(delivery.key) is not entry:
            return  # the partition went to another worker, which alone writes now
        old, pending = entry.delivery.pending, delivery.pending
        if pending:
            await self._checkpoint("before_pending")
        await self._log.append(entry.partition, delivery)
        entry.delivery = delivery
        gauge = metrics.notifications_pending.labels(delivery.receiver)
        gauge.inc((pending is not None) - (old is not None))
        lane = self._lanes[delivery.receiver]
        if pending:
            await self._checkpoint("after_pending")
            lane.put(delivery.key, pending.due)
        elif delivery.remind_at:
            lane.put(delivery.key, delivery.remind_at)
        else:
            lane.drop(delivery.key)

    async def _store_surely(self, entry: _Entry, delivery: Delivery) -> None:
        """Write a record that must not be lost, however long the broker is away."""
        pause = _FIRST_LOG_PAUSE
        while True:
            try:
                return await self._store(entry, delivery)
            except BrokerError as error:
                logger.warning("delivery_log_unwritable", delivery_id=delivery.key, error=str(error))
                if not error.retryable:
                    # It can never be written (too large): what the receiver knows holds at least in this process.
                    entry.delivery = delivery
                    return None
            await asyncio.sleep(pause)
            pause = min(pause * 2, _LONGEST_LOG_PAUSE)

    # --- sending ----------------------------------------------------------------------------------------------------

    async def _handle(self, key: str) -> None:
        """One turn of a lane. Never raises: a fault in one message must not end its lane."""
        if key in self._notices:
            await self._send_notice(key)
            return
        entry = self._entries.get(key)
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

    async def _ready(self, entry: _Entry) -> bool:
        """True when the entry has a message to send now."""
        now, delivery = self._clock(), entry.delivery
        if delivery.pending is None:
            if delivery.remind_at is None:
                return False
            if delivery.event_id in self._acks:
                await self._store(entry, replace(delivery, remind_at=None))
                return False
            await self._store(entry, steps.reminder(delivery, now))
            # `_store` has put it into the lane once more; this turn sends it.
            self._lanes[delivery.receiver].drop(delivery.key)
        elif delivery.pending.due > now and not delivery.pending.doubt:
            # Freed before its time: the log must say so, or the next owner would not doubt it.
            await self._store(entry, replace(delivery, pending=replace(delivery.pending, due=now)))
            self._lanes[delivery.receiver].drop(delivery.key)
        return True

    def _compose(self, delivery: Delivery, pending: Pending) -> Message:
        ack = self._acks.get(delivery.event_id)
        link = self._ack_links.link(delivery.event_id, pending.since) if self._ack_links and ack is None else ""
        by = ack.by if ack else delivery.acknowledged
        return compose(self._words, self._policy, delivery, pending, ack_url=link, acknowledged=by)

    async def _send(self, entry: _Entry, pending: Pending) -> None:
        delivery = entry.delivery
        try:
            message = self._compose(delivery, pending)
            head = await self._attempt(delivery.receiver, message, delivery.head, doubt=pending.doubt)
        except DeliveryError as error:
            await self._failed([(entry, pending)], error)
        else:
            await self._succeeded([(entry, pending)], head)

    async def _send_batch(self, entry: _Entry, pending: Pending) -> None:
        """Send all messages that were held back together as one; those of an in-doubt batch are exactly its own."""
        name, now = entry.delivery.receiver, self._clock()
        members = [(entry, pending)]
        try:
            for other in list(self._entries.values()):
                if other is entry or other.delivery.receiver != name or len(members) >= _MAX_BATCH:
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
                        await self._store(each, replace(each.delivery, pending=frozen))
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

    async def _succeeded(self, members: list[tuple[_Entry, Pending]], head: Handle | None) -> None:
        name = members[0][0].delivery.receiver
        metrics.notifications.labels(name).inc()
        now = self._clock()
        for entry, pending in members:
            route = self._policy.named(pending.route or entry.delivery.route)
            async with entry.lock:
                remind: Reminder | None = route.remind if route and entry.delivery.event_id not in self._acks else None
                told = steps.succeeded(entry.delivery, pending, head, now, remind)
                await self._checkpoint("before_sent")
                await self._store_surely(entry, self._caught_up(told))
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
        if decision.tell is None:
            self._suppressed(decision.reason)
        return steps.planned(delivery, event, decision, self._clock())

    def _free(self, name: str) -> None:
        """The receiver is back: what waits for a later attempt goes now."""
        self._failing.discard(name)
        now, lane = self._clock(), self._lanes[name]
        for entry in self._entries.values():
            pending = entry.delivery.pending
            if entry.delivery.receiver == name and pending and pending.attempts and not entry.busy:
                lane.put(entry.delivery.key, now)

    async def _failed(self, members: list[tuple[_Entry, Pending]], error: DeliveryError) -> None:
        name = members[0][0].delivery.receiver
        metrics.notifications_failed.labels(name, error.reason).inc()
        self._failing.add(name)
        now = self._clock()
        limited = error.reason == "rate_limited" and error.retry_after is not None
        if limited and error.retry_after is not None:
            self._lanes[name].paused_until = now + timedelta(seconds=error.retry_after)
        if isinstance(error, GoneError):
            self._gone.add(name)
        for entry, pending in members:
            logger.warning(
                "not_told", receiver=name, event_id=pending.event.event_id, attempts=pending.attempts + 1,
                reason=error.reason, error=str(error),
            )  # fmt: skip
            async with entry.lock:
                await self._again_or_never(entry, pending, error, now, limited=limited)

    async def _again_or_never(
        self, entry: _Entry, pending: Pending, error: DeliveryError, now: datetime, *, limited: bool
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
        await self._store_surely(entry, delivery)

    async def _give_up(self, entry: _Entry, pending: Pending, error: DeliveryError, now: datetime) -> None:
        name = entry.delivery.receiver
        pause = _FIRST_LOG_PAUSE
        while True:
            try:
                await self._dead_letters.give_up(entry.delivery, pending, error.reason)
                break
            except BrokerError:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_LOG_PAUSE)
        metrics.dead_letters.labels("deliver", error.reason).inc()
        logger.error("given_up", receiver=name, event_id=pending.event.event_id, reason=error.reason)
        failed = steps.given_up(entry.delivery, pending, now, f"{error.reason}: {error}")
        await self._store_surely(entry, self._caught_up(failed) if name not in self._gone else failed)

    async def _grant(self, entry: _Entry, wish: Retry) -> None:
        """Send again what was given up before the wish was made."""
        async with entry.lock:
            delivery = entry.delivery
            wanted = wish.receiver in {"", delivery.receiver} and wish.event_id in {"", delivery.event_id}
            if wanted and delivery.failed_at and delivery.failed_at <= wish.at:
                self._gone.discard(delivery.receiver)
                await self._store_surely(entry, steps.retried(delivery, self._clock()))

    async def _seen(self, entry: _Entry, ack: Ack) -> None:
        async with entry.lock:
            delivery = entry.delivery
            if not delivery.acknowledged and not entry.busy:
                edits = self._receivers[delivery.receiver].traits.edits
                await self._store_surely(entry, steps.acknowledged(delivery, ack.by, self._clock(), edits=edits))

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


def replace_batch(decision: Decision, batch: str) -> Decision:
    """The decision with its message gathered into `batch`."""
    return Decision(decision.tell, decision.reason, decision.changed, decision.route, decision.due, batch)
