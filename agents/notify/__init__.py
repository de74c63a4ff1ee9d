"""The notify stage: sends alerts to receivers, with the delivery log, silences, acknowledgements and their pages."""

from __future__ import annotations

from agents.notify.delivery_log import KafkaDeadLetters, KafkaDeliveryLog
from agents.notify.stage import NotifyStage

__all__ = ["KafkaDeadLetters", "KafkaDeliveryLog", "NotifyStage"]
