"""Finds oddities in a watchlist that are not errors. Only `summitry watchlist check` reports them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import combinations

from monitor.watchlist.roster import Leader, Office, Watchlist


def warnings(watchlist: Watchlist, today: date) -> list[str]:
    """Return one line for each oddity, sorted: the leaders, what is odd, and the consequence."""
    return sorted([
        *_overlaps(watchlist), *_hard_to_find(watchlist), *_shared_names(watchlist), *_expired(watchlist, today),
    ])  # fmt: skip


def known_up_to(watchlist: Watchlist, today: date) -> date | None:
    """Return the day of the latest change of office in the watchlist, which shows how recent it is."""
    days = [
        day for leader in watchlist.leaders.values() for office in leader.offices for day in (office.from_, office.to)
    ]
    return max((day for day in days if day is not None and day <= today), default=None)


def _expired(watchlist: Watchlist, today: date) -> Iterator[str]:
    """Find offices whose term is over although the roster has no end for them."""
    for leader in watchlist.leaders.values():
        for office in leader.offices:
            if office.to is None and office.term is not None and office.term < today:
                yield (
                    f"{leader.id}: the term as {office.title} of {office.country} ended on {office.term}: "
                    "write `to`, or the new `term`"
                )


def _overlaps(watchlist: Watchlist) -> Iterator[str]:
    """Find posts that two leaders hold for longer than a handover. In that time its titles mean neither of them."""
    posts: dict[tuple[str, str], list[tuple[Office, Leader]]] = {}
    for leader in watchlist.leaders.values():
        for office in leader.offices:
            posts.setdefault((office.country, office.title), []).append((office, leader))
    for (country, title), held in posts.items():
        if watchlist.states[country].joint:
            continue
        for (one, first), (other, second) in combinations(held, 2):
            begin = max(one.from_ or date.min, other.from_ or date.min)
            end = min(one.to or date.max, other.to or date.max)
            if first.id != second.id and begin < end:
                until = "today" if end == date.max else end.isoformat()
                yield (
                    f"{country}: {first.id} and {second.id} are both {title} from {begin} to {until}: "
                    f'in that time "{title}" of {country} names neither'
                )
            elif first.id == second.id and begin < end:
                yield f"{country}: {first.id} is {title} twice from {begin}: drop one of the two entries"


def _hard_to_find(watchlist: Watchlist) -> Iterator[str]:
    """Find leaders whom detection can hardly recognise: without an office, or with weak names only."""
    for leader in watchlist.leaders.values():
        if not leader.offices:
            yield f"{leader.id}: has no office: found by name on any day, never by a title"
        if all(alias.strength == "weak" for alias in leader.aliases):
            yield f"{leader.id}: all names are weak: found only beside a title or a country"


def _shared_names(watchlist: Watchlist) -> Iterator[str]:
    """Find names that two leaders share who serve at the same time."""
    by_name: dict[str, dict[str, Leader]] = {}
    for leader in watchlist.leaders.values():
        for alias in leader.aliases:
            if alias.strength != "weak":
                by_name.setdefault(alias.text, {})[leader.id] = leader
    for text, several in by_name.items():
        for one, other in combinations(several.values(), 2):
            if one.serves_with(other):
                yield f"{one.id} and {other.id} serve together and share the name `{text}`: make it weak for one"
