"""Finds which leaders or states a typed name means: an id, a surname, any alias, or a state's name or code."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable
from datetime import date
from functools import cache, cached_property
from typing import NamedTuple

from monitor.errors import UnknownIdError
from monitor.watchlist.names import plain, surname
from monitor.watchlist.roster import Watchlist


class UnknownNameError(UnknownIdError):
    """A name that means nobody in the watchlist, or too many leaders; the message says what to write instead."""

    reason = "unknown_name"


class Selection(NamedTuple):
    """What one typed name may mean: ids of leaders, codes of states. An event fits if one participant does."""

    leaders: frozenset[str]
    countries: frozenset[str]

    def fits(self, participants: Iterable[tuple[str, str]]) -> bool:
        """Say whether one of the participants, each a leader's id and a country code, is meant."""
        return any(leader in self.leaders or country in self.countries for leader, country in participants)


class NameIndex:
    """Every name of a watchlist's leaders and states, to look up typed names.

    Case, Latin diacritics, hyphens and stress marks are ignored: `Пу́тин`, `putin`, `PUTIN` and `vladimir_putin` all
    mean vladimir-putin.
    """

    def __init__(self, watchlist: Watchlist) -> None:
        self._watchlist = watchlist

    @cached_property
    def _leaders(self) -> dict[str, set[str]]:
        """Map each name to the ids of its leaders. Built at first use, because an id needs no index."""
        found: dict[str, set[str]] = {}
        for leader in self._watchlist.leaders.values():
            for name in {leader.id, leader.name, surname(leader.name), *(alias.text for alias in leader.aliases)}:
                found.setdefault(_key(name), set()).add(leader.id)
        return found

    @cached_property
    def _countries(self) -> dict[str, str]:
        """Map each name of a state or body, and its code, to the code."""
        found: dict[str, str] = {}
        for code, state in self._watchlist.states.items():
            for names in state.names.values():
                for name in names:
                    found.setdefault(_key(name), code)
        return found | {_key(code): code for code in self._watchlist.states}

    def select(self, name: str) -> Selection:
        """Return all that a typed name may mean. Raises UnknownNameError, with the most similar name, if nobody."""
        if name in self._watchlist.leaders:
            return Selection(frozenset({name}), frozenset())
        key = _key(name)
        leaders, country = self._leaders.get(key, set()), self._countries.get(key)
        if not leaders and country is None:
            raise UnknownNameError(f"{name!r} is neither a leader nor a state of the watchlist{self._hint(key)}")
        return Selection(frozenset(leaders), frozenset({country} if country else ()))

    def leader(self, name: str, day: date) -> str:
        """Return the id of the one leader that a name means; of several, the one in office on `day`.

        Raises UnknownNameError if it means nobody, several leaders in office, or several of whom none is in office.
        """
        if name in self._watchlist.leaders:
            return name
        found = self._leaders.get(_key(name), set())
        if not found and (code := self._countries.get(_key(name))):
            raise UnknownNameError(f"{name!r} is a state or body, not a leader: name {code} as a country")
        if not found:
            raise UnknownNameError(f"{name!r} is not a leader of the watchlist{self._hint(_key(name))}")
        serving = [one for one in sorted(found) if self._watchlist.offices_on(one, day)]
        chosen = serving or sorted(found)
        if len(chosen) > 1:
            raise UnknownNameError(f"{name!r} may be {', '.join(chosen[:6])}: write one of these ids")
        return chosen[0]

    def country(self, name: str) -> str:
        """Return the code of the state or body that a name or code means. Raises UnknownNameError."""
        if name in self._watchlist.states:
            return name
        found = self._countries.get(_key(name))
        if found is None:
            near = difflib.get_close_matches(_key(name), self._countries, n=1, cutoff=0.75)
            hint = f"; did you mean {self._countries[near[0]]}?" if near else ": write a name, or a code such as FR"
            raise UnknownNameError(f"{name!r} is neither a state nor a body{hint}")
        return found

    def _hint(self, key: str) -> str:
        known = [*self._leaders, *self._countries]
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.75)
        if not near:
            return "; `summitry watchlist show` lists them"
        meant = self._leaders.get(near[0]) or {self._countries[near[0]]}
        return f"; did you mean {' or '.join(sorted(meant)[:3])}?"


@cache
def name_index(watchlist: Watchlist) -> NameIndex:
    """Return the index of a watchlist, built once: it holds about 30,000 names."""
    return NameIndex(watchlist)


def _key(name: str) -> str:
    if not name.isascii():
        name = plain(unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).replace("\u0301", "")))
    return " ".join(name.casefold().replace("-", " ").replace("_", " ").replace("'", "").split())
