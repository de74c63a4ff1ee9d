"""Load the configuration from a YAML file, with overrides from environment variables and secrets from files.

    config = load_config(Path("summitry.yaml"), os.environ)

A mistake is raised as a ConfigError with one line: `FILE:LINE: KEY: PROBLEM; FIX`.
"""

from __future__ import annotations

from monitor.config.loading import load_config, shown
from monitor.config.secret import Secret
from monitor.config.sections import (
    Acknowledge,
    Alerts,
    AppriseReceiver,
    BoardSettings,
    Broker,
    Config,
    ConsoleReceiver,
    Detection,
    Digest,
    EmailReceiver,
    HeartbeatSettings,
    KafkaReceiver,
    Log,
    Match,
    PollerSettings,
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
    TopicSettings,
    Tracing,
    Web,
    WebhookReceiver,
)

__all__ = [
    "Acknowledge",
    "Alerts",
    "AppriseReceiver",
    "BoardSettings",
    "Broker",
    "Config",
    "ConsoleReceiver",
    "Detection",
    "Digest",
    "EmailReceiver",
    "HeartbeatSettings",
    "KafkaReceiver",
    "Log",
    "Match",
    "PollerSettings",
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
    "TopicSettings",
    "Tracing",
    "Web",
    "WebhookReceiver",
    "load_config",
    "shown",
]
