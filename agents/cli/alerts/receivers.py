"""`summitry receivers`: list what is configured, send a test message, print the schema of what machines are sent."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from agents.cli.options import config_option
from monitor.config import Config, load_config
from monitor.config.source import did_you_mean
from monitor.errors import ConfigError, DeliveryError, SummitryError
from monitor.kafka import BrokerSettings
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.cloudevents import schema as body_schema
from monitor.notify.messages.compose import Message, compose
from monitor.notify.messages.wording import words_of
from monitor.notify.policy.decision import Policy
from monitor.notify.receivers import build
from monitor.records import Event, EventSource, Participant, Place, When


@click.group()
def receivers() -> None:
    """List the receivers of the configuration, or send one of them a test message."""


@receivers.command("list")
@config_option
def list_receivers(config_file: Path | None) -> None:
    r"""Print each receiver with its type and the routes that lead to it.

    \b
    summitry receivers list --config summitry.yaml
    """
    config = load_config(config_file, os.environ)
    for name, receiver in config.receivers.items():
        routes = [route.name for route in config.all_routes() if name in route.receivers]
        click.echo(f"{name:<20} {receiver.__struct_config__.tag!s:<14} {', '.join(routes) or 'no route leads here'}")


@receivers.command()
@click.argument("name")
@config_option
@click.option("--broker", metavar="URL", help="The broker instead of the configuration's (receivers of type kafka).")
def test(name: str, config_file: Path | None, broker: str | None) -> None:
    r"""Send a sample alert to the receiver NAME, and say whether it was taken.

    \b
    summitry receivers test desk --config summitry.yaml
    """
    config = load_config(config_file, os.environ)
    if name not in config.receivers:
        raise ConfigError(
            str(config_file or "defaults"), "receivers", f"there is no '{name}'", did_you_mean(name, config.receivers)
        )
    try:
        asyncio.run(send_test(config, name, broker))
    except SummitryError as error:
        raise click.ClickException(f"{name} did not take the message: {error}") from error
    click.echo(f"{name} took the message", err=True)


async def send_test(config: Config, name: str, broker: str | None) -> None:
    """Send a receiver of the configuration a sample alert. Raises DeliveryError, also when it does not answer in time.

    `broker` is the URL of another broker than the configuration's, for receivers that write to a topic.
    """
    receiver = build(config.receivers[name], _broker(config, broker))
    try:
        async with asyncio.timeout(receiver.traits.timeout):
            await receiver.deliver(sample(config, name), None)
    except TimeoutError:
        raise DeliveryError(f"no answer within {receiver.traits.timeout:g} s", reason="timeout") from None
    finally:
        await receiver.close()


def _broker(config: Config, broker: str | None) -> BrokerSettings:
    if broker:
        return BrokerSettings.from_url(broker)
    return BrokerSettings.from_config(config.broker) if config.broker.url != "embedded" else BrokerSettings(servers=())


def sample(config: Config, name: str) -> Message:
    """Return a sample alert that looks like a real one and says that it is none."""
    now = datetime.now(UTC)
    people = ("First Leader", "Second Leader")
    event = Event(
        event_id="test",
        revision=0,
        participants=tuple(
            Participant(leader=p.lower().replace(" ", "-"), name=p, office="Sample office") for p in people
        ),
        kind="call",
        medium="video",
        status="held",
        when=When(start=now.date(), end=now.date()),
        place=Place(name="Sample City"),
        sources=(EventSource(n=1, article_id="test", url="https://example.org/", outlet="Sample Outlet", report=1),),
        publishers=1,
        reports=1,
        confidence=1.0,
        brief="This is a test of Summitry: nobody spoke to anybody [1].",
    )
    pending = Pending(event=event, tell="first", reason="first", route="test", since=now, due=now)
    delivery = Delivery(receiver=name, event_id=event.event_id)
    return compose(words_of(config)[name], Policy.of(config), delivery, pending)


@receivers.command()
def schema() -> None:
    r"""Print the JSON Schema of what webhooks and Kafka topics are sent.

    \b
    summitry receivers schema > alert.schema.json
    """
    click.echo(json.dumps(body_schema(), indent=2, ensure_ascii=False))
