"""Makes an event's record from its mentions. Pure; the order of the mentions does not matter."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from hashlib import blake2b
from typing import Any

import msgspec

from monitor.assemble.brief.deeds import in_order
from monitor.assemble.brief.sentences import brief
from monitor.assemble.claims.coverage import Coverage, cover
from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention
from monitor.assemble.facts import weighing
from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.identity.regions import same_place
from monitor.assemble.lifecycle.stages import confirmed_by, status_of
from monitor.records import Event, EventStatus, Fact, Medium, Participant, Place

#: The fields whose changes are recorded in the history.
TRACKED = (
    "status",
    "kind",
    "medium",
    "when",
    "place",
    "forum",
    "participants",
    "confirmed_by",
    "reports",
    "publishers",
)

#: Statuses of a plan whose day and place are agreed.
_SETTLED = frozenset({"planned", "rescheduled"})
#: Times that a report cuts short: what was reported on Wednesday was not held later in the week.
_WIDE = frozenset({"week", "month", "early", "mid", "late", "quarter", "half", "year", "until", "from", "around"})
#: Weight of "video" against "phone": "a call" is read as phone by default, while nobody writes video by default.
_VIDEO_WEIGHT = 3


def build(
    event_id: str, mentions: Sequence[KeptMention], anchor: Anchor, today: int, redirects: tuple[str, ...] = ()
) -> Event:
    """Return the event on a day (an ordinal in event time), without revision, history and context.

    `anchor` summarises the same mentions.
    """
    coverage = cover(mentions)
    status = status_of(mentions, anchor, today)
    live = [m for m in mentions if m.status != "past"] or list(mentions)
    chosen = _choose(status, mentions, live, coverage, anchor)
    topics, topic_fact = weighing.topics(live, coverage)
    claims: dict[str, Fact] = {name: c.chosen for name, c in chosen.items() if c.chosen is not None}
    if topic_fact is not None:
        claims["topics"] = topic_fact
    times = [m.moment for m in mentions if m.time > 0]
    event = Event(
        event_id=event_id,
        revision=0,
        participants=in_order(_at_home(chosen["participants"].value, chosen["place"].value), chosen["kind"].value),
        kind=chosen["kind"].value,
        medium=chosen["medium"].value or "unknown",
        status=status,
        when=chosen["when"].value,
        place=chosen["place"].value,
        forum=chosen["forum"].value,
        topics=topics,
        facts=claims,
        alternatives={name: c.alternatives for name, c in chosen.items() if c.alternatives},
        sources=coverage.sources,
        publishers=coverage.publishers,
        reports=coverage.reports,
        official=any(m.official for m in live),
        confirmed_by=confirmed_by(mentions),
        confidence=_confidence(live, coverage),
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        redirects=redirects,
        backfill=all(m.backfill for m in mentions),
    )
    return msgspec.structs.replace(event, brief=brief(event))


def _at_home(participants: tuple[Participant, ...], place: Place | None) -> tuple[Participant, ...]:
    """Return the participants with the host's role for the one in whose state the place is, if another one has it."""
    hosts = [p for p in participants if p.role == "host"]
    at_home = [p for p in participants if place is not None and place.country and p.country == place.country]
    if not hosts or len(at_home) != 1 or at_home[0] in hosts:
        return participants
    return tuple(
        msgspec.structs.replace(p, role="host" if p in at_home else "visitor" if p.role else "") for p in participants
    )


def _choose(
    status: EventStatus,
    mentions: Sequence[KeptMention],
    live: Sequence[KeptMention],
    coverage: Coverage,
    anchor: Anchor,
) -> dict[str, weighing.WeighedFact]:
    """The value of each fact; `live` are the claims that are not background."""
    told = [m for m in mentions if anchor.counts(m)]
    happened = [m for m in told if m.status in HAPPENED] if status in HAPPENED else live
    chosen: dict[str, weighing.WeighedFact] = {
        "status": weighing.status_fact(status, told, coverage),
        "participants": weighing.participants(live, coverage, happened=status in HAPPENED),
        "kind": weighing.weigh(live, coverage, lambda m: (m.kind, m.kind), specific=lambda k: int(k != "talks")),
        "medium": _weigh_medium([m for m in happened if m.remote in (None, anchor.medium)], coverage),
        "when": weighing.weigh(
            live,
            coverage,
            weighing.when_claim(happened=status in HAPPENED, mentions=told, anchor=anchor),
            specific=weighing.narrowness,
            weight=lambda when: anchor.votes(when.start.toordinal()),
            agree=weighing.contains,
        ),
        "place": _weigh_place(happened, coverage),
        "forum": weighing.weigh(live, coverage, lambda m: (m.forum, m.forum) if m.forum else None),
    }
    if chosen["when"].value is None and status in HAPPENED:
        chosen["when"] = _day_of_plan(live, happened, coverage)
    if status in HAPPENED:
        chosen["when"] = _until_report(chosen["when"], happened, coverage)
    if chosen["place"].value is None and status in HAPPENED and not anchor.medium:
        # As for its day, use the plan's, unless the meeting was moved online.
        chosen["place"] = _weigh_place([m for m in live if m.status in _SETTLED], coverage)
    if chosen["medium"].value is None:
        chosen["medium"] = _weigh_medium(live, coverage)
    if chosen["medium"].value is None and _is_elsewhere(chosen["place"].value, chosen["participants"].value):
        chosen["place"] = weighing.WeighedFact(None, None)
    return chosen


