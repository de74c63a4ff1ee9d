"""Test `summitry detect`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SEED = "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call Wednesday"
ARTICLE = json.dumps({"id": "1", "title": SEED, "published": "2026-02-05T08:00:00Z"})
ROSTER = Path(__file__).parents[3] / "monitor" / "watchlist" / "roster_1987.yaml"


def run(lines: list[str], *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from agents.cli import main; main()", "detect", *options],
        input="".join(f"{line}\n" for line in lines),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_article_in_a_mention_out() -> None:
    done = run([ARTICLE])
    (mention,) = map(json.loads, done.stdout.splitlines())
    assert done.returncode == 0
    assert [one["leader"] for one in mention["participants"]] == ["vladimir-putin", "xi-jinping"]
    assert (mention["kind"], mention["medium"], mention["status"]) == ("call", "video", "held")
    assert mention["when"]["start"] == "2026-02-04"
    assert mention["evidence"]
    assert mention["rule"]
    assert "source" not in mention


def test_only_id_and_title_are_required() -> None:
    (mention,) = map(json.loads, run([json.dumps({"id": "1", "title": SEED})]).stdout.splitlines())
    assert mention["when"] is None


def test_a_bad_line_is_named_and_harms_no_other() -> None:
    done = run(["{", ARTICLE, '{"id": "2"}', ARTICLE])
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    *errors, count = done.stderr.splitlines()
    assert [line.split(":")[0] for line in errors] == ["line 1", "line 3"]
    assert count == "detect: 2 of 4 lines are not articles"
    assert "title" in errors[1]


def test_explain_is_for_reading() -> None:
    done = run([ARTICLE, json.dumps({"id": "2", "title": "Xi's envoy met Putin"})], "--explain")
    assert "mention   call video held of vladimir-putin (President, RU)" in done.stdout
    assert '"Xi\'s envoy" -> envoy of the leader' in done.stdout
    assert "why not" in done.stdout


@pytest.mark.parametrize(("title", "mentions"), [("Reagan met Gorbachev", 1), ("Putin met Xi", 0)])
def test_a_watchlist_of_ones_own(title: str, mentions: int) -> None:
    line = json.dumps({"id": "1", "title": title, "published": "1987-12-09T12:00:00Z"})
    assert len(run([line], "--watchlist", str(ROSTER)).stdout.splitlines()) == mentions


def test_a_missing_watchlist_is_one_line() -> None:
    done = run([ARTICLE], "--watchlist", "nowhere.yaml")
    assert done.returncode == 2
    assert done.stderr.startswith("summitry: nowhere.yaml")
    assert "Traceback" not in done.stderr
