"""Test `summitry backtest` on an archive of invented articles."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from agents.cli import cli

ARTICLES = (
    ("a1", "2026-02-04T09:00:00Z", "Alpha", "Xi Jinping and Vladimir Putin held a video call on Wednesday"),
    ("a2", "2026-02-04T10:00:00Z", "Beta", "Vladimir Putin and Xi Jinping spoke by video link on Wednesday"),
    ("a3", "2026-02-04T11:00:00Z", "Gamma", "Giorgia Meloni met Pedro Sánchez in Rome on Wednesday"),
    ("a4", "2026-02-05T09:00:00Z", "Delta", "A recipe for soup"),
)


@pytest.fixture
def archive(tmp_path: Path) -> tuple[str, str]:
    lines = [
        json.dumps({"id": i, "published": at, "outlet": outlet, "title": title, "language": "en"})
        for i, at, outlet, title in ARTICLES
    ]
    (tmp_path / "archive.jsonl").write_text("\n".join([*lines, "no article"]) + "\n")
    config = {
        "receivers": {"desk": {"type": "console"}, "risk": {"type": "console"}},
        "routes": [
            {"name": "everything", "receivers": ["desk"]},
            {"name": "two outlets", "receivers": ["risk"], "threshold": {"publishers": 2}},
        ],
    }
    (tmp_path / "summitry.yaml").write_text(yaml.safe_dump(config))
    return str(tmp_path / "summitry.yaml"), str(tmp_path / "archive.jsonl")


def test_it_counts_how_often_each_receiver_would_ring(archive: tuple[str, str]) -> None:
    config, lines = archive
    result = CliRunner().invoke(cli, ["backtest", "--config", config, lines])
    assert result.exit_code == 1, "a line that is no article is reported"
    assert "1 of 5 lines are not articles" in result.stderr
    head, desk, risk, _, _, held = result.stdout.splitlines()
    assert head.split()[:2] == ["receiver", "rings"]
    assert desk.split()[0] == "desk"
    assert int(desk.split()[1]) >= 2
    assert desk.endswith(f"everything {desk.split()[1]}")
    assert risk.split()[:2] == ["risk", "1"]
    assert "publishers" in held


def test_it_lists_every_message_as_json_and_for_people(archive: tuple[str, str]) -> None:
    config, lines = archive
    result = CliRunner().invoke(cli, ["backtest", "--config", config, "--format", "json", lines])
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    firsts = [row for row in rows if row["receiver"] == "risk" and row["tell"] == "first"]
    assert [row["at"] for row in firsts] == ["2026-02-04T10:00:00Z"]
    assert "Putin" in firsts[0]["title"]
    assert {row["reason"] for row in rows if row["tell"] is None} == {"publishers"}
    table = CliRunner().invoke(cli, ["backtest", "--config", config, "--messages", lines]).stdout
    assert "2026-02-04 10:00:00 risk             first" in table
    assert "held back (publishers)" in table


def test_only_the_languages_of_the_configuration_are_read(archive: tuple[str, str]) -> None:
    config, lines = archive
    path = Path(config)
    path.write_text(path.read_text() + "detection: {languages: [ru]}\n")
    _, desk, *_ = CliRunner().invoke(cli, ["backtest", "--config", config, lines]).stdout.splitlines()
    assert desk.split()[:2] == ["desk", "0"]
