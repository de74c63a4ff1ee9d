"""Test collected reports of lost, doubled and mixed-up entries, when SUMMITRY_EVAL names the sets."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.monitor.feeds.novelty.follower import Follower

REPORTS = Path(os.environ.get("SUMMITRY_EVAL", "")) / "feeds" / "reports"
pytestmark = pytest.mark.skipif(not REPORTS.is_dir(), reason="$SUMMITRY_EVAL names no folder with feeds/reports")

#: New articles and corrections of each poll.
Told = list[tuple[int, int]]
EXPECTED: dict[str, Callable[[Told], bool]] = {
    "01-one-link-no-guid.xml": lambda told: told == [(6, 0)],
    "02-one-link-two-new.json": lambda told: told == [(1, 0), (2, 0)],
    "10-session-id-in-links.json": lambda told: told == [(6, 0), (0, 0), (0, 0)],
    "14-new-guid-and-edit.json": lambda told: told == [(10, 0), (0, 1)],
    "51-positional-guids.json": lambda told: told == [(8, 0)] + [(1, 0)] * (len(told) - 1),
    "52-fragment-links-owner-leaves.json": lambda told: told == [(3, 0), (1, 0), (1, 0)],
    "54-two-editions-in-turn.json": lambda told: (
        told[:3] == [(3, 0), (0, 3), (0, 3)] and set(told[3:-1]) == {(0, 0)} and told[-1] == (0, 3)
    ),
}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_report_is_put_right(name: str) -> None:
    body = (REPORTS / name).read_bytes()
    polls = json.loads(body)["polls"] if name.endswith(".json") else [body]
    told = [(len(fresh), len(edits)) for fresh, edits in Follower().play(polls)]
    assert EXPECTED[name](told), told
