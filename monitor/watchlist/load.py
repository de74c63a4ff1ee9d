"""Reads watchlist files: the bundled roster, and a user's own file on top of it or instead of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NoReturn

import msgspec

from monitor.errors import ConfigError
from monitor.loop import no_collector
from monitor.watchlist.files import day, did_you_mean, read_yaml
from monitor.watchlist.names import is_slug, plain, slug, spellings, strength_of, surname
from monitor.watchlist.roster import (
    Alias,
    Executive,
    Leader,
    Office,
    Role,
    State,
    Strength,
    Watch,
    Watchlist,
)
from monitor.watchlist.selection import NameIndex, UnknownNameError
from monitor.watchlist.states import DATA, bundled_states, code_for, role_of_office, title_words
from monitor.yaml_text import kept

_WIKIDATA = re.compile(r"Q[1-9]\d*")


class AliasEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An alias with an explicit strength."""

    text: str
    strength: Strength


class OfficeEntry(msgspec.Struct, forbid_unknown_fields=True):
    """An office as the file writes it."""

    title: str
    country: str
    from_: str | None = msgspec.field(default=None, name="from")
    to: str | None = None
    role: Role | None = None
    acting: bool = False
    term: str | None = None


class BodyEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A body that the user adds: its names, its seat, and phrases that mean one of its offices."""

    names: list[str]
    capital: str = ""
    adjectives: list[str] = []
    phrases: dict[str, str] = {}


class LeaderEntry(msgspec.Struct, forbid_unknown_fields=True):
    """A leader as the file writes it; only the name is required."""

    name: str
    id: str = ""
    wikidata: str = ""
    gender: Literal["m", "f", ""] = ""
    aliases: dict[str, list[str | AliasEntry] | str] = {}
    vetoes: list[str] = []
    offices: list[OfficeEntry] = []


class WatchEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The contacts to watch, as the file writes them."""

    leaders: list[str] = []
    pairs: list[list[str]] = []
    countries: list[str] = []


class WatchlistFile(msgspec.Struct, forbid_unknown_fields=True):
    """A whole watchlist file."""

    include: list[str] = []
    bodies: dict[str, BodyEntry] = {}
    leaders: list[LeaderEntry] = []
    namesakes: list[str] = []
    watch: WatchEntry | None = None


@cache
def bundled() -> Watchlist:
    """Return the roster that ships with the project, read once.

    Raises ConfigError when a data file is not valid.
    """
    with no_collector():
        files = [*sorted(DATA.rglob("*.yaml")), *sorted(Path(__file__).parent.glob("*.py"))]
        made_of = (part for path in files for part in (path.name.encode(), path.read_bytes()))
        leaders, namesakes = kept(DATA / "roster", made_of, tuple[dict[str, Leader], tuple[str, ...]], _bundled_leaders)
        return Watchlist(MappingProxyType(leaders), bundled_states(), titles=title_words(), namesakes=namesakes)


def _bundled_leaders() -> tuple[dict[str, Leader], tuple[str, ...]]:
    """Read the roster's leaders and namesakes from its files. Reading what was kept of them is ten times as fast."""
    leaders: dict[str, Leader] = {}
    namesakes = list(_bundled_namesakes())
    explicit: set[tuple[str, str]] = set()
    for path in sorted((DATA / "leaders").glob("*.yaml")):
        file = read_yaml(path, WatchlistFile)
        _add_leaders(leaders, file.leaders, str(path), namesakes, explicit)
    for path in sorted((DATA / "aliases").glob("*.yaml")):
        _add_aliases(leaders, read_yaml(path, dict[str, list[str]]), path)
    return _weaken_shared_surnames(leaders, explicit), tuple(dict.fromkeys(namesakes))


def load_or_bundled(path: str | Path | None) -> Watchlist:
    """Return a user's watchlist file, or the bundled roster if `path` is None. Raises ConfigError for any mistake."""
    return load(path) if path else bundled()


