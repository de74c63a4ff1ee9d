"""The values that an event's sources claim for each of its facts, and which of them counts.

The rule, in this order: a value that a participant's own office gives, before press; the value behind which more
publishers stand with a text of their own, before fewer; more independent texts before fewer; and for what can change
(date, place, medium, forum of a contact ahead), the later before the earlier. The other values stay visible.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from datetime import date
from typing import Any

import msgspec

from monitor.assemble.claims.coverage import Coverage
from monitor.assemble.claims.sighting import HAPPENED, MAX_PARTICIPANTS, Sighting
from monitor.assemble.identity.anchor import Anchor
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
        if _speaks_for_itself(s):
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


def _speaks_for_itself(s: Sighting) -> bool:
    return s.official and any(p.country and p.country == s.speaks_for for p in s.participants)


def status_fact(status: EventStatus, sightings: Sequence[Sighting], coverage: Coverage) -> Weighed:
    """The status with the sources that say it; what contradicts it (a denial of what others report) stays visible."""
    said: dict[EventStatus, list[Sighting]] = {}
    for s in sightings:
        said.setdefault(s.status, []).append(s)
    alike: dict[EventStatus, tuple[EventStatus, ...]] = {
        "held": ("held", "ongoing"),
        "rescheduled": ("planned", "postponed"),
        "unconfirmed": ("planned", "proposed"),
    }

    def fact(status: EventStatus, names: Iterable[EventStatus]) -> Fact | None:
        behind = [s for name in names for s in said.get(name, ())]
        if not behind:
            return None
        numbers = tuple(sorted({coverage.number_of[s.article_id] for s in behind}))
        return Fact(
            value=status,
            sources=numbers,
            reports=coverage.texts(numbers),
            official=any(_speaks_for_itself(s) for s in behind),
        )

    against: tuple[EventStatus, ...] = ("denied", "cancelled") if status in HAPPENED else ("held",)
    others = [fact(name, (name,)) for name in against if name != status]
    return Weighed(fact(status, alike.get(status, (status,))), status, tuple(f for f in others if f is not None))


def when_claim(*, happened: bool, anchor: Anchor) -> Callable[[Sighting], tuple[Hashable, When] | None]:
    """Reads dates: of a contact that took place those of its reports, of one ahead those of the plan that stands."""
    plan = anchor.plan
    # An older date was given up; one that was told when the plan was told last is a disagreement.
    stands_since = anchor.plans[plan] - DAY if plan is not None else 0

    def read(s: Sighting) -> tuple[Hashable, When] | None:
        span = s.span
        if s.when is None or span is None or (happened and s.status not in HAPPENED):
            return None
        if not happened and plan is not None and (span[0] > plan[1] or span[1] < plan[0]) and s.time < stands_since:
            return None
        whole = (s.when.start.toordinal(), s.when.end.toordinal()) == span
        return span, s.when if whole else When(start=s.when.start, end=date.fromordinal(span[1]), granularity="range")

    return read


def contains(chosen: When, other: When) -> bool:
    """Whether the other date is a wider one around the chosen one."""
    return other.start <= chosen.start and chosen.end <= other.end


def narrowness(when: When) -> int:
    """A day says more than a week, a week more than a month."""
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
    """Every topic that a source names, the most named first, and the sources behind them."""
    behind: dict[str, set[int]] = {}
    for s in sightings:
        for topic in s.topics:
            behind.setdefault(topic, set()).add(coverage.number_of[s.article_id])
    named = tuple(sorted(behind, key=lambda t: (-len(behind[t]), t))[:MAX_TOPICS])
    if not named:
        return (), None
    numbers = tuple(sorted(set().union(*(behind[t] for t in named))))
    return named, Fact(value=list(named), sources=numbers, reports=coverage.texts(numbers))
