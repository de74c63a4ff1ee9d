"""docs/polling.md has a row for each behaviour, and each row a test that is named by its number."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from monitor.feeds.state import Health

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs" / "polling.md").read_text()


def test_each_row_has_a_test_and_each_test_a_row() -> None:
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, re.MULTILINE)]
    assert rows == list(range(1, 65))
    sources = "".join(path.read_text() for path in Path(__file__).parent.glob("test_rows_*.py"))
    assert {int(number) for number in re.findall(r"^(?:async )?def test_row_(\d\d)_", sources, re.MULTILINE)} == set(
        rows
    )


def test_each_health_state_and_each_reason_of_a_fetch_is_explained() -> None:
    for state in get_args(Health):
        assert f"| `{state}` |" in PAGE
    folder = ROOT / "monitor" / "feeds"
    files = ("address", "body", "feed", "fetch", "poll", "poller", "service", "transport")
    told: set[str] = set()
    for name in files:
        text = (folder / f"{name}.py").read_text()
        told |= set(re.findall(r'reason="([a-z0-9_]+)"', text))
        told |= set(re.findall(r'failed\(fetched, "([a-z0-9_]+)"', text))
        told |= set(re.findall(r'^\s+reason = "([a-z0-9_]+)"', text, re.MULTILINE))
    assert len(told) > 25
    assert {reason for reason in told if f"`{reason}`" not in PAGE} == set()
