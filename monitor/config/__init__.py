"""One YAML file, environment overrides, secrets from files: `load_config`.

    config = load_config(Path("summitry.yaml"), os.environ)

A mistake is a ConfigError of one line: `FILE:LINE: KEY: PROBLEM; FIX`.
"""

from __future__ import annotations

from monitor.config.load import load_config, shown
from monitor.config.secret import Secret
from monitor.config.sections import (
    Acknowledge,
    Alerts,
    AppriseReceiver,
    Assembly,
    Broker,
    Config,
    ConsoleReceiver,
    Detection,
    Digest,
    EmailReceiver,
    Heartbeat,
    KafkaReceiver,
    Log,
    Match,
    Poller,
    QuietHours,
    ReceiverConfig,
    Reminder,
    Route,
    Security,
    SilenceRule,
    SlackBotReceiver,
    SlackWebhookReceiver,
    Storm,
    Threshold,
    Topics,
    Web,
    WebhookReceiver,
)

__all__ = [
    "Acknowledge",
    "Alerts",
    "AppriseReceiver",
    "Assembly",
    "Broker",
    "Config",
    "ConsoleReceiver",
    "Detection",
    "Digest",
    "EmailReceiver",
    "Heartbeat",
    "KafkaReceiver",
    "Log",
    "Match",
    "Poller",
    "QuietHours",
    "ReceiverConfig",
    "Reminder",
    "Route",
    "Secret",
    "Security",
    "SilenceRule",
    "SlackBotReceiver",
    "SlackWebhookReceiver",
    "Storm",
    "Threshold",
    "Topics",
    "Web",
    "WebhookReceiver",
    "load_config",
    "shown",
]
