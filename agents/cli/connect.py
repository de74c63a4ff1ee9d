"""The options and the way to the broker that commands share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import click

from agents.stream.topics import TopicNames
from monitor.config import Config, load_config
from monitor.kafka import BrokerSettings

Command = Callable[..., None]

#: `--config FILE`, as the parameter `config_file`.
config_option = click.option(
    "--config", "config_file", metavar="FILE", type=click.Path(path_type=Path), help="The YAML configuration."
)
#: `--broker URL`, as the parameter `broker`.
broker_option = click.option(
    "--broker", metavar="URL", help="The broker instead of the configuration's: kafka://host:9092"
)


class Connection(NamedTuple):
    """The configuration, the broker that is meant, and the names of its topics."""

    config: Config
    broker: BrokerSettings
    names: TopicNames


def broker_options(command: Command) -> Command:
    """Add `--config` and `--broker` to a command."""
    return config_option(broker_option(command))


def connection(config_file: Path | None, broker: str | None) -> Connection:
    """What the two options mean. Raises ConfigError."""
    config = load_config(config_file, os.environ)
    settings = BrokerSettings.from_url(broker) if broker else BrokerSettings.from_config(config.broker)
    return Connection(config, settings, TopicNames(config.topics.prefix))
