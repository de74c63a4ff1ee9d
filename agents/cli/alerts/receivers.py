"""`summitry receivers`: list the configured receivers, send a test message, print the JSON Schema of alerts."""

from __future__ import annotations

import asyncio
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import click

from agents.cli.command_group import CommandGroup
from agents.cli.options import config_option, format_option
from monitor.config import Config, load_config
from monitor.config.source import did_you_mean
from monitor.errors import DeliveryError, SummitryError, UnknownIdError
from monitor.kafka import BrokerSettings
from monitor.notify.logbook import Delivery, Pending
from monitor.notify.messages.cloudevents import schema as body_schema
from monitor.notify.messages.compose import Message, compose
from monitor.notify.messages.wording import words_of
from monitor.notify.policy.decision import Policy
from monitor.notify.receivers import build
from monitor.records import Event, EventSource, Participant, Place, When


@click.group(cls=CommandGroup)
def receivers() -> None:
    """List the configured receivers, or send one of them a test message."""


@receivers.command("list")
@config_option
@format_option
def list_receivers(config_file: Path | None, form: str) -> None:
    r"""Print each receiver with its type and its routes.

    \b
    summitry receivers list --config summitry.yaml
    """
    config = load_config(config_file, os.environ)
    for name, receiver in config.receivers.items():
        routes = [route.name for route in config.all_routes() if name in route.receivers]
        kind = str(receiver.__struct_config__.tag)
        if form == "json":
            click.echo(json.dumps({"name": name, "type": kind, "routes": routes}, ensure_ascii=False))
        else:
            click.echo(f"{name:<20} {kind:<14} {', '.join(routes) or 'no route names it, so it gets no alerts'}")


@receivers.command(short_help="Send a sample alert to a receiver.")
@click.argument("name")
@config_option
@click.option("--broker", metavar="URL", help="The broker for receivers of type kafka, instead of the configured one.")
def test(name: str, config_file: Path | None, broker: str | None) -> None:
    r"""Send a sample alert to the receiver NAME, and print whether the receiver accepted it.

    \b
    summitry receivers test desk --config summitry.yaml
    """
    config = load_config(config_file, os.environ)
    if name not in config.receivers:
        raise UnknownIdError(f"there is no receiver '{name}'; {did_you_mean(name, config.receivers)}")
    try:
        asyncio.run(send_test(config, name, broker))
    except SummitryError as error:
        raise click.ClickException(f"{name} did not take the message: {error}") from error
    click.echo(f"{name} took the message", err=True)


async def send_test(config: Config, name: str, broker: str | None) -> None:
    """Send a sample alert to a configured receiver. Raises DeliveryError when it fails or does not answer in time.

    `broker` is the URL of the broker for receivers of type kafka; None means the configured one.
    """
    receiver = build(config.receivers[name], _broker(config, broker))
    try:
        async with asyncio.timeout(receiver.traits.timeout + receiver.traits.warm_up):
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
    """Return a sample alert, which says that it is only a test."""
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


@receivers.command(short_help="Print the JSON Schema of the alerts.")
def schema() -> None:
    r"""Print the JSON Schema of the alerts that webhooks and Kafka topics get.

    \b
    summitry receivers schema > alert.schema.json
    """
    click.echo(json.dumps(body_schema(), indent=2, ensure_ascii=False))
