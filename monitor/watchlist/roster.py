"""The roster's records and lookups: leaders, their offices by date, and the states and bodies that they lead.

Everything here is a frozen record or a pure lookup; `load` and `states` read the files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from copy import copy
from datetime import date, timedelta
from functools import cached_property
from typing import Literal, Self

import msgspec

Strength = Literal["full", "surname", "weak"]
#: `other` is a post that a user tracks but that leads no state or body: found only by name and by its exact title.
Role = Literal[
    "head_of_state", "head_of_government", "body_head", "crown_prince", "supreme_leader", "minister", "other"
]
#: What a title word can mean: a role, or the role that leads the state at the time ("leader").
Meaning = Role | Literal["executive"]
#: Which office represents a leader who holds several, or a state whose executive post is not in the roster.
ROLE_ORDER: tuple[Role, ...] = (
    "supreme_leader",
    "head_of_state",
    "head_of_government",
    "body_head",
    "crown_prince",
    "minister",
    "other",
)

_FIRST, _LAST = date.min, date.max


class Alias(msgspec.Struct, frozen=True):
    """One way to write a leader's name.

    `strength`: `full` names the person alone; `surname` does so in current news; `weak` counts only with support (a
    title, a country, or a full name of the same leader nearby): Xi, Kim, Lee, May.
    """

    text: str
    language: str
    strength: Strength


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A post held from one day to another, both included; None is an open end. In files the keys are `from` and `to`.

    `term` is the day on which the term ends by law or treaty, if known.
    """

    title: str
    country: str
    role: Role
    from_: date | None = msgspec.field(default=None, name="from")
    to: date | None = None
    acting: bool = False
    term: date | None = None

    def covers(self, day: date) -> bool:
        """Say whether the post was held on `day`. The day of a handover belongs to both holders."""
        return (self.from_ or _FIRST) <= day <= (self.to or _LAST)


class Leader(msgspec.Struct, frozen=True, kw_only=True):
    """A person. `id` is the ASCII slug of the usual English name; `gender` is m, f, or '' if unknown."""

    id: str
    name: str
    wikidata: str = ""
    gender: Literal["m", "f", ""] = ""
    aliases: tuple[Alias, ...] = ()
    offices: tuple[Office, ...] = ()

    def serves_with(self, other: Leader) -> bool:
        """Say whether the two are in office on a common day, not counting the day of a handover."""
        return any(
            (one.from_ or _FIRST) < (two.to or _LAST) and (two.from_ or _FIRST) < (one.to or _LAST)
            for one in self.offices
            for two in other.offices
        )


class Seat(msgspec.Struct, frozen=True):
    """A building whose name stands for its government, and its city."""

    name: str
    city: str


