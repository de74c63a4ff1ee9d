"""Alerts: one message for one event and receiver, updated in place, through any failure.

`make_notifier` builds the engine of a configuration; the worker feeds it events and the log (agents/notify.py).
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Mapping

from monitor.clock import Clock, real_clock
from monitor.config import Config
from monitor.notify.ack import Ack, AckLinks
from monitor.notify.log import Delivery, DeliveryLog, MemoryLog, Pending
from monitor.notify.notifier import DeadLetters, Notifier, no_checkpoint
from monitor.notify.policy import Decision, Policy
from monitor.notify.receivers import Receiver, build
from monitor.notify.silences import Note, Retry, Silence
from monitor.notify.wording import wording


def make_notifier(
    config: Config,
    log: DeliveryLog,
    dead_letters: DeadLetters,
    *,
    clock: Clock = real_clock,
    receivers: Mapping[str, Receiver] | None = None,
    jitter: Callable[[], float] = random.random,
    checkpoint: Callable[[str], Awaitable[None]] = no_checkpoint,
) -> Notifier:
    """The delivery engine of a configuration. Call it inside a running event loop."""
    alerts = config.alerts
    if receivers is None:
        receivers = {name: build(settings) for name, settings in config.receivers.items()}
    return Notifier(
        Policy.of(config),
        receivers,
        log,
        wording(alerts.templates),
        retries=alerts.retries,
        dead_letters=dead_letters,
        storm=alerts.storm,
        ack_links=AckLinks(alerts.acknowledge) if alerts.acknowledge else None,
        clock=clock,
        jitter=jitter,
        checkpoint=checkpoint,
    )


__all__ = [
    "Ack",
    "AckLinks",
    "DeadLetters",
    "Decision",
    "Delivery",
    "DeliveryLog",
    "MemoryLog",
    "Note",
    "Notifier",
    "Pending",
    "Policy",
    "Receiver",
    "Retry",
    "Silence",
    "build",
    "make_notifier",
]
