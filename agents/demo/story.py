"""The story of the demonstration, read from `data/story.yaml`: outlets, what they publish, and the expected alerts."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec

from monitor.yaml_text import read_data_file

STORY_FILE = Path(__file__).parent / "data" / "story.yaml"


class DemoOutlet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sample feed. With `moved` it answers with a permanent redirect to another URL."""

    id: str
    name: str
    publisher: str
    format: Literal["rss", "rdf", "atom", "json"]
    language: str
    country: str
    moved: bool = False


class StoryEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a feed; without `at` it is published when its act begins."""

    outlet: str
    id: str
    title: str
    summary: str
    at: datetime | None = None


class StoryAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of the story: new entries, corrections, and feeds that answer 500 (`fail`) or a web page (`break_`)."""

    say: str
    entries: tuple[StoryEntry, ...] = ()
    corrections: tuple[StoryEntry, ...] = ()
    fail: tuple[str, ...] = ()
    break_: tuple[str, ...] = msgspec.field(default=(), name="break")


class ExpectedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One expected event: exactly one first message about it must be sent, and it must have these facts at the end.

    `sources` is the least number of articles. `most_reports` is the largest number of independent texts among them; a
    wire text in five outlets is one. `place` is a value that one of the sources must give.
    """

    name: str
    leaders: tuple[str, ...]
    medium: str
    status: str
    sources: int
    date: date | None = None
    most_reports: int | None = None
    place: str = ""
    corrected: bool = False


class Expected(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All expected events; no alert about any other event may be sent."""

    events: tuple[ExpectedEvent, ...]


class DemoStory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole story; `clock` is the time that the service's clock shows at its beginning."""

    clock: datetime
    outlets: tuple[DemoOutlet, ...]
    acts: tuple[StoryAct, ...]
    expected: Expected
    texts: dict[str, str] = {}

    def __post_init__(self) -> None:
        known = {outlet.id for outlet in self.outlets}
        for act in self.acts:
            named = {entry.outlet for entry in (*act.entries, *act.corrections)} | {*act.fail, *act.break_}
            if unknown := named - known:
                raise ValueError(f"act {act.say[:40]!r} names unknown outlets: {', '.join(sorted(unknown))}")


def load_story(path: Path = STORY_FILE) -> DemoStory:
    """Read and check the story. Raises DataFileError when the file is not valid."""
    return read_data_file(path, DemoStory)
