"""What a message says, before any receiver gives it a form: plain texts without markup, and the links.

Texts that come from outside (outlets, headlines, names, briefs) are made harmless here only as far as every receiver
needs it: control and direction characters are cut and whitespace becomes one space. Escaping is the receiver's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

from monitor.notify.logbook import Delivery, Handle, Pending, Tell, message_id
from monitor.notify.messages.wording import Wording, fill
from monitor.notify.policy.decision import RETRACTED, Policy, why_fired
from monitor.records import Event, EventSource, Participant, Place, When
from monitor.watchlist import bundled

_MAX_NAME = 80
_MAX_TITLE = 200
_MAX_BRIEF = 2000
_NAMES = 4
#: Links that a message shows; the rest is a number.
LINKS = 8

_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f"  # C0 and C1 controls
    "\u200b\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb"  # direction and invisible marks
    "\ud800-\udfff]"  # lone surrogates, which no encoder takes
)


def clean(text: str, limit: int = _MAX_TITLE) -> str:
    """One line without control, direction or invisible characters, cut at `limit` with an ellipsis."""
    text = " ".join(_UNWANTED.sub("", text).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


@dataclass(frozen=True)
class Link:
    """One numbered source; `url` is empty when the article's address is not one that may be linked."""

    n: int
    outlet: str
    url: str
    title: str = ""
    official: bool = False


@dataclass(frozen=True)
class Message:
    """One message for one receiver. `id` is the same over all attempts."""

    id: str
    receiver: str
    event: Event | None
    tell: Tell
    reason: str
    headline: str
    facts: tuple[tuple[str, str], ...]
    changed: tuple[str, ...]
    brief: str
    links: tuple[Link, ...]
    more_links: int
    sources: str
    why: str
    at: datetime
    route: str = ""
    acknowledged: str = ""
    ack_url: str = ""
    words: Wording | None = None
    items: tuple[Message, ...] = ()

    @property
    def notifies(self) -> bool:
        """True when the message is meant to interrupt somebody."""
        return self.tell in {"first", "loud", "retract", "reminder", "notice"}

    @property
    def struck(self) -> bool:
        """True when the head message must be struck through: what it told does not hold."""
        event = self.event
        return event is not None and (event.status in RETRACTED or event.merged_into is not None)


def compose(
    words: Wording,
    policy: Policy,
    delivery: Delivery,
    pending: Pending,
    *,
    ack_url: str = "",
    acknowledged: str = "",
) -> Message:
    """The message that tells what `pending` says to the delivery's receiver."""
    event = pending.event
    label = words.label
    links = tuple(_link(source) for source in _shown(event))
    values = {
        "who": _who(words, event.participants, office=True),
        "how": f"{words.kind[event.kind]}, {words.medium[event.medium]}",
        "when": when_text(event.when) or words.none,
        "where": place_text(event.place) or words.none,
        "forum": clean(event.forum or "", _MAX_NAME),
        "status": words.status[event.status],
    }
    return Message(
        id=message_id(delivery.receiver, pending),
        receiver=delivery.receiver,
        event=event,
        tell=pending.tell,
        reason=pending.reason,
        headline=headline(words, event),
        facts=tuple((label[name], values[name]) for name in words.facts if values[name]),
        changed=_changed(words, delivery.told, pending) if delivery.told else (),
        brief=clean(event.brief, _MAX_BRIEF),
        links=links,
        more_links=max(0, len(event.sources) - len(links)),
        sources=_sources(event),
        why=why_fired(policy, pending.route or delivery.route, event),
        at=pending.since,
        route=pending.route or delivery.route,
        acknowledged=fill(words.acknowledged, by=clean(acknowledged, _MAX_NAME)) if acknowledged else "",
        ack_url=ack_url,
        words=words,
    )


def headline(words: Wording, event: Event) -> str:
    """The first line: who did what."""
    hosts = [p for p in event.participants if p.role == "host"]
    guests = [p for p in event.participants if p.role == "visitor"]
    if event.kind == "visit" and hosts and guests and event.status in words.visit:
        text = fill(words.visit[event.status], host=_who(words, hosts), guests=_who(words, guests))
    else:
        by_medium = words.what[event.kind]
        what = by_medium.get(event.medium, by_medium["any"])
        noun = what.removeprefix(words.article)
        text = fill(words.headline[event.status], who=_who(words, event.participants), what=what, noun=noun)
    return text[:1].upper() + text[1:]


def _who(words: Wording, participants: Iterable[Participant], *, office: bool = False) -> str:
    people = list(participants)
    names = []
    for person in people[: _NAMES if len(people) > _NAMES + 1 else None]:
        name = clean(person.name or person.leader, _MAX_NAME)
        extra = (
            [part for part in (clean(person.office, _MAX_NAME), country_text(person.country)) if part] if office else []
        )
        names.append(f"{name} ({', '.join(extra)})" if extra else name)
    if len(people) > len(names):
        names.append(fill(words.others, count=len(people) - len(names)))
    if len(names) < 2:
        return "".join(names) or words.none
    return ", ".join(names[:-1]) + words.conjunction + names[-1]