def _is_elsewhere(place: Place | None, participants: Sequence[Participant]) -> bool:
    """Whether a place is only a third country: if nobody says that they met, they talked about it."""
    return place is not None and not place.name and place.country not in {p.country for p in participants}


def _day_of_plan(
    live: Sequence[KeptMention], happened: Sequence[KeptMention], coverage: Coverage
) -> weighing.WeighedFact:
    """The time of a held contact whose reports name none: that of a due plan, else the days up to its first report."""
    first = min(m.day for m in happened)
    due = [m for m in live if m.span is not None and m.span[0] <= first and m.span[1] >= first - READ_OUT]
    read = weighing.when_claim(happened=False, mentions=due)
    found = weighing.weigh(due, coverage, read, specific=weighing.narrowness, agree=weighing.contains)
    return found if found.chosen is not None else weighing.reported(happened, coverage)


def _until_report(
    time: weighing.WeighedFact, happened: Sequence[KeptMention], coverage: Coverage
) -> weighing.WeighedFact:
    """The time of a held contact; of a week or month that its first report cuts short, the days up to that report."""
    first = date.fromordinal(min(m.day for m in happened))
    when = time.value
    told = weighing.reported(happened, coverage)
    if told.chosen is None or when is None or when.granularity not in _WIDE or not when.start <= first < when.end:
        return time
    within = msgspec.structs.replace(told.value, start=max(when.start, told.value.start))
    fact = msgspec.structs.replace(told.chosen, value=msgspec.to_builtins(within))
    return weighing.WeighedFact(fact, within, time.alternatives)


def retracted(event: Event) -> Event:
    """Return the event after all its sources are gone: without facts and sources."""
    event = msgspec.structs.replace(
        event,
        status="retracted",
        facts={},
        alternatives={},
        sources=(),
        publishers=0,
        reports=0,
        official=False,
        confirmed_by=(),
        confidence=0.0,
        context="",
        closed=False,
    )
    return msgspec.structs.replace(event, brief=brief(event))


def _medium(m: KeptMention) -> tuple[Hashable, Medium] | None:
    return None if m.medium == "unknown" else (m.medium, m.medium)


def _weigh_medium(mentions: Sequence[KeptMention], coverage: Coverage) -> weighing.WeighedFact:
    return weighing.weigh(
        mentions,
        coverage,
        _medium,
        specific=lambda medium: int(medium != "remote"),
        agree=lambda chosen, other: other == "remote" and chosen in {"phone", "video"},
        weight=lambda medium: _VIDEO_WEIGHT if medium == "video" else 1,
    )


def _weigh_place(mentions: Sequence[KeptMention], coverage: Coverage) -> weighing.WeighedFact:
    return weighing.weigh(mentions, coverage, _place, specific=lambda p: int(bool(p.name)), agree=_around)


def _place(m: KeptMention) -> tuple[Hashable, Any] | None:
    return None if m.place is None else ((m.place.name, m.place.country), m.place)


def _around(chosen: Place, other: Place) -> bool:
    """Whether the other place is the country of the chosen one, or the region of the same town."""
    return chosen.country == other.country and (not other.name or same_place(chosen.name, (other.name,)))


def _confidence(mentions: Sequence[KeptMention], coverage: Coverage) -> float:
    """The probability that at least one report is right, one vote for each independent text, at most .99."""
    best: dict[int, float] = {}
    for m in mentions:
        report = coverage.sources[coverage.number_of[m.article_id] - 1].report
        best[report] = max(best.get(report, 0.0), min(m.confidence, 0.99))
    doubt = 1.0
    for value in best.values():
        doubt *= 1 - value
    return round(min(0.99, 1 - doubt), 3)


def content_digest(event: Event) -> bytes:
    """Return a hash of everything that a reader would see: without revision, history and titles."""
    seen = msgspec.structs.replace(
        event,
        revision=0,
        history=(),
        sources=tuple(msgspec.structs.replace(s, title="", url="", revision=0) for s in event.sources),
        brief="",
    )
    return blake2b(msgspec.msgpack.encode(seen), digest_size=12).digest()


def tracked(event: Event) -> dict[str, Any]:
    """Return the tracked fields in their JSON form."""
    values: dict[str, Any] = msgspec.to_builtins({name: getattr(event, name) for name in TRACKED})
    values["participants"] = [p.leader for p in event.participants]
    values["confirmed_by"] = list(event.confirmed_by)
    if event.closed and not event.merged_into:
        values["closed"] = True
    if event.merged_into:
        values["merged_into"] = event.merged_into
    if event.redirects:
        values["redirects"] = list(event.redirects)
    return values
