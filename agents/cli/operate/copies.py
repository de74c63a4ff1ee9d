"""`summitry topics backup` and `restore`: write the service's state to a file of JSON lines, and load it again."""

from __future__ import annotations

import asyncio
import sys
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import IO, BinaryIO

import click
import msgspec
from aiokafka import TopicPartition

from agents.cli.connect import BrokerConnection, broker_options, connection
from agents.stream.outbox import send_all
from agents.stream.topic_check import look
from agents.stream.topics import Topic, declare
from monitor import __version__
from monitor.errors import SummitryError
from monitor.kafka import consumer, partitions_of, producer, read_to_end
from monitor.record_batches import Unreadable

#: Topics that are left out: their records make sense only on the cluster they come from.
_OF_ONE_CLUSTER = ("attempts",)
_AT_ONCE = 500


class BackupHead(msgspec.Struct, frozen=True, kw_only=True):
    """The first line of a backup."""

    summitry: str
    partitions: int


class BackupLine(msgspec.Struct, frozen=True, kw_only=True):
    """One record: its topic without the prefix; key and value are Base64."""

    topic: str
    partition: int
    key: str
    value: str


@click.command(short_help="Write the service's state to a file.")
@click.argument("file", metavar="FILE", type=click.File("wb"))
@broker_options
def backup(file: BinaryIO, config_file: Path | None, broker: str | None) -> None:
    r"""Write the service's state to FILE: feeds and their state, events, deliveries, silences, feedback.

    Stop all processes first, so that all parts are from the same time. Articles and mentions are not included.

    \b
    summitry topics backup summitry.jsonl --config summitry.yaml
    """
    click.echo(f"{asyncio.run(_write(connection(config_file, broker), file))} records written", err=True)


@click.command(short_help="Load a backup into empty topics.")
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@broker_options
def restore(file: str, config_file: Path | None, broker: str | None) -> None:
    r"""Load a backup into topics that were just created and are empty.

    \b
    summitry topics create --config summitry.yaml
    summitry topics restore summitry.jsonl --config summitry.yaml
    """
    try:
        source = click.open_file(file, "rb")
    except OSError as error:
        raise SummitryError(f"{file}: can't be read: {error.strerror}", reason="file") from error
    try:
        with source:
            count = asyncio.run(_restore(connection(config_file, broker), source))
        click.echo(f"{count} records restored", err=True)
    except msgspec.MsgspecError as error:
        click.echo(f"this is not a backup of `summitry topics backup`: {error}", err=True)
        sys.exit(1)


def _kept(to: BrokerConnection) -> dict[str, Topic]:
    """Return the topics with state by their names without the prefix."""
    found = {topic.name.removeprefix(f"{to.names.prefix}."): topic for topic in declare(to.config.topics)}
    compacted = {name: topic for name, topic in found.items() if topic.config["cleanup.policy"] == "compact"}
    return {name: topic for name, topic in compacted.items() if name not in _OF_ONE_CLUSTER}


async def _write(to: BrokerConnection, file: BinaryIO) -> int:
    head = BackupHead(summitry=__version__, partitions=to.config.topics.partitions)
    file.write(msgspec.json.encode(head) + b"\n")
    count = 0
    for name, topic in _kept(to).items():
        async for line in _records(to, name, topic):
            file.write(msgspec.json.encode(line) + b"\n")
            count += 1
    return count


async def _records(to: BrokerConnection, name: str, topic: Topic) -> AsyncIterator[BackupLine]:
    last: dict[tuple[int, bytes], bytes] = {}
    async for record in read_to_end(to.broker, topic.name):
        place = record.partition, record.key or b""
        last.pop(place, None)  # keeps the order in which the last values were written
        if record.value is not None and not isinstance(record.value, Unreadable):
            last[place] = record.value
    for (partition, key), value in last.items():
        yield BackupLine(topic=name, partition=partition, key=b64encode(key).decode(), value=b64encode(value).decode())


async def _restore(to: BrokerConnection, file: IO[bytes]) -> int:
    """Write the records of a backup. Returns their number. Raises SummitryError when the topics do not fit."""
    head = msgspec.json.decode(file.readline(), type=BackupHead)
    if head.partitions != to.config.topics.partitions:
        raise SummitryError(f"the backup has {head.partitions} partitions: set topics.partitions to {head.partitions}")
    kept = _kept(to)
    await _require_empty(to, kept.values())
    by_topic: dict[str, list[tuple[bytes, bytes | None, int]]] = {name: [] for name in kept}
    for text in file:
        line = msgspec.json.decode(text, type=BackupLine)
        if line.topic in by_topic:
            by_topic[line.topic].append((b64decode(line.key), b64decode(line.value), line.partition))
    async with producer(to.broker) as client:
        for name, records in by_topic.items():
            for start in range(0, len(records), _AT_ONCE):
                await send_all(client, kept[name].name, records[start : start + _AT_ONCE])
    return sum(map(len, by_topic.values()))


async def _require_empty(to: BrokerConnection, topics: Iterable[Topic]) -> None:
    wanted = list(topics)
    there = await look(to.broker, [topic.name for topic in wanted])
    if missing := [topic.name for topic in wanted if topic.name not in there]:
        raise SummitryError(f"no topic {missing[0]}: run `summitry topics create` first")
    async with consumer(to.broker) as client:
        for topic in wanted:
            places = [TopicPartition(topic.name, number) for number in await partitions_of(client, topic.name)]
            if any((await client.end_offsets(places)).values()):
                raise SummitryError(f"topic {topic.name} is not empty: restore onto new topics (another topics.prefix)")
