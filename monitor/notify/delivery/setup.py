"""What the delivery engine works with: one object, given once, read by every part of the engine."""

from __future__ import annotations

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

#: The steps of a delivery at which a test may end the process.
CHECKPOINTS = ("before_pending", "after_pending", "after_send", "before_sent", "after_sent")


class DeadLetters(Protocol):
    """Where messages go that were given up."""

    async def give_up(self, delivery: Delivery, pending: Pending, reason: str) -> None:
        """Set the message aside durably. Raises BrokerError."""


async def no_checkpoint(name: str) -> None:
    """Do nothing: the checkpoint of production."""


def owns_all(_partition: int) -> bool:
    """Say that every partition is ours: for an engine that is alone."""
    return True


@dataclass(frozen=True)
class Setup:
    """Everything an engine is given.

    `words` are those of each receiver. `retries` are the waits between attempts. `board` is the board's
    address, for links to events. `keep` is how long a delivery stays in
    the log after its event was closed. `owns` says whether a partition is still this process's own; it is asked right
    before each send and each write. `jitter` gives numbers in [0, 1).
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


@dataclass
class Known:
    """What an engine learns while it runs, and forgets when it ends.

    `acks` are the acknowledgements by event, `gone` the receivers that said that they are gone, `failing` those whose
    last attempt failed or that have messages set aside, `loading` the partitions whose log is being read.
    """

    acks: dict[str, Ack] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)
    failing: set[str] = field(default_factory=set)
    loading: set[int] = field(default_factory=set)
