"""Test `summitry events` with a broker: the archive, filters, and `--follow`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys

import pytest

from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, producer
from monitor.records import encode
from tests.monitor.assemble.samples import assemble, at, day, mention

pytestmark = pytest.mark.broker


@pytest.fixture
def told(broker, prefix, tmp_path):
    """A topic with two events, one of them in two revisions; returns the command line and a way to add one more."""
    settings, topics = BrokerSettings.from_url(broker), TopicSettings(prefix=prefix)
    (call,) = assemble(mention(when=day("2026-02-04")))
    (later,) = assemble(mention(when=day("2026-02-04")), mention(published=at(0, 1), outlet="Second"))
    (other,) = assemble(mention("macron starmer", published=at(-20)))

    async def send(*events) -> None:
        async with producer(settings) as client:
            for event in events:
                await client.send_and_wait(TopicNames(prefix).events, encode(event), key=event.event_id.encode())

    asyncio.run(create(settings, topics))
    asyncio.run(send(other, call))
    config = tmp_path / "summitry.yaml"
    config.write_text(f"topics:\n  prefix: {prefix}\n", "utf-8")
    command = [sys.executable, "-m", "agents", "events", "--broker", broker, "--config", str(config)]
    return command, lambda: asyncio.run(send(later))


def run(command, *options):
    env = {**os.environ, "PYTHONUNBUFFERED": "1"}
    done = subprocess.run([*command, *options], capture_output=True, text=True, timeout=60, check=False, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_archive_as_json_and_as_a_table(told):
    command, _ = told
    events = [json.loads(line) for line in run(command, "--format", "json").splitlines()]
    assert [e["participants"][0]["leader"] for e in events] == ["emmanuel-macron", "vladimir-putin"]
    table = run(command)
    assert "Vladimir Putin, Xi Jinping: video call on 2026-02-04" in table
    assert table.startswith("EVENT")


def test_filters_by_leader_and_by_time(told):
    command, _ = told
    assert len(run(command, "--format", "json", "--with", "putin,xi").splitlines()) == 1
    assert run(command, "--format", "json", "--with", "putin,macron") == ""
    assert len(run(command, "--format", "json", "--since", "2026-02-01").splitlines()) == 1


def test_following_tells_each_new_revision_once(told):
    command, tell_more = told
    with subprocess.Popen([*command, "--follow", "--format", "json"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = [json.loads(process.stdout.readline()) for _ in range(2)]
        tell_more()
        third = json.loads(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=30)
    assert [e["revision"] for e in first] == [1, 1]
    assert third["revision"] == 2
    assert len(third["sources"]) == 2
    assert rest == ""
