"""Test that every metric is documented in docs/metrics.md and follows Prometheus's naming conventions."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import generate_latest

from monitor import metrics

DOCUMENT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
DOCUMENTED = dict(re.findall(r"^\| `(summitry_[a-z_]+)` \| (\w+) \|", DOCUMENT, re.MULTILINE))


def declared() -> dict[str, str]:
    found = {}
    for family in metrics.REGISTRY.collect():
        if family.name.startswith("summitry_"):
            found[family.name + ("_total" if family.type == "counter" else "")] = family.type
    return found


def test_the_document_lists_exactly_what_is_declared() -> None:
    assert declared() == DOCUMENTED


def test_known_label_sets_are_there_from_the_start() -> None:
    """In a process of its own: elsewhere other tests have counted already."""
    code = "from monitor import metrics as m; from prometheus_client import generate_latest as g; "
    code += "m.start_at_zero(); print(g(m.REGISTRY).decode())"
    text = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    for stage in metrics.STAGES:
        assert f'summitry_stage_events_total{{outcome="dead_letter",stage="{stage}"}} 0.0' in text


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_lint() -> None:
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=generate_latest(metrics.REGISTRY), capture_output=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr).decode()
