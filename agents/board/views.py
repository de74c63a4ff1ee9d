"""Prepare events for the page templates: plain values, with every text from outside cleaned.

The templates escape HTML (Jinja2 escapes everything). Here control and text-direction characters are removed, lengths
are limited, and only `http` and `https` addresses become links.
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
from monitor.assemble.brief.phrases import phrases
from monitor.http.untrusted import web_address
from monitor.notify.harmless import clean
from monitor.notify.messages import values
from monitor.notify.messages.wording import wording
from monitor.records import Change, Event, EventSource, Participant, When
from monitor.watchlist import bundled

#: The board's pages are in English.
when_text = partial(values.when, wording())
place_text = partial(values.place, wording())
country_text = partial(values.state, wording())

#: Most characters of a text on a page, and of a text in a list.
LONG, SHORT = 1200, 240
#: Sources of one report that are listed; the others are only counted.
LISTED = 12
_CITATION = re.compile(r"\[([0-9]{1,4}(?:, ?[0-9]{1,4})*)\]")


@dataclass(frozen=True)
class TextPiece:
    """A part of the brief: a text, or the numbers of the sources cited for the text before it."""

    text: str = ""
    numbers: tuple[int, ...] = ()


@dataclass(frozen=True)
class Report:
    """The sources that published the same text: they count as one independent report."""

    number: int
    sources: tuple[EventSource, ...]
    more: int = 0

    @property
    def publishers(self) -> int:
        """How many publishers carry this report."""
        return len({source.publisher or source.outlet for source in self.sources}) + self.more


@dataclass(frozen=True)
class Claim:
    """One value of a fact, and the numbers of the sources that give it."""

    value: str
    numbers: tuple[int, ...]
    official: bool
    chosen: bool


@dataclass(frozen=True)
class HistoryStep:
    """One revision of an event: its time, the article that caused it, and each changed field with old and new value.

    Consecutive revisions that only change counts (such as the number of reports) are one step. Then `first` is the
    number of the first of them.
    """

    revision: int
    at: datetime
    source: EventSource | None
    changes: tuple[tuple[str, str, str], ...] = ()
    first: int = 0


#: Fields that say how well an event is supported, not what happened; a step shows them only if nothing else changed.
_COUNTS = ("reports", "publishers", "confidence")
#: Fields that hold leaders' ids.
_LEADERS = ("participants", "confirmed_by")
#: Reports that are shown at first; the others unfold on a click.
REPORTS = 8
#: Granularities with which an event stands on days of the calendar. An event of another one (such as a month) takes
#: place on some day that is not known, so it is listed beside the days.
_DAYS = {"day", "range", "weekend", "reported"}
#: Media of contacts that have no place on the map.
_REMOTE = {"phone", "video", "remote"}
_DISPUTED = ("status", "when", "place", "medium", "kind", "forum", "participants")


@dataclass
class EventView:
    """What an event's page shows of the event itself."""

    found: SearchResult
    brief: list[TextPiece] = field(default_factory=list)
    reports: list[Report] = field(default_factory=list)
    disputed: list[tuple[str, list[Claim]]] = field(default_factory=list)
    steps: list[HistoryStep] = field(default_factory=list)
    cites: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, found: SearchResult) -> EventView:
        """Return the view of an event."""
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
    """Return the brief divided at its citations: `a met b [1, 2].` becomes `a met b `, (1, 2) and `.`."""
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
                Claim(_in_words(event, name, claim.value), claim.sources, claim.official, claim is chosen)
                for claim in (chosen, *others)
            ],
        )


