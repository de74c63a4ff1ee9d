"""Find the labelled sets, and turn their items into articles."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

from monitor.articles import read_article
from monitor.records import Article


class Sets:
    """The folder named by SUMMITRY_EVAL: `gold`, `streams`, `events` and `tools` in the forms of their READMEs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.score_mentions = folder / "tools" / "score_mentions.py"
        self.score_events = folder / "tools" / "score_events.py"

    @classmethod
    def from_environment(cls) -> Sets | None:
        """The sets, or None when the variable is not set or the folder is not there."""
        named = os.environ.get("SUMMITRY_EVAL", "")
        return cls(Path(named)) if named and Path(named).is_dir() else None

    def gold(self, name: str) -> list[dict[str, Any]]:
        return read_lines(self.folder / "gold" / name)

    def events(self, name: str) -> Path:
        return self.folder / "events" / name

    def stream(self, name: str = "dev.jsonl") -> list[Article]:
        with (self.folder / "streams" / name).open("rb") as file:
            return [read_article(line) for line in file if line.strip()]

    def has(self, *parts: str) -> bool:
        return self.folder.joinpath(*parts).exists()


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The values of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def article_of(item: dict[str, Any]) -> Article:
    """A gold item as the article it was."""
    return Article(
        id=item["id"],
        title=item["title"],
        summary=item.get("lede") or "",
        published=datetime.fromisoformat(item["date"]) if item.get("date") else None,
        language=item.get("lang") or "",
        outlet=item.get("ds") or "",
    )
