"""Finds the place of a contact: the city, venue, region or country that a text gives.

A name counts as a place only in a frame: after a locative word ("in Samarkand", "at the White House"), as a destination
("flew to Ankara"), or before an event ("the Alaska summit"). Otherwise it is an actor: "Moscow said",
"the Kremlin said" and "Beijing and Tokyo held talks" say nothing about where somebody is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Literal

import msgspec

from monitor.detect.datafile import read
from monitor.detect.text.normal import fold, matched_form
from monitor.errors import DataFileError
from monitor.records import Place

Frame = Literal["in", "to", "event", "speaking"]
Level = Literal["venue", "city", "region", "country"]

#: Ranks of frames by how surely they give the contact's place, and of levels by precision; lower is better.
_FRAMES: dict[Frame, int] = {"in": 0, "event": 1, "to": 2, "speaking": 3}
_LEVELS: dict[Level, int] = {"venue": 0, "city": 1, "region": 2, "country": 3}
#: Words before "summit" in which the name of its place is looked for.
_WORDS = 4
#: Matches nothing.
_NEVER = r"(?!)"
_WORD_ENDS = re.compile(r"(?<=[\w.])(?!\w)")


class UnspacedNames(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Names in scripts without spaces."""

    cities: Mapping[str, tuple[str, ...]]
    venues: Mapping[str, tuple[str, ...]]
    countries: Mapping[str, tuple[str, ...]]


class PlaceWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `places` section of a language: the words around a name that make it a place.

    `locative`: words before the place of the contact. `motion`: words before a destination. `speaking`: words that say
    from where one side of a call spoke. `events`: nouns after the name of their place. In a script without spaces,
    `leads` are right before the name of a place and `trails` right after it. After `topical` nouns a place is only the
    subject of talk. With one of `possessives` and one of `owned` after it, a name is an owner. `joiners` add a second
    place. `suffixes` are right behind a name ("Bakü'de").
    """

    locative: tuple[str, ...] = ()
    motion: tuple[str, ...] = ()
    speaking: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    trails: tuple[str, ...] = ()
    topical: tuple[str, ...] = ()
    owned: tuple[str, ...] = ()
    possessives: tuple[str, ...] = ()
    joiners: tuple[str, ...] = ()
    suffixes: tuple[str, ...] = ()


class PlacesFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`data/places.yaml`. Countries are ISO 3166 alpha-2 codes; venues are listed under their city."""

    cities: Mapping[str, tuple[str, ...]]
    aliases: Mapping[str, tuple[str, ...]]
    venues: Mapping[str, tuple[str, ...]]
    regions: Mapping[str, tuple[str, ...]]
    countries: Mapping[str, tuple[str, ...]]
    unspaced: UnspacedNames


class NamedPlace(msgspec.Struct, frozen=True):
    """The place that a name stands for."""

    place: Place
    level: Level


class PlaceHit(msgspec.Struct, frozen=True):
    """A place named at `start:end` of the text; `frame` is the frame that makes it one."""

    start: int
    end: int
    place: Place
    frame: Frame
    level: Level


class PlaceNames:
    """All names of places, by their folded form.

    Raises DataFileError when a venue or an alias belongs to a city that the file does not list.
    """

    def __init__(self, words: PlacesFile, source: str = "places.yaml") -> None:
        self.names: dict[str, NamedPlace] = {}
        country_of = {city: country for country, cities in words.cities.items() for city in cities}
        for country, names in words.countries.items():
            self._add(names, NamedPlace(Place(name="", country=country), "country"))
        for country, names in words.regions.items():
            for name in names:
                self._add((name, *words.aliases.get(name, ())), NamedPlace(Place(name=name, country=country), "region"))
        for city, country in country_of.items():
            self._add((city, *words.aliases.get(city, ())), NamedPlace(Place(name=city, country=country), "city"))
        for city, names in words.venues.items():
            if city not in country_of:
                raise DataFileError(source, f"venues.{city}", "no such city")
            self._add(names, NamedPlace(Place(name=city, country=country_of[city]), "venue"))
        regions = {name for names in words.regions.values() for name in names}
        for name in words.aliases:
            if name not in country_of and name not in regions:
                raise DataFileError(source, f"aliases.{name}", "no such city or region")
        self.unspaced = self._add_unspaced(words.unspaced, country_of, source)
        self.longest = max(map(len, self.names)) + 1

    def _add_unspaced(self, words: UnspacedNames, country_of: Mapping[str, str], source: str) -> tuple[str, ...]:
        names: list[str] = []
        tables: tuple[tuple[Level, Mapping[str, tuple[str, ...]]], ...] = (
            ("city", words.cities),
            ("venue", words.venues),
        )
        for level, table in tables:
            for city, spellings in table.items():
                if city not in country_of:
                    raise DataFileError(source, f"unspaced.{city}", "no such city")
                self._add(spellings, NamedPlace(Place(name=city, country=country_of[city]), level))
                names.extend(spellings)
        for country, spellings in words.countries.items():
            self._add(spellings, NamedPlace(Place(name="", country=country), "country"))
            names.extend(spellings)
        return tuple(names)

    def _add(self, names: tuple[str, ...], named: NamedPlace) -> None:
        for name in names:
            self.names[matched_form(name)] = named

    def lookup(self, name: str) -> NamedPlace | None:
        """Return the place with exactly this name, or None."""
        return self.names.get(matched_form(name).strip())


