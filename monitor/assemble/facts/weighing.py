"""The values that an event's sources claim for each of its facts, and which of them counts.

The rule, in this order: a value that a participant's own office gives, before press; the value behind which more
publishers stand with a text of their own, before fewer; more independent texts before fewer; and for what can change
(date, place, medium, forum of a contact ahead), the later before the earlier. The other values stay visible.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from datetime import date
from typing import Any

import msgspec

from monitor.assemble.claims.coverage import Coverage
from monitor.assemble.claims.sighting import HAPPENED, MAX_PARTICIPANTS, Sighting
from monitor.assemble.facts.spans import shape_of
from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.lifecycle.stages import apart, last_move, steps
from monitor.records import EventStatus, Fact, Participant, When

#: Weighed of one fact that are kept beside the chosen one.
MAX_ALTERNATIVES = 5
MAX_TOPICS = 12
#: Seconds.
DAY = 86_400


class Weighed(msgspec.Struct, frozen=True):
    """One fact: the chosen claim, its value as a record's field, and the claims that disagree, best first."""

    chosen: Fact | None
    value: Any
    alternatives: tuple[Fact, ...] = ()


def weigh(
    sightings: Sequence[Sighting],
    coverage: Coverage,
    read: Callable[[Sighting], tuple[Hashable, Any] | None],
    *,
    specific: Callable[[Any], int] = lambda _: 0,
    weight: Callable[[Any], int] = lambda _: 1,
    agree: Callable[[Any, Any], bool] = lambda _, __: False,
) -> Weighed:
    """Choose among the claims that `read` finds (a key by which claims are equal, and the value).

    `specific` ranks values of which one says more than another; it comes behind the official word. `weight` multiplies
    the publishers behind a value that is never said by default. `agree` tells of the chosen value and another one
    whether the other one only says less.
    """
    behind: dict[Hashable, set[int]] = {}
    values: dict[Hashable, Any] = {}
    official: set[Hashable] = set()
    latest: dict[Hashable, int] = {}
    for s in sightings:
        claim = read(s)
        if claim is None:
            continue
        key, value = claim
        behind.setdefault(key, set()).add(coverage.number_of[s.article_id])
        if key not in values or s.time >= latest[key]:
            values[key] = value
        latest[key] = max(s.time, latest.get(key, s.time))
        if s.side:
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
        return Weighed(None, None)
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
    return Weighed(facts[0], values[ranked[0]], tuple(facts[1 : MAX_ALTERNATIVES + 1]))


def status_fact(status: EventStatus, sightings: Sequence[Sighting], coverage: Coverage) -> Weighed:
    """The status with the sources that say it; what contradicts it (a denial of what others report) stays visible."""
    said: dict[EventStatus, list[Sighting]] = {}
    for s in sightings:
        said.setdefault(s.status, []).append(s)
    move = last_move(steps(sightings))
    if status == "rescheduled" and move is not None:
        behind = [s for s in sightings if _tells_move(s, move.sighting)]
    else:
        alike: dict[EventStatus, tuple[EventStatus, ...]] = {
            "held": ("held", "ongoing"),
            "unconfirmed": ("planned", "proposed", "rescheduled"),
        }
        behind = [s for name in alike.get(status, (status,)) for s in said.get(name, ())]
    against: tuple[EventStatus, ...] = ("denied", "cancelled") if status in HAPPENED else ("held",)
    others = [_status_claim(name, said.get(name, ()), coverage) for name in against if name != status]
    chosen = _status_claim(status, behind, coverage)
    return Weighed(chosen, status, tuple(f for f in others if f is not None))


def _status_claim(status: EventStatus, behind: Sequence[Sighting], coverage: Coverage) -> Fact | None:
    if not behind:
        return None
    numbers = tuple(sorted({coverage.number_of[s.article_id] for s in behind}))
    return Fact(value=status, sources=numbers, reports=coverage.texts(numbers), official=any(s.side for s in behind))


def _tells_move(s: Sighting, move: Sighting) -> bool:
    """Whether a claim is the one that moved the contact, or says that it was put off to the same day."""
    put_off = s.status in {"postponed", "rescheduled"} and s.span is not None and move.span is not None
    return s == move or (put_off and not apart(s.span or (0, 0), move.span or (0, 0)))


