"""The brief: a short English text on an event in which every sentence ends with the numbers of its sources.

It is built from the facts, and from the coverage's own words only as a marked quotation. A fact that no source gives
has no words; names of states and offices are those of the watchlist.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from monitor.assemble.brief.english import (
    counted,
    country,
    day_text,
    is_state,
    listed,
    month_text,
    nationality,
    numbers,
)
from monitor.records import Event, EventSource, Fact, Participant, When

#: Leaders named one by one; of a larger gathering the others are counted.
MAX_NAMED = 6
MAX_QUOTE = 200

_NOUNS = {
    ("call", "video"): "a video call",
    ("call", "phone"): "a phone call",
    ("talks", "in_person"): "talks in person",
    ("talks", "phone"): "talks by phone",
    ("talks", "video"): "talks by video link",
    ("talks", "remote"): "remote talks",
    ("meeting", "video"): "a meeting by video link",
    ("meeting", "phone"): "a phone call",
    ("meeting", "remote"): "a remote meeting",
    ("summit", "video"): "a summit by video link",
    ("summit", "remote"): "a remote summit",
    ("visit", "in_person"): "a meeting during a visit",
}
_PLAIN = {"call": "a call", "meeting": "a meeting", "visit": "a visit", "summit": "a summit", "talks": "talks"}

#: What stands before and behind the noun and its circumstances. `{names}` and `{noun}` are filled in.
_SENTENCES = {
    "held": ("{names} held {noun}", ""),
    "ongoing": ("{names} are holding {noun}", ""),
    "planned": ("{names} are to hold {noun}", ""),
    "rescheduled": ("{names} are to hold {noun}", ", which was rescheduled"),
    "proposed": ("{names} may hold {noun}", "; it is proposed, not agreed on"),
    "postponed": ("{names} postponed {noun}", ""),
    "cancelled": ("{names} will not hold {noun}", "; it was cancelled"),
    "denied": ("{noun} between {names}", " {be} denied"),
    "unconfirmed": ("{names} were to hold {noun}", "; no report says that it took place"),
    "past": ("{names} held {noun}", ", as background to other news says"),
}

_LABELS = {"status": "status", "when": "date", "place": "place", "medium": "medium", "forum": "occasion"}


_REMOTE = frozenset({"phone", "video", "remote"})


def noun_of(kind: str, medium: str) -> str:
    """`a video call`, `a meeting`, `talks`."""
    return _NOUNS.get((kind, medium), _PLAIN[kind])


def brief(event: Event) -> str:
    """The text for an event whose facts, alternatives and sources are set."""
    sentences = [_lead(event), *_remote_place(event), *_disagreements(event), *_confirmation(event), *_quotation(event)]
    return " ".join(s for s in sentences if s)


def leader_text(participant: Participant) -> str:
    """`Russian President Vladimir Putin`, `NATO Secretary General Mark Rutte`; a pope and a bare name stand alone.

    An office of a body is named by it: `European Commission President Ursula von der Leyen`.
    """
    title, _, body = participant.office.partition(" of the ")
    office = f"{body} {title}" if body else title
    if office and participant.name.startswith(f"{office} "):
        office = ""
    alone = not office or office == "Pope" or (not is_state(participant.country) if body else " of " in office)
    alone = alone or participant.name.endswith(f" of {country(participant.country)}")
    state = "" if alone else nationality(participant.country)
    return " ".join(word for word in (state, office, participant.name) if word)


def _names(participants: Sequence[Participant]) -> str:
    named = [leader_text(p) for p in participants[:MAX_NAMED]]
    rest = len(participants) - len(named)
    return listed([*named, counted(rest, "other leader")] if rest else named)


def _lead(event: Event) -> str:
    noun, names = noun_of(event.kind, event.medium), _names(event.participants)
    start, end = _SENTENCES[event.status]
    text = start.format(names=names, noun=noun)
    said = ["status"]
    if event.when is not None:
        text += f" {_when(event.when)}"
        said.append("when")
    if event.place is not None and event.medium not in _REMOTE:
        text += f" in {event.place.name or country(event.place.country)}"
        said.append("place")
    if event.forum:
        text += f" in connection with {event.forum}"
        said.append("forum")
    text += end.format(be="is" if noun.startswith("a ") else "are")
    facts = [event.facts[name] for name in said if name in event.facts]
    return f"{text[0].upper()}{text[1:]} {numbers(_support(facts or event.facts.values()))}."


def _remote_place(event: Event) -> list[str]:
    """A call has no place of its own: sources that name one mean where a leader was."""
    if event.place is None or event.medium not in _REMOTE:
        return []
    sources = event.facts["place"].sources
    place = event.place.name or country(event.place.country)
    told = "One source gives" if len(sources) == 1 else f"{len(sources)} sources give"
    return [f"{told} {place} as the place {numbers(sources)}."]


def _support(facts: Iterable[Fact]) -> list[int]:
    """The sources of some facts: first one for each, then the others in order, since only some are shown."""
    every = [fact.sources for fact in facts]
    return [*(sources[0] for sources in every), *sorted(n for sources in every for n in sources)]


def _when(when: When) -> str:
    if when.start == when.end:
        return f"on {day_text(when.start, weekday=True)}"
    if when.granularity == "month":
        return f"in {month_text(when.start)}"
    if when.granularity == "year":
        return f"in {when.start.year}"
    return f"between {day_text(when.start)} and {day_text(when.end)}"


def _value_text(name: str, value: Any) -> str:  # noqa: ANN401  # the JSON form of any fact
    if name == "when":
        start, end = date.fromisoformat(value["start"]), date.fromisoformat(value["end"])
        return day_text(start) if start == end else f"{day_text(start)} to {day_text(end)}"
    if name == "place":
        return str(value["name"] or country(value["country"]))
    return str(value).replace("_", " ")


def _disagreements(event: Event) -> list[str]:
    """For each fact on which sources disagree, the best of the other values and how many give it."""
    told = []
    for name, label in _LABELS.items():
        claims = event.alternatives.get(name, ())
        if not claims or name not in event.facts:
            continue
        claim = claims[0]
        total = len({*claim.sources, *event.facts[name].sources})
        share = f"according to {len(claim.sources)} of {total}"
        told.append(f"The {label} is {_value_text(name, claim.value)} {share} {numbers(claim.sources)}.")
    return told


def _confirmation(event: Event) -> list[str]:
    """Which sides' own offices report the contact."""
    sides = [p for p in event.participants if p.leader in event.confirmed_by]
    sources = [s.n for s in event.sources if s.official and s.speaks_for in {p.country for p in sides}]
    if not sources:
        return []
    owners = dict.fromkeys(nationality(p.country) or p.name for p in sides)
    return [f"{listed([f'{owner} official sources' for owner in owners])} report it {numbers(sources)}."]


def _quotation(event: Event) -> list[str]:
    """The headline of the report that most publishers carry, among those that bear the event's status out."""
    status = event.facts.get("status")
    bearing = [s for s in event.sources if s.title and (status is None or s.n in status.sources)]
    if not bearing:
        return []
    carried = Counter(report for _, report in {(s.publisher or s.article_id, s.report) for s in bearing})

    def weight(s: EventSource) -> tuple[int, bool, bool, int]:
        return -carried[s.report], s.language not in {"", "en"}, not s.official, s.n

    best = min(bearing, key=weight)
    title = best.title if len(best.title) <= MAX_QUOTE else best.title[: MAX_QUOTE - 1].rstrip() + "…"
    alike = [s.n for s in bearing if s.report == best.report and s.title == best.title]
    return [f"{best.outlet or 'One report'} headlines: “{title}” {numbers(alike)}."]
