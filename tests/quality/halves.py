"""Score halves of a stream's items, split by outlet, language and week, to see figures out of sample.

Nothing of assembly is fitted on a half; but what was set while looking at a stream flatters it, and a rule that helps
one half and harms the other is chance. The spread between halves says how far to trust the row of the whole.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from zlib import crc32

from monitor.records import Event, event_line
from tests.quality.scores import event_scores, run
from tests.quality.sets import Sets, read_lines

#: By what a stream is cut in two, and the side of an item.
_CUTS: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    "outlet": lambda item: bool(crc32(item.get("ds", "").encode()) & 1),
    "language": lambda item: item.get("lang", "en") != "en",
    "week": lambda item: bool(date.fromisoformat(item["date"][:10]).isocalendar().week & 1),
}


def halves(items: Sequence[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Both halves of each cut, by name; a half without items is left out, and so is the whole beside it."""
    found = {}
    for cut, side in _CUTS.items():
        sides = [[item for item in items if side(item) is which] for which in (False, True)]
        if all(sides):
            found |= {f"{cut} {at + 1}": one for at, one in enumerate(sides)}
    return found


def rows_by_half(sets: Sets, name: str, events: Sequence[Event]) -> dict[str, dict[str, float]]:
    """The scorer's figures for each half of a stream's judged items, all with the same events."""
    items = read_lines(sets.events(f"{name}_candidates.jsonl"))
    links = read_lines(sets.events(f"{name}_links.jsonl"))
    rows = {}
    with TemporaryDirectory() as folder:
        files = [Path(folder, one) for one in ("candidates.jsonl", "links.jsonl", "events.jsonl")]
        files[2].write_bytes(b"".join(event_line(one) + b"\n" for one in events))
        for half, chosen in halves(items).items():
            ids = {item["id"] for item in chosen}
            for file, lines in zip(files, (chosen, [one for one in links if one["id"] in ids]), strict=False):
                file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
            rows[half] = event_scores(run(sets.score_events, *files))["summitry"]
    return rows
