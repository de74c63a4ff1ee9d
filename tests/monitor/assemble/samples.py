"""Make mentions for tests, each with an article around it."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any

from monitor.assemble import Assembly
from monitor.records import Event, Mention, Participant, Source, When

PUTIN = Participant(leader="vladimir-putin", name="Vladimir Putin", country="RU", office="President")
XI = Participant(leader="xi-jinping", name="Xi Jinping", country="CN", office="President")
MODI = Participant(leader="narendra-modi", name="Narendra Modi", country="IN", office="Prime Minister")
MURMU = Participant(leader="droupadi-murmu", name="Droupadi Murmu", country="IN", office="President")
MACRON = Participant(leader="emmanuel-macron", name="Emmanuel Macron", country="FR", office="President")
STARMER = Participant(leader="keir-starmer", name="Keir Starmer", country="GB", office="Prime Minister")
MERZ = Participant(leader="friedrich-merz", name="Friedrich Merz", country="DE", office="Chancellor")
ZELENSKY = Participant(leader="volodymyr-zelensky", name="Volodymyr Zelensky", country="UA", office="President")

#: Wednesday, noon.
WEDNESDAY = datetime(2026, 2, 4, 12, tzinfo=UTC)

_LEADERS = {
    "putin": PUTIN, "xi": XI, "modi": MODI, "murmu": MURMU, "macron": MACRON, "starmer": STARMER, "merz": MERZ,
    "zelensky": ZELENSKY,
}  # fmt: skip


def day(text: str, end: str = "") -> When:
    """One day, or a span of days."""
    start = date.fromisoformat(text)
    last = date.fromisoformat(end) if end else start
    return When(start=start, end=last, granularity="day" if start == last else "range")


def at(days: float = 0, hours: float = 0) -> datetime:
    """A time relative to the Wednesday."""
    return WEDNESDAY + timedelta(days=days, hours=hours)


_numbers = itertools.count(1)


def mention(who: str = "putin xi", status: str = "held", published: datetime = WEDNESDAY, **over: Any) -> Mention:
    """A mention by an article of its own. `who` names leaders by surname; the rest are fields of Mention or Source."""
    fields: dict[str, Any] = {"kind": "call", "medium": "video", "confidence": 0.9, "language": "en"}
    article_id = over.pop("article", f"a{next(_numbers)}")
    source: dict[str, Any] = {
        "title": f"Sample headline {article_id}",
        "outlet": f"outlet-{article_id}",
        "published": published,
        "language": over.get("language", "en"),
    }
    for name in list(over):
        (source if name in Source.__struct_fields__ and name != "language" else fields)[name] = over[name]
    source.setdefault("excerpt", source["title"])
    return Mention(
        article_id=article_id,
        participants=tuple(_LEADERS[name] for name in who.split()),
        status=status,
        source=Source(article_id=article_id, **source),
        **fields,
    )


def assemble(*mentions: Mention, until: datetime | None = None) -> list[Event]:
    """The last revision of each standing event, in order of first report."""
    return list(last(run(Assembly(), *mentions, until=until)).values())


def run(assembly: Assembly, *mentions: Mention, until: datetime | None = None) -> list[Event]:
    """All revisions, in order."""
    told: list[Event] = []
    for m in mentions:
        told += assembly.apply(m).events
    if until is not None:
        told += assembly.advance(until).events
    return told


def last(revisions: list[Event]) -> dict[str, Event]:
    """The last revision of each event that was not merged into another."""
    standing: dict[str, Event] = {}
    for event in revisions:
        standing.pop(event.event_id, None)
        if event.merged_into is None:
            standing[event.event_id] = event
    return standing


def articles(event: Event) -> set[str]:
    """The ids of an event's articles."""
    return {s.article_id for s in event.sources}
