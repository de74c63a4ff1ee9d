"""Chooses, for each fact of an event, one of the values that its sources claim.

The order of preference: a value from a participant's own office; the value with more publishers that have a text of
their own; the value with more independent texts; and for what can change (date, place, medium and forum of a future
contact), the later value. The other values are kept as alternatives.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Any

import msgspec

from monitor.assemble.claims.coverage import Coverage
from monitor.assemble.claims.kept_mention import HAPPENED, MAX_PARTICIPANTS, KeptMention
from monitor.assemble.facts.spans import shape_of
from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.lifecycle.stages import REFUSED, apart, last_move, steps
from monitor.records import EventStatus, Fact, Participant, When

#: Alternatives of one fact that are kept next to the chosen value.
MAX_ALTERNATIVES = 5
MAX_TOPICS = 12
#: Seconds of a day.
DAY = 86_400


class WeighedFact(msgspec.Struct, frozen=True):
    """One fact: the chosen claim, its value as a field of the record, and the claims that disagree, best first."""

    chosen: Fact | None
    value: Any
    alternatives: tuple[Fact, ...] = ()


def weigh(
    mentions: Sequence[KeptMention],
    coverage: Coverage,
    read: Callable[[KeptMention], tuple[Hashable, Any] | None],
    *,
    specific: Callable[[Any], int] = lambda _: 0,
    weight: Callable[[Any], int] = lambda _: 1,
    agree: Callable[[Any, Any], bool] = lambda _, __: False,
) -> WeighedFact:
    """Choose among the claims that `read` returns (a key by which claims are equal, and the value).

    `specific` ranks more specific values higher; it counts after the official word. `weight` multiplies the publishers
    of a value that nobody writes by default. `agree` says, for the chosen value and another one, whether the other one
    is only less specific.
    """
    behind: dict[Hashable, set[int]] = {}
    values: dict[Hashable, Any] = {}
    official: set[Hashable] = set()
    latest: dict[Hashable, int] = {}
    for m in mentions:
        claim = read(m)
        if claim is None:
            continue
        key, value = claim
        behind.setdefault(key, set()).add(coverage.number_of[m.article_id])
        if key not in values or m.time >= latest[key]:
            values[key] = value
        latest[key] = max(m.time, latest.get(key, m.time))
        if m.side:
            official.add(key)
    ranked = sorted(
        values,
        key=lambda k: (
            k not in official,
            -specific(values[k]),
            -coverage.voices(behind[k]) * weight(values[k]),
            -coverage.texts(behind[k]),
            -latest[k],
            repr(k),
        ),
    )
    if not ranked:
        return WeighedFact(None, None)
    ranked = [k for k in ranked if k == ranked[0] or not agree(values[ranked[0]], values[k])]
    facts = [
        Fact(
            value=msgspec.to_builtins(values[k]),
            sources=tuple(sorted(behind[k])),
            reports=coverage.texts(behind[k]),
            official=k in official,
        )
        for k in ranked
    ]
    return WeighedFact(facts[0], values[ranked[0]], tuple(facts[1 : MAX_ALTERNATIVES + 1]))


def status_fact(status: EventStatus, mentions: Sequence[KeptMention], coverage: Coverage) -> WeighedFact:
    """Return the status with the sources that state it.

    Statuses that contradict it (a denial of what others report) are kept as alternatives. What was denied or called off
    on a day before the contact was reported contradicts no report.
    """
    if status in HAPPENED:
        since = min((m.day for m in mentions if m.status in HAPPENED), default=0)
        mentions = [m for m in mentions if m.status not in REFUSED or m.day >= since]
    said: dict[EventStatus, list[KeptMention]] = {}
    for m in mentions:
        said.setdefault(m.status, []).append(m)
    move = last_move(steps(mentions))
    if status == "rescheduled" and move is not None:
        behind = [m for m in mentions if _tells_move(m, move.mention)]
    else:
        alike: dict[EventStatus, tuple[EventStatus, ...]] = {
            "held": ("held", "ongoing"),
            "unconfirmed": ("planned", "proposed", "rescheduled"),
        }
        behind = [m for name in alike.get(status, (status,)) for m in said.get(name, ())]
    against: tuple[EventStatus, ...] = ("denied", "cancelled") if status in HAPPENED else ("held",)
    others = [_status_claim(name, said.get(name, ()), coverage) for name in against if name != status]
    chosen = _status_claim(status, behind, coverage)
    return WeighedFact(chosen, status, tuple(f for f in others if f is not None))


def _status_claim(status: EventStatus, behind: Sequence[KeptMention], coverage: Coverage) -> Fact | None:
    if not behind:
        return None
    numbers = tuple(sorted({coverage.number_of[m.article_id] for m in behind}))
    return Fact(value=status, sources=numbers, reports=coverage.texts(numbers), official=any(m.side for m in behind))


def _tells_move(m: KeptMention, move: KeptMention) -> bool:
    """Whether a claim moved the contact, or says that it was postponed to the same day."""
    put_off = m.status in {"postponed", "rescheduled"} and m.span is not None and move.span is not None
    return m == move or (put_off and not apart(m.span or (0, 0), move.span or (0, 0)))


def when_claim(
    *, happened: bool, mentions: Sequence[KeptMention] = (), anchor: Anchor | None = None
) -> Callable[[KeptMention], tuple[Hashable, When] | None]:
    """Return a function that reads dates: from reports if the contact took place, else from the current plan.

    `mentions` are all claims of the event. A date is dropped if it was published before the contact moved, or more
    than a day before another date was last published. So are the days of a plan before its first announcement.
    """
    plan = anchor.plan if anchor is not None else None
    stands_since = anchor.plans[plan] - DAY if anchor is not None and plan is not None else 0
    move = None if happened else last_move(steps(mentions))
    if move is not None and move.mention.span is not None:
        plan, stands_since = move.mention.span, move.mention.time
    first_told: dict[tuple[int, int], int] = {}
    for m in mentions:
        if m.span is not None:
            first_told[m.span] = min(m.day, first_told.get(m.span, m.day))

    def read(m: KeptMention) -> tuple[Hashable, When] | None:
        span = m.span
        if m.when is None or span is None or (happened and m.status not in HAPPENED) or m.denies_report:
            return None
        if not happened and plan is not None and apart(span, plan) and m.time < stands_since:
            return None
        told = first_told.get(span, m.day)
        shape = shape_of(m.when, date.fromordinal(told))
        start = span[0] if happened or not span[0] < told <= span[1] else told
        whole = (m.when.start.toordinal(), m.when.end.toordinal()) == (start, span[1])
        if whole and shape == m.when.granularity:
            return span, m.when
        shape = "range" if happened and m.when.end.toordinal() != span[1] else shape
        return span, When(
            start=date.fromordinal(start), end=date.fromordinal(span[1]), granularity=shape, text=m.when.text
        )

    return read


def reported(mentions: Sequence[KeptMention], coverage: Coverage) -> WeighedFact:
    """Return the time of a held contact without a named day: the days up to its first report."""
    first = min(m.day for m in mentions)
    if first <= READ_OUT:  # the report has no time
        return WeighedFact(None, None)
    numbers = tuple(sorted({coverage.number_of[m.article_id] for m in mentions if m.day == first}))
    when = When(start=date.fromordinal(first - READ_OUT + 1), end=date.fromordinal(first), granularity="reported")
    return WeighedFact(Fact(value=msgspec.to_builtins(when), sources=numbers, reports=coverage.texts(numbers)), when)


def contains(chosen: When, other: When) -> bool:
    """Say whether the other date is a wider one that includes the chosen one."""
    return other.start <= chosen.start and chosen.end <= other.end


def narrowness(when: When) -> int:
    """Return how precise a time is, for sorting: a day ranks above a week, a week above a month."""
    return -(when.end.toordinal() - when.start.toordinal())


def participants(mentions: Sequence[KeptMention], coverage: Coverage, *, happened: bool = False) -> WeighedFact:
    """Return the participants. A set of leaders is one claim; names, offices and roles are those of the latest article.

    Who called whom is claimed only by a report if the call `happened`: a plan does not know it.
    """
    known: dict[str, Participant] = {}
    roles: dict[str, str] = {}
    for m in sorted(mentions, key=lambda m: (m.time, m.article_id)):
        for p in m.participants:
            old = known.get(p.leader)
            known[p.leader] = p if p.office or old is None or not old.office else old
            if m.status != "past" and p.role and (p.role != "caller" or not happened or m.status in HAPPENED):
                roles[p.leader] = p.role
    named = {p.country: p.leader for p in known.values() if p.country and not p.leader.startswith("office")}

    def read(m: KeptMention) -> tuple[Hashable, tuple[str, ...]]:
        # An office without a name means the leader of that state whom other sources name.
        resolved = {
            named.get(p.country, p.leader) if p.leader.startswith("office") else p.leader for p in m.participants
        }
        leaders = tuple(sorted(resolved))
        return leaders, leaders

    # Of sets with equally many publishers, the larger one is more specific.
    claims = weigh(mentions, coverage, read, weight=lambda leaders: MAX_PARTICIPANTS + len(leaders))
    chosen = tuple(msgspec.structs.replace(known[leader], role=roles.get(leader, "")) for leader in claims.value)
    return WeighedFact(claims.chosen, chosen, claims.alternatives)


def topics(mentions: Sequence[KeptMention], coverage: Coverage) -> tuple[tuple[str, ...], Fact | None]:
    """Return every topic that a source names, most frequent first, and the sources."""
    behind: dict[str, set[int]] = {}
    for m in mentions:
        for topic in m.topics:
            behind.setdefault(topic, set()).add(coverage.number_of[m.article_id])
    named = tuple(sorted(behind, key=lambda t: (-len(behind[t]), t))[:MAX_TOPICS])
    if not named:
        return (), None
    numbers = tuple(sorted(set().union(*(behind[t] for t in named))))
    return named, Fact(value=list(named), sources=numbers, reports=coverage.texts(numbers))
