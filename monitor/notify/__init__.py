"""Alerts: each receiver gets one message for an event, which is updated when the event changes.

`Notifier` is the delivery engine. The worker (agents/notify) passes events to it and stores its log.
"""

from __future__ import annotations

from monitor.notify.delivery.notifier import Notifier
from monitor.notify.delivery.setup import DeadLetters, NotifierSetup
from monitor.notify.logbook import Delivery, DeliveryLog, MemoryLog, Pending
from monitor.notify.policy.decision import Decision, Policy
from monitor.notify.policy.silences import Note, Retry, Silence, decode_note
from monitor.notify.receivers import Receiver, build
from monitor.notify.replies.ack import Ack, AckLinks
from monitor.notify.replies.feedback import Feedback

__all__ = [
    "Ack",
    "AckLinks",
    "DeadLetters",
    "Decision",
    "Delivery",
    "DeliveryLog",
    "Feedback",
    "MemoryLog",
    "Note",
    "Notifier",
    "NotifierSetup",
    "Pending",
    "Policy",
    "Receiver",
    "Retry",
    "Silence",
    "build",
    "decode_note",
]
