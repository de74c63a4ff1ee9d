"""Run the labelled sets' own scorers and read their figures."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from monitor.records import Mention, mention_line
from tests.quality.sets import Sets

#: Figures of a row, in the order in which they are printed.
FIGURES = ("contact_p", "contact_r", "contact", "held", "status", "medium", "date")
_PRF = re.compile(r"^(contact|pair|held)\s+P (\S+) R (\S+) F1 (\S+)", re.MULTILINE)
_SHARE = re.compile(r"^(status|medium|date)\s+(\S+)", re.MULTILINE)
_EVENTS = re.compile(
    r"^(\S+)\s+B3 P (\S+) R (\S+) F1 (\S+)\s+found (\S+) of (\d+)\s+split (\S+)\s+pure (\S+) of (\d+)\s+events (\d+)",
    re.MULTILINE,
)


def run(*command: str | Path) -> str:
    """The output of a scorer. Raises CalledProcessError when it fails."""
    # The scorer of events breaks ties in the order of a set, which Python draws anew for each process.
    seeded = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run([sys.executable, *map(str, command)], check=True, capture_output=True, text=True, env=seeded)
    return done.stdout


def mention_scores(sets: Sets, items: list[dict[str, Any]], mentions: Iterable[Mention]) -> dict[str, float]:
    """The figures of `score_mentions.py` for these gold items."""
    wanted = {item["id"] for item in items}
    with TemporaryDirectory() as folder:
        gold, predicted = Path(folder, "gold.jsonl"), Path(folder, "predicted.jsonl")
        gold.write_text("".join(json.dumps(item, ensure_ascii=False) + "\n" for item in items), "utf-8")
        predicted.write_bytes(b"".join(mention_line(one) + b"\n" for one in mentions if one.article_id in wanted))
        told = run(sets.score_mentions, gold, predicted)
    scores: dict[str, float] = {}
    for name, precision, recall, f1 in _PRF.findall(told):
        scores |= {f"{name}_p": float(precision), f"{name}_r": float(recall), name: float(f1)}
    scores |= {name: float(share) for name, share in _SHARE.findall(told)}
    return scores


def event_scores(told: str) -> dict[str, dict[str, float]]:
    """The figures of `score_events.py`, by system."""
    keys = ("b3_p", "b3_r", "b3", "found", "of", "split", "pure", "judged", "events")
    return {row[0]: dict(zip(keys, map(float, row[1:]), strict=True)) for row in _EVENTS.findall(told)}


def matcher(sets: Sets) -> ModuleType:
    """The scorer as a module, for its `match_sets`."""
    spec = importlib.util.spec_from_file_location("score_mentions", sets.score_mentions)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