class PlaceFrames:
    """The words of one language that introduce places, ready for matching with all names of places."""

    def __init__(self, words: PlaceWords, names: PlaceNames) -> None:
        self._names = names
        self._topical = frozenset(map(fold, words.topical))
        self._joiners = frozenset(map(fold, words.joiners))
        mark = _either(words.possessives)
        self._possessive = re.compile(rf"(?:{mark})\s" if mark else _NEVER)
        self._owned = re.compile(rf"(?:{mark})\s(?:{_either(words.owned)})(?!\w)" if mark else _NEVER)
        led: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("to", words.motion), ("speaking", words.speaking), ("in", words.locative),
        )  # fmt: skip
        groups = "|".join(f"(?P<{name}>{_either(forms) or _NEVER})" for name, forms in led)
        self._frames = re.compile(rf"(?<!\w)(?:{groups})(?=\s)")
        self._events = re.compile(rf"(?<=[\w.])\s(?:{_either(words.events) or _NEVER})(?!\w)")
        self._suffixes = re.compile(rf"(?<=\w)(?:{_either(words.suffixes) or _NEVER})(?!\w)")
        place = f"(?P<name>{_either(names.unspaced)})"
        before = [f"(?:{_either(words.leads)}){place}"] if words.leads else []
        behind = [f"{place}(?:{_either(words.trails)})"] if words.trails else []
        self._unspaced = [re.compile(pattern) for pattern in (*before, *behind)]

    def find(self, text: str) -> tuple[PlaceHit, ...]:
        """Return the places that normalised `text` names in a frame, in order."""
        folded = fold(text)
        hits: dict[int, PlaceHit] = {}
        frame: Frame
        for match in self._frames.finditer(folded):
            ahead = folded[max(0, match.start() - 24) : match.start()].split()
            if match["in"] and ahead and ahead[-1] in self._topical:
                continue
            frame = "to" if match["to"] else "speaking" if match["speaking"] else "in"
            self._chain(text, folded, match.end(), frame, hits)
        behind: tuple[tuple[re.Pattern[str], Frame], ...] = ((self._events, "event"), (self._suffixes, "in"))
        for behind_name, frame in behind:
            for match in behind_name.finditer(folded):
                hit = self._back(text, folded, match.start(), frame)
                if hit and hit.start not in hits:
                    hits[hit.start] = hit
        for pattern in self._unspaced:
            for match in pattern.finditer(folded):
                named = self._names.names[match["name"]]
                hits[match.start("name")] = PlaceHit(*match.span("name"), named.place, "in", named.level)
        return tuple(hits[start] for start in sorted(hits))

    def _chain(self, text: str, folded: str, at: int, frame: Frame, hits: dict[int, PlaceHit]) -> None:
        """Find the place at `at`, its country after a comma, and further places after a joiner."""
        while True:
            hit = self._at(text, folded, at, frame)
            owner = self._possessive.match(folded, hit.end) if hit is not None and hit.level == "country" else None
            if owner is not None:
                hit = self._at(text, folded, owner.end() - 1, frame) or hit
            if hit is None or hit.start in hits or self._owned.match(folded, hit.end):
                return
            hits[hit.start] = hit
            end = hit.end
            if text.startswith(", ", end):
                inside = self._at(text, folded, end + 1, frame)
                if inside and inside.place.country == hit.place.country:
                    end = inside.end
            word = re.match(r"\s(\S{1,3})(?=\s)", folded[end : end + 6])
            if word is None or word[1] not in self._joiners:
                return
            at = end + word.end()

    def _at(self, text: str, folded: str, at: int, frame: Frame) -> PlaceHit | None:
        start = at + 1 if text.startswith(" ", at) else at
        plain = text.islower()
        ends = [
            match.start() for match in _WORD_ENDS.finditer(folded, start, min(len(text), start + self._names.longest))
        ]
        for end in reversed(ends):
            named = self._names.names.get(folded[start:end])
            if named and _is_name(text, start, end, plain=plain):
                return PlaceHit(start, end, named.place, frame, named.level)
        return None

    def _back(self, text: str, folded: str, end: int, frame: Frame) -> PlaceHit | None:
        """The longest name that ends at `end`; countries are left out: "the Russia summit", "Rusya'da"."""
        start = end
        best: PlaceHit | None = None
        for _ in range(_WORDS):
            start = folded.rfind(" ", 0, start) + 1
            named = self._names.names.get(folded[start:end])
            if named and named.level != "country" and _is_name(text, start, end, plain=text.islower()):
                best = PlaceHit(start, end, named.place, frame, named.level)
            if start == 0:
                break
            start -= 1
        return best


def _is_name(text: str, start: int, end: int, *, plain: bool) -> bool:
    """Whether it is written as a name: with a capital, unless the script or the whole text has none."""
    words = text[start:end]
    return plain or any(letter.isupper() for letter in words) or not any(letter.islower() for letter in words)


def _either(words: tuple[str, ...]) -> str:
    folded = sorted({matched_form(word) for word in words}, key=len, reverse=True)
    return "|".join(re.escape(word).replace(r"\ ", r"\s") for word in folded)


@cache
def place_names() -> PlaceNames:
    """Return the bundled names of places. Raises DataFileError when the file is not valid."""
    return PlaceNames(read("places.yaml", PlacesFile))


def best_place(hits: tuple[PlaceHit, ...]) -> Place | None:
    """Return the place that is most surely and most precisely the contact's, or None."""
    best = min(
        hits, key=lambda hit: (hit.level == "country", _FRAMES[hit.frame], _LEVELS[hit.level], hit.start), default=None
    )
    return best.place if best else None
