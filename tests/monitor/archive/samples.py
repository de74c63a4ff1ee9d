"""Provide invented events for the tests of the archive and the board, and an archive filled with them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor.archive import Archive, Batch, write
from monitor.records import Change, Event, EventSource, Fact, Participant, Place, When, encode

NOW = datetime(2026, 2, 4, 12, 0, tzinfo=UTC)
TODAY = NOW.date()

PEOPLE = {
    "putin": Participant(leader="vladimir-putin", name="Vladimir Putin", country="RU", office="President"),
    "xi": Participant(leader="xi-jinping", name="Xi Jinping", country="CN", office="President"),
    "macron": Participant(leader="emmanuel-macron", name="Emmanuel Macron", country="FR", office="President"),
    "merz": Participant(leader="friedrich-merz", name="Friedrich Merz", country="DE", office="Chancellor"),
    "modi": Participant(leader="narendra-modi", name="Narendra Modi", country="IN", office="Prime Minister"),
}

#: What an outlet might write to break a page, a feed or a table.
HOSTILE = "<script>alert(1)</script> \u202egnp.exe\u2066 \x00\x07 ]]> --> {{7*7}} ${7*7} \"'` " + "long " * 2000
HOSTILE_URL = "javascript:alert(document.cookie)"


def source(n: int, title: str = "Sample: the two leaders speak", **changes: Any) -> EventSource:
    values: dict[str, Any] = {
        "n": n, "article_id": f"article-{n}", "url": f"https://news{n}.example.org/world/{n}", "outlet": f"Outlet {n}",
        "publisher": f"Publisher {n}", "report": n, "published": NOW, "title": title, "language": "en",
    }  # fmt: skip
    return EventSource(**{**values, **changes})


def event(event_id: str = "ev-1", who: str = "putin xi", days_ago: float = 0, **changes: Any) -> Event:
    """An event that was first reported `days_ago` and took place that day."""
    seen = NOW - timedelta(days=days_ago)
    people = tuple(PEOPLE[name] for name in who.split())
    day = seen.date()
    values: dict[str, Any] = {
        "event_id": event_id,
        "revision": 1,
        "participants": people,
        "kind": "call",
        "medium": "video",
        "status": "held",
        "when": When(start=day, end=day),
        "facts": {"status": Fact(value="held", sources=(1, 2), reports=2)},
        "sources": (source(1), source(2)),
        "publishers": 2,
        "reports": 2,
        "confidence": 0.9,
        "first_seen": seen,
        "last_seen": seen,
        "brief": f"{' and '.join(p.name for p in people)} held a video call [1, 2].",
    }
    values = {**values, **changes}
    if "history" not in changes:
        start = Change(revision=1, at=seen, changed={"status": (None, values["status"])}, article_id="article-1")
        values["history"] = (start,)
    return Event(**values)


def planned(event_id: str, who: str, day: date, **changes: Any) -> Event:
    """An event that is planned for a day."""
    place = changes.pop("place", Place(name="Paris", country="FR"))
    values = {"kind": "visit", "medium": "in_person", "status": "planned", "place": place, **changes}
    return event(event_id, who, 1, when=When(start=day, end=day), **values)


def batch(*events: Event, offset: int = 1) -> Batch:
    return Batch(events=[(each, encode(each)) for each in events], offsets={("events", 0): offset})


def archive(folder: Path, *events: Event) -> Archive:
    made = Archive(folder / "board.sqlite", "test")
    write(made, batch(*events))
    return made
