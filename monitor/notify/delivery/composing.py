"""Compose messages, and set aside those that can't be composed or that kill their process.

Composing or rendering a hostile message may kill the whole process (an endless loop in C, all memory used), which no
`except` can catch. So a message that was already due when its partition was assigned is a *suspect*: the process that
had it before may have died from it. Before such a message is processed, its record counts a crash in advance; the count
is taken back once the message was processed. Only one suspect is processed at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from msgspec.structs import replace

from monitor.errors import BrokerError, DeliveryError
from monitor.notify.delivery.ledger import Ledger, LedgerEntry
from monitor.notify.delivery.setup import NotifierSetup, NotifierState
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.replies.ack import PURPOSES, Purpose

T = TypeVar("T")
logger = structlog.get_logger()

#: A message is set aside after this many crashes.
MAX_CRASHES = 3
#: After this many seconds an attempt only waits for the network, so a crash would have another cause.
_COMES_THROUGH = 1.0


class NotComposedError(DeliveryError):
    """The message can't be composed, because of a bug of ours or a hostile event. Nothing was sent."""

    reason = "not_composed"
    retryable = False


class DeadlyMessageError(DeliveryError):
    """Several processes died while they handled this message; it is not tried again."""

    reason = "deadly"
    retryable = False


class SuspectCounter:
    """Counts crashes around the processing of suspects; other messages are not affected."""

    def __init__(self, ledger: Ledger, turn: asyncio.Lock) -> None:
        self._ledger, self._turn = ledger, turn

    @asynccontextmanager
    async def in_hand(self, entries: Iterable[LedgerEntry], *, last: bool = False) -> AsyncIterator[None]:
        """Wrap a step that may kill the process, such as rendering the messages of `entries`.

        After the `last` step they are not suspects any more. Raises BrokerError when the count can't be written.
        """
        deaths = {id(e): (e, e.delivery.pending.deaths) for e in entries if e.suspect and e.delivery.pending}
        if not deaths:
            yield
            return
        async with contextlib.AsyncExitStack() as held:
            await held.enter_async_context(self._turn)
            for entry, before in deaths.values():
                await self._count(entry, before, before + 1)

            async def come_through() -> None:
                for entry, before in deaths.values():
                    with contextlib.suppress(BrokerError):  # the count is one too high until the next attempt
                        await self._count(entry, before + 1, before)
                await held.aclose()

            async def wait() -> None:
                await asyncio.sleep(_COMES_THROUGH)
                await come_through()

            waiting = asyncio.create_task(wait())
            try:
                yield
            finally:
                waiting.cancel()
                try:
                    await asyncio.gather(waiting, return_exceptions=True)
                finally:
                    await come_through()
                for entry, _ in deaths.values():
                    entry.suspect = entry.suspect and not last

    async def _count(self, entry: LedgerEntry, before: int, deaths: int) -> None:
        """Write the number of crashes, unless the message was replaced or its count has changed."""
        async with entry.lock:
            pending = entry.delivery.pending
            if pending is not None and pending.deaths == before:
                counted = replace(entry.delivery, pending=replace(pending, deaths=deaths))
                await self._ledger.store_now(entry, counted)


def check_crashes(pending: Pending) -> None:
    """Check the crashes that a message caused. Raises DeadlyMessageError when there are too many."""
    if pending.deaths >= MAX_CRASHES:
        raise DeadlyMessageError(f"{pending.deaths} processes died while they handled this message; it is set aside")


class Composer:
    """Composes messages. Any error is raised as NotComposedError."""

    def __init__(self, setup: NotifierSetup, known: NotifierState) -> None:
        self._setup, self._known = setup, known

    def one(self, delivery: Delivery, pending: Pending) -> Message:
        """Return the message for `pending`. Raises NotComposedError."""
        return _sure(delivery.key, lambda: self._one(delivery, pending))

    def batch(self, members: Sequence[tuple[Delivery, Pending]]) -> Message:
        """Return the common message of all members of a frozen batch. Raises NotComposedError."""
        items = tuple(self.one(delivery, pending) for delivery, pending in members)
        first = members[0][1]
        return _sure(first.sent_as, lambda: gathered(items[0].words, items, first.sent_as, first.batch))

    def _one(self, delivery: Delivery, pending: Pending) -> Message:
        words, ack = self._setup.words[delivery.receiver], self._known.acks.get(delivery.event_id)
        links = self._setup.ack_links
        urls: dict[Purpose, str] = {}
        if links and not (ack and ack.verdict):
            asked = PURPOSES if ack is None else PURPOSES[1:]
            urls = {purpose: links.link(delivery.event_id, pending.since, purpose, words.language) for purpose in asked}
        return compose(words, self._setup.policy, delivery, pending, urls=urls, ack=ack, board=self._setup.board)


def _sure(delivery_id: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Exception as error:
        logger.exception("not_composed", delivery_id=delivery_id)
        raise NotComposedError(f"{type(error).__name__}: {error}") from error