def when_claim(
    *, happened: bool, sightings: Sequence[Sighting] = (), anchor: Anchor | None = None
) -> Callable[[Sighting], tuple[Hashable, When] | None]:
    """Reads dates: of a contact that took place those of its reports, of one ahead those of the plan that stands.

    `sightings` are all claims of the event: a date is given up that was told before the contact moved, or a day and
    more before another one was told last. Days of a plan that had passed when it was first told are left out.
    """
    plan = anchor.plan if anchor is not None else None
    stands_since = anchor.plans[plan] - DAY if anchor is not None and plan is not None else 0
    move = None if happened else last_move(steps(sightings))
    if move is not None and move.sighting.span is not None:
        plan, stands_since = move.sighting.span, move.sighting.time
    first_told: dict[tuple[int, int], int] = {}
    for s in sightings:
        if s.span is not None:
            first_told[s.span] = min(s.day, first_told.get(s.span, s.day))

    def read(s: Sighting) -> tuple[Hashable, When] | None:
        span = s.span
        if s.when is None or span is None or (happened and s.status not in HAPPENED):
            return None
        if not happened and plan is not None and apart(span, plan) and s.time < stands_since:
            return None
        told = first_told.get(span, s.day)
        shape = shape_of(s.when, date.fromordinal(told))
        start = span[0] if happened or not span[0] < told <= span[1] else told
        whole = (s.when.start.toordinal(), s.when.end.toordinal()) == (start, span[1])
        if whole and shape == s.when.granularity:
            return span, s.when
        shape = "range" if happened and s.when.end.toordinal() != span[1] else shape
        return span, When(
            start=date.fromordinal(start), end=date.fromordinal(span[1]), granularity=shape, text=s.when.text
        )

    return read


def reported(sightings: Sequence[Sighting], coverage: Coverage) -> Weighed:
    """Return the time of a contact that took place on a day that nobody tells: the days up to its first report."""
    first = min(s.day for s in sightings)
    if first <= READ_OUT:  # nobody knows when it was reported
        return Weighed(None, None)
    numbers = tuple(sorted({coverage.number_of[s.article_id] for s in sightings if s.day == first}))
    when = When(start=date.fromordinal(first - READ_OUT + 1), end=date.fromordinal(first), granularity="reported")
    return Weighed(Fact(value=msgspec.to_builtins(when), sources=numbers, reports=coverage.texts(numbers)), when)


def contains(chosen: When, other: When) -> bool:
    """Say whether the other date is a wider one around the chosen one."""
    return other.start <= chosen.start and chosen.end <= other.end


def narrowness(when: When) -> int:
    """Return a day says more than a week, a week more than a month."""
    return -(when.end.toordinal() - when.start.toordinal())


def participants(sightings: Sequence[Sighting], coverage: Coverage) -> Weighed:
    """Who took part: a set of leaders is one claim; names and offices are those of the latest article that has them."""
    known: dict[str, Participant] = {}
    roles: dict[str, str] = {}
    for s in sorted(sightings, key=lambda s: (s.time, s.article_id)):
        for p in s.participants:
            old = known.get(p.leader)
            known[p.leader] = p if p.office or old is None or not old.office else old
            if p.role and s.status != "past":
                roles[p.leader] = p.role
    named = {p.country: p.leader for p in known.values() if p.country and not p.leader.startswith("office")}

    def read(s: Sighting) -> tuple[Hashable, tuple[str, ...]]:
        # An office without a name is the leader of that state whom the other sources name.
        resolved = {
            named.get(p.country, p.leader) if p.leader.startswith("office") else p.leader for p in s.participants
        }
        leaders = tuple(sorted(resolved))
        return leaders, leaders

    # Of lists that equally many publishers give, the longer one says more.
    claims = weigh(sightings, coverage, read, weight=lambda leaders: MAX_PARTICIPANTS + len(leaders))
    chosen = tuple(
        msgspec.structs.replace(known[leader], role=roles.get(leader, known[leader].role)) for leader in claims.value
    )
    return Weighed(claims.chosen, chosen, claims.alternatives)


def topics(sightings: Sequence[Sighting], coverage: Coverage) -> tuple[tuple[str, ...], Fact | None]:
    """Return every topic that a source names, the most named first, and the sources behind them."""
    behind: dict[str, set[int]] = {}
    for s in sightings:
        for topic in s.topics:
            behind.setdefault(topic, set()).add(coverage.number_of[s.article_id])
    named = tuple(sorted(behind, key=lambda t: (-len(behind[t]), t))[:MAX_TOPICS])
    if not named:
        return (), None
    numbers = tuple(sorted(set().union(*(behind[t] for t in named))))
    return named, Fact(value=list(named), sources=numbers, reports=coverage.texts(numbers))
