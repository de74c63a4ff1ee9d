"""Test that `summitry doctor` finds problems, says how to fix them, and sets its exit code."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from agents.cli.operate.doctor import doctor
from agents.process import diagnosis
from agents.stream.topics import create
from monitor.config import TopicSettings, Tracing
from monitor.kafka import BrokerSettings


def findings(tmp_path: Path, *options: str, **config: Any) -> tuple[dict[str, dict[str, str]], int]:
    """What was found by check, and the exit code."""
    file = tmp_path / "summitry.yaml"
    file.write_text(yaml.safe_dump(config))
    done = CliRunner().invoke(doctor, ["--config", str(file), "--format", "json", *options], catch_exceptions=False)
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return {row["check"]: row for row in rows}, done.exit_code


def test_a_sound_machine_is_found_sound(tmp_path: Path) -> None:
    found, code = findings(tmp_path, feeds=["bundled"])
    assert code == 0
    assert {name for name, row in found.items() if row["state"] == "wrong"} == set()
    assert {"versions", "codecs", "clock", "disk", "configuration", "watchlist", "routes", "feeds", "detection"} <= set(
        found
    )
    assert found["broker"]["state"] == "warning"


@pytest.mark.parametrize(
    ("config", "check", "said"),
    [
        ({"watchlist": "nowhere.yaml"}, "watchlist", "nowhere.yaml"),
        ({"feeds": ["nowhere.yaml"]}, "feeds", "nowhere.yaml"),
        ({"routes": [{"name": "a", "receivers": ["console"], "match": {"leaders": ["putn"]}}]}, "routes", "putin"),
        ({"poller": {"concurency": 2}}, "configuration", "did you mean 'concurrency'"),
    ],
)
def test_each_mistake_is_named_with_its_mend(tmp_path: Path, config: dict[str, Any], check: str, said: str) -> None:
    found, code = findings(tmp_path, **config)
    assert code == 1
    assert found[check]["state"] == "wrong"
    assert said in found[check]["detail"]
    assert found[check]["fix"]


def test_a_broker_that_is_away_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "_BROKER_PATIENCE_S", 0.3)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found, code = findings(tmp_path, broker={"url": f"127.0.0.1:{unused.getsockname()[1]}"})
    assert (code, found["broker"]["state"]) == (1, "wrong")


def test_the_collector_of_traces_is_looked_at_where_one_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as collector:
        endpoint = f"http://127.0.0.1:{collector.getsockname()[1]}/v1/traces"
        config = diagnosis.Config(tracing=Tracing(endpoint=endpoint))
        (there,) = diagnosis.check_tracing(config)
    (away,) = diagnosis.check_tracing(config)
    monkeypatch.setattr(diagnosis, "find_spec", lambda _: None)
    (missing,) = diagnosis.check_tracing(config)
    assert [there.state, away.state, missing.state] == ["fine", "warning", "wrong"]
    assert endpoint in away.detail
    assert missing.fix == "install summitry[tracing]"
    assert list(diagnosis.check_tracing(diagnosis.Config())) == []


@pytest.mark.broker
async def test_topics_are_compared_with_what_is_declared(broker: str, prefix: str) -> None:
    settings = BrokerSettings.from_url(broker)
    config = diagnosis.Config(topics=TopicSettings(prefix=prefix, partitions=2))
    absent = {one.check: one for one in await diagnosis.check_broker(config, settings)}
    assert (absent["broker"].state, absent["topics"].state) == ("fine", "wrong")
    assert "summitry topics create" in absent["topics"].fix
    await create(settings, config.topics)
    assert {one.state for one in await diagnosis.check_broker(config, settings)} == {"fine"}
    other = diagnosis.Config(topics=TopicSettings(prefix=prefix, partitions=3))
    found = {one.check: one for one in await diagnosis.check_broker(other, settings)}
    assert "has 2 partitions, not 3" in found["topics"].detail


def test_test_messages_are_sent_only_when_asked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found, _ = findings(tmp_path, receivers={"console": {"type": "console", "colour": "never"}})
    assert "not tried" in found["receiver console"]["detail"]
    hook = {"type": "webhook", "url": "http://127.0.0.1:9/", "secrets": ["whsec_" + "A" * 32]}
    found, code = findings(tmp_path, "--send", receivers={"hook": {**hook, "allow_private_networks": ["127.0.0.0/8"]}})
    assert (code, found["receiver hook"]["state"]) == (1, "wrong")
