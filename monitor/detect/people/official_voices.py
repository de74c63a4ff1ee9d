"""Official sources: finds the leader whose own announcements an outlet publishes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import cache, cached_property
from urllib.parse import urlsplit

import msgspec

from monitor.detect.datafile import read
from monitor.detect.text.normal import matched_form
from monitor.records import Article
from monitor.watchlist import Role, Watchlist

_WORD = re.compile(r"[^\W_]+")
_PLAIN_URL = re.compile(r"https?://([a-zA-Z0-9.-]+)(?:[/?#]|\Z)")


class OwnVoice(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The state or body for which a source speaks, and the role in it, if the state has several."""

    country: str
    role: Role | None = None


class OfficialSources(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`data/official.yaml`."""

    hosts: Mapping[str, OwnVoice]
    seats: Mapping[str, OwnVoice]
    words: frozenset[str]
    states: Mapping[str, str]


@cache
def official_sources() -> OfficialSources:
    """Return the bundled list. Raises DataFileError when the file is not valid."""
    return read("official.yaml", OfficialSources)


class Speakers:
    """Finds the leader for whom an outlet speaks: by `speaks_for`, by host, by seat, or by a leader's name in it."""

    def __init__(self, watchlist: Watchlist, sources: OfficialSources | None = None) -> None:
        self._watchlist = watchlist
        self._sources = official_sources() if sources is None else sources
        self._by_outlet: dict[str, OwnVoice | tuple[str, ...] | None] = {}

    @cached_property
    def _names(self) -> Mapping[tuple[str, ...], Sequence[str]]:
        """Ids of leaders by the words of their names. Built at the first article that names its outlet."""
        names: dict[tuple[str, ...], list[str]] = {}
        for leader in self._watchlist.leaders.values():
            for alias in leader.aliases:
                words = tuple(_words(alias.text))
                if words and alias.strength != "weak":
                    names.setdefault(words, []).append(leader.id)
        return names

    def speaker(self, article: Article, day: date) -> str:
        """Return the id of the leader in office on `day` whose own source published the article, else ''."""
        if article.speaks_for:
            return self._holder(OwnVoice(article.speaks_for), day)
        host = _host(article.url) if article.url else ""
        while host:
            voice = self._sources.hosts.get(host)
            if voice is not None:
                return self._holder(voice, day)
            host = host.partition(".")[2]
        return self._named(article.outlet, day) if article.outlet else ""

    def home(self, article: Article, speaker: str, day: date) -> str:
        """Return the state that "the president" means if no other state is named, '' if unknown."""
        office = self._watchlist.office_on(speaker, day) if speaker else None
        if office is not None:
            return office.country
        host = _host(article.url) if article.url else ""
        while host:
            if (state := self._sources.states.get(host)) is not None:
                return state
            host = host.partition(".")[2]
        return article.country

    def _holder(self, voice: OwnVoice, day: date) -> str:
        if voice.role is not None:
            return next((one.id for one in self._watchlist.holders(voice.country, voice.role, day)), "")
        found = self._watchlist.holder_of_title(voice.country, "leader", day)
        return found.id if found is not None else ""

    def _named(self, outlet: str, day: date) -> str:
        if outlet not in self._by_outlet:
            if len(self._by_outlet) > 10_000:
                self._by_outlet.clear()
            self._by_outlet[outlet] = self._read(outlet)
        found = self._by_outlet[outlet]
        if isinstance(found, OwnVoice):
            return self._holder(found, day)
        return next((one for one in found or () if self._watchlist.office_on(one, day) is not None), "")

    def _read(self, outlet: str) -> OwnVoice | tuple[str, ...] | None:
        words = [word for word in _words(outlet[:200]) if word not in self._sources.words]
        seat = self._sources.seats.get(" ".join(words))
        if seat is not None:
            return seat
        return tuple(self._names.get(tuple(words), ())) or None


def _words(text: str) -> list[str]:
    if text.isascii() and text.replace(" ", "").isalpha():  # nothing to normalise, and spaces separate the words
        return text.lower().split()
    return _WORD.findall(matched_form(text))


def _host(url: str) -> str:
    """The host of an address, '' if it has none. A plain address is not taken apart: that takes ten times longer."""
    if plain := _PLAIN_URL.match(url):
        return plain[1].lower()
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
