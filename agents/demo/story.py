"""The sample world of the demonstration, read from `data/story.yaml` and checked."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Literal

import msgspec

from monitor.errors import DataFileError

STORY_FILE = Path(__file__).parent / "data" / "story.yaml"


class DemoOutlet(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One sample feed. `moved` ones answer with a permanent redirect to another address."""

    id: str
    name: str
    publisher: str
    format: Literal["rss", "rdf", "atom", "json"]
    language: str
    country: str
    moved: bool = False


class StoryEntry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of a feed; without `at` it is published at the moment its act begins."""

    outlet: str
    id: str
    title: str
    summary: str
    at: datetime | None = None


class StoryAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What happens at one step: new entries, corrections of earlier ones, feeds that break or answer 500."""

    say: str
    entries: tuple[StoryEntry, ...] = ()
    corrections: tuple[StoryEntry, ...] = ()
    fail: tuple[str, ...] = ()
    break_: tuple[str, ...] = msgspec.field(default=(), name="break")


class ExpectedEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must have been told of one event: one first message, and at the end these facts.

    `sources` is the least number of articles, `most_reports` the largest number of independent texts among them (a wire
    text in five outlets is one), `place` a value that one of the sources gives.
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
    """All events that must have been told, and no others."""

    events: tuple[ExpectedEvent, ...]


class DemoStory(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole demonstration; `clock` is what the service's clock says when it begins."""

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
    """Read and check the story. Raises DataFileError when the file does not hold one."""
    try:
        return msgspec.yaml.decode(path.read_bytes(), type=DemoStory)
    except (OSError, msgspec.DecodeError) as error:
        raise DataFileError(str(path), "", str(error)) from error