def load(path: str | Path) -> Watchlist:
    """Return a user's watchlist file.

    With `include: [bundled]` its leaders are added to the bundled roster, and a leader with a bundled id replaces that
    entry. Otherwise only its own leaders exist. States are always the bundled ones. Raises ConfigError for any mistake,
    in one line with file, key, problem and fix.
    """
    name = str(path)
    file = read_yaml(Path(path), WatchlistFile)
    for number, source in enumerate(file.include):
        if source not in ("bundled", *tiers()):
            known = ", ".join(f"`{one}`" for one in ("bundled", *tiers()))
            raise ConfigError(name, f"include[{number}]", f"unknown roster `{source}`", f"one of {known}")
    if not file.leaders and not file.include:
        raise ConfigError(name, "leaders", "there is nobody to watch", "list leaders, or add `include: [bundled]`")
    states = _states(file.bodies, name)
    namesakes = [*file.namesakes, *_bundled_namesakes()]
    own: dict[str, Leader] = {}
    explicit: set[tuple[str, str]] = set()
    _add_leaders(own, file.leaders, name, namesakes, explicit, states=states)
    leaders: dict[str, Leader] = {}
    if "bundled" in file.include:
        leaders |= bundled().leaders
        namesakes += bundled().namesakes
    for source in file.include:
        if source != "bundled":
            _add_tier(leaders, source)
    leaders |= own
    roster = Watchlist(
        MappingProxyType(_weaken_shared_surnames(leaders, explicit)),
        states,
        titles=title_words(),
        namesakes=tuple(dict.fromkeys(namesakes)),
    )
    return roster if file.watch is None else roster.watching(_watch(file.watch, roster, name))


@cache
def tiers() -> tuple[str, ...]:
    """Return the names of the bundled tiers that a watchlist file may include in addition to the roster."""
    return tuple(path.stem for path in sorted((DATA / "tiers").glob("*.yaml")))


def _add_tier(leaders: dict[str, Leader], tier: str) -> None:
    """Add a tier's leaders. A leader who is already there keeps name and aliases, and gets the tier's offices too."""
    path = DATA / "tiers" / f"{tier}.yaml"
    added: dict[str, Leader] = {}
    _add_leaders(added, read_yaml(path, WatchlistFile).leaders, str(path), [], set())
    for identifier, leader in added.items():
        known = leaders.get(identifier)
        leaders[identifier] = (
            leader
            if known is None
            else msgspec.structs.replace(known, offices=tuple(dict.fromkeys((*known.offices, *leader.offices))))
        )


def _states(bodies: Mapping[str, BodyEntry], file: str) -> Mapping[str, State]:
    """Return the bundled states and bodies, together with the user's own bodies."""
    states = dict(bundled_states())
    for code, entry in bodies.items():
        if not re.fullmatch(r"[A-Z]{3,6}", code):
            raise ConfigError(file, f"bodies.{code}", "not a code", "three to six capital letters, such as IOC")
        if code in states:
            raise ConfigError(file, f"bodies.{code}", "is a code of the bundled roster", "choose another")
        if not entry.names:
            raise ConfigError(file, f"bodies.{code}.names", "is empty", "write what the body is called")
        states[code] = State(
            code=code,
            kind="body",
            names={"en": tuple(entry.names)},
            adjectives={"en": tuple(entry.adjectives or entry.names)},
            capital=entry.capital,
            titles={"chief": "body_head"},
            phrases={"en": entry.phrases} if entry.phrases else {},
            executives=(Executive(role="body_head"),),
        )
    return MappingProxyType(states)


@cache
def weak_words() -> frozenset[str]:
    """Return surnames that are also words, months, places or very common: in lower case, and without diacritics."""
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
    explicit: set[tuple[str, str]],
    *,
    states: Mapping[str, State] | None = None,
) -> None:
    """Turn entries into leaders, and add them to `into`. A second entry with the same id is a mistake.

    Adds the leaders' vetoes to `namesakes`, and to `explicit` the (id, alias) pairs for which the file sets a strength.
    """
    for number, entry in enumerate(entries):
        leader = _leader(entry, file, f"leaders[{number}]", states or bundled_states())
        if leader.id in into:
            raise ConfigError(
                file,
                f"leaders[{number}].id",
                f"`{leader.id}` is there already",
                "merge the two, or give one another id",
            )
        into[leader.id] = leader
        namesakes.extend(entry.vetoes)
        explicit.update(
            (leader.id, one.text) for texts in entry.aliases.values() for one in texts if isinstance(one, AliasEntry)
        )


def _add_aliases(leaders: dict[str, Leader], by_id: dict[str, list[str]], path: Path) -> None:
    """Add the names in one language, from that language's file, to their leaders."""
    language = path.stem
    for identifier, texts in by_id.items():
        leader = leaders.get(identifier)
        if leader is None:
            fix = did_you_mean(identifier, sorted(leaders), "ids")
            raise ConfigError(str(path), identifier, "is no id of the roster", fix if "?" in fix else "correct the id")
        # Several languages may write a name alike. It need not be repeated only if English has it already.
        known = {alias.text for alias in leader.aliases if alias.language in ("en", language)}
        added = (Alias(text, language, strength_of(text, weak_words())) for text in texts if text not in known)
        leaders[identifier] = msgspec.structs.replace(leader, aliases=(*leader.aliases, *added))


