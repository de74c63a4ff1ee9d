"""One module a receiver, each behind `Receiver` of base.py.

To add one:

1. its settings in monitor/config/sections.py (a class with its own `tag`, listed in `ReceiverConfig`), its checks in
   monitor/config/rules.py, its keys in docs/configuration.md;
2. its module here: `deliver`, `find`, `close` and `traits`; errors are DeliveryError with a bounded `reason`, GoneError
   when the receiver says it is gone, UncertainError when the message may have arrived; no secret in any error's text;
3. one line in `build` below;
4. a server in tests/receivers/ that behaves as the real one does, and tests over the network against it;
5. a row in the table of docs/alerts.md and, if it may repeat a message after a crash, one in docs/guarantees.md.
"""

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

# ruff: noqa: PLC0415 - a receiver's libraries are imported when it is used: some are optional, and some are slow to load


def build(config: ReceiverConfig, broker: BrokerSettings) -> Receiver:
    """Build a receiver; `broker` is the service's own. Raises ConfigError when the receiver can't be used."""
    match config:
        case ConsoleReceiver():
            from monitor.notify.receivers.console import Console

            return Console.of(config)
        case WebhookReceiver():
            from monitor.notify.receivers.webhook import Webhook

            return Webhook(config)
        case SlackBotReceiver():
            from monitor.notify.receivers.slack_bot import SlackBot

            return SlackBot(config)
        case SlackWebhookReceiver():
            from monitor.notify.receivers.slack_webhook import SlackWebhook

            return SlackWebhook(config)
        case EmailReceiver():
            from monitor.notify.receivers.mail import Email

            return Email(config)
        case AppriseReceiver():
            from monitor.notify.receivers.apprise import Apprise

            return Apprise(config)
        case KafkaReceiver():
            from monitor.notify.receivers.kafka_topic import KafkaTopic

            return KafkaTopic(config, broker)
    assert_never(config)


def takes_quiet_updates(config: ReceiverConfig) -> bool:
    """Say whether a receiver takes updates that notify nobody, without building it (`Traits.edits`)."""
    return not isinstance(config, SlackWebhookReceiver | EmailReceiver | AppriseReceiver)


__all__ = ["GoneError", "Receiver", "Traits", "UncertainError", "build", "takes_quiet_updates"]
