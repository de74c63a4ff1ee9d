"""Events to receivers: the shell around the delivery engine, with its log, its notes and its pages."""

from __future__ import annotations

from agents.notify.delivery_log import GivenUp, KafkaDeliveryLog
from agents.notify.stage import NotifyStage

__all__ = ["GivenUp", "KafkaDeliveryLog", "NotifyStage"]
