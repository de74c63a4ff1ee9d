"""The filters that every page, feed, export and API route shares, written as the query of an address.

    leader=xi-jinping     pair=vladimir-putin+xi-jinping     country=FR     kind=call     medium=video     status=held
    confidence=0.6        confirmed=yes                      since=2026-01-01              until=2026-01-31  q=gas deal

For several values, repeat a key or separate them by commas: one of them must match. Every given key must match.
If a watchlist is at hand, a leader may be given by any name: `leader=Путин`, `pair=Putin + Xi`.
`since` and `until` are days of the contact, both included; an event without a date counts by the day it was first seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from itertools import product
from urllib.parse import urlencode

from monitor.archive.search import LeaderNames
from monitor.errors import SummitryError
from monitor.records import EVENT_STATUSES, KINDS, MEDIA
from monitor.watchlist.states import bundled_states, code_for

_Lists = Mapping[str, tuple[str, ...]]

MAX_VALUES = 50
MAX_QUESTION = 200

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,79}")


class SelectionError(SummitryError):
    """A filter that can't be read: `key` is its name, `problem` says what is wrong."""

    reason = "selection"

    def __init__(self, key: str, problem: str) -> None:
        self.key, self.problem = key, problem
        super().__init__(f"{key}: {problem}")


@dataclass(frozen=True)
class EventFilters:
    """The filters. Empty ones match everything."""

    leader: tuple[str, ...] = ()
    pair: tuple[tuple[str, str], ...] = ()
    country: tuple[str, ...] = ()
    kind: tuple[str, ...] = ()
    medium: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    confidence: float = 0.0
    confirmed: bool | None = None
    since: date | None = None
    until: date | None = None
    q: str = ""

    @classmethod
    def parse(
        cls, query: Iterable[tuple[str, str]], others: Iterable[str] = (), people: LeaderNames | None = None
    ) -> EventFilters:
        """Read a query's keys and values. Raises SelectionError.

        An unknown key is an error, because ignoring a typo would match everything; `others` are keys of the route.
        With `people`, leaders may be given by name; a name that several leaders share stands for all of them.
        """
        given: dict[str, list[str]] = {}
        allowed = {*_NAMES, *others}
        for key, value in query:
            if key not in allowed:
                raise SelectionError(key[:40], "is not a filter; known are " + ", ".join(_NAMES))
            if key in _NAMES and value.strip():
                given.setdefault(key, []).append(value.strip())
        lists = {
            key: tuple(dict.fromkeys(part.strip() for value in values for part in value.split(",") if part.strip()))
            for key, values in given.items()
        }
        for key, values in lists.items():
            if len(values) > MAX_VALUES:
                raise SelectionError(key, f"more than {MAX_VALUES} values")
        return cls(
            leader=_leaders(lists.get("leader", ()), people),
            pair=_pairs(lists.get("pair", ()), people),
            country=_countries(lists.get("country", ())),
            kind=_among("kind", lists, KINDS),
            medium=_among("medium", lists, MEDIA),
            status=_among("status", lists, EVENT_STATUSES),
            confidence=_share(given.get("confidence", ["0"])[-1]),
            confirmed=_yes_or_no(given.get("confirmed", [""])[-1]),
            since=_day("since", given.get("since", [""])[-1]),
            until=_day("until", given.get("until", [""])[-1]),
            q=" ".join(given.get("q", ()))[:MAX_QUESTION],
        )

    def items(self) -> list[tuple[str, str]]:
        """Return the filters that are set, as keys and values of a query."""
        found: list[tuple[str, str]] = []
        for name in _NAMES:
            value = getattr(self, name)
            if value is None or (not value and value is not False):
                continue
            if name == "pair":
                found += [(name, "+".join(pair)) for pair in value]
            elif isinstance(value, tuple):
                found += [(name, each) for each in value]
            elif isinstance(value, bool):
                found.append((name, "yes" if value else "no"))
            else:
                found.append((name, f"{value:g}" if isinstance(value, float) else str(value)))
        return found

    def query(self, **more: str) -> str:
        """Return the filters as an address's query, without the question mark; `more` are keys of the route."""
        return urlencode([*self.items(), *((key, value) for key, value in more.items() if value)])

    def without(self, key: str, value: str) -> EventFilters:
        """Return the filters without one value."""
        return EventFilters.parse([item for item in self.items() if item != (key, value)])

    def with_(self, **changes: object) -> EventFilters:
        """Return the filters with some of them replaced."""
        return replace(self, **changes)  # type: ignore[arg-type]  # the names are the fields' own

    def __bool__(self) -> bool:
        return bool(self.items())


_NAMES = tuple(field.name for field in fields(EventFilters))


def _leaders_named(key: str, value: str, people: LeaderNames | None) -> tuple[str, ...]:
    """The leaders that a value stands for: those with that name, or the one with that id."""
    if people and (found := people.leaders_named(value)):
        return found
    if not _SLUG.fullmatch(value):
        raise SelectionError(
            key, f"{value[:40]!r} is unknown; write an id such as xi-jinping" + (" or a name" if people else "")
        )
    return (value,)


def _leaders(values: Iterable[str], people: LeaderNames | None) -> tuple[str, ...]:
    found = dict.fromkeys(leader for value in values for leader in _leaders_named("leader", value, people))
    return tuple(found)[:MAX_VALUES]


def _countries(values: tuple[str, ...]) -> tuple[str, ...]:
    codes = tuple(value.upper() for value in values)
    states = bundled_states()
    for code in codes:
        if code not in states:
            raise SelectionError("country", f"{code[:40]!r} is unknown; write {code_for(code, states)}")
    return codes


def _among(key: str, lists: _Lists, known: tuple[str, ...]) -> tuple[str, ...]:
    for value in lists.get(key, ()):
        if value not in known:
            raise SelectionError(key, f"{value[:40]!r} is unknown; known are {', '.join(known)}")
    return lists.get(key, ())


def _pairs(values: Iterable[str], people: LeaderNames | None) -> tuple[tuple[str, str], ...]:
    pairs: dict[tuple[str, str], None] = {}
    for value in values:
        # In a query a plus sign is a space.
        sides = [part.strip() for part in value.split("+")] if "+" in value else value.split()
        if len(sides) == 2:
            both = [_leaders_named("pair", side, people) for side in sides]
        else:
            both = [tuple(sorted(each)) for each in people.ask(value).leaders] if people else []
        found = [(min(pair), max(pair)) for pair in product(*both) if len(both) == len(set(pair)) == 2]
        if not found:
            raise SelectionError("pair", f"{value[:80]!r} is not a pair; write it as vladimir-putin+xi-jinping")
        pairs.update(dict.fromkeys(found))
    return tuple(pairs)[:MAX_VALUES]


def _share(value: str) -> float:
    try:
        share = float(value)
    except ValueError:
        share = -1.0
    if not 0.0 <= share <= 1.0:
        raise SelectionError("confidence", f"{value[:40]!r} is not a number from 0 to 1")
    return share


def _yes_or_no(value: str) -> bool | None:
    if value not in {"", "yes", "no"}:
        raise SelectionError("confirmed", f"{value[:40]!r} is neither yes nor no")
    return None if not value else value == "yes"


def _day(key: str, value: str) -> date | None:
    if not value:
        return None
    try:
        return date.fromisoformat(value)
    except ValueError:
        raise SelectionError(key, f"{value[:40]!r} is not a day; write it as 2026-02-04") from None
