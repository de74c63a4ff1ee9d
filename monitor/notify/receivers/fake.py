"""A receiver for tests and backtests that keeps its messages in memory and can be made to fail."""

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

    The next attempts raise the errors in `failures` before the message is taken, or those in `lost` afterwards, as when
    an answer is lost. While `down()` is True every attempt raises `refusal`. With `findable` it can be asked for
    messages in doubt, as Slack can.
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
        """Store the message, or raise a prepared error."""
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
        """Return whether a message was taken; UNKNOWN unless `findable`."""
        if not self._findable:
            return UNKNOWN
        if any(taken.id == message.id for taken in self.messages):
            return Lookup("there", head or {"id": message.id})
        return ABSENT

    async def close(self) -> None:
        """Note that it was closed."""
        self.closed = True

    def ids(self) -> list[str]:
        """Return the ids of the messages in order, including repetitions."""
        return [message.id for message in self.messages]

    def tells(self) -> list[str]:
        """Return the kind (`Message.tell`) of each message."""
        return [message.tell for message in self.messages]
