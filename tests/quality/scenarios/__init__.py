"""Short stories, each a few articles, and what a desk must be told of them in the end.

`stories.json` holds them in our own words. An expectation selects the live events of exactly these leaders (and of this
medium or kind, where it names one); `why_not` says what is checked of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from monitor.records import Event

_FILE = Path(__file__).with_name("stories.json")


def scenarios() -> list[dict[str, Any]]:
    """All stories, in the order of the file."""
    return list(json.loads(_FILE.read_text("utf-8")))


def why_not(want: dict[str, Any], events: Sequence[Event]) -> str:
    """What an expectation misses in the final events, '' when it is met."""
    found = [e for e in events if sorted(p.leader for p in e.participants) == want["leaders"] and _is_live(e)]
    found = [e for e in found if all(getattr(e, name) == want[name] for name in ("medium", "kind") if name in want)]
    if len(found) != want.get("count", 1):
        return f"{len(found)} events, not {want.get('count', 1)}: {[(e.status, e.medium, e.brief) for e in found]}"
    return next((miss for e in found if (miss := _miss(want, e))), "")


def _is_live(event: Event) -> bool:
    return event.status != "retracted" and event.merged_into is None


def _miss(want: dict[str, Any], event: Event) -> str:
    values: dict[str, Any] = msgspec.to_builtins(event)
    statuses = [want["status"]] if isinstance(want.get("status"), str) else want.get("status", [event.status])
    if event.status not in statuses:
        return f"status {event.status}, not {statuses}"
    for name in ("when", "place"):
        if name in want and not _agrees(values[name], want[name]):
            return f"{name} {values[name]}, not {want[name]}"
    if event.when is not None and event.when.start.isoformat() < want.get("start_from", ""):
        return f"begins on {event.when.start}"
    article = {s.n: s.article_id for s in event.sources}
    for fact, ids in want.get("sources", {}).items():
        cited = sorted(article[n] for n in event.facts[fact].sources) if fact in event.facts else []
        if cited != sorted(ids):
            return f"{fact} cites {cited}, not {ids}"
    for pattern in want.get("brief_has", []):
        if not re.search(pattern, event.brief, re.IGNORECASE):
            return f"the brief lacks {pattern!r}: {event.brief}"
    for pattern in want.get("brief_lacks", []):
        if re.search(pattern, event.brief, re.IGNORECASE):
            return f"the brief has {pattern!r}: {event.brief}"
    return ""


def _agrees(value: dict[str, Any] | None, wanted: dict[str, Any] | None) -> bool:
    if value is None or wanted is None:
        return value is wanted
    return all(value[key] == part for key, part in wanted.items())
