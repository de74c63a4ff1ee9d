"""The settings of a notifier and its parts (`NotifierSetup`), and the state that they share (`NotifierState`)."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

from monitor.clock import Clock, real_clock
from monitor.config import Storm
from monitor.notify.logbook import Delivery, DeliveryLog, Pending
from monitor.notify.messages.wording import Wording
from monitor.notify.policy.decision import Policy
from monitor.notify.receivers.base import Receiver
from monitor.notify.replies.ack import Ack, AckLinks

#: Steps of a delivery at which a test can kill the process.
CHECKPOINTS = ("before_pending", "after_pending", "after_send", "before_sent", "after_sent")


class DeadLetters(Protocol):
    """Stores messages that were given up."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Write a dead letter; return once it is stored. Raises BrokerError."""


async def no_checkpoint(name: str) -> None:
    """Do nothing. This is the checkpoint in production."""


def owns_all(_partition: int) -> bool:
    """Return True for every partition, for a notifier without other workers."""
    return True


@dataclass(frozen=True)
class NotifierSetup:
    """The parts and settings of a notifier.

    `words` has the texts of messages for each receiver. `retries` are the waits between attempts. `board` is the URL of
    the board, for links to events. `keep` is how long a delivery stays in the log after its event was closed. `owns`
    says whether this process still owns a partition; it is called right before each send and each write. `jitter`
    returns random numbers from 0 to 1. `turn` is held while a suspect is processed, so that there is one at a time.
    """

    policy: Policy
    receivers: Mapping[str, Receiver]
    log: DeliveryLog
    words: Mapping[str, Wording]
    retries: tuple[timedelta, ...]
    dead_letters: DeadLetters
    storm: Storm | None = None
    ack_links: AckLinks | None = None
    board: str = ""
    keep: timedelta = timedelta(days=14)
    owns: Callable[[int], bool] = owns_all
    clock: Clock = real_clock
    jitter: Callable[[], float] = random.random
    checkpoint: Callable[[str], Awaitable[None]] = no_checkpoint
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass
class NotifierState:
    """The state that the parts of a notifier share while it runs.

    `acks` are the acknowledgements by event id. `gone` are the receivers that answered that they are gone. `failing`
    are those whose last attempt failed or that have messages set aside. `loading` are the partitions whose log is being
    read.
    """

    acks: dict[str, Ack] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    loading: set[int] = field(default_factory=set)
