"""`summitry deliveries`: list the delivery log, and send messages again that were given up."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import datetime
from pathlib import Path

import click

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection
from agents.cli.options import format_option
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames
from monitor.clock import service_clock
from monitor.errors import DecodeError, UnknownIdError
from monitor.kafka import BrokerSettings, producer, read_compacted
from monitor.notify.logbook import Delivery
from monitor.notify.policy.silences import Retry
from monitor.records import decode, encode

STATES = ("pending", "retrying", "sent", "failed")

_receiver = click.option("--receiver", default="", metavar="NAME", help="Only this receiver.")


@click.group(cls=CommandGroup)
def deliveries() -> None:
    """List sent and pending alerts, and send failed ones again."""


async def _read(settings: BrokerSettings, names: TopicNames) -> list[Delivery]:
    found = []
    for value in (await read_compacted(settings, names.deliveries)).values():
        with contextlib.suppress(DecodeError):
            found.append(decode(Delivery, value))
    return sorted(found, key=lambda delivery: (_latest(delivery) is None, str(_latest(delivery)), delivery.key))


def _latest(delivery: Delivery) -> datetime | None:
    return delivery.failed_at or (delivery.pending.since if delivery.pending else None) or delivery.told_at


@deliveries.command("list", short_help="Print the delivery log.")
@broker_options
@_receiver
@click.option("--state", type=click.Choice(STATES), help="Only deliveries in this state.")
@click.option("--event", "event_id", default="", metavar="ID", help="Only this event.")
@format_option
def list_deliveries(
    config_file: Path | None, broker: str | None, *, receiver: str, state: str | None, event_id: str, form: str
) -> None:
    r"""Print the delivery log: one line for each receiver and event, oldest first.

    \b
    summitry deliveries list --broker kafka://localhost:9092 --state failed
    summitry deliveries list --config summitry.yaml --format json | jq .head
    """
    _, settings, names = connection(config_file, broker)
    found = [
        delivery
        for delivery in asyncio.run(_read(settings, names))
        if receiver in {"", delivery.receiver}
        and event_id in {"", delivery.event_id}
        and state in {None, delivery.state}
    ]
    for delivery in found:
        click.echo(encode(delivery).decode() if form == "json" else _row(delivery))
    if form == "table":
        click.echo(f"{len(found)} {'delivery' if len(found) == 1 else 'deliveries'}", err=True)


def _row(delivery: Delivery) -> str:
    waiting = delivery.pending or delivery.failed
    event = waiting.event if waiting else delivery.told
    who = "+".join(participant.leader for participant in event.participants) if event else ""
    at = _latest(delivery)
    detail = ""
    if delivery.pending:
        detail = f"{delivery.pending.tell}, attempt {delivery.pending.attempts + 1} at {delivery.pending.due:%H:%M:%S}"
    error = f" ({waiting.error})" if waiting and waiting.error else ""
    when = f"{at:%Y-%m-%d %H:%M:%S}" if at else "-"
    return f"{when:<19} {delivery.state:<8} {delivery.receiver:<16} {delivery.event_id} {who} {detail}{error}".rstrip()


@deliveries.command(short_help="Send failed messages again.")
@click.argument("event_id", required=False, default="")
@broker_options
@_receiver
@click.option("--all", "everything", is_flag=True, help="All messages that were given up.")
def retry(event_id: str, config_file: Path | None, broker: str | None, receiver: str, *, everything: bool) -> None:
    r"""Ask the workers to send messages again that were given up: about EVENT_ID, to a receiver, or all.

    \b
    summitry deliveries retry --receiver desk
    summitry deliveries retry 5f3c01
    """
    if not (event_id or receiver or everything):
        raise click.UsageError("give an event id, --receiver NAME, or --all")
    _, settings, names = connection(config_file, broker)
    wish = Retry(id=f"retry|{receiver}|{event_id}", at=service_clock()(), receiver=receiver, event_id=event_id)

    async def ask() -> int:
        failed = [
            delivery
            for delivery in await _read(settings, names)
            if delivery.state == "failed"
            and receiver in {"", delivery.receiver}
            and event_id in {"", delivery.event_id}
        ]
        if failed:
            async with producer(settings) as client:
                await KafkaOutbox(client).send(names.silences, wish.id.encode(), encode(wish))
        return len(failed)

    count = asyncio.run(ask())
    if not count and not everything:
        raise UnknownIdError("no such message was given up; see `summitry deliveries list --state failed`")
    click.echo(f"asked the workers to send {count} {'message' if count == 1 else 'messages'} again")
