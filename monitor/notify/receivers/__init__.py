"""The receivers: one module for each, all with the interface `Receiver` of base.py. CONTRIBUTING.md: how to add one."""

from __future__ import annotations

from typing import assert_never

from monitor.config import (
    AppriseReceiver,
    ConsoleReceiver,
    EmailReceiver,
    KafkaReceiver,
    ReceiverConfig,
    SlackBotReceiver,
    SlackWebhookReceiver,
    WebhookReceiver,
)
from monitor.kafka import BrokerSettings
from monitor.notify.receivers.base import GoneError, Receiver, Traits, UncertainError

# ruff: noqa: PLC0415 - the library of a receiver is imported only when it is used: some are optional, some are slow


def build(config: ReceiverConfig, broker: BrokerSettings) -> Receiver:
    """Build a receiver. `broker` is the service's own broker. Raises ConfigError, e.g. when a package is missing."""
    match config:
        case ConsoleReceiver():
            from monitor.notify.receivers.console import Console

            return Console.of(config)
        case WebhookReceiver():
            from monitor.notify.receivers.webhook import Webhook

            return Webhook(config)
        case SlackBotReceiver():
            from monitor.notify.receivers.slack.slack_bot import SlackBot

            return SlackBot(config)
        case SlackWebhookReceiver():
            from monitor.notify.receivers.slack.slack_webhook import SlackWebhook

            return SlackWebhook(config)
        case EmailReceiver():
            from monitor.notify.receivers.mail import Email

            return Email(config)
        case AppriseReceiver():
            from monitor.notify.receivers.apprise import AppriseService

            return AppriseService(config)
        case KafkaReceiver():
            from monitor.notify.receivers.kafka_topic import KafkaTopic

            return KafkaTopic(config, broker)
    assert_never(config)


def takes_quiet_updates(config: ReceiverConfig) -> bool:
    """Tell whether a receiver takes updates that notify nobody (`Traits.edits`), without building it."""
    return not isinstance(config, SlackWebhookReceiver | EmailReceiver | AppriseReceiver)


__all__ = ["GoneError", "Receiver", "Traits", "UncertainError", "build", "takes_quiet_updates"]