def _day(day: date, *, year: bool = True) -> str:
    return f"{day.day} {day:%B}" + (f" {day.year}" if year else "")


def when_text(when: When | None) -> str:
    """The time of the contact as people write it; empty when it is not known."""
    if when is None:
        return ""
    match when.granularity:
        case "week":
            return f"week of {_day(when.start)}"
        case "month":
            return f"{when.start:%B} {when.start.year}"
        case "quarter":
            return f"quarter {(when.start.month - 1) // 3 + 1} of {when.start.year}"
        case "year":
            return str(when.start.year)
    if when.start == when.end:
        return _day(when.start)
    if (when.start.year, when.start.month) == (when.end.year, when.end.month):
        return f"{when.start.day}–{_day(when.end)}"
    return f"{_day(when.start, year=when.start.year != when.end.year)} – {_day(when.end)}"


def place_text(place: Place | None) -> str:
    """City and country; empty when nothing is known."""
    parts = (clean(place.name, _MAX_NAME), country_text(place.country)) if place else ()
    return ", ".join(part for part in parts if part)


def country_text(code: str) -> str:
    """The English name of a state or body; what stands in its place when it is none that the watchlist knows."""
    state = bundled().states.get(code)
    return state.name if state is not None else clean(code, _MAX_NAME)


def _sources(event: Event) -> str:
    parts = [
        f"{event.publishers} publisher{'s' if event.publishers != 1 else ''}",
        f"{event.reports} independent report{'s' if event.reports != 1 else ''}",
    ]
    if event.confirmed_by:
        countries = {person.leader: country_text(person.country) or person.leader for person in event.participants}
        sides = [clean(countries.get(leader, leader), _MAX_NAME) for leader in event.confirmed_by]
        parts.append(f"confirmed officially by {', '.join(sides)}")
    else:
        parts.append("official source" if event.official else "no official source yet")
    return ", ".join(parts)


def _shown(event: Event) -> list[EventSource]:
    """The sources worth a link: those that the brief cites, official ones, then one for each independent report."""
    cited = {int(number) for number in re.findall(r"\[([0-9]{1,4})\]", event.brief)}
    reports: set[int] = set()
    ranked = []
    for source in event.sources:
        rank = 0 if source.n in cited else 1 if source.official else 2 if source.report not in reports else 3
        reports.add(source.report)
        ranked.append((rank, source.n, source))
    best = sorted(ranked, key=lambda item: item[:2])[:LINKS]
    return sorted((source for _, _, source in best), key=lambda source: source.n)


def _link(source: EventSource) -> Link:
    outlet = clean(source.outlet or source.publisher or "source", _MAX_NAME)
    return Link(source.n, outlet, _safe_url(source.url), clean(source.title), source.official)


def _safe_url(url: str) -> str:
    """The address when it is a plain web address, else nothing: `javascript:` and its like are never linked."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    if not good or len(url) > 2000 or _UNWANTED.search(url) or any(c in url for c in " \t\r\n<>\"'|\\^`{}"):
        return ""
    return url


def _changed(words: Wording, told: Event | None, pending: Pending) -> tuple[str, ...]:
    if told is None:
        return ()
    event = pending.event
    values = {
        "status": (words.status[told.status], words.status[event.status]),
        "time": (when_text(told.when), when_text(event.when)),
        "place": (place_text(told.place), place_text(event.place)),
        "medium": (
            f"{words.kind[told.kind]}, {words.medium[told.medium]}",
            f"{words.kind[event.kind]}, {words.medium[event.medium]}",
        ),
        "participants": (_who(words, told.participants), _who(words, event.participants)),
    }
    lines = []
    for name in pending.changed:
        if name in values:
            old, new = values[name]
            lines.append(f"{words.changed[name]}: {old or words.none} → {new or words.none}")
        elif name == "threshold":
            lines.append(words.changed[name])
    if told.publishers != event.publishers and "coverage" in pending.changed:
        lines.append(f"publishers: {told.publishers} → {event.publishers}")
    return tuple(lines)


def gathered(words: Wording, messages: tuple[Message, ...], identity: str) -> Message:
    """One message that tells several events: a digest, or what a storm held back. `messages` is not empty."""
    first = messages[0]
    return Message(
        id=identity,
        receiver=first.receiver,
        event=first.event,
        tell="first",
        reason="first",
        headline=fill(words.digest, count=len(messages)),
        facts=(),
        changed=(),
        brief="",
        links=(),
        more_links=0,
        sources="",
        why=first.why,
        at=first.at,
        route=first.route,
        words=words,
        items=messages,
    )


def notice(words: Wording, receiver: str, identity: str, *, title: str, text: str, at: datetime) -> Message:
    """A message of the service about itself."""
    return Message(
        id=identity,
        receiver=receiver,
        event=None,
        tell="notice",
        reason="notice",
        headline=title,
        facts=(),
        changed=(),
        brief=text,
        links=(),
        more_links=0,
        sources="",
        why="",
        at=at,
        words=words,
    )


__all__ = [
    "LINKS",
    "Handle",
    "Link",
    "Message",
    "clean",
    "compose",
    "gathered",
    "headline",
    "notice",
    "place_text",
    "when_text",
]
