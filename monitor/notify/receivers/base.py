"""What a receiver is, and what goes wrong with one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from monitor.errors import DeliveryError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message


@dataclass(frozen=True)
class Traits:
    """How the delivery engine must treat a receiver.

    `edits`: takes quiet updates, since it edits its message or is a machine. `concurrency`: messages in flight at once.
    `timeout`: seconds for one attempt. `settle`: seconds to wait before an in-doubt message is looked up, for an answer
    that was lost may still be under way at the receiver. `pace`: seconds between the beginnings of two attempts.
    """

    edits: bool
    concurrency: int = 1
    timeout: float = 15.0
    settle: float = 0.0
    pace: float = 0.0


@dataclass(frozen=True)
class Lookup:
    """What a receiver says of an in-doubt message: it is `there`, with what an update needs to find it, or `absent`.

    `unknown` is the answer of a receiver that can't be asked.
    """

    state: Literal["there", "absent", "unknown"]
    head: Handle | None = None


ABSENT, UNKNOWN = Lookup("absent"), Lookup("unknown")


class Receiver(Protocol):
    """One place that takes messages."""

    traits: Traits

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Send one message; `head` is what `deliver` gave back for the event's first message, None for the first.

        Returns what a later update needs to find the message. Raises DeliveryError, or UncertainError when it is not
        known whether the message arrived.
        """

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Look up an in-doubt message. Raises DeliveryError when the receiver does not answer."""

    async def close(self) -> None:
        """Let connections go."""


class UncertainError(DeliveryError):
    """The message may have arrived: the answer was lost or came too late."""

    reason = "no_answer"


class GoneError(DeliveryError):
    """The receiver says that it is gone for good: nothing more is sent to it."""

    reason = "gone"
    retryable = False
