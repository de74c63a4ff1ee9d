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
from dataclasses import replace as changed
from datetime import timedelta

import structlog
from msgspec.structs import replace

from monitor import metrics
from monitor.clock import Clock, real_clock
from monitor.config import Storm
from monitor.errors import BrokerError
from monitor.notify.delivery import steps
from monitor.notify.delivery.lane import Lane, StormGate
from monitor.notify.delivery.ledger import Entry, Ledger
from monitor.notify.delivery.sender import DeadLetters, Sender
from monitor.notify.logbook import Delivery, DeliveryLog
from monitor.notify.messages.compose import Message
from monitor.notify.messages.wording import Wording
from monitor.notify.policy.decision import EXPLAINED, WHY_NOT, Decision, Policy, decide
from monitor.notify.policy.silences import Note, Retry, Silence
from monitor.notify.receivers.base import Receiver
from monitor.notify.replies.ack import Ack, AckLinks
from monitor.records import Event

logger = structlog.get_logger()

#: Seconds that a revoked partition's messages in flight may take to end.
_REVOKE_PATIENCE = 20.0
#: The steps at which a test may end the process.
CHECKPOINTS = ("before_pending", "after_pending", "after_send", "before_sent", "after_sent")


async def no_checkpoint(name: str) -> None:
    """The checkpoint of production: does nothing."""


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
        self._policy, self._receivers, self._clock = policy, receivers, clock
        self._partitions: set[int] = set()
        self._silences: dict[str, Silence] = {}
        self._wishes: dict[str, Retry] = {}
        self._storms = {name: StormGate(storm) for name in receivers}
        self._lanes = {
            name: Lane(name, receiver.traits.concurrency, self._turn, clock) for name, receiver in receivers.items()
        }
        self._ledger = Ledger(log, self._lanes, checkpoint)
        self._sender = Sender(
            self._ledger,
            self._lanes,
            receivers,
            policy=policy,
            words=words,
            retries=retries,
            dead_letters=dead_letters,
            ack_links=ack_links,
            decide=self._decide,
            clock=clock,
            jitter=jitter,
            checkpoint=checkpoint,
        )
        for name in receivers:
            metrics.notifications.labels(name)
            metrics.notifications_pending.labels(name).set(0)
        for reason in WHY_NOT:
            metrics.notifications_suppressed.labels(reason)

    async def _turn(self, key: str) -> None:
        await self._sender.handle(key)

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
            entry = Entry(partition, delivery)
            self._ledger.entries[record.key] = entry
            if delivery.pending:
                metrics.notifications_pending.labels(record.receiver).inc()
                settle = timedelta(seconds=receiver.traits.settle if delivery.pending.doubt else 0)
                self._lanes[record.receiver].put(record.key, max(delivery.pending.due, now + settle))
            elif delivery.remind_at:
                self._lanes[record.receiver].put(record.key, delivery.remind_at)
            for wish in self._wishes.values():
                await self._grant(entry, wish)
            if ack := self._sender.acks.get(record.event_id):
                await self._seen(entry, ack)

    async def revoke(self, partition: int) -> None:
        """Give a partition up, once its messages in flight have ended."""
        self._partitions.discard(partition)
        keys = {key for key, entry in self._ledger.entries.items() if entry.partition == partition}
        for lane in self._lanes.values():
            for key in keys:
                lane.drop(key)
        try:
            async with asyncio.timeout(_REVOKE_PATIENCE):
                await asyncio.gather(*(lane.settled(keys) for lane in self._lanes.values()))
        except TimeoutError:
            logger.warning("revoked_in_flight", partition=partition)
        for key in keys:
            entry = self._ledger.entries.pop(key)
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
        for entry in list(self._ledger.entries.values()):
            await self._grant(entry, note)

    def unsilence(self, identity: str) -> None:
        """Forget a silence that was deleted."""
        self._silences.pop(identity, None)

    async def acknowledge(self, ack: Ack) -> None:
        """Take in that somebody has seen an event: reminders stop and messages say so."""
        self._sender.acks[ack.event_id] = ack
        for name in self._receivers:
            if entry := self._ledger.entries.get(f"{name}|{ack.event_id}"):
                await self._seen(entry, ack)

    def tell(self, message: Message) -> None:
        """Send a notice of the service to its receiver. It is tried again on failure, but kept in memory only."""
        self._sender.tell(message)

    def in_flight(self) -> int:
        """How many records have a message on its way to a receiver."""
        return sum(entry.busy for entry in self._ledger.entries.values())

    def deliveries(self) -> list[Delivery]:
        """The records of the assigned partitions."""
        return [entry.delivery for entry in self._ledger.entries.values()]

    async def _consider(self, name: str, event: Event, partition: int) -> Decision:
        key = f"{name}|{event.event_id}"
        entry = self._ledger.entries.get(key)
        if entry is None:
            entry = Entry(partition, Delivery(receiver=name, event_id=event.event_id))
            self._ledger.entries[key] = entry
            await self._adopt(entry, event)
        async with entry.lock:
            delivery = entry.delivery
            if event.revision <= delivery.revision:
                return self._not_told(delivery, event, Decision(None, "unchanged"))
            if name in self._sender.gone:
                return self._not_told(delivery, event, Decision(None, "disabled"))
            if delivery.pending and (entry.busy or delivery.pending.doubt):
                await self._ledger.store(entry, replace(delivery, next=event))
                return Decision(None, "waiting")
            decision = self._decide(delivery, event)
            if decision.tell is None:
                if delivery.pending:
                    await self._ledger.store(entry, steps.planned(delivery, event, decision, self._clock()))
                elif delivery.told is None and delivery.failed is None:
                    del self._ledger.entries[key]  # nothing to remember
                return decision
            await self._ledger.store(entry, steps.planned(delivery, event, decision, self._clock()))
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
        if decision.tell is None:
            return self._not_told(delivery, event, decision)
        if decision.tell != "first" or delivery.pending:
            return decision
        if decision.due is not None:
            return decision if decision.batch else changed(decision, batch=f"quiet:{decision.due.isoformat()}")
        freed = self._storms[name].admit(now)
        if freed is None:
            return decision
        return Decision("first", "first", route=decision.route, due=freed, batch=f"storm:{freed.isoformat()}")

    async def _adopt(self, entry: Entry, event: Event) -> None:
        """Carry on the message of an event that turned out to be this one, when the receiver was told of it.

        Only events of partitions that this process has are known here: told elsewhere, both have their message.
        """
        for other in event.redirects:
            old = self._ledger.entries.get(f"{entry.delivery.receiver}|{other}")
            if old is None or old.busy:
                continue
            async with old.lock:
                told = old.delivery.told
                if told is None or told.merged_into:
                    continue
                begun = replace(told, event_id=event.event_id, revision=-1)
                carried = replace(old.delivery, event_id=event.event_id, told=begun, pending=None, next=None)
                async with entry.lock:
                    await self._ledger.store(entry, carried)
                over = replace(told, merged_into=event.event_id)
                await self._ledger.store(old, replace(old.delivery, told=over, pending=None, next=None, remind_at=None))
                return

    @staticmethod
    def _not_told(delivery: Delivery, event: Event, decision: Decision) -> Decision:
        """Count why nothing is told, and say it in the log where somebody may ask."""
        metrics.notifications_suppressed.labels(decision.reason).inc()
        say = logger.debug if decision.reason in {"unchanged", "no_edits"} else logger.info
        why = EXPLAINED[decision.reason]
        say("suppressed", receiver=delivery.receiver, event_id=event.event_id, reason=decision.reason, why=why)
        return decision

    async def _grant(self, entry: Entry, wish: Retry) -> None:
        """Send again what was given up before the wish was made."""
        async with entry.lock:
            delivery = entry.delivery
            wanted = wish.receiver in {"", delivery.receiver} and wish.event_id in {"", delivery.event_id}
            if wanted and delivery.failed_at and delivery.failed_at <= wish.at:
                self._sender.gone.discard(delivery.receiver)
                await self._ledger.store_surely(entry, steps.retried(delivery, self._clock()))

    async def _seen(self, entry: Entry, ack: Ack) -> None:
        async with entry.lock:
            delivery = entry.delivery
            if not delivery.acknowledged and not entry.busy:
                edits = self._receivers[delivery.receiver].traits.edits
                await self._ledger.store_surely(entry, steps.acknowledged(delivery, ack.by, self._clock(), edits=edits))
