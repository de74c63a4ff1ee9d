"""`summitry dead-letters`: look at what could not be handled, and send it on its way again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import click

from agents.cli.connect import broker_options, connection
from agents.cli.options import format_option
from agents.stream.dead_letters import DeadLetter, read, replay, select
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames
from monitor.clock import service_clock
from monitor.errors import UnknownIdError
from monitor.kafka import BrokerSettings, producer, wait_for_broker
from monitor.records import encode

_SHOWN = 2000


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        broker_options,
        click.option("--stage", help="Only letters of one stage: detect, assemble, notify, deliver."),
        click.option("--reason", help="Only letters with one reason: undecodable, newer_schema, timeout, error, ..."),
    ):
        command = option(command)
    return command


async def _read(settings: BrokerSettings, names: TopicNames, *, replayed: bool = False) -> list[DeadLetter]:
    await wait_for_broker(settings, 10)
    return await read(settings, names.dead_letters, replayed=replayed)


def _plain(text: str) -> str:
    """What a hostile record can't do anything with in a terminal: control characters as escapes."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


@click.group()
def dead_letters() -> None:
    """What could not be handled: list it, look at it, replay it."""


@dead_letters.command("list")
@_options
@click.option("--all", "everything", is_flag=True, help="Also those that were replayed.")
@format_option
def list_letters(
    config_file: Path | None, broker: str | None, stage: str | None, reason: str | None,
    form: str, *, everything: bool,
) -> None:  # fmt: skip
    r"""List the dead letters, oldest first: id, time, stage, reason, error.

    \b
    summitry dead-letters list --broker kafka://localhost:9092
    summitry dead-letters list --config summitry.yaml --reason newer_schema
    """
    _, settings, names = connection(config_file, broker)
    letters = select(asyncio.run(_read(settings, names, replayed=everything)), (), reason, stage)
    for letter in letters:
        if form == "json":
            click.echo(encode(letter))
        else:
            done = "  (replayed)" if letter.replayed_at else ""
            error = letter.error.splitlines()[0][:100] if letter.error else ""
            row = f"{letter.id}  {letter.at:%Y-%m-%d %H:%M:%S}  {letter.stage}  {letter.reason}  {error}{done}"
            click.echo(_plain(row))
    if form == "table":
        click.echo(f"{len(letters)} dead {'letter' if len(letters) == 1 else 'letters'}", err=True)


@dead_letters.command()
@_options
@click.argument("identity", metavar="ID")
def show(config_file: Path | None, broker: str | None, stage: str | None, reason: str | None, identity: str) -> None:
    r"""Show one dead letter with its traceback and its bytes.

    \b
    summitry dead-letters show summitry.articles:2:1041 --broker kafka://localhost:9092
    """
    _, settings, names = connection(config_file, broker)
    letters = select(asyncio.run(_read(settings, names, replayed=True)), [identity], reason, stage)
    if not letters:
        raise UnknownIdError(f"no dead letter {identity}; `summitry dead-letters list --all` has their ids")
    letter = letters[0]
    for name in ("id", "stage", "reason", "attempts", "at", "replayed_at", "error"):
        if (value := getattr(letter, name)) is not None:
            click.echo(_plain(f"{name + ':':<12} {value}"))
    click.echo(_plain(f"{'key:':<12} {(letter.key or b'').decode(errors='backslashreplace')}"))
    if letter.traceback:
        click.echo(_plain(f"\n{letter.traceback.rstrip()}"))
    value = letter.whole_value() or b""
    size = letter.size or len(value)
    if letter.digest:
        click.echo(f"{'sha256:':<12} {letter.digest}")
    more = f" (the first {min(len(value), _SHOWN)} of {size} bytes)" if size > _SHOWN else ""
    click.echo(_plain(f"\nvalue{more}:\n{value[:_SHOWN].decode(errors='backslashreplace')}"))


@dead_letters.command("replay")
@_options
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All that are selected, without naming them.")
def replay_letters(
    config_file: Path | None, broker: str | None, stage: str | None, reason: str | None,
    ids: tuple[str, ...], *, everything: bool,
) -> None:  # fmt: skip
    r"""Send dead letters back to the topic they came from; a message that was given up is sent to its receiver again.

    \b
    summitry dead-letters replay summitry.articles:2:1041 --broker kafka://localhost:9092
    summitry dead-letters replay --all --reason newer_schema --config summitry.yaml
    """
    if bool(ids) == everything:
        raise click.UsageError("name ids, or say --all")
    _, settings, names = connection(config_file, broker)

    async def run() -> list[DeadLetter]:
        letters = select(await _read(settings, names), ids, reason, stage)
        async with producer(settings) as client:
            for letter in letters:
                await replay(KafkaOutbox(client), names, letter, service_clock()(), settings)
        return letters

    letters = asyncio.run(run())
    if unknown := set(ids) - {letter.id for letter in letters}:
        raise UnknownIdError(f"no dead letter {min(unknown)} (replayed {len(letters)})")
    click.echo(f"replayed {len(letters)} dead letters")
