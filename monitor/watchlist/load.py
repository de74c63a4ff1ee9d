"""Watchlist files to a `Watchlist`: the bundled roster, and a user's own file on top of it or instead of it."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NoReturn

import msgspec

from monitor.errors import ConfigError
from monitor.watchlist.files import day, did_you_mean, read_yaml
from monitor.watchlist.names import is_slug, plain, slug, spellings, strength_of, surname
from monitor.watchlist.roster import (
    Alias,
    Leader,
    Office,
    Role,
    Strength,
    Watch,
    Watchlist,
)
from monitor.watchlist.states import DATA, bundled_states, code_for, role_of_office, title_words

_WIKIDATA = re.compile(r"Q[1-9]\d*")


class AliasEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An alias whose strength the file says itself."""

    text: str
    strength: Strength


class OfficeEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An office as written."""

    title: str
    country: str
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    role: Role | None = None
    acting: bool = False


class LeaderEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A leader as written; only the name is required."""

    name: str
    id: str = ""
    wikidata: str = ""
    gender: Literal["m", "f", ""] = ""
    aliases: dict[str, list[str | AliasEntry] | str] = {}
    vetoes: list[str] = []
    offices: list[OfficeEntry] = []


class WatchEntry(msgspec.Struct, forbid_unknown_fields=True):
    """What to hear of, as written."""

    leaders: list[str] = []
    pairs: list[list[str]] = []
    countries: list[str] = []


class WatchlistFile(msgspec.Struct, forbid_unknown_fields=True):
    """A whole watchlist file."""

    include: list[str] = []
    leaders: list[LeaderEntry] = []
    namesakes: list[str] = []
    watch: WatchEntry | None = None


@cache
def bundled() -> Watchlist:
    """The roster that ships with the project; read once.

    Raises ConfigError when a data file was edited into something invalid.
    """
    with _no_collector():
        leaders: dict[str, Leader] = {}
        namesakes = list(_bundled_namesakes())
        meant: set[tuple[str, str]] = set()
        for path in sorted((DATA / "leaders").glob("*.yaml")):
            file = read_yaml(path, WatchlistFile)
            _add_leaders(leaders, file.leaders, str(path), namesakes, meant)
        for path in sorted((DATA / "aliases").glob("*.yaml")):
            _add_aliases(leaders, read_yaml(path, dict[str, list[str]]), path)
        return Watchlist(
            MappingProxyType(_told_apart(leaders, meant)),
            bundled_states(),
            titles=title_words(),
            namesakes=tuple(dict.fromkeys(namesakes)),
        )


def load(path: str | Path) -> Watchlist:
    """A user's watchlist file.

    With `include: [bundled]` its leaders come on top of the bundled roster, and a leader with a bundled id replaces the
    bundled entry; without it only its own leaders exist. States are always the bundled ones. Raises ConfigError, one
    line with file, key, problem and fix, for any mistake.
    """
    name = str(path)
    file = read_yaml(Path(path), WatchlistFile)
    for number, source in enumerate(file.include):
        if source != "bundled":
            raise ConfigError(name, f"include[{number}]", f"unknown roster `{source}`", "the only one is `bundled`")
    if not file.leaders and not file.include:
        raise ConfigError(name, "leaders", "there is nobody to watch", "list leaders, or add `include: [bundled]`")
    namesakes = [*file.namesakes, *_bundled_namesakes()]
    own: dict[str, Leader] = {}
    meant: set[tuple[str, str]] = set()
    _add_leaders(own, file.leaders, name, namesakes, meant)
    base = bundled() if file.include else None
    leaders = {**base.leaders, **own} if base is not None else own
    if base is not None:
        namesakes += base.namesakes
    return Watchlist(
        MappingProxyType(_told_apart(leaders, meant)),
        bundled_states(),
        titles=title_words(),
        namesakes=tuple(dict.fromkeys(namesakes)),
        watch=_watch(file.watch, leaders, name),
    )


@cache
def weak_words() -> frozenset[str]:
    """Surnames that are also common words, months, places or very common names: lower case, also without diacritics."""
    words = read_yaml(DATA / "weak.yaml", list[str])
    return frozenset(one.lower() for word in words for one in (word, plain(word)))


