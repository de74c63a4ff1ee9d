"""Alerts: one message for one event and receiver, updated in place, through any failure.

`Notifier` is the engine; the worker feeds it events and keeps its log (agents/notify.py).
"""

from __future__ import annotations

from monitor.notify.ack import Ack, AckLinks
from monitor.notify.log import Delivery, DeliveryLog, MemoryLog, Pending
from monitor.notify.notifier import Notifier
from monitor.notify.policy import Decision, Policy
from monitor.notify.receivers import Receiver, build
from monitor.notify.sender import DeadLetters
from monitor.notify.silences import Note, Retry, Silence

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
]
