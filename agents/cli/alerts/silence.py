"""`summitry silence`: suppress alerts about some events for a while."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import os
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import cast

import click
import msgspec

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection, people_of
from agents.cli.options import DURATION, country_option, format_option, split_names, with_option
from agents.process.config_names import match_with_ids
from agents.stream.outbox import KafkaOutbox
from monitor.clock import service_clock
from monitor.config import Config, Match, load_config
from monitor.config.rules import match_mistakes
from monitor.errors import ConfigError, DecodeError, UnknownIdError
from monitor.kafka import BrokerSettings, producer, read_compacted
from monitor.notify import Silence, decode_note
from monitor.notify.policy.silences import configured
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, EventStatus, Kind, Medium, encode
from monitor.watchlist.selection import NameIndex, name_index


@click.group(cls=CommandGroup)
def silence() -> None:
    """Suppress alerts about some events for a while. Running workers apply it within a second."""


@silence.command(short_help="Add a silence.")
@broker_options
@with_option
@click.option("--pair", "pairs", multiple=True, metavar="NAME+NAME", help="Only events of both: putin+xi. Repeatable.")
@country_option
@click.option("--kind", "kinds", multiple=True, type=click.Choice(KINDS), help="Only this kind. Repeatable.")
@click.option("--medium", "media", multiple=True, type=click.Choice(MEDIA), help="Only this medium. Repeatable.")
@click.option(
    "--status", "statuses", multiple=True, type=click.Choice(EVENT_STATUSES), help="Only this status. Repeatable."
)
@click.option("--forum", "forums", multiple=True, metavar="NAME", help="Only this forum, as G20. Repeatable.")
@click.option("--receiver", "receivers", multiple=True, metavar="NAME", help="Only for this receiver. Repeatable.")
@click.option("--for", "length", type=DURATION, required=True, help="How long: 30m, 4h, 2d.")
@click.option("--reason", required=True, metavar="TEXT", help="The reason, shown in the list of silences.")
def add(
    config_file: Path | None,
    broker: str | None,
    *,
    leaders: tuple[str, ...],
    pairs: tuple[str, ...],
    countries: tuple[str, ...],
    kinds: tuple[str, ...],
    media: tuple[str, ...],
    statuses: tuple[str, ...],
    forums: tuple[str, ...],
    receivers: tuple[str, ...],
    length: timedelta,
    reason: str,
) -> None:
    r"""Suppress alerts about the events that match every given option.

    Of a repeated option one value is enough. The exception is --with: all that it names must take part. It takes one
    leader, two leaders, or a leader and a state.

    \b
    summitry silence add --with putin,xi --for 4h --reason "covered live"
    summitry silence add --kind visit --country FR --receiver desk --for 2d --reason "state visit"
    """
    people = people_of(load_config(config_file, os.environ))
    named, states = _leaders_and_states(split_names(leaders), name_index(people))
    match = Match(
        leaders=named if len(named) == 1 else (),
        pairs=(*pairs, "+".join(named)) if len(named) == 2 else pairs,
        countries=(*countries, *states),
        kinds=cast("tuple[Kind, ...]", kinds),
        media=cast("tuple[Medium, ...]", media),
        statuses=cast("tuple[EventStatus, ...]", statuses),
        forums=forums,
    )
    if match == Match():
        raise click.UsageError("give an option that selects events, such as --with xi")
    for keys, problem, fix in match_mistakes(match, ()):
        raise ConfigError("silence add", str(keys[0]), problem, fix)
    match = match_with_ids(match, people, service_clock()().date(), "silence add")
    _, settings, names = connection(config_file, broker)
    now = service_clock()()
    made = Silence(
        id=uuid.uuid4().hex[:8],
        match=match,
        until=now + length,
        reason=reason,
        receivers=receivers,
        by=getpass.getuser(),
        since=now,
    )
    asyncio.run(_write(settings, names.silences, made.id, encode(made)))
    click.echo(f"{made.id} until {made.until:%Y-%m-%d %H:%M} UTC")


def _leaders_and_states(names: list[str], index: NameIndex) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the names of `--with` into leaders and states.

    Raises UnknownNameError for an unknown name, click.UsageError for too many names.
    """
    states = tuple(name for name in names if not index.select(name).leaders)
    leaders = tuple(name for name in names if name not in states)
    if len(leaders) > 2 or len(states) > 1:
        raise click.UsageError("--with takes one leader, two leaders, or a leader and a state")
    return leaders, states


async def _write(settings: BrokerSettings, topic: str, key: str, value: bytes | None) -> None:
    async with producer(settings) as client:
        await KafkaOutbox(client).send(topic, key.encode(), value)


async def _read(settings: BrokerSettings, topic: str) -> list[Silence]:
    found = []
    for value in (await read_compacted(settings, topic)).values():
        with contextlib.suppress(DecodeError):
            note = decode_note(value)
            if isinstance(note, Silence):
                found.append(note)
    return sorted(found, key=lambda each: each.until)


@silence.command("list", short_help="Print all silences.")
@broker_options
@click.option("--all", "everything", is_flag=True, help="Also silences that have ended.")
@format_option
def list_silences(config_file: Path | None, broker: str | None, form: str, *, everything: bool) -> None:
    r"""Print all silences, those of the configuration included, in the order of their end.

    \b
    summitry silence list --config summitry.yaml
    """
    config, settings, names = connection(config_file, broker)
    found = asyncio.run(_read(settings, names.silences))
    for line in lines_of(config, found, service_clock()(), form, everything=everything):
        click.echo(line)


def lines_of(config: Config, found: Iterable[Silence], now: datetime, form: str, *, everything: bool) -> list[str]:
    """Return a line for each silence of the configuration and of the topic; without `everything` only active ones."""
    silences = sorted((*configured(config.silences), *found), key=lambda each: each.until)
    shown = [each for each in silences if everything or each.until > now]
    return [encode(each).decode() if form == "json" else _line(each) for each in shown]


def _line(silence: Silence) -> str:
    match = msgspec.structs.asdict(silence.match)
    given = " ".join(
        f"{name}={','.join(map(str, value))}" for name, value in match.items() if isinstance(value, tuple) and value
    )
    to = f" to {', '.join(silence.receivers)}" if silence.receivers else ""
    until = f"{silence.until:%Y-%m-%d %H:%M} UTC"
    return f"{silence.id} until {until} {given}{to} — {silence.reason} ({silence.by})"


@silence.command(short_help="End a silence now.")
@click.argument("identity", metavar="ID")
@broker_options
def expire(identity: str, config_file: Path | None, broker: str | None) -> None:
    r"""End the silence ID now.

    \b
    summitry silence expire 3fa91c02
    """
    _, settings, names = connection(config_file, broker)

    async def end() -> bool:
        if not any(each.id == identity for each in await _read(settings, names.silences)):
            return False
        await _write(settings, names.silences, identity, None)
        return True

    if not asyncio.run(end()):
        raise UnknownIdError(f"there is no silence {identity}; see `summitry silence list` for the ids")
    click.echo(f"{identity} ended")
