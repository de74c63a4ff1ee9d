"""The delivery engine: takes events, decides, writes the log before and after each send, and never sends out of order.

    notifier = Notifier(Setup(...))
    notifier.start()
    notifier.expect(partition)                     # its log is going to be read
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
from collections.abc import Iterable
from datetime import datetime, timedelta

import structlog
from msgspec.structs import replace

from monitor import metrics, tracing
from monitor.errors import BrokerError
from monitor.notify.delivery import steps
from monitor.notify.delivery.judge import Judge
from monitor.notify.delivery.lane import Lane
from monitor.notify.delivery.ledger import Ledger, LedgerEntry
from monitor.notify.delivery.sender import Sender
from monitor.notify.delivery.setup import Known, Setup
from monitor.notify.logbook import Delivery
from monitor.notify.messages.compose import Message
from monitor.notify.messages.values import localized
from monitor.notify.policy.decision import WHY_NOT, Decision
from monitor.notify.policy.silences import Note, Retry, Silence
from monitor.notify.replies.ack import Ack
from monitor.records import Event

logger = structlog.get_logger()

#: Seconds that a revoked partition's messages in flight may take to end.
_REVOKE_PATIENCE = 20.0
#: A wish to send again holds for partitions that are read within this time of it.
_WISH_HOLDS = timedelta(days=1)


class Notifier:
    """Tells receivers about events, once."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._known = Known()
        self._judge = Judge(setup)
        self._partitions: set[int] = set()
        self._wishes: dict[str, Retry] = {}
        self._lanes = {
            name: Lane(name, receiver.traits.concurrency, self._turn, setup.clock)
            for name, receiver in setup.receivers.items()
        }
        self._ledger = Ledger(setup, self._lanes)
        self._sender = Sender(setup, self._ledger, self._lanes, self._judge, self._known)
        for name in setup.receivers:
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
        await asyncio.gather(*(receiver.close() for receiver in self._setup.receivers.values()))

    def expect(self, partition: int) -> None:
        """Note that a partition's log is about to be read: what seems to be missing may come with it."""
        self._known.loading.add(partition)

    async def assign(self, partition: int, records: Iterable[Delivery]) -> None:
        """Take over a partition with what the log holds of it.

        Records of receivers that are no more in the configuration are left alone until they may be forgotten.
        """
        self._partitions.add(partition)
        now = self._setup.clock()
        for record in records:
            receiver = self._setup.receivers.get(record.receiver)
            if receiver is None:
                await self._forget_stranger(partition, record, now)
                continue
            delivery = steps.loaded(record)
            entry = LedgerEntry(partition, delivery)
            self._ledger.entries[record.key] = entry
            if delivery.pending:
                metrics.notifications_pending.labels(record.receiver).inc()
                settle = timedelta(seconds=receiver.traits.settle if delivery.pending.doubt else 0)
                self._lanes[record.receiver].put(record.key, max(delivery.pending.due, now + settle))
            elif delivery.remind_at:
                self._lanes[record.receiver].put(record.key, delivery.remind_at)
            if steps.is_set_aside(delivery):
                self._known.failing.add(record.receiver)
            for wish in self._wishes.values():
                await self._grant(entry, wish)
            if ack := self._known.acks.get(record.event_id):
                await self._seen(entry, ack)
        self._known.loading.discard(partition)

    async def revoke(self, partition: int) -> None:
        """Give a partition up, once its messages in flight have ended."""
        self._partitions.discard(partition)
        self._known.loading.discard(partition)
        mine = {key: entry for key, entry in self._ledger.entries.items() if entry.partition == partition}
        for lane in self._lanes.values():
            for key in mine:
                lane.drop(key)

        def busy() -> bool:
            return any(entry.busy for entry in mine.values())

        try:
            async with asyncio.timeout(_REVOKE_PATIENCE):
                await asyncio.gather(*(lane.settled(set(mine), busy) for lane in self._lanes.values()))
        except TimeoutError:
            logger.warning("revoked_in_flight", partition=partition)
        for key, entry in mine.items():
            if self._ledger.entries.pop(key, None) and entry.delivery.pending:
                metrics.notifications_pending.labels(entry.delivery.receiver).dec()

    async def accept(self, event: Event, partition: int = 0) -> dict[str, Decision]:
        """Decide for every receiver and write what is to be sent; returns the decisions once that is durable.

        Raises BrokerError when the log can't be written or the partition belongs to somebody else by now.
        """
        if partition not in self._partitions:
            raise BrokerError(f"partition {partition} of the events is not ours", reason="not_assigned")
        names = list(self._setup.receivers)
        decisions = await asyncio.gather(*(self._consider(name, event, partition) for name in names))
        return dict(zip(names, decisions, strict=True))

    async def note(self, note: Note) -> None:
        """Take in a record of the topic of silences: a silence, or a wish to send again what was given up."""
        if isinstance(note, Silence):
            self._judge.silences[note.id] = note
            return
        self._wishes[note.id] = note
        for entry in list(self._ledger.entries.values()):
            await self._grant(entry, note)

    def unsilence(self, identity: str) -> None:
        """Forget a silence that was deleted."""
        self._judge.silences.pop(identity, None)

    def silences(self) -> dict[str, Silence]:
        """Return the silences that were added while the service runs, by their id."""
        return dict(self._judge.silences)

    async def acknowledge(self, ack: Ack) -> None:
        """Take in that somebody has seen an event: reminders stop and messages say so."""
        self._known.acks[ack.event_id] = ack
        for name in self._setup.receivers:
            if entry := self._ledger.entries.get(f"{name}|{ack.event_id}"):
                await self._seen(entry, ack)

    def acknowledged(self, event_id: str) -> Ack | None:
        """Return who has seen an event, None when nobody has."""
        return self._known.acks.get(event_id)

    def told(self, event_id: str) -> Event | None:
        """Return an event as some receiver knows it; None when its partition is another worker's."""
        entries = (self._ledger.entries.get(f"{name}|{event_id}") for name in self._setup.receivers)
        return next((entry.delivery.told for entry in entries if entry and entry.delivery.told), None)

    def unacknowledge(self, event_id: str) -> None:
        """Forget an acknowledgement that was deleted."""
        self._known.acks.pop(event_id, None)

    def tell(self, message: Message) -> None:
        """Send a notice of the service to its receiver. It is tried again on failure, but kept in memory only."""
        self._sender.tell(message)

    async def tidy(self) -> int:
        """Delete what nothing will be told of any more; returns how many records left the log. Raises BrokerError."""
        now, forgotten = self._setup.clock(), 0
        for identity, silence in list(self._judge.silences.items()):
            if now - silence.until > self._setup.keep:
                del self._judge.silences[identity]
        for identity, wish in list(self._wishes.items()):
            if now - wish.at > _WISH_HOLDS:
                del self._wishes[identity]
        for entry in list(self._ledger.entries.values()):
            async with entry.lock:
                if not entry.busy and steps.forgettable(entry.delivery, now, self._setup.keep):
                    await self._ledger.forget(entry)
                    forgotten += 1
        return forgotten

    def in_flight(self) -> int:
        """Return how many records have a message on its way to a receiver."""
        return sum(entry.busy for entry in self._ledger.entries.values())

    def deliveries(self) -> list[Delivery]:
        """Return the records of the assigned partitions."""
        return [entry.delivery for entry in self._ledger.entries.values()]

    async def _consider(self, name: str, event: Event, partition: int) -> Decision:
        event = localized(self._setup.words[name], event)
        key = f"{name}|{event.event_id}"
        entry = self._ledger.entries.get(key)
        if entry is None:
            entry = LedgerEntry(partition, Delivery(receiver=name, event_id=event.event_id))
            self._ledger.entries[key] = entry
            await self._adopt(entry, event)
        async with entry.lock:
            delivery = entry.delivery
            if event.revision <= delivery.revision:
                return self._judge.not_told(delivery, event, Decision(None, "unchanged"))
            if delivery.pending and (entry.busy or delivery.pending.doubt):
                await self._ledger.store(entry, replace(delivery, next=event, next_trace=tracing.here()))
                return Decision(None, "waiting")
            if name in self._known.gone:
                return await self._put_by(entry, event)
            decision = self._judge.decide(delivery, event)
            await self._take_over(entry, event, decision)
            return decision

    async def _take_over(self, entry: LedgerEntry, event: Event, decision: Decision) -> None:
        """Write what a decision changes; a receiver that was told nothing and gets nothing leaves no record."""
        delivery = entry.delivery
        planned = steps.planned(delivery, event, decision, self._setup.clock(), tracing.here())
        if planned != delivery:
            await self._ledger.store(entry, planned)
        elif delivery.told is None and delivery.failed is None:
            self._ledger.entries.pop(delivery.key, None)

    async def _put_by(self, entry: LedgerEntry, event: Event) -> Decision:
        """Put the event by for a receiver that said that it is gone; the first time with a dead letter."""
        delivery = entry.delivery
        put_by = self._sender.put_by(delivery, event)
        if put_by != delivery:
            if put_by.failed is not None and delivery.failed is None:
                await self._sender.set_aside(put_by, put_by.failed, steps.GONE)
            await self._ledger.store(entry, put_by)
        elif delivery.told is None and delivery.failed is None:
            self._ledger.entries.pop(delivery.key, None)
        return self._judge.not_told(delivery, event, Decision(None, "disabled"))

    async def _adopt(self, entry: LedgerEntry, event: Event) -> None:
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

    async def _grant(self, entry: LedgerEntry, wish: Retry) -> None:
        """Send again what was given up before the wish was made."""
        async with entry.lock:
            delivery = entry.delivery
            wanted = wish.receiver in {"", delivery.receiver} and wish.event_id in {"", delivery.event_id}
            if wanted and delivery.failed_at and delivery.failed_at <= wish.at:
                self._known.gone.discard(delivery.receiver)
                await self._ledger.store_surely(entry, steps.retried(delivery, self._setup.clock()))

    async def _seen(self, entry: LedgerEntry, ack: Ack) -> None:
        async with entry.lock:
            delivery = entry.delivery
            if (not delivery.acknowledged or ack.verdict not in {"", delivery.verdict}) and not entry.busy:
                edits = self._setup.receivers[delivery.receiver].traits.edits
                now = self._setup.clock()
                await self._ledger.store_surely(entry, steps.acknowledged(delivery, ack, now, edits=edits))

    async def _forget_stranger(self, partition: int, record: Delivery, now: datetime) -> None:
        """Delete the record of a receiver that is no more in the configuration, once it is old."""
        last = record.told_at or record.failed_at
        if last is not None and now - last > self._setup.keep and self._setup.owns(partition):
            await self._setup.log.forget(partition, record.key)