def _leader(entry: LeaderEntry, file: str, where: str, states: Mapping[str, State]) -> Leader:
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
        _office(one, states, lambda key, problem, fix, n=n: wrong(f"offices[{n}].{key}", problem, fix))  # type: ignore[misc]
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
        aliases=_completed(name, aliases, family_first=_family_first(offices, states)),
        offices=offices,
    )


def _family_first(offices: tuple[Office, ...], states: Mapping[str, State]) -> bool:
    """Say whether the names of leaders with these offices have the surname first."""
    return bool(offices) and states[offices[0].country].family_name_first


def _completed(name: str, given: dict[str, Alias], *, family_first: bool) -> tuple[Alias, ...]:
    """Return the aliases, the name, its surname unless an alias is part of the name, and all without diacritics."""
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


def _weaken_shared_surnames(leaders: Mapping[str, Leader], explicit: Collection[tuple[str, str]]) -> dict[str, Leader]:
    """Make surnames weak that two serving leaders share, unless the file sets a strength. Returns all leaders by id."""
    by_name: dict[str, dict[str, Leader]] = {}
    for leader in leaders.values():
        for alias in leader.aliases:
            if alias.strength == "surname":  # several languages may write it alike
                by_name.setdefault(alias.text, {})[leader.id] = leader
    shared: dict[str, set[str]] = {}
    for text, several in by_name.items():
        for one, other in combinations(several.values(), 2):
            if one.serves_with(other):
                shared.setdefault(one.id, set()).add(text)
                shared.setdefault(other.id, set()).add(text)
    changed = dict(leaders)
    for identifier, texts in shared.items():
        changed[identifier] = msgspec.structs.replace(
            changed[identifier],
            aliases=tuple(
                msgspec.structs.replace(alias, strength="weak")
                if alias.text in texts and (identifier, alias.text) not in explicit
                else alias
                for alias in changed[identifier].aliases
            ),
        )
    return changed


def _surname_strength(family: str) -> Strength:
    strength = strength_of(family, weak_words())
    return "surname" if strength == "full" else strength


def _office(entry: OfficeEntry, states: Mapping[str, State], wrong: Callable[[str, str, str], NoReturn]) -> Office:
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
    try:
        term = day(entry.term, end=True)
    except ValueError as error:
        wrong("term", str(error), "a day, month or year")
    if begin is not None and end is not None and begin > end:
        wrong("to", f"ends on {end}, before it begins on {begin}", "swap or correct the dates")
    if not entry.title.strip():
        wrong("title", "is empty", "such as President or Prime Minister")
    return Office(
        title=entry.title.strip(),
        country=entry.country,
        role=entry.role or _role(entry),
        from_=begin,
        to=end,
        acting=entry.acting,
        term=term,
    )


def _role(entry: OfficeEntry) -> Role:
    """Return the role that the office's title states; any office of a user's own body is its head."""
    return role_of_office(entry.title, entry.country) if entry.country in bundled_states() else "body_head"


def _watch(entry: WatchEntry, roster: Watchlist, file: str) -> Watch:
    """Return the contacts that a file watches. A surname that several share means the one whose office has no end."""
    index = NameIndex(roster)

    def known(name: str, key: str, read: Callable[[str], str]) -> str:
        try:
            return read(name)
        except UnknownNameError as error:
            raise ConfigError(file, key, str(error)) from error

    def leader(name: str) -> str:
        return index.leader(name, date.max)

    pairs = set()
    for number, pair in enumerate(entry.pairs):
        both = frozenset(known(one, f"watch.pairs[{number}]", leader) for one in pair)
        if len(both) != 2:
            raise ConfigError(file, f"watch.pairs[{number}]", "a pair is two different leaders", "write [putin, xi]")
        pairs.add(both)
    return Watch(
        frozenset(known(one, f"watch.leaders[{n}]", leader) for n, one in enumerate(entry.leaders)),
        frozenset(pairs),
        frozenset(known(one, f"watch.countries[{n}]", index.country) for n, one in enumerate(entry.countries)),
    )