@cache
def _bundled_namesakes() -> tuple[str, ...]:
    return tuple(read_yaml(DATA / "namesakes.yaml", list[str]))


def _add_leaders(
    into: dict[str, Leader],
    entries: list[LeaderEntry],
    file: str,
    namesakes: list[str],
    meant: set[tuple[str, str]],
) -> None:
    """Turn entries into leaders. A second entry of the same id in one roster is a mistake.

    `namesakes` takes the leaders' vetoes, `meant` the (id, alias) pairs whose strength the file says itself.
    """
    for number, entry in enumerate(entries):
        leader = _leader(entry, file, f"leaders[{number}]")
        if leader.id in into:
            raise ConfigError(
                file,
                f"leaders[{number}].id",
                f"`{leader.id}` is there already",
                "merge the two, or give one another id",
            )
        into[leader.id] = leader
        namesakes.extend(entry.vetoes)
        meant.update(
            (leader.id, one.text) for texts in entry.aliases.values() for one in texts if isinstance(one, AliasEntry)
        )


def _add_aliases(leaders: dict[str, Leader], by_id: dict[str, list[str]], path: Path) -> None:
    """Add one language's names, from the file of that language, to the leaders they belong to."""
    language = path.stem
    for identifier, texts in by_id.items():
        leader = leaders.get(identifier)
        if leader is None:
            fix = did_you_mean(identifier, sorted(leaders), "ids")
            raise ConfigError(
                str(path), identifier, "names of nobody in the roster", fix if "?" in fix else "mend the id"
            )
        known = {alias.text for alias in leader.aliases}
        added = (Alias(text, language, strength_of(text, weak_words())) for text in texts if text not in known)
        leaders[identifier] = msgspec.structs.replace(leader, aliases=(*leader.aliases, *added))


def _leader(entry: LeaderEntry, file: str, where: str) -> Leader:
    name = entry.name.strip()

    def wrong(key: str, problem: str, fix: str) -> NoReturn:
        raise ConfigError(file, f"{where}.{key}", f"{problem} (in {name})" if name else problem, fix)

    if not name:
        wrong("name", "is empty", "write the full name")
    identifier = entry.id or slug(name)
    if not is_slug(identifier):
        wrong(
            "id",
            f"`{identifier}` is no id",
            f"small ASCII letters, digits and hyphens, such as `{slug(name) or 'xi-jinping'}`",
        )
    if entry.wikidata and not _WIKIDATA.fullmatch(entry.wikidata):
        wrong("wikidata", f"`{entry.wikidata}` is no Wikidata id", "such as Q7747, or leave the key out")
    offices = tuple(
        _office(one, lambda key, problem, fix, n=n: wrong(f"offices[{n}].{key}", problem, fix))  # type: ignore[misc]
        for n, one in enumerate(entry.offices)
    )
    aliases: dict[str, Alias] = {}
    for language, texts in entry.aliases.items():
        for n, one in enumerate([texts] if isinstance(texts, str) else texts):
            text = one if isinstance(one, str) else one.text
            if not text.strip():
                wrong(f"aliases.{language}[{n}]", "is empty", "write a name or take the line out")
            strength = strength_of(text, weak_words()) if isinstance(one, str) else one.strength
            aliases.setdefault(text, Alias(text, language, strength))
    return Leader(
        id=identifier,
        name=name,
        wikidata=entry.wikidata,
        gender=entry.gender,
        aliases=_completed(name, aliases, family_first=_family_first(offices)),
        offices=offices,
    )


def _family_first(offices: tuple[Office, ...]) -> bool:
    """Whether a leader with these offices is written with the surname first."""
    return bool(offices) and bundled_states()[offices[0].country].family_name_first


