"""Send batches: collect the messages of a batch and send them as one, repeat a batch in doubt, or take it apart."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from msgspec.structs import replace

from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery import batch
from monitor.notify.delivery.attempt import Attempts, NotOursError, attempted
from monitor.notify.delivery.composing import (
    MAX_CRASHES,
    Composer,
    DeadlyMessageError,
    NotComposedError,
    SuspectCounter,
    check_crashes,
)
from monitor.notify.delivery.ledger import Ledger, LedgerEntry
from monitor.notify.delivery.result_recorder import Members, ResultRecorder
from monitor.notify.delivery.setup import NotifierSetup, NotifierState
from monitor.notify.delivery.work_queue import WorkQueue
from monitor.notify.logbook import Handle, Pending
from monitor.notify.messages.compose import Message

#: The most messages of one batch.
_MAX_BATCH = 30
#: How long a member that is still pending waits before its queue handles it again.
_SOON = timedelta(seconds=1)


class BatchSender:
    """Sends messages that belong to a batch. It calls `alone` for a message whose batch has no other member."""

    def __init__(
        self,
        setup: NotifierSetup,
        ledger: Ledger,
        queues: Mapping[str, WorkQueue],
        results: ResultRecorder,
        known: NotifierState,
        *,
        attempts: Attempts,
        composer: Composer,
        suspects: SuspectCounter,
        alone: Callable[[LedgerEntry], Awaitable[None]],
    ) -> None:
        self._setup, self._ledger, self._queues, self._results, self._known = setup, ledger, queues, results, known
        self._attempts, self._composer, self._suspects, self._alone = attempts, composer, suspects, alone

    async def send(self, entry: LedgerEntry, pending: Pending) -> None:
        """Send all due messages of the batch of `pending` as one message."""
        members = await self._gathered(entry, pending)
        try:
            fit = await self._composed(members)
            if len(fit) < 2:
                for alone in fit:
                    await self._alone(alone)
                return
            waiting = {each.delivery.key: each.delivery.pending for each in fit if each.delivery.pending}
            for key, message in batch.frozen(entry.delivery.receiver, waiting).items():
                each = self._ledger.entries.get(key)
                if each is None:
                    raise NotOursError
                async with each.lock:
                    await self._ledger.store_now(each, replace(each.delivery, pending=message))
            await self._send_frozen(fit)
        finally:
            self._release(members)

    async def resume(self, entry: LedgerEntry, pending: Pending) -> None:
        """Continue with a frozen batch: find out whether it arrived, send it again unchanged, or take it apart."""
        members = [entry]
        for other in self._ledger.of(entry.delivery.receiver):
            async with other.lock:
                waiting = other.delivery.pending
                if other is not entry and waiting and waiting.sent_as == pending.sent_as and not other.busy:
                    other.busy = True
                    self._queues[entry.delivery.receiver].drop(other.delivery.key)
                    members.append(other)
        try:
            records = {key: each.delivery for key, each in self._ledger.entries.items()}
            state, head = batch.state_of(pending, records)
            if all(each.deaths >= MAX_CRASHES for _, each in _waiting(members)):
                await self._take_apart(members, batch.alone)  # one of them may be deadly; alone it will show which
            elif state == "arrived":
                await self._results.succeeded(_waiting(members), head)
            elif len(fit := await self._composed(members)) < len(members):
                await self._take_apart(fit)
            elif state == "whole":
                await self._send_frozen(members)
            elif state == "apart" and self._known.loading:
                raise NotOursError  # a partition is being loaded, and the missing members may come with it
            elif state == "apart" and (head := await self._find_frozen(members)):
                await self._results.succeeded(_waiting(members), head)
            else:
                await self._take_apart(members)
        finally:
            self._release(members)

    async def _gathered(self, entry: LedgerEntry, pending: Pending) -> list[LedgerEntry]:
        """Return the entry and the other due entries of its batch, and mark all of them as busy."""
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
                    self._queues[entry.delivery.receiver].drop(other.delivery.key)
                    members.append(other)
        return members

    async def _composed(self, members: list[LedgerEntry]) -> list[LedgerEntry]:
        """Return the members that can be composed; set the others aside, so that they do not block the batch."""
        fit = []
        for each, pending in _waiting(members):
            try:
                check_crashes(pending)
                async with self._suspects.in_hand([each]):
                    self._composer.one(each.delivery, pending)
            except (NotComposedError, DeadlyMessageError) as error:
                await self._results.failed([(each, pending)], error)
            else:
                fit.append(each)
        return fit

    async def _send_frozen(self, members: list[LedgerEntry]) -> None:
        """Send a frozen batch all of whose members are in this process."""
        waiting, name = _waiting(members), members[0].delivery.receiver
        with attempted(waiting[0][1], name, [pending.trace for _, pending in waiting[1:]]):
            await self._attempt_frozen(name, members, waiting)

    async def _attempt_frozen(self, name: str, members: list[LedgerEntry], waiting: Members) -> None:
        try:
            message = self._compose_batch(waiting)
            if any(pending.doubt for _, pending in waiting):
                lookup = await self._attempts.find(name, message, None)
                if lookup.state == "there":
                    await self._results.succeeded(waiting, {**(lookup.head or {}), "batch": message.id})
                    return
            in_hand = self._suspects.in_hand(members, last=True)
            partitions = {each.partition for each in members}
            head = await self._attempts.deliver(name, partitions, message, None, in_hand=in_hand)
        except DeliveryError as error:
            await self._results.failed(waiting, error)
        else:
            await self._results.succeeded(waiting, {**(head or {}), "batch": message.id})

    async def _find_frozen(self, members: list[LedgerEntry]) -> Handle | None:
        """Ask the receiver for a batch of which other workers own members; None if it did not arrive or is unknown."""
        message = self._compose_batch(_waiting(members))
        try:
            lookup = await self._attempts.find(members[0].delivery.receiver, message, None)
        except DeliveryError as error:
            raise BrokerError(f"the receiver can't be asked: {error}") from error
        return {**(lookup.head or {}), "batch": message.id} if lookup.state == "there" else None

    def _compose_batch(self, waiting: Members) -> Message:
        return self._composer.batch([(each.delivery, pending) for each, pending in waiting])

    async def _take_apart(
        self, members: list[LedgerEntry], become: Callable[[Pending], Pending] = batch.unfrozen
    ) -> None:
        now = self._setup.clock()
        for each in members:
            async with each.lock:
                delivery, pending = each.delivery, each.delivery.pending
                if pending is None:
                    continue
                delivery = replace(delivery, pending=replace(become(pending), due=now))
                await self._ledger.store_surely(each, await self._results.caught_up(delivery))

    def _release(self, members: list[LedgerEntry]) -> None:
        """Mark the members of a batch as not busy, and queue those that are still pending."""
        for each in members:
            each.busy = False
            pending = each.delivery.pending
            if pending and self._ledger.entries.get(each.delivery.key) is each:
                queue = self._queues[each.delivery.receiver]
                if not queue.has(each.delivery.key):
                    queue.put(each.delivery.key, max(pending.due, self._setup.clock() + _SOON))


def _waiting(members: list[LedgerEntry]) -> Members:
    return [(each, each.delivery.pending) for each in members if each.delivery.pending is not None]
