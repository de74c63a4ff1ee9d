"""How events look on a page: plain values for the templates, every outside text made harmless.

Escaping is the templates' own work (Jinja2 escapes everything); here control and direction characters are cut, lengths
are bounded, and addresses that are not of the web lose their link.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined

from monitor.archive import SearchResult, atlas
from monitor.archive.exports import web_address
from monitor.notify.harmless import clean
from monitor.notify.messages import values
from monitor.notify.messages.wording import wording
from monitor.records import Event, EventSource, When

#: The board's pages are in English.
when_text = partial(values.when, wording())
place_text = partial(values.place, wording())
country_text = partial(values.state, wording())

#: Letters of a text on a page, and of one in a list.
LONG, SHORT = 1200, 240
#: Sources of one report that are listed; the rest is a number.
LISTED = 12
_CITATION = re.compile(r"\[([0-9]{1,4}(?:, ?[0-9]{1,4})*)\]")


@dataclass(frozen=True)
class TextPiece:
    """A part of the brief: a text, or the numbers of sources that support the text before it."""

    text: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """The sources that carry one text: one independent report."""

    number: int
    sources: tuple[EventSource, ...]
    more: int = 0

    @property
    def publishers(self) -> int:
        """How many publishers carry it."""
        return len({source.publisher or source.outlet for source in self.sources}) + self.more


@dataclass(frozen=True)
class Claim:
    """One value of a fact and who gives it."""

    value: str
    numbers: tuple[int, ...]
    official: bool
    chosen: bool


@dataclass(frozen=True)
class HistoryStep:
    """One revision: when it came, by which article, and what changed from what to what."""

    revision: int
    at: datetime
    source: EventSource | None
    changes: tuple[tuple[str, str, str], ...] = ()


#: Fields of a revision that say how much is known of it, not what it is; shown only when nothing else changed.
_COUNTS = ("reports", "publishers", "confidence")
_DISPUTED = ("status", "when", "place", "medium", "kind", "forum", "participants")


@dataclass
class EventView:
    """Everything that an event's page shows of the event itself."""

    found: SearchResult
    brief: list[TextPiece] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    disputed: list[tuple[str, list[Claim]]] = field(default_factory=list)
    steps: list[HistoryStep] = field(default_factory=list)
    cites: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: SearchResult) -> EventView:
        """Prepare an event for its page."""
        event = found.event
        return cls(
            found,
            brief=pieces(event.brief),
            reports=_reports(event.sources),
            disputed=list(_disputed(event)),
            steps=list(_steps(event))[::-1],
            cites={name: fact.sources for name, fact in event.facts.items()},
        )


def pieces(text: str) -> list[TextPiece]:
    """Return the brief cut at its citations."""
    found: list[TextPiece] = []
    at = 0
    text = clean(text, LONG)
    for match in _CITATION.finditer(text):
        if match.start() > at:
            found.append(TextPiece(text[at : match.start()]))
        found.append(TextPiece(numbers=tuple(int(number) for number in match[1].split(","))))
        at = match.end()
    if at < len(text):
        found.append(TextPiece(text[at:]))
    return found


def _reports(sources: Iterable[EventSource]) -> list[Report]:
    grouped: dict[int, list[EventSource]] = {}
    for source in sources:
        grouped.setdefault(source.report, []).append(source)
    return [
        Report(number, tuple(group[:LISTED]), max(0, len(group) - LISTED)) for number, group in sorted(grouped.items())
    ]


def _disputed(event: Event) -> Iterable[tuple[str, list[Claim]]]:
    for name in _DISPUTED:
        others = event.alternatives.get(name, ())
        if not others or name not in event.facts:
            continue
        chosen = event.facts[name]
        yield (
            name,
            [
                Claim(value_text(name, claim.value), claim.sources, claim.official, claim is chosen)
                for claim in (chosen, *others)
            ],
        )