def _completed(name: str, given: dict[str, Alias], *, family_first: bool) -> tuple[Alias, ...]:
    """The given aliases, the name itself, its surname unless a part of the name is an alias already, all also plain."""
    aliases = {name: Alias(name, "en", strength_of(name, weak_words())), **given}
    words = plain(name).split()
    parts = {
        " ".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1) if j - i < len(words)
    }
    if not any(plain(alias.text) in parts for alias in given.values()):
        family = name.split(maxsplit=1)[0] if family_first else surname(name)
        aliases.setdefault(family, Alias(family, "en", _surname_strength(family)))
    for alias in list(aliases.values()):
        for text in spellings(alias.text):
            strength: Strength = "weak" if text.lower() in weak_words() else alias.strength
            aliases.setdefault(text, Alias(text, alias.language, strength))
    return tuple(aliases.values())


def _told_apart(leaders: Mapping[str, Leader], meant: Collection[tuple[str, str]]) -> dict[str, Leader]:
    """The leaders, with each surname that two of them bear while both serve made weak, unless a file insists on it."""
    bearers: dict[str, list[Leader]] = {}
    for leader in leaders.values():
        for alias in leader.aliases:
            if alias.strength == "surname":
                bearers.setdefault(alias.text, []).append(leader)
    shared: dict[str, set[str]] = {}
    for text, several in bearers.items():
        for one, other in combinations(several, 2):
            if one.serves_with(other):
                shared.setdefault(one.id, set()).add(text)
                shared.setdefault(other.id, set()).add(text)
    told = dict(leaders)
    for identifier, texts in shared.items():
        told[identifier] = msgspec.structs.replace(
            told[identifier],
            aliases=tuple(
                msgspec.structs.replace(alias, strength="weak")
                if alias.text in texts and (identifier, alias.text) not in meant
                else alias
                for alias in told[identifier].aliases
            ),
        )
    return told


def _surname_strength(family: str) -> Strength:
    strength = strength_of(family, weak_words())
    return "surname" if strength == "full" else strength


def _office(entry: OfficeEntry, wrong: Callable[[str, str, str], NoReturn]) -> Office:
    states = bundled_states()
    if entry.country not in states:
        wrong("country", f"unknown code `{entry.country}`", code_for(entry.country, states))
    try:
        begin = day(entry.from_)
    except ValueError as error:
        wrong("from", str(error), "a day, month or year")
    try:
        end = day(entry.to, end=True)
    except ValueError as error:
        wrong("to", str(error), "a day, month or year; leave it out for an office held today")
    if begin is not None and end is not None and begin > end:
        wrong("to", f"ends on {end}, before it begins on {begin}", "swap or correct the dates")
    if not entry.title.strip():
        wrong("title", "is empty", "such as President or Prime Minister")
    return Office(
        title=entry.title.strip(),
        country=entry.country,
        role=entry.role or role_of_office(entry.title, entry.country),
        from_=begin,
        to=end,
        acting=entry.acting,
    )


def _watch(entry: WatchEntry | None, leaders: Mapping[str, Leader], file: str) -> Watch:
    if entry is None:
        return Watch()

    def known(identifier: str, key: str) -> str:
        if identifier not in leaders:
            fix = did_you_mean(identifier, sorted(leaders)) if leaders else "list the leader under `leaders`"
            fix = fix if "?" in fix else "see `summitry watchlist show` for the ids"
            raise ConfigError(file, key, f"nobody has the id `{identifier}`", fix)
        return identifier

    pairs = set()
    for number, pair in enumerate(entry.pairs):
        both = frozenset(known(one, f"watch.pairs[{number}]") for one in pair)
        if len(both) != 2:
            raise ConfigError(
                file, f"watch.pairs[{number}]", "a pair is two different leaders", "write [putin-id, xi-id]"
            )
        pairs.add(both)
    for number, code in enumerate(entry.countries):
        if code not in bundled_states():
            fix = code_for(code, bundled_states())
            raise ConfigError(file, f"watch.countries[{number}]", f"unknown code `{code}`", fix)
    return Watch(
        frozenset(known(one, f"watch.leaders[{number}]") for number, one in enumerate(entry.leaders)),
        frozenset(pairs),
        frozenset(entry.countries),
    )


@contextmanager
def _no_collector() -> Iterator[None]:
    """Reading makes many objects and no garbage in cycles; looking for it would take half of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
