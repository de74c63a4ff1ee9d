"""Test that a backup of the topics can be restored, and only onto empty topics."""

from __future__ import annotations

import asyncio
import base64
import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner, Result

from agents.cli import cli
from agents.stream.outbox import send_all
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, producer, read_compacted
from tests.upgrade.test_upgrade import WRITTEN

pytestmark = pytest.mark.broker


def call(folder: Path, broker: str, prefix: str, *words: str, partitions: int = 2) -> Result:
    """Run `summitry topics ...` in a thread without an event loop."""
    file = folder / f"{prefix}.yaml"
    file.write_text(yaml.safe_dump({"topics": {"prefix": prefix, "partitions": partitions}}))
    return CliRunner().invoke(cli, ["topics", *words, "--config", str(file), "--broker", broker])


async def fill(broker: BrokerSettings, prefix: str) -> None:
    """Write what version 0.1.0 wrote, one value twice, one deleted key, and an article, which is not backed up."""
    names = TopicNames(prefix)
    async with producer(broker) as client:
        for kind in ("feeds", "feed-state", "events", "assembly", "deliveries"):
            records = [(one["key"].encode(), base64.b64decode(one["value"]), one["partition"]) for one in WRITTEN[kind]]
            await send_all(client, f"{prefix}.{kind}", records)
        await send_all(client, names.silences, [(b"gone", b"x", 0), (b"kept", b"old", 0), (b"kept", b"new", 0)])
        await send_all(client, names.silences, [(b"gone", None, 0)])
        await send_all(client, names.articles, [(b"a", b"{}", 1)])


async def state(broker: BrokerSettings, prefix: str) -> dict[str, dict[str, bytes]]:
    kinds = ("feeds", "feed-state", "events", "assembly", "deliveries", "silences", "acks")
    return {kind: await read_compacted(broker, f"{prefix}.{kind}") for kind in kinds}


async def test_a_backup_is_restored_onto_new_topics_only(broker: str, prefix: str, tmp_path: Path) -> None:
    settings, other, file = BrokerSettings.from_url(broker), f"{prefix}-other", str(tmp_path / "backup.jsonl")
    await create(settings, TopicSettings(prefix=prefix, partitions=2))
    await fill(settings, prefix)
    written = await asyncio.to_thread(call, tmp_path, broker, prefix, "backup", file)
    assert written.exit_code == 0, written.output
    head, *lines = Path(file).read_text().splitlines()
    assert json.loads(head)["partitions"] == 2
    assert f"{len(lines)} records written" in written.stderr

    missing = await asyncio.to_thread(call, tmp_path, broker, other, "restore", file)
    assert "run `summitry topics create` first" in str(missing.exception)
    await create(settings, TopicSettings(prefix=other, partitions=2))
    restored = await asyncio.to_thread(call, tmp_path, broker, other, "restore", file)
    assert restored.exit_code == 0, restored.output
    before = await state(settings, prefix)
    assert before["silences"] == {"kept": b"new"}
    assert await state(settings, other) == before
    assert await read_compacted(settings, TopicNames(other).articles) == {}

    again = await asyncio.to_thread(call, tmp_path, broker, other, "restore", file)
    assert "is not empty" in str(again.exception)
    wrong = await asyncio.to_thread(call, tmp_path, broker, other, "restore", file, partitions=3)
    assert "the backup has 2 partitions" in str(wrong.exception)


def test_what_is_no_backup_is_refused(tmp_path: Path, broker: str, prefix: str) -> None:
    file = tmp_path / "no.jsonl"
    file.write_text("[]\n")
    refused = call(tmp_path, broker, prefix, "restore", str(file))
    assert refused.exit_code == 1
    assert "this is not a backup" in refused.stderr


def test_a_folder_is_refused_in_one_line(tmp_path: Path, prefix: str) -> None:
    refused = call(tmp_path, "127.0.0.1:9", prefix, "restore", str(tmp_path))
    assert str(refused.exception) == f"{tmp_path}: can't be read: Is a directory"
