"""`summitry topics`: create, list, back up and restore the topics, and print the rights that processes need."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import asdict
from pathlib import Path

import click

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection
from agents.cli.operate.copies import backup, restore
from agents.cli.options import config_option, format_option
from agents.pollers.feed_topics import put_feeds
from agents.stream.rights import PARTS, Part, commands, rights_of
from agents.stream.topics import create as create_topics
from agents.stream.topics import declare
from monitor.config import load_config
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.kafka import BrokerSettings, wait_for_broker


@click.group(cls=CommandGroup)
def topics() -> None:
    """Create, list, back up and restore the Kafka topics of the service."""


@topics.command()
@click.option("--feeds", "with_feeds", is_flag=True, help="Also write the configured lists of feeds to their topic.")
@broker_options
def create(config_file: Path | None, broker: str | None, *, with_feeds: bool) -> None:
    r"""Create missing topics. It is safe to repeat.

    With --feeds the configured feeds are added, so that pollers have something to poll. Without it, add feeds with
    `summitry feeds import`.

    \b
    summitry topics create --broker kafka://localhost:9092
    summitry topics create --feeds --config summitry.yaml
    """
    config, settings, names = connection(config_file, broker)
    wanted = load_feeds(config.feeds) if with_feeds else ()

    async def run() -> list[str]:
        await wait_for_broker(settings, config.broker.connect_timeout.total_seconds())
        made = await create_topics(settings, config.topics)
        if wanted:
            written, _ = await put_feeds(settings, names.feeds, wanted)
            click.echo(f"{len(wanted)} feeds: {written} written, {len(wanted) - written} unchanged")
        return made

    made = asyncio.run(run())
    for name in made:
        click.echo(f"created {name}")
    click.echo(f"{len(made)} topics created, {len(declare(config.topics)) - len(made)} existed already")


@topics.command("list", short_help="Print the topics as declared.")
@config_option
@format_option
def list_topics(config_file: Path | None, form: str) -> None:
    r"""Print the topics as the configuration declares them, without connecting to a broker.

    \b
    summitry topics list --config summitry.yaml
    """
    for topic in declare(load_config(config_file, os.environ).topics):
        if form == "json":
            click.echo(json.dumps(asdict(topic)))
            continue
        settings = " ".join(f"{key}={value}" for key, value in sorted(topic.config.items()))
        click.echo(f"{topic.name:<28} {topic.partitions:>3} {settings}")


@topics.command("rights", short_help="Print the rights that each process needs.")
@click.argument("parts", metavar="[topics|poller|worker|board]...", nargs=-1, type=click.Choice(PARTS))
@click.option("--user", metavar="NAME", default="summitry-{part}", show_default=True, help="The user to give them to.")
@broker_options
def rights(parts: tuple[Part, ...], user: str, config_file: Path | None, broker: str | None) -> None:
    r"""Print the rights that each process needs on the broker, as `kafka-acls.sh` commands. Connects to no broker.

    \b
    summitry topics rights --config summitry.yaml
    summitry topics rights worker --user desk
    """
    config = load_config(config_file, os.environ)
    url = broker or ("HOST:9092" if config.broker.url == "embedded" else config.broker.url)
    servers = ",".join(BrokerSettings.from_url(url).servers)
    for part in parts or PARTS:
        click.echo(f"# {part}")
        for command in commands(rights_of(part, config), user.replace("{part}", part), servers):
            click.echo(command)


topics.add_command(backup)
topics.add_command(restore)
