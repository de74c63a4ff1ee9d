"""Test that the committed dashboards are what the generator makes and follow grafana/dashboard-linter's rules."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from monitor.metrics import REGISTRY

ROOT = Path(__file__).parents[2]
GRAFANA = ROOT / "deploy" / "grafana"
BOARDS = sorted((GRAFANA / "dashboards").glob("*.json"))


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", GRAFANA / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def panels(board: Path) -> list[dict[str, Any]]:
    return [p for p in json.loads(board.read_text())["panels"] if p["type"] != "row"]


def known_series() -> set[str]:
    names = set()
    for family in REGISTRY.collect():
        suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}.get(family.type, [""])
        names |= {family.name + suffix for suffix in suffixes}
    return names


def series_in(expression: str) -> set[str]:
    return set(re.findall(r"\b(?:summitry|process)_[a-z_]+", expression))


def test_committed_dashboards_are_the_generated_ones() -> None:
    generated = generator().generated()
    assert {board.name: board.read_text() for board in BOARDS} == generated, "run deploy/grafana/generate.py"


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_panels_tell_their_story(board: Path) -> None:
    everything = json.loads(board.read_text())
    assert {v["name"] for v in everything["templating"]["list"]} == {"datasource", "job", "instance", "board"}
    others, to_board = everything["links"]
    assert (others["type"], others["tags"], others["keepTime"]) == ("dashboards", everything["tags"], True)
    assert to_board["url"] == "${board}/"
    ids = [p["id"] for p in everything["panels"]]
    assert len(set(ids)) == len(ids)
    assert panels(board)
    for panel in panels(board):
        assert panel["title"], panel
        assert panel["description"], panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"
        assert panel["targets"], panel["title"]
        (link,) = panel["fieldConfig"]["defaults"]["links"]
        assert link["url"].startswith("${board}/"), panel["title"]


@pytest.mark.parametrize("board", BOARDS, ids=lambda board: board.stem)
def test_queries_are_filtered_and_ask_for_metrics_that_exist(board: Path) -> None:
    known = known_series()
    for panel in panels(board):
        for target in panel["targets"]:
            expression = target["expr"]
            selectors = re.findall(r"\{([^}]*)\}", expression)
            assert selectors
            assert all('job=~"$job", instance=~"$instance"' in s for s in selectors), expression
            assert series_in(expression), expression
            assert series_in(expression) <= known, expression
            if re.search(r"\brate\(", expression):
                assert "[$__rate_interval]" in expression, expression
