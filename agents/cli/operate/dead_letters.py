"""`summitry dead-letters`: list and show records that could not be handled, and replay them."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import click

from agents.cli.command_group import CommandGroup
from agents.cli.connect import broker_options, connection
from agents.cli.options import format_option
from agents.stream.dead_letters import DeadLetter, read, replay, select
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames
from monitor.clock import service_clock
from monitor.errors import SummitryError, UnknownIdError
from monitor.kafka import BrokerSettings, producer, wait_for_broker
from monitor.records import encode

_SHOWN = 2000


def _options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        broker_options,
        click.option("--stage", metavar="NAME", help="Only letters of this stage: detect, assemble, notify, deliver."),
        click.option(
            "--reason", metavar="NAME", help="Only letters with this reason: undecodable, newer_schema, timeout, ..."
        ),
    ):
        command = option(command)
    return command


async def _read(settings: BrokerSettings, names: TopicNames, *, replayed: bool = False) -> list[DeadLetter]:
    await wait_for_broker(settings, 10)
    return await read(settings, names.dead_letters, replayed=replayed)


def _plain(text: str) -> str:
    """Return the text with control characters escaped, since a hostile record could otherwise control the terminal."""
    return "".join(
        char if char.isprintable() or char == "\n" else char.encode("unicode_escape").decode() for char in text
    )


@click.group(cls=CommandGroup)
def dead_letters() -> None:
    """List, show or replay dead letters: records that could not be handled."""


@dead_letters.command("list", short_help="List the dead letters.")
@_options
@click.option("--all", "everything", is_flag=True, help="Also letters that were replayed.")
@format_option
def list_letters(
    config_file: Path | None, broker: str | None, stage: str | None, reason: str | None,
    form: str, *, everything: bool,
) -> None:  # fmt: skip
    r"""List the dead letters, the oldest first: id, time, stage, reason, error.

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


@dead_letters.command(short_help="Show one dead letter.")
@_options
@format_option
@click.argument("identity", metavar="ID")
def show(
    config_file: Path | None, broker: str | None, *,
    stage: str | None, reason: str | None, form: str, identity: str,
) -> None:  # fmt: skip
    r"""Show one dead letter with its traceback and the record's bytes.

    \b
    summitry dead-letters show summitry.articles:2:1041 --broker kafka://localhost:9092
    """
    _, settings, names = connection(config_file, broker)
    letters = select(asyncio.run(_read(settings, names, replayed=True)), [identity], reason, stage)
    if not letters:
        raise UnknownIdError(f"no dead letter {identity}; see `summitry dead-letters list --all` for the ids")
    letter = letters[0]
    if form == "json":
        click.echo(encode(letter))
        return
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


@dead_letters.command("replay", short_help="Handle records of dead letters again.")
@_options
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--all", "everything", is_flag=True, help="All letters that --stage and --reason select.")
def replay_letters(
    config_file: Path | None, broker: str | None, stage: str | None, reason: str | None,
    ids: tuple[str, ...], *, everything: bool,
) -> None:  # fmt: skip
    r"""Send the records of dead letters back to their topics, to be handled again.

    A letter of stage `deliver` is a message that was given up; it is sent to its receiver again.

    \b
    summitry dead-letters replay summitry.articles:2:1041 --broker kafka://localhost:9092
    summitry dead-letters replay --all --reason newer_schema --config summitry.yaml
    """
    if bool(ids) == everything:
        raise click.UsageError("give ids, or --all")
    _, settings, names = connection(config_file, broker)

    async def run() -> tuple[list[DeadLetter], int]:
        letters, failed = select(await _read(settings, names), ids, reason, stage), 0
        async with producer(settings) as client:
            for letter in letters:
                try:
                    await replay(KafkaOutbox(client), names, letter, service_clock()(), settings)
                except SummitryError as error:
                    if len(letters) == 1:
                        raise
                    failed += 1
                    click.echo(f"not replayed: {letter.id[:200]}: {error}", err=True)
        return letters, failed

    letters, failed = asyncio.run(run())
    if unknown := set(ids) - {letter.id for letter in letters}:
        raise UnknownIdError(f"no dead letter {min(unknown)} (replayed {len(letters) - failed})")
    click.echo(f"replayed {len(letters) - failed} dead letters")
    if failed:
        sys.exit(1)
