"""A receiver for tests and trials that keeps what it was sent and fails when it is told to."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from monitor.errors import DeliveryError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import ABSENT, UNKNOWN, Lookup, Traits


class FakeReceiver:
    """Takes messages after `delay` seconds and answers `linger` seconds later.

    `failures` are raised by the next attempts, before the message is taken; `lost` by those after it was taken, as when
    an answer is lost. While `down` says True every attempt fails with `refusal`. `findable` makes it one that can be
    asked, as Slack.
    """

    def __init__(
        self,
        *,
        edits: bool = True,
        concurrency: int = 1,
        delay: float = 0.0,
        linger: float = 0.0,
        findable: bool = False,
    ) -> None:
        self.traits = Traits(edits=edits, concurrency=concurrency)
        self.messages: list[Message] = []
        self.heads: list[Handle | None] = []
        self.taken_at: list[float] = []
        self.failures: deque[DeliveryError] = deque()
        self.lost: deque[DeliveryError] = deque()
        self.down: Callable[[], bool] = lambda: False
        self.refusal = DeliveryError("HTTP 503", reason="server")
        self.attempts = 0
        self.closed = False
        self._delay, self._linger, self._findable = delay, linger, findable

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Take the message, or fail."""
        self.attempts += 1
        await asyncio.sleep(self._delay)
        if self.down():
            raise self.refusal
        if self.failures:
            raise self.failures.popleft()
        self.messages.append(message)
        self.heads.append(head)
        self.taken_at.append(asyncio.get_running_loop().time())
        await asyncio.sleep(self._linger)
        if self.lost:
            raise self.lost.popleft()
        return head or {"id": message.id}

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Say whether a message was taken, when it can be asked."""
        if not self._findable:
            return UNKNOWN
        if any(taken.id == message.id for taken in self.messages):
            return Lookup("there", head or {"id": message.id})
        return ABSENT

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def ids(self) -> list[str]:
        """Return the ids of the messages, in order, repetitions included."""
        return [message.id for message in self.messages]

    def tells(self) -> list[str]:
        """Return how each message was told."""
        return [message.tell for message in self.messages]