def _steps(event: Event) -> Iterable[HistoryStep]:
    by_article = {source.article_id: source for source in event.sources}
    for change in event.history:
        names = [name for name in change.changed if name not in _COUNTS] or list(change.changed)
        told = {name: change.changed[name] for name in names}
        changes = tuple((name, value_text(name, old), value_text(name, new)) for name, (old, new) in told.items())
        yield HistoryStep(change.revision, change.at, by_article.get(change.article_id), changes)


def value_text(name: str, value: Any) -> str:  # noqa: ANN401  # the JSON form of any field
    """Return a field's value in words; empty when there is none."""
    if value is None or value in ("", [], {}, ()):
        return ""
    if name == "when":
        try:
            return when_text(msgspec.convert(value, When))
        except msgspec.ValidationError:
            return clean(json.dumps(value), SHORT)
    if name == "place" and isinstance(value, dict):
        return ", ".join(
            filter(None, (clean(str(value.get("name") or ""), 80), country_text(value.get("country") or "")))
        )
    if isinstance(value, list | tuple):
        return ", ".join(clean(str(each), 80).replace("-", " ").title() for each in value[:12])
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(str(value), SHORT).replace("_", " ")


def stamp(moment: datetime | None) -> str:
    """`4 Feb 2026, 12:00 UTC`; empty for no time."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC" if moment else ""


def clock_time(moment: datetime | None) -> str:
    """RFC 3339, for `<time datetime>`."""
    return moment.isoformat() if moment else ""


def day(value: date) -> str:
    """`Wed 4 Feb 2026`."""
    return f"{value:%a} {value.day} {value:%b %Y}"


@dataclass(frozen=True)
class Dot:
    """A place on the map: where, its name, and the events there. The area of the dot grows with their number."""

    x: float
    y: float
    r: float
    name: str
    found: tuple[SearchResult, ...]


def dots(found: Iterable[SearchResult]) -> list[Dot]:
    """Return the places of some events, those with the most events first, so that small ones lie on top."""
    grouped: dict[tuple[float, float], list[SearchResult]] = {}
    for each in found:
        if at := atlas.position(each.event.place):
            grouped.setdefault(at, []).append(each)
    made = [
        Dot(*atlas.project(*at), round(4 + 2.4 * len(group) ** 0.5, 1), place_text(group[0].event.place), tuple(group))
        for at, group in grouped.items()
    ]
    return sorted(made, key=lambda dot: (-len(dot.found), dot.name))


@dataclass(frozen=True)
class Bar:
    """One month of a bar chart, in units of an SVG of `CHART` width and height."""

    x: float
    y: float
    width: float
    height: float
    month: date
    number: int


CHART = (720, 120)


def bars(months: list[tuple[date, int]]) -> list[Bar]:
    """Return the bars of a chart of months."""
    most = max((number for _, number in months), default=0) or 1
    step = CHART[0] / max(1, len(months))
    return [
        Bar(
            round(n * step + 3, 1), round(CHART[1] - 100 * number / most, 1), round(step - 6, 1),
            round(100 * number / most, 1), month, number,
        )
        for n, (month, number) in enumerate(months)
    ]  # fmt: skip


def environment() -> Environment:
    """Return the templates with their filters."""
    made = Environment(
        loader=PackageLoader("agents.board", "data/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    made.filters.update(
        title=lambda headline: clean(headline.partition(" · ")[0], SHORT),
        short=lambda text: clean(text or "", SHORT),
        long=lambda text: clean(text or "", LONG),
        name=lambda text: clean(text or "", 80),
        url=web_address,
        stamp=stamp,
        epoch=lambda seconds: datetime.fromtimestamp(seconds, UTC),
        rfc3339=clock_time,
        day=day,
        when=when_text,
        place=place_text,
        country=country_text,
        percent=lambda share: f"{share * 100:.0f} %",
        value=value_text,
        path=lambda text: quote(text, safe=""),
    )
    return made