class Executive(msgspec.Struct, frozen=True, kw_only=True):
    """The role that leads a state until the day `to` (included); None means until today."""

    role: Role
    to: date | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state, or a body such as the EU (`kind` body), as news texts name it.

    `names`, `adjectives` and `demonyms` are by language. `titles` maps this state's title words (lower case) to roles;
    other words have their general meaning, see `Watchlist.role_of_title`. `phrases` maps, by language, phrases that
    mean one office holder ("EU chief", "Kremlin leader") to a role or to the exact title of an office. `executives`
    lists which role a bare "leader" of the state means, earliest first. `joint`: several persons hold one post
    together, as in the presidency of Bosnia and Herzegovina. `family_name_first`: the first word of a name is the
    surname, even in English texts.
    """

    code: str
    kind: Literal["state", "body"] = "state"
    names: Mapping[str, tuple[str, ...]] = {}
    adjectives: Mapping[str, tuple[str, ...]] = {}
    demonyms: Mapping[str, tuple[str, ...]] = {}
    capital: str = ""
    seats: tuple[Seat, ...] = ()
    titles: Mapping[str, Role] = {}
    phrases: Mapping[str, Mapping[str, str]] = {}
    executives: tuple[Executive, ...] = (Executive(role="head_of_state"),)
    joint: bool = False
    family_name_first: bool = False

    @property
    def name(self) -> str:
        """The usual English name."""
        names = self.names.get("en", ())
        return names[0] if names else self.code

    @property
    def executive(self) -> Role:
        """The role that leads the state today."""
        return self.executives[-1].role

    def executive_on(self, day: date) -> Role:
        """Return the role that a bare "leader" of this state meant on `day`."""
        return next((one.role for one in self.executives if day <= (one.to or _LAST)), self.executives[-1].role)


class Phrase(msgspec.Struct, frozen=True):
    """Words that mean the holder of one office: `means` is a role, or the exact title of an office of `country`."""

    text: str
    language: str
    country: str
    means: str


class Watch(msgspec.Struct, frozen=True):
    """The contacts that a user wants; if all fields are empty, every contact."""

    leaders: frozenset[str] = frozenset()
    pairs: frozenset[frozenset[str]] = frozenset()
    countries: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.leaders or self.pairs or self.countries)


class Watchlist:
    """The tracked leaders, with every lookup by date that detection needs.

    `leaders` by id and `states` by code are read-only mappings. `titles` maps general title words (lower case) to
    roles. `namesakes` are longer phrases that contain an alias but mean somebody or something else ("Kim Kardashian",
    "Xi'an", "Melania Trump"); they are matched first, and the alias inside does not count. A namesake that is the name
    of a leader of this watchlist is left out: in a roster of 1990, George H. W. Bush is a leader.
    """

    def __init__(
        self,
        leaders: Mapping[str, Leader],
        states: Mapping[str, State],
        *,
        titles: Mapping[str, Meaning],
        namesakes: tuple[str, ...] = (),
    ) -> None:
        self.leaders = leaders
        self.states = states
        self.titles = titles
        self._given_namesakes = namesakes
        self.watch = Watch()
        self._terms = tuple(
            (office.from_ or _FIRST, office.to or _LAST, leader.id)
            for leader in leaders.values()
            for office in leader.offices
        )
        self.phrases: tuple[Phrase, ...] = tuple(
            Phrase(text, language, state.code, means)
            for state in states.values()
            for language, by_text in state.phrases.items()
            for text, means in by_text.items()
        )
        self._posts: dict[str, list[tuple[Office, Leader]]] = {}
        for leader in leaders.values():
            for office in leader.offices:
                self._posts.setdefault(office.country, []).append((office, leader))
        for posts in self._posts.values():
            posts.sort(key=lambda post: (post[0].from_ or _FIRST, post[1].id))

    @cached_property
    def namesakes(self) -> tuple[str, ...]:
        """The longer phrases that contain an alias but mean somebody else, without the names of these leaders."""
        names = set(_loose([alias.text for leader in self.leaders.values() for alias in leader.aliases]))
        given = self._given_namesakes
        return tuple(text for text, loose in zip(given, _loose(given), strict=True) if loose not in names)

    def watching(self, watch: Watch) -> Self:
        """Return the same watchlist, limited to the contacts that `watch` selects."""
        narrowed = copy(self)
        narrowed.watch = watch
        return narrowed

    def offices_on(self, leader_id: str, day: date) -> tuple[Office, ...]:
        """Return every office that the leader held on `day`, most important first; empty for an unknown id."""
        leader = self.leaders.get(leader_id)
        if leader is None:
            return ()
        return tuple(sorted((one for one in leader.offices if one.covers(day)), key=lambda one: self._weight(one, day)))

    def office_on(self, leader_id: str, day: date) -> Office | None:
        """Return the office that represents the leader on `day`; None if out of office.

        Of several it is the one with the state's executive role, then by `ROLE_ORDER`, then the latest.
        """
        offices = self.offices_on(leader_id, day)
        return offices[0] if offices else None

    def state_of(self, leader_id: str, day: date, within: timedelta) -> str:
        """Return the state or body that the leader leads on `day`, or else led or will lead within this time, else ''.

        So a leader who is elected has one state before and after taking office.
        """
        soon, before = min(day, date.max - within) + within, max(day, date.min + within) - within
        offices = (self.office_on(leader_id, one) for one in (day, soon, before))
        return next((office.country for office in offices if office is not None), "")

    def _weight(self, office: Office, day: date) -> tuple[bool, int, int]:
        state = self.states.get(office.country)
        executive = state is not None and state.executive_on(day) == office.role
        return (not executive, ROLE_ORDER.index(office.role), -(office.from_ or _FIRST).toordinal())

    def _posts_on(self, country: str, day: date) -> list[tuple[Office, Leader]]:
        """Return the posts of a state that were held on `day`, the latest first."""
        return [post for post in reversed(self._posts.get(country, ())) if post[0].covers(day)]

    def holders(self, country: str, role: Role, day: date) -> tuple[Leader, ...]:
        """Return who held that role on `day`, newest first: two on a handover day or in a joint presidency."""
        found = {leader.id: leader for office, leader in self._posts_on(country, day) if office.role == role}
        return tuple(found.values())

    def role_of_title(self, country: str, word: str, day: date) -> Role | None:
        """Return what a title word ("president", "pm") means in that state on `day`; None for an unknown word."""
        state, key = self.states.get(country), word.strip().lower()
        if state is not None and key in state.titles:
            return state.titles[key]
        meaning = self.titles.get(key)
        if meaning == "executive":
            return state.executive_on(day) if state is not None else "head_of_state"
        return meaning

    def holder_of_title(self, country: str, word: str, day: date) -> Leader | None:
        """Return the one leader that "the <country> <word>" meant on `day`.

        On a handover day it is the new holder. Returns None if the word is not a title there, if nobody of this
        watchlist held the post, or if several did at once (a joint presidency). A post's full title counts as a word.
        "Leader" falls back to the first role of `ROLE_ORDER` that a leader of this watchlist holds.
        """
        key = word.strip().lower()
        posts = self._posts_on(country, day)
        exact = [post for post in posts if post[0].title.lower() == key]
        if exact:
            return _only(exact, day)
        role = self.role_of_title(country, key, day)
        found = [post for post in posts if post[0].role == role]
        if not found and self.titles.get(key) == "executive":
            best = min((ROLE_ORDER.index(office.role) for office, _ in posts), default=None)
            found = [post for post in posts if best is not None and post[0].role == ROLE_ORDER[best]]
        return _only(found, day)

    def holder_of_phrase(self, phrase: Phrase, day: date) -> Leader | None:
        """Return the one leader that a phrase such as "EU chief" or "Kremlin leader" meant on `day`."""
        if phrase.means == "executive":
            return self.holder_of_title(phrase.country, "leader", day)
        posts = self._posts_on(phrase.country, day)
        return _only([post for post in posts if phrase.means in (post[0].role, post[0].title)], day)

    def serving(self, day: date) -> frozenset[str]:
        """Return the ids of all leaders in office on `day`."""
        return frozenset(leader for first, last, leader in self._terms if first <= day <= last)

    def tracks(self, ids: Collection[str]) -> bool:
        """Say whether a contact of these leaders is wanted.

        It is if `watch` is empty, if one of them is watched by name or by the country of an office, or if two of them
        are a watched pair.
        """
        if not self.watch:
            return True
        there = frozenset(ids)
        return (
            not there.isdisjoint(self.watch.leaders)
            or any(pair <= there for pair in self.watch.pairs)
            or any(
                office.country in self.watch.countries
                for one in there
                if one in self.leaders
                for office in self.leaders[one].offices
            )
        )


def _loose(texts: Sequence[str]) -> list[str]:
    """Return the texts in the form in which names are compared: lower case, with spaces for hyphens and dots.

    A roster has twenty thousand names, so they are changed in one step, with a NUL between them.
    """
    joined = "\0".join(text.replace("\0", " ") for text in texts)
    changed = joined.lower().replace("-", " ").replace(".", " ").split("\0")
    return [" ".join(text.split()) for text in changed] if texts else []


def _only(posts: list[tuple[Office, Leader]], day: date) -> Leader | None:
    """Return the one holder among posts (newest first), on a handover day the new one; None if there are several."""
    staying = [post for post in posts if post[0].to != day] or posts[:1]
    return staying[0][1] if len({leader.id for _, leader in staying}) == 1 else None
