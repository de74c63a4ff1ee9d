"""Builds contacts from pairs: which leaders are in one contact together, and which in separate contacts.

For "X speaks by phone with Y, and with Z" the reader gives `none` for the pair Y and Z. So a contact of three leaders
is three pairs that are each in contact: a clique. A set that the rules found is kept whole if its pairs agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from monitor.detect.reader.fusion import group
from monitor.detect.reader.opinion import NONE, Pair

Statuses = dict[str, float]

#: Three or more leaders are in one contact only if each pair of them has at least this probability.
_TOGETHER = 0.75
#: A set that the rules found is split if the probability of one of its pairs is below this.
_AGAINST = 0.25


class LikelyContact(NamedTuple):
    """The leaders of one contact, and the probability of each status."""

    leaders: frozenset[str]
    statuses: Statuses


def contacts_of(
    pairs: Mapping[Pair, Statuses], sets: Collection[frozenset[str]], threshold: float
) -> list[LikelyContact]:
    """Return the contacts that the pairs form, in the order of the pairs. A pair counts from `threshold` on.

    Sets of the rules with leaders that the reader did not see are left out. Pairs on which the reader was not asked,
    such as two leaders of one body, do not count against a set.
    """
    known = {frozenset(pair): statuses for pair, statuses in pairs.items()}
    made: list[LikelyContact] = []
    for leaders in sorted((one for one in sets if len(one) > 2), key=lambda one: (-len(one), sorted(one))):
        inner = [known[frozenset(pair)] for pair in combinations(sorted(leaders), 2) if frozenset(pair) in known]
        if leaders == {one for pair in known if pair <= leaders for one in pair}:
            mean = _mean(inner)
            if _any_contact(mean) >= threshold and min(map(_any_contact, inner)) >= _AGAINST:
                made.append(LikelyContact(leaders, mean))
    whole = [one.leaders for one in made]
    likely = {pair: statuses for pair, statuses in known.items() if _any_contact(statuses) >= threshold}
    for clique in _cliques(_without_doubtful(likely)):
        if not any(clique <= one for one in whole):
            made += _by_status(clique, likely)
    made += [LikelyContact(pair, known[pair]) for pair in likely if pair in sets and any(pair < one for one in whole)]
    order = {leader: at for at, leader in enumerate(dict.fromkeys(one for pair in pairs for one in pair))}
    return sorted(made, key=lambda one: sorted(order.get(leader, len(order)) for leader in one.leaders))


def gatherings(summits: Sequence[LikelyContact]) -> list[LikelyContact]:
    """Return the summits, with those joined that share a leader and a status group.

    The reader judges pairs: for "the host received A, B and C" it says that the host is at a summit with each guest,
    and nothing about A and B.
    """
    left, found = list(summits), list[LikelyContact]()
    while left:
        whole = [left.pop(0)]
        leaders, status = whole[0].leaders, _top(whole[0].statuses)
        while more := [one for one in left if one.leaders & leaders and _top(one.statuses) == status]:
            left = [one for one in left if one not in more]
            leaders, whole = leaders.union(*(one.leaders for one in more)), [*whole, *more]
        found.append(LikelyContact(leaders, _mean([one.statuses for one in whole])))
    return found


def _without_doubtful(pairs: Mapping[frozenset[str], Statuses]) -> set[frozenset[str]]:
    """The pairs, except those that would join three or more leaders but are not likely enough for that."""
    left = set(pairs)
    while True:
        inner = {frozenset(pair) for clique in _cliques(left) if len(clique) > 2 for pair in combinations(clique, 2)}
        least = min(inner, key=lambda pair: (_any_contact(pairs[pair]), sorted(pair)), default=None)
        if least is None or _any_contact(pairs[least]) >= _TOGETHER:
            return left
        left.remove(least)


def _any_contact(statuses: Statuses) -> float:
    """The probability that the text reports a contact at all, even one long past."""
    return 1 - statuses[NONE]


def _by_status(clique: frozenset[str], pairs: Mapping[frozenset[str], Statuses]) -> Iterator[LikelyContact]:
    """The clique as one contact if its pairs agree on a status, else one contact for each part with one status."""
    inner = [frozenset(pair) for pair in combinations(sorted(clique), 2)]
    mean = _mean([pairs[pair] for pair in inner])
    main = _top(mean)
    if len(clique) == 2 or all(_share(pairs[pair], main) >= _AGAINST for pair in inner):
        yield LikelyContact(clique, mean)
        return
    by_group: dict[str, dict[frozenset[str], Statuses]] = {}
    for pair in inner:
        by_group.setdefault(_top(pairs[pair]), {})[pair] = pairs[pair]
    for some in by_group.values():
        for part in _cliques(some):
            yield LikelyContact(part, _mean([some[frozenset(pair)] for pair in combinations(sorted(part), 2)]))


def _top(statuses: Statuses) -> str:
    """The most likely group of statuses except `none`."""
    totals: dict[str, float] = {}
    for status, share in statuses.items():
        if status != NONE:
            totals[group(status)] = totals.get(group(status), 0.0) + share
    return max(totals, key=lambda one: totals[one])


def _share(statuses: Statuses, of: str) -> float:
    return sum(share for status, share in statuses.items() if status != NONE and group(status) == of)


def _mean(some: list[Statuses]) -> Statuses:
    return {status: sum(one[status] for one in some) / len(some) for status in some[0]}


def _cliques(edges: Collection[frozenset[str]]) -> list[frozenset[str]]:
    """The largest sets of leaders in which each is connected to each (Bron and Kerbosch). There are few leaders."""
    near: dict[str, set[str]] = {}
    for edge in edges:
        first, second = sorted(edge)
        near.setdefault(first, set()).add(second)
        near.setdefault(second, set()).add(first)
    found: list[frozenset[str]] = []

    def grow(inside: frozenset[str], open_: set[str], done: set[str]) -> None:
        if not open_ and not done:
            found.append(inside)
        for one in sorted(open_):
            grow(inside | {one}, open_ & near[one], done & near[one])
            open_ = open_ - {one}
            done = done | {one}

    if near:
        grow(frozenset(), set(near), set())
    return found
