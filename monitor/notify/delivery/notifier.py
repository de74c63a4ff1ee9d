"""The delivery engine: decides which messages to send about events, and sends them, logging before and after each send.

    notifier = Notifier(NotifierSetup(...))
    notifier.start()
    notifier.expect(partition)                     # the log of the partition is about to be read
    await notifier.assign(partition, records)      # the records of its log, before its first event
    await notifier.accept(event, partition)        # returns once the message to send is stored
    await notifier.revoke(partition)               # waits for messages in flight
    await notifier.stop()

Every decision is based on the record in the log, so the process may die at any line. If it dies after it has sent a
message and before it has logged that, the message is *in doubt*. The next owner of the partition asks the receiver for
it (Slack), or sends it again unchanged with the same id (webhooks), before any newer message. See docs/guarantees.md.
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
from monitor.notify.delivery.decider import Decider
from monitor.notify.delivery.ledger import Ledger, LedgerEntry
from monitor.notify.delivery.result_recorder import ResultRecorder
from monitor.notify.delivery.sender import Sender
from monitor.notify.delivery.setup import NotifierSetup, NotifierState
from monitor.notify.delivery.work_queue import WorkQueue
from monitor.notify.logbook import Delivery
from monitor.notify.messages.compose import Message
from monitor.notify.messages.values import localized
from monitor.notify.policy.decision import WHY_NOT, Decision
from monitor.notify.policy.silences import Note, Retry, Silence
from monitor.notify.replies.ack import Ack
from monitor.records import Event

logger = structlog.get_logger()

#: Seconds that messages in flight get to end when their partition is revoked.
_REVOKE_PATIENCE = 20.0
#: A request to send again also applies to partitions that are assigned within this time.
_WISH_HOLDS = timedelta(days=1)


class Notifier:
    """Tells each receiver about each event once, and updates the message when the event changes."""

    def __init__(self, setup: NotifierSetup) -> None:
        self._setup = setup
        self._known = NotifierState()
        self._decider = Decider(setup)
        self._partitions: set[int] = set()
        self._wishes: dict[str, Retry] = {}
        self._queues = {
            name: WorkQueue(name, receiver.traits.concurrency, self._turn, setup.clock)
            for name, receiver in setup.receivers.items()
        }
        self._ledger = Ledger(setup, self._queues)
        self._results = ResultRecorder(setup, self._ledger, self._queues, self._decider, self._known)
        self._sender = Sender(setup, self._ledger, self._queues, self._results, self._known)
        for name in setup.receivers:
            metrics.notifications.labels(name)
            metrics.notifications_pending.labels(name).set(0)
        for reason in WHY_NOT:
            metrics.notifications_suppressed.labels(reason)

    async def _turn(self, key: str) -> None:
        await self._sender.handle(key)

    def start(self) -> None:
        """Start sending messages."""
        for queue in self._queues.values():
            queue.start()

    async def stop(self) -> None:
        """Stop sending at once, and close the receivers. Messages in flight are in doubt for the next owner."""
        await asyncio.gather(*(queue.stop() for queue in self._queues.values()))
        await asyncio.gather(*(receiver.close() for receiver in self._setup.receivers.values()))

    def expect(self, partition: int) -> None:
        """Note that a partition's log is about to be read, so that missing members of a batch may still appear."""
        self._known.loading.add(partition)

    async def assign(self, partition: int, records: Iterable[Delivery]) -> None:
        """Take over a partition with the records of its log.

        Records of receivers that are no longer configured are not touched, and are deleted once they are old.
        """
        self._partitions.add(partition)
        now = self._setup.clock()
        for record in records:
            receiver = self._setup.receivers.get(record.receiver)
            if receiver is None:
                await self._forget_stranger(partition, record, now)
                continue
            delivery = steps.loaded(record)
            waits = delivery.pending
            entry = LedgerEntry(partition, delivery, suspect=waits is not None and (waits.doubt or waits.due <= now))
            self._ledger.entries[record.key] = entry
            if delivery.pending:
                metrics.notifications_pending.labels(record.receiver).inc()
                settle = timedelta(seconds=receiver.traits.settle if delivery.pending.doubt else 0)
                self._queues[record.receiver].put(record.key, max(delivery.pending.due, now + settle))
            elif delivery.remind_at:
                self._queues[record.receiver].put(record.key, delivery.remind_at)
            if steps.is_set_aside(delivery):
                self._known.failing.add(record.receiver)
            for wish in self._wishes.values():
                await self._grant(entry, wish)
            if ack := self._known.acks.get(record.event_id):
                await self._seen(entry, ack)
        self._known.loading.discard(partition)

    async def revoke(self, partition: int) -> None:
        """Give up a partition, after waiting up to 20 seconds for its messages in flight."""
        self._partitions.discard(partition)
        self._known.loading.discard(partition)
        mine = {key: entry for key, entry in self._ledger.entries.items() if entry.partition == partition}
        for queue in self._queues.values():
            for key in mine:
                queue.drop(key)

        def busy() -> bool:
            return any(entry.busy for entry in mine.values())

        try:
            async with asyncio.timeout(_REVOKE_PATIENCE):
                await asyncio.gather(*(queue.settled(set(mine), busy) for queue in self._queues.values()))
        except TimeoutError:
            logger.warning("revoked_in_flight", partition=partition)
        for key, entry in mine.items():
            if self._ledger.entries.pop(key, None) and entry.delivery.pending:
                metrics.notifications_pending.labels(entry.delivery.receiver).dec()

    async def accept(self, event: Event, partition: int = 0) -> dict[str, Decision]:
        """Decide which messages each receiver gets about an event, and log those to send.

        Returns the decision for each receiver once they are stored. Raises BrokerError when the log can't be written or
        the partition is no longer ours.
        """
        if partition not in self._partitions:
            raise BrokerError(f"partition {partition} of the events is not ours", reason="not_assigned")
        names = list(self._setup.receivers)
        decisions = await asyncio.gather(*(self._consider(name, event, partition) for name in names))
        return dict(zip(names, decisions, strict=True))

    async def note(self, note: Note) -> None:
        """Handle a record of the topic of silences: a silence, or a request to send again what was given up."""
        if isinstance(note, Silence):
            self._decider.silences[note.id] = note
            return
        self._wishes[note.id] = note
        for entry in list(self._ledger.entries.values()):
            await self._grant(entry, note)

    def unsilence(self, identity: str) -> None:
        """Remove a silence that was deleted."""
        self._decider.silences.pop(identity, None)

    def silences(self) -> dict[str, Silence]:
        """Return the silences that were added to the running service, by their id."""
        return dict(self._decider.silences)

    async def acknowledge(self, ack: Ack) -> None:
        """Handle an acknowledgement of an event: stop its reminders and show the name in its messages."""
        self._known.acks[ack.event_id] = ack
        for name in self._setup.receivers:
            if entry := self._ledger.entries.get(f"{name}|{ack.event_id}"):
                await self._seen(entry, ack)

    def acknowledged(self, event_id: str) -> Ack | None:
        """Return the acknowledgement of an event, None when there is none."""
        return self._known.acks.get(event_id)

    def last_sent(self, event_id: str) -> Event | None:
        """Return an event as it was last sent to a receiver; None when it never was, or another worker owns it."""
        entries = (self._ledger.entries.get(f"{name}|{event_id}") for name in self._setup.receivers)
        return next((entry.delivery.told for entry in entries if entry and entry.delivery.told), None)

    def unacknowledge(self, event_id: str) -> None:
        """Remove an acknowledgement that was deleted."""
        self._known.acks.pop(event_id, None)

    def tell(self, message: Message) -> None:
        """Send a notice about the service itself. It is retried on failure, but kept in memory only."""
        self._sender.tell(message)

    async def tidy(self) -> int:
        """Delete old records of closed events. Returns how many were deleted. Raises BrokerError."""
        now, forgotten = self._setup.clock(), 0
        for identity, silence in list(self._decider.silences.items()):
            if now - silence.until > self._setup.keep:
                del self._decider.silences[identity]
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
        """Return how many records have a message in flight."""
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
                return self._decider.not_told(delivery, event, Decision(None, "unchanged"))
            if delivery.pending and (entry.busy or delivery.pending.doubt):
                await self._ledger.store(entry, replace(delivery, next=event, next_trace=tracing.here()))
                return Decision(None, "waiting")
            if name in self._known.gone:
                return await self._put_by(entry, event)
            decision = self._decider.decide(delivery, event)
            await self._take_over(entry, event, decision)
            return decision

    async def _take_over(self, entry: LedgerEntry, event: Event, decision: Decision) -> None:
        """Store the change that a decision makes. A record without any message, past or pending, is dropped."""
        delivery = entry.delivery
        planned = steps.planned(delivery, event, decision, self._setup.clock(), tracing.here())
        if planned != delivery:
            await self._ledger.store(entry, planned)
        elif delivery.told is None and delivery.failed is None:
            self._ledger.entries.pop(delivery.key, None)

    async def _put_by(self, entry: LedgerEntry, event: Event) -> Decision:
        """Keep the event for a receiver that answered "gone", to send it later; the first time with a dead letter."""
        delivery = entry.delivery
        put_by = self._results.put_by(delivery, event)
        if put_by != delivery:
            if put_by.failed is not None and delivery.failed is None:
                await self._results.set_aside(put_by, put_by.failed, steps.GONE)
            await self._ledger.store(entry, put_by)
        elif delivery.told is None and delivery.failed is None:
            self._ledger.entries.pop(delivery.key, None)
        return self._decider.not_told(delivery, event, Decision(None, "disabled"))

    async def _adopt(self, entry: LedgerEntry, event: Event) -> None:
        """Take over the message of another event that turned out to be this one, if the receiver got one.

        This works only within the partitions of this process; otherwise both events keep their message.
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
        """Send a message again that was given up before the request `wish` was made."""
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
        """Delete the record of a receiver that is no longer configured, once it is old."""
        moments = (record.told_at, record.failed_at, record.pending and record.pending.since)
        last = max((moment for moment in moments if moment), default=None)
        if last is not None and now - last > self._setup.keep and self._setup.owns(partition):
            await self._setup.log.forget(partition, record.key)
