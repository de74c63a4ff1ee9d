"""Test that each row of the table in docs/polling.md has a test with its number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from monitor.feeds.polling.feed_state import Health

ROOT = Path(__file__).resolve().parents[4]
PAGE = (ROOT / "docs" / "polling.md").read_text()


def test_each_row_has_a_test_and_each_test_a_row() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert rows == sorted(set(rows))
    assert rows[:64] == list(range(1, 65))
    sources = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_rows_*.py"))
    assert {int(number) for number in re.findall(r"^(?:async )?def test_row_(\d+)_", sources, re.MULTILINE)} == set(
        rows
    )


def test_each_health_state_and_each_reason_of_a_fetch_is_explained() -> None:
    for state in get_args(Health):
        assert f"| `{state}` |" in PAGE
    monitor = ROOT / "monitor"
    files = [
        *(monitor / "http").glob("*.py"),
        *(monitor / "feeds" / "polling").glob("*.py"),
        monitor / "feeds" / "subscriptions" / "subscription.py",
        ROOT / "agents" / "pollers" / "group.py",
    ]
    told: set[str] = set()
    for file in files:
        text = file.read_text()
        told |= set(re.findall(r'reason="([a-z0-9_]+)"', text))
        told |= set(re.findall(r'failed\(fetched, "([a-z0-9_]+)"', text))
        told |= set(re.findall(r'^\s+reason = "([a-z0-9_]+)"', text, re.MULTILINE))
    assert len(told) > 25
    assert {reason for reason in told if f"`{reason}`" not in PAGE} == set()
