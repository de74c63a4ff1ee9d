"""The interface of receivers, and the errors that they raise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from monitor.errors import DeliveryError
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message


@dataclass(frozen=True)
class Traits:
    """How the delivery engine must treat a receiver.

    `edits`: whether it takes quiet updates, because it edits its message or is a machine. `concurrency`: how many
    messages may be in flight at once. `timeout`: seconds for one attempt. `settle`: seconds to wait before a message in
    doubt is looked up, since the receiver may still be processing it. `pace`: seconds between the starts of two
    attempts. `warm_up`: extra seconds for an attempt that has to start something first.
    """

    edits: bool
    concurrency: int = 1
    timeout: float = 15.0
    settle: float = 0.0
    pace: float = 0.0
    warm_up: float = 0.0


@dataclass(frozen=True)
class Lookup:
    """What a receiver knows of a message in doubt: it is `there` (then `head` is its handle), `absent`, or `unknown`.

    `unknown` is the answer of receivers that can't be asked.
    """

    state: Literal["there", "absent", "unknown"]
    head: Handle | None = None


ABSENT, UNKNOWN = Lookup("absent"), Lookup("unknown")


class Receiver(Protocol):
    """A destination of messages, such as a Slack channel or a webhook."""

    traits: Traits

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Send one message. `head` is the handle of the event's first message, None when this is the first.

        Returns the handle with which later updates find the message. Raises DeliveryError, or UncertainError when it is
        not known whether the message arrived.
        """

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Look up a message in doubt. Raises DeliveryError when the receiver does not answer."""

    async def close(self) -> None:
        """Close connections."""


class UncertainError(DeliveryError):
    """The message may have arrived: the answer was lost or came too late."""

    reason = "no_answer"


class GoneError(DeliveryError):
    """The receiver answered that it is gone (HTTP 410). Nothing more is sent to it until a user asks for it."""

    reason = "gone"
    retryable = False
