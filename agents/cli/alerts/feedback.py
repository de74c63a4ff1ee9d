"""`summitry feedback`: list readers' feedback on events, or export it as labelled items."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection
from agents.cli.options import format_option
from agents.stream.topics import TopicNames
from monitor.errors import DecodeError
from monitor.kafka import BrokerSettings, read_compacted
from monitor.notify.replies.feedback import Feedback, labels
from monitor.records import Event, decode, encode


@click.group(cls=CommandGroup)
def feedback() -> None:
    """List readers' feedback on events, or export it as training data."""


@feedback.command("list")
@broker_options
@format_option
def list_feedback(config_file: Path | None, broker: str | None, form: str) -> None:
    r"""Print readers' feedback, the oldest first.

    \b
    summitry feedback list --config summitry.yaml
    """
    _, settings, names = connection(config_file, broker)
    for said in asyncio.run(_feedback(settings, names)):
        row = f"{said.at:%Y-%m-%d %H:%M} {said.verdict:<14} {said.event_id} {said.by}: {said.comment}".rstrip(": ")
        click.echo(encode(said).decode() if form == "json" else row)


@feedback.command()
@broker_options
def export(config_file: Path | None, broker: str | None) -> None:
    r"""Print labelled items as JSON lines, made from readers' feedback.

    For feedback `wrong`, each article of the event becomes an item without a contact; for `right`, an item with it. An
    article of another event gives pairs of titles with `same_event` 0. Events are read from the topic of events.

    \b
    summitry feedback export --config summitry.yaml > corrections.jsonl
    """
    _, settings, names = connection(config_file, broker)
    for line in asyncio.run(_labels(settings, names)):
        click.echo(line)


async def _feedback(settings: BrokerSettings, names: TopicNames) -> list[Feedback]:
    found = []
    for value in (await read_compacted(settings, names.feedback)).values():
        with contextlib.suppress(DecodeError):
            found.append(decode(Feedback, value))
    return sorted(found, key=lambda said: said.at)


async def _labels(settings: BrokerSettings, names: TopicNames) -> list[str]:
    said = await _feedback(settings, names)
    wanted = {each.event_id for each in said}
    events = {}
    for key, value in (await read_compacted(settings, names.events)).items() if wanted else ():
        if key in wanted:
            with contextlib.suppress(DecodeError):
                events[key] = decode(Event, value)
    return list(_lines(said, events))


def _lines(said: list[Feedback], events: dict[str, Event]) -> Iterator[str]:
    """Yield one line for each item; the latest feedback on an item counts."""
    lines: dict[tuple[str, str, str], str] = {}
    for each in said:
        if event := events.get(each.event_id):
            for label in labels(each, event):
                lines[label.id, label.a, label.b] = msgspec.json.encode(label).decode()
    yield from lines.values()
