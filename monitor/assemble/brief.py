"""The brief: a short English text on an event in which every sentence ends with the numbers of its sources.

It is built from the facts, and from the coverage's own words only as a marked quotation. A fact that no source gives
has no words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

from monitor.assemble.words import counted, day_text, listed, month_text, numbers
from monitor.records import Event, Fact, Participant, When

#: Leaders named one by one; a larger gathering's others are counted.
MAX_NAMED = 6
MAX_QUOTE = 200

_NOUNS = {
    ("call", "video"): "a video call",
    ("call", "phone"): "a phone call",
    ("call", "remote"): "a call",
    ("call", "unknown"): "a call",
    ("talks", "in_person"): "talks in person",
    ("talks", "phone"): "talks by phone",
    ("talks", "video"): "talks by video link",
    ("talks", "remote"): "remote talks",
    ("talks", "unknown"): "talks",
    ("meeting", "video"): "a meeting by video link",
    ("meeting", "phone"): "a phone call",
    ("meeting", "remote"): "a remote meeting",
    ("summit", "video"): "a summit by video link",
    ("summit", "remote"): "a remote summit",
    ("visit", "in_person"): "a meeting during a visit",
}
_PLAIN = {"call": "a call", "meeting": "a meeting", "visit": "a visit", "summit": "a summit", "talks": "talks"}

_VERBS = {
    "held": "held {noun}",
    "ongoing": "are holding {noun}",
    "planned": "are to hold {noun}",
    "rescheduled": "are to hold {noun}, which was rescheduled",
    "proposed": "may hold {noun}: it is proposed, not agreed on",
    "postponed": "postponed {noun}",
    "cancelled": "will not hold {noun}: it was cancelled",
    "denied": "{noun} between {names} is denied",
    "unconfirmed": "were to hold {noun}; no report says that it took place",
    "past": "held {noun} earlier, as background to other news",
}


def noun_of(kind: str, medium: str) -> str:
    """`a video call`, `a meeting`, `talks`."""
    return _NOUNS.get((kind, medium), _PLAIN[kind])


def brief(event: Event) -> str:
    """The text for an event whose facts, alternatives and sources are set."""
    sentences = [_lead(event), *_disagreements(event), *_confirmation(event), *_quotation(event)]
    return " ".join(s for s in sentences if s)


def _names(participants: Sequence[Participant]) -> str:
    named = [f"{p.office} {p.name}".strip() for p in participants[:MAX_NAMED]]
    rest = len(participants) - len(named)
    if rest:
        named.append(counted(rest, "other leader"))
    return listed(named)


def _lead(event: Event) -> str:
    noun, names = noun_of(event.kind, event.medium), _names(event.participants)
    status = event.facts.get("status")
    support = set(status.sources if status else ())
    words = (
        [f"{noun[0].upper()}{noun[1:]} between {names} is denied"]
        if event.status == "denied"
        else [f"{names} {_VERBS[event.status].format(noun=noun)}"]
    )
    tail = []
    if event.when is not None and event.status != "denied":
        tail.append(_when(event.when))
        support |= set(event.facts["when"].sources)
    if event.place is not None:
        place = ", ".join(part for part in (event.place.name,) if part) or event.place.country
        tail.append(f"in {place}")
        support |= set(event.facts["place"].sources)
    if event.forum:
        tail.append(f"around {event.forum}")
        support |= set(event.facts["forum"].sources)
    for name in ("participants", "kind", "medium"):
        if not support and name in event.facts:
            support |= set(event.facts[name].sources)
    return f"{' '.join([*words, *tail])} {numbers(support)}."


def _when(when: When) -> str:
    if when.start == when.end:
        return f"on {day_text(when.start, weekday=True, year=False)} {when.start.year}"
    if when.granularity == "month":
        return f"in {month_text(when.start)}"
    if when.granularity == "year":
        return f"in {when.start.year}"
    return f"between {day_text(when.start)} and {day_text(when.end)}"


def _value_text(name: str, fact: Fact) -> str:
    value = fact.value
    if name == "when":
        return _when_text(value)
    if name == "place":
        return str(value.get("name") or value.get("country"))
    if name == "participants":
        return counted(len(value), "leader")
    return str(value).replace("_", " ")


def _when_text(value: dict[str, str]) -> str:
    start, end = date.fromisoformat(value["start"]), date.fromisoformat(value["end"])
    return day_text(start) if start == end else f"{day_text(start)} to {day_text(end)}"


def _disagreements(event: Event) -> list[str]:
    told = []
    labels = {
        "status": "The status",
        "when": "The date",
        "place": "The place",
        "medium": "The medium",
        "forum": "The occasion",
    }
    for name, label in labels.items():
        claims = event.alternatives.get(name, ())
        chosen = event.facts.get(name)
        if not claims or chosen is None:
            continue
        claim = claims[0]
        total = len(set(claim.sources) | set(chosen.sources))
        share = f"according to {len(claim.sources)} of {total}"
        told.append(f"{label} is {_value_text(name, claim)} {share} {numbers(claim.sources)}.")
    return told


def _confirmation(event: Event) -> list[str]:
    if not event.confirmed_by:
        return []
    names = {p.leader: p for p in event.participants}
    sides = [names[leader] for leader in event.confirmed_by if leader in names]
    own = {p.country for p in sides}
    sources = [s.n for s in event.sources if s.official and s.speaks_for in own]
    if not sources:
        return []
    return [f"The office of {listed([p.name for p in sides])} reports it {numbers(sources)}."]


def _quotation(event: Event) -> list[str]:
    """The headline of the report that most publishers carry, as its first printer wrote it."""
    carried = Counter(s.report for s in event.sources)
    owners = {r: len({s.publisher or s.article_id for s in event.sources if s.report == r}) for r in carried}
    if not owners:
        return []
    report = max(owners, key=lambda r: (owners[r], carried[r], -r))
    copies = [s for s in event.sources if s.report == report and s.title]
    if not copies:
        return []
    first = copies[0]
    title = first.title if len(first.title) <= MAX_QUOTE else first.title[: MAX_QUOTE - 1].rstrip() + "…"
    alike = [s.n for s in copies if s.title == first.title] or [first.n]
    return [f"{first.outlet or 'One report'} headlines: “{title}” {numbers(alike)}."]
