"""Reads states and title words from their data files, and derives an office's role from its title."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import msgspec

from monitor.errors import ConfigError
from monitor.watchlist.files import day, read_yaml
from monitor.watchlist.roster import Executive, Meaning, Role, Seat, State

DATA = Path(__file__).parent / "data"

_CODE = re.compile(r"[A-Z]{2,6}")


class ExecutiveEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The role that leads a state, up to a day."""

    role: Role
    to: str | None = None


class StateEntry(msgspec.Struct, forbid_unknown_fields=True):
    """The facts of a state that do not depend on the language."""

    kind: Literal["state", "body"] = "state"
    capital: str = ""
    joint: bool = False
    family_name_first: bool = False
    seats: dict[str, str] = {}
    titles: dict[str, Role] = {}
    executive: Role | list[ExecutiveEntry] = "head_of_state"


class StateNames(msgspec.Struct, forbid_unknown_fields=True):
    """One language's names of a state and its people, and phrases that mean one of its office holders."""

    names: list[str]
    adjectives: list[str] = []
    demonyms: list[str] = []
    phrases: dict[str, str] = {}


class TitleWords(msgspec.Struct, forbid_unknown_fields=True):
    """The general meaning of title words, by language."""

    words: dict[str, dict[str, Meaning]]


@cache
def bundled_states() -> Mapping[str, State]:
    """Return all states and bodies by code. Raises ConfigError when a data file is not valid."""
    facts_file = DATA / "states" / "facts.yaml"
    facts = read_yaml(facts_file, dict[str, StateEntry])
    languages: dict[str, dict[str, StateNames]] = {}
    for path in sorted((DATA / "states").glob("names.*.yaml")):
        languages[path.name.split(".")[1]] = names = read_yaml(path, dict[str, StateNames])
        for code in names.keys() - facts.keys():
            raise ConfigError(str(path), code, "a state without facts", f"add it to {facts_file.name}")
    states: dict[str, State] = {}
    for code, entry in facts.items():
        if not _CODE.fullmatch(code):
            raise ConfigError(str(facts_file), code, "not a code", "two capital letters (ISO 3166), or a body's code")
        said = {language: names[code] for language, names in languages.items() if code in names}
        if "en" not in said:
            raise ConfigError(str(facts_file), code, "has no English name", "add it to names.en.yaml")
        executive = entry.executive
        states[code] = State(
            code=code,
            kind=entry.kind,
            names={language: tuple(one.names) for language, one in said.items()},
            adjectives={language: tuple(one.adjectives) for language, one in said.items() if one.adjectives},
            demonyms={language: tuple(one.demonyms) for language, one in said.items() if one.demonyms},
            capital=entry.capital,
            joint=entry.joint,
            family_name_first=entry.family_name_first,
            seats=tuple(Seat(name, city) for name, city in entry.seats.items()),
            titles=entry.titles,
            phrases={language: one.phrases for language, one in said.items() if one.phrases},
            executives=(Executive(role=executive),)
            if isinstance(executive, str)
            else tuple(Executive(role=one.role, to=day(one.to)) for one in executive),
        )
    return MappingProxyType(states)


@cache
def title_words() -> Mapping[str, Meaning]:
    """Return the general meaning of title words (which a state may override), of all languages, in lower case."""
    file = read_yaml(DATA / "titles.yaml", TitleWords)
    return MappingProxyType({word.lower(): role for words in file.words.values() for word, role in words.items()})


def role_of(title: str, country: str, states: Mapping[str, State], words: Mapping[str, Meaning]) -> Role:
    """Return the role of an office with a free title: "General Secretary of the Communist Party", "Prime Minister".

    The state's own title words have priority over the general ones. The title word that starts first decides, of these
    the longest. Returns `other` without a title word, and for deputies, ministers and the like.
    """
    state = states.get(country)
    if state is not None and state.kind == "body":
        return "body_head"
    known: dict[str, Meaning] = {**words, **(state.titles if state is not None else {})}
    text = title.lower()
    best: tuple[int, int, str] | None = None
    for word in (word for word in known if word in text):
        found = re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
        if found is not None and (best is None or (found.start(), -len(word)) < best[:2]):
            best = (found.start(), -len(word), word)
    if best is None or _LESSER.search(text[: best[0]] + " "):
        return "other"
    meaning = known[best[2]]
    if meaning == "executive":
        return state.executive if state is not None else "head_of_state"
    return meaning


_LESSER = re.compile(r"\b(vice|deputy|first deputy|former|ex|wife|minister of|secretary of state)\b[\s-]")


@cache
def role_of_office(title: str, country: str) -> Role:
    """Return the result of `role_of` with the bundled states and words.

    Cached, because the roster has a thousand presidents.
    """
    return role_of(title, country, bundled_states(), title_words())


def code_for(written: str, states: Mapping[str, State]) -> str:
    """Return a hint for a wrong country code: by English name, by case, or the most similar code."""
    for code, state in states.items():
        if written.lower() == code.lower() or any(
            written.lower() == name.lower() for name in state.names.get("en", ())
        ):
            return f"write {code}"
    return "an ISO 3166 alpha-2 code such as RU or US, or a body: " + ", ".join(
        sorted(code for code, state in states.items() if state.kind == "body")
    )
