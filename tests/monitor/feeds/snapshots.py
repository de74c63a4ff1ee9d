"""Serve real feeds as they changed over months, and read the expected entries from the files.

The files are measured with, never copied: the tests that need them skip where $SUMMITRY_EVAL names no folder.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.feedserver import FeedServer, Reply, Request

FEEDS = ("economist", "ft-home", "nyt_econ", "wsj_world")


def folder() -> Path:
    """Where the snapshots lie; skips the test where they are absent."""
    root = Path(os.environ.get("SUMMITRY_EVAL", ""))
    found = root / "feeds" / "snapshots"
    if not os.environ.get("SUMMITRY_EVAL") or not found.is_dir():
        pytest.skip("$SUMMITRY_EVAL names no folder with feeds/snapshots")
    return found


def load(feed: str, most: int = 10_000) -> list[bytes]:
    """The snapshots of one feed, oldest first; of more than `most` a run from the middle."""
    files = sorted((folder() / feed).glob("*.xml"))
    begin = max(0, (len(files) - most) // 2)
    return [file.read_bytes() for file in files[begin : begin + most]]


@dataclass
class Expected:
    """By guid: the distinct words of each entry one after the other, as they stood in the files."""

    words: dict[str, list[tuple[str, ...]]] = field(default_factory=dict)

    def read(self, document: bytes) -> None:
        seen = set()
        for item in ET.fromstring(document).iter("item"):
            guid = (item.findtext("guid") or "").strip()
            if guid in seen:
                continue
            seen.add(guid)
            names = ("title", "link", "description", "author", "{http://purl.org/dc/elements/1.1/}creator")
            title, link, text, *authors = (_plain(item.findtext(name) or "") for name in names)
            now = (title, link, text, "".join(authors))
            told = self.words.setdefault(guid, [])
            if not told or told[-1] != now:
                told.append(now)

    @property
    def revisions(self) -> list[tuple[str, int]]:
        """Title and revision number of everything that should be published, sorted."""
        return sorted((words[0], n) for told in self.words.values() for n, words in enumerate(told))


def _plain(text: str) -> str:
    return re.sub(r"[\s\u200b]+", " ", re.sub(r"<[^>]*>", "", text)).strip()


def serve(server: FeedServer, path: str, documents: list[bytes]) -> list[int]:
    """Serve documents one after the other: the next one as soon as the validator of the last one comes back.

    So a poller that forgets what it was given before it has published it is given the same again, and one that keeps a
    validator too early loses entries. The list holds the number of the document that is served now.
    """
    position = [0]

    def answer(request: Request) -> Reply:
        if request.header("if-none-match") == f'"{position[0]}"':
            if position[0] + 1 == len(documents):
                return Reply(304, headers={"ETag": f'"{position[0]}"'})
            position[0] += 1
        return Reply(200, documents[position[0]], {"ETag": f'"{position[0]}"', "Content-Type": "application/rss+xml"})

    server.on(path, answer)
    return position
