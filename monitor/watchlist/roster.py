"""Who is who: leaders, their offices by date, and the states and bodies that they lead.

Everything here is a frozen record or a pure lookup; files are read in `load` and `states`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal

import msgspec

Strength = Literal["full", "surname", "weak"]
#: `other` is a post that a user tracks but that leads nothing (a foreign minister): found by name and exact title only.
Role = Literal[
    "head_of_state", "head_of_government", "body_head", "crown_prince", "supreme_leader", "minister", "other"
]
#: What a title word can mean: a role, or whichever role leads the state at the time ("leader").
Meaning = Role | Literal["executive"]

#: Which office speaks for a leader who holds several, or for a state whose executive post is not in the roster.
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

    `strength`: `full` names the person alone, `surname` does so in the news of the day, `weak` counts only with support
    (a title, a country, or a full name of the same leader nearby): Xi, Kim, Lee, May.
    """

    text: str
    language: str
    strength: Strength


class Office(msgspec.Struct, frozen=True, kw_only=True):
    """A post held from one day to another, both included; None is an open end. In files: `from` and `to`.

    `term` is the day on which the term ends by law or treaty, as far as it is known.
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
    """A person. `id` is the ASCII slug of the usual English name; `gender` is m, f, or '' when not known."""

    id: str
    name: str
    wikidata: str = ""
    gender: Literal["m", "f", ""] = ""
    aliases: tuple[Alias, ...] = ()
    offices: tuple[Office, ...] = ()

    def serves_with(self, other: Leader) -> bool:
        """Say whether the two are in office on a common day, a handover apart."""
        return any(
            (one.from_ or _FIRST) < (two.to or _LAST) and (two.from_ or _FIRST) < (one.to or _LAST)
            for one in self.offices
            for two in other.offices
        )


class Seat(msgspec.Struct, frozen=True):
    """A building that stands for its government, and the city it stands in."""

    name: str
    city: str


class Executive(msgspec.Struct, frozen=True, kw_only=True):
    """Which role leads a state, until the day `to` (included); None: to this day."""

    role: Role
    to: date | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A state, or a body such as the EU (`kind` body), as news texts name it.

    `names`, `adjectives` and `demonyms` are by language. `titles` maps a title word of this state (lower case) to the
    role it means there; words it does not list have their general meaning, see `Watchlist.role_of_title`. `phrases`
    maps whole phrases that mean one office holder ("EU chief", "Kremlin leader") by language to a role or to the exact
    title of an office. `executives` says which role a bare "leader" of the state means, the earliest first. `joint` is
    set where several hold one post together, as in the presidency of Bosnia and Herzegovina; `family_name_first` where
    the first word of a name is the surname, in English texts too.
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
    """What a user wants to hear of; all empty means everything."""

    leaders: frozenset[str] = frozenset()
    pairs: frozenset[frozenset[str]] = frozenset()
    countries: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.leaders or self.pairs or self.countries)


class Watchlist:
    """The leaders that are looked for, with every lookup by date that detection needs.

    `leaders` by id and `states` by code are read-only mappings. `titles` maps general title words (lower case, by the
    word alone) to roles. `namesakes` are longer phrases that contain an alias but are somebody or something else
    ("Kim Kardashian", "Xi'an", "Melania Trump"): matched first, they veto the alias inside them. One
    that is the name of a leader of this watchlist is left out: in a roster of 1990 George H. W. Bush is no namesake.
    """

    def __init__(
        self,
        leaders: Mapping[str, Leader],
        states: Mapping[str, State],
        *,
        titles: Mapping[str, Meaning],
        namesakes: tuple[str, ...] = (),
        watch: Watch | None = None,
    ) -> None:
        self.leaders = leaders
        self.states = states
        self.titles = titles
        borne = {_loose(alias.text) for leader in leaders.values() for alias in leader.aliases}
        self.namesakes = tuple(text for text in namesakes if _loose(text) not in borne)
        self.watch = watch or Watch()
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

    def offices_on(self, leader_id: str, day: date) -> tuple[Office, ...]:
        """Return every office that the leader held on `day`, the most telling first; none for an unknown id."""
        leader = self.leaders.get(leader_id)
        if leader is None:
            return ()
        return tuple(sorted((one for one in leader.offices if one.covers(day)), key=lambda one: self._weight(one, day)))

    def office_on(self, leader_id: str, day: date) -> Office | None:
        """Return the office in which the leader acted on `day`; None when out of office then.

        Of several it is the one with the state's executive role, then by `ROLE_ORDER`, then the post taken last.
        """
        offices = self.offices_on(leader_id, day)
        return offices[0] if offices else None

    def _weight(self, office: Office, day: date) -> tuple[bool, int, int]:
        state = self.states.get(office.country)
        executive = state is not None and state.executive_on(day) == office.role
        return (not executive, ROLE_ORDER.index(office.role), -(office.from_ or _FIRST).toordinal())

    def _posts_on(self, country: str, day: date) -> list[tuple[Office, Leader]]:
        """The posts of a state that were held on `day`, the one taken last first."""
        return [post for post in reversed(self._posts.get(country, ())) if post[0].covers(day)]

    def holders(self, country: str, role: Role, day: date) -> tuple[Leader, ...]:
        """Who held that role on `day`, the newest holder first; two on a handover day or under a joint presidency."""
        found = {leader.id: leader for office, leader in self._posts_on(country, day) if office.role == role}
        return tuple(found.values())

    def role_of_title(self, country: str, word: str, day: date) -> Role | None:
        """What a title word ("president", "pm", "leader") means in that state on `day`; None: an unknown word."""
        state, key = self.states.get(country), word.strip().lower()
        if state is not None and key in state.titles:
            return state.titles[key]
        meaning = self.titles.get(key)
        if meaning == "executive":
            return state.executive_on(day) if state is not None else "head_of_state"
        return meaning

    def holder_of_title(self, country: str, word: str, day: date) -> Leader | None:
        """Return the one leader whom "the <country> <word>" meant on `day`.

        On a handover day it is the one who took over. None when the word is no title there, nobody of this watchlist
        held the post, or several did at once (a joint presidency). A post's own full title counts as a word. "Leader"
        falls back to the first role of `ROLE_ORDER` that somebody of this watchlist holds.
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
        """Return the one leader whom a phrase such as "EU chief" or "Kremlin leader" meant on `day`."""
        if phrase.means == "executive":
            return self.holder_of_title(phrase.country, "leader", day)
        posts = self._posts_on(phrase.country, day)
        return _only([post for post in posts if phrase.means in (post[0].role, post[0].title)], day)

    def serving(self, day: date) -> frozenset[str]:
        """Return the ids of all leaders in office on `day`."""
        return frozenset(leader for first, last, leader in self._terms if first <= day <= last)

    def tracks(self, ids: Collection[str]) -> bool:
        """Say whether a contact of these leaders is wanted.

        It is when `watch` is empty, when one of them is watched by name or by the country of an office, or when two of
        them are a watched pair.
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


def _loose(text: str) -> str:
    """The text as names are compared: no case, hyphens and dots are spaces."""
    return " ".join(text.lower().replace("-", " ").replace(".", " ").split())


def _only(posts: list[tuple[Office, Leader]], day: date) -> Leader | None:
    """The one holder among posts (newest first); those who leave on `day` stand back for who comes."""
    staying = [post for post in posts if post[0].to != day] or posts[:1]
    return staying[0][1] if len({leader.id for _, leader in staying}) == 1 else None