def _steps(event: Event) -> Iterable[HistoryStep]:
    by_article = {source.article_id: source for source in event.sources}
    counted: dict[str, list[str]] = {}
    counting: list[Change] = []

    def counts() -> Iterable[HistoryStep]:
        if counting:
            source = by_article.get(counting[0].article_id) if len(counting) == 1 else None
            changes = tuple((name, values[0], values[-1]) for name, values in counted.items())
            yield HistoryStep(counting[-1].revision, counting[-1].at, source, changes, counting[0].revision)
        counting.clear()
        counted.clear()

    for change in event.history:
        told = {
            name: (_in_words(event, name, old), _in_words(event, name, new))
            for name, (old, new) in change.changed.items()
            if not _same(name, old, new)
        }
        told = {name: texts for name, texts in told.items() if texts[0] != texts[1]}
        if told.keys() <= set(_COUNTS):
            counting.append(change)
            for name, texts in told.items():
                counted.setdefault(name, list(texts)).append(texts[1])
            continue
        yield from counts()
        changes = tuple((name, *texts) for name, texts in told.items() if name not in _COUNTS)
        yield HistoryStep(change.revision, change.at, by_article.get(change.article_id), changes)
    yield from counts()


def _same(name: str, old: Any, new: Any) -> bool:  # noqa: ANN401  # the JSON forms of a field
    """Tell whether old and new value are the same to a reader: leaders in another order are."""
    return name in _LEADERS and sorted(old or ()) == sorted(new or ())


def _in_words(event: Event, name: str, value: Any) -> str:  # noqa: ANN401  # the JSON form of any field
    """Return a field's value in words, with leaders' names instead of ids."""
    if name in _LEADERS and isinstance(value, list | tuple):
        names = {person.leader: person.name for person in event.participants}
        return ", ".join(clean(str(names.get(each) or known_name(str(each))), 80) for each in value[:12])
    return value_text(name, value)


def known_name(leader: str) -> str:
    """Return a leader's name from the bundled roster; if it is not there, the id written as a name."""
    known = bundled().leaders.get(leader)
    return known.name if known else leader.replace("-", " ").title()


def surname(leader: str, name: str) -> str:
    """Return the name by which headlines call a leader: `Xi`, `von der Leyen`."""
    return clean(phrases().surname(Participant(leader=leader, name=name or leader)), 40)


def in_days(when: When) -> bool:
    """Tell whether a contact is shown on days of the calendar: its days are known and are seven or fewer."""
    first, last = when.span
    return when.granularity in _DAYS and (last - first).days < 7


def where(event: Event) -> atlas.Position | None:
    """Return a contact's position on the map; None for a call, even if a source names the town it was made from."""
    return None if event.medium in _REMOTE else atlas.position(event.place)


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
    """Return a moment for people: `4 Feb 2026, 12:00 UTC`; empty for no time."""
    return f"{moment.day} {moment:%b %Y, %H:%M} UTC" if moment else ""


def clock_time(moment: datetime | None) -> str:
    """Return a moment in RFC 3339, for `<time datetime>`."""
    return moment.isoformat() if moment else ""


def day(value: date) -> str:
    """Return a day for people: `Wed 4 Feb 2026`."""
    return f"{value:%a} {value.day} {value:%b %Y}"


@dataclass(frozen=True)
class Dot:
    """A dot on the map: its position, the place's name, and the events there. More events make a larger dot."""

    x: float
    y: float
    r: float
    name: str
    found: tuple[SearchResult, ...]


def dots(found: Iterable[SearchResult]) -> list[Dot]:
    """Return the dots of some events, the largest first, so that smaller ones are drawn over them."""
    grouped: dict[tuple[float, float], list[SearchResult]] = {}
    for each in found:
        if at := where(each.event):
            grouped.setdefault(at, []).append(each)
    made = [
        Dot(*atlas.project(*at), round(4 + 2.4 * len(group) ** 0.5, 1), place_text(group[0].event.place), tuple(group))
        for at, group in grouped.items()
    ]
    return sorted(made, key=lambda dot: (-len(dot.found), dot.name))


@dataclass(frozen=True)
class Bar:
    """One month of a bar chart, in the units of an SVG of size `CHART`."""

    x: float
    y: float
    width: float
    height: float
    month: date
    number: int


#: Width and height of the bar chart.
CHART = (720, 120)


def bars(months: list[tuple[date, int]]) -> list[Bar]:
    """Return the bars of a chart, from the months with their numbers of events."""
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
    """Return the environment of the page templates, with their filters, all of them compiled."""
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
    made.globals.update(surname=surname, shown_reports=REPORTS)
    for name in made.list_templates():
        made.get_template(name)  # compiles it now, so that the first readers don't wait (0.1 s for all)
    return made
