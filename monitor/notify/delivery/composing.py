"""Compose messages with what an engine knows; a message that can't be composed is a failure like any other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import structlog

from monitor.errors import DeliveryError
from monitor.notify.delivery.setup import Known, Setup
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.compose import Message, compose, gathered
from monitor.notify.replies.ack import PURPOSES, Purpose

T = TypeVar("T")
logger = structlog.get_logger()


class NotComposedError(DeliveryError):
    """The message can't be put into words: a bug of ours or a hostile event. Nothing was sent."""

    reason = "not_composed"
    retryable = False


class Composer:
    """Composes messages; whatever goes wrong is a NotComposedError."""

    def __init__(self, setup: Setup, known: Known) -> None:
        self._setup, self._known = setup, known

    def one(self, delivery: Delivery, pending: Pending) -> Message:
        """Return the message that tells what `pending` says. Raises NotComposedError."""
        return _sure(delivery.key, lambda: self._one(delivery, pending))

    def batch(self, members: Sequence[tuple[Delivery, Pending]]) -> Message:
        """Return the message that tells all members of a frozen batch. Raises NotComposedError."""
        items = tuple(self.one(delivery, pending) for delivery, pending in members)
        first = members[0][1]
        return _sure(first.sent_as, lambda: gathered(items[0].words, items, first.sent_as, first.batch))

    def _one(self, delivery: Delivery, pending: Pending) -> Message:
        words, ack = self._setup.words[delivery.receiver], self._known.acks.get(delivery.event_id)
        links = self._setup.ack_links
        urls: dict[Purpose, str] = {}
        if links and not (ack and ack.verdict):
            asked = PURPOSES if ack is None else PURPOSES[1:]
            urls = {purpose: links.link(delivery.event_id, pending.since, purpose) for purpose in asked}
        return compose(words, self._setup.policy, delivery, pending, urls=urls, ack=ack, board=self._setup.board)


def _sure(delivery_id: str, make: Callable[[], T]) -> T:
    try:
        return make()
    except Exception as error:
        logger.exception("not_composed", delivery_id=delivery_id)
        raise NotComposedError(f"{type(error).__name__}: {error}") from error
