"""Read the configuration and the broker from a command's options `--config` and `--broker`."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from agents.cli.options import broker_option, config_option
from agents.stream.topics import TopicNames
from monitor.config import Config, load_config
from monitor.kafka import BrokerSettings

if TYPE_CHECKING:
    from monitor.watchlist import Watchlist

Command = Callable[..., None]


class BrokerConnection(NamedTuple):
    """The configuration, the settings of the broker, and the names of its topics."""

    config: Config
    broker: BrokerSettings
    names: TopicNames


def broker_options(command: Command) -> Command:
    """Add `--config` and `--broker` to a command."""
    return config_option(broker_option(command))


def connection(config_file: Path | None, broker: str | None) -> BrokerConnection:
    """Load the configuration, and the broker's settings from `broker` if given. Raises ConfigError."""
    config = load_config(config_file, os.environ)
    settings = BrokerSettings.from_url(broker) if broker else BrokerSettings.from_config(config.broker)
    return BrokerConnection(config, settings, TopicNames(config.topics.prefix))


def people_of(config: Config) -> Watchlist:
    """Return the watchlist of a configuration, or the bundled roster. Raises ConfigError."""
    from monitor.watchlist import load_or_bundled  # noqa: PLC0415  # the roster is large

    return load_or_bundled(config.watchlist)
