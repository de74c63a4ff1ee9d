"""Resolve names and titles to leaders: `OfficeRegistry` holds a watchlist, `Focus` what the article said before."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

from monitor.detect.people.gazetteer import Name
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.compiled_words import words
from monitor.detect.vocabulary.language import Language, bundled_languages
from monitor.watchlist import Leader, Phrase, Strength, Watchlist

#: A leader who takes office within this time already counts, because the press reports on elected leaders as leaders.
#: One who left within this time counts for contacts that the text dates before that.
DESIGNATE = timedelta(days=60)


def _articles(code: str) -> frozenset[str]:
    """The definite articles of a language, as its file has them."""
    language = bundled_languages().get(code)
    return language.articles if language is not None else frozenset()


class TitlePhrase(NamedTuple):
    """States and titles in a row, before a name or without one: "former German chancellor", "India's premier"."""

    end: int
    states: tuple[str, ...]
    titles: tuple[str, ...]
    plural: bool
    former: bool
    other: bool
    owned: bool


class OfficeRegistry:
    """The states, titles and leaders of a watchlist, as one language writes them."""

    def __init__(self, watchlist: Watchlist, language: Language) -> None:
        self.watchlist = watchlist
        self.language = language
        self.states: Phrases[tuple[str, bool]] = Phrases()
        for state in watchlist.states.values():
            for forms, adjective in ((state.names, False), (state.adjectives, True), (state.demonyms, True)):
                for text in forms.get(language.code, ()):
                    if key := words(text):
                        self.states.add(key, (state.code, adjective))
        self.lands: Phrases[tuple[str, str]] = Phrases()
        for state in watchlist.states.values():
            names = {*state.names.get(language.code, ()), *state.adjectives.get(language.code, ()), state.capital}
            seats = {name for seat in state.seats for name in (seat.name,)}
            for class_, texts in (("STATE", names), ("SEAT", seats)):
                for text in texts:
                    if key := words(text):
                        self.lands.add(key, (class_, state.code))
        self.titles: Phrases[str] = Phrases()
        for word in {*watchlist.titles, *(word for state in watchlist.states.values() for word in state.titles)}:
            if key := words(word):
                self.titles.add(key, word)
        #: Phrases such as "the pope" by the title alone, as headlines write them.
        self.alone: dict[str, Phrase] = {}
        for phrase in watchlist.phrases:
            article, _, title = phrase.text.lower().partition(" ")
            if title and article in _articles(phrase.language):
                self.alone[title] = phrase
        #: The words with which a phrase that is no name may start: a title, a state, a role such as "counterpart".
        self.starts = frozenset().union(
            *(one.first_words for one in (self.states, self.titles, language.roles, language.honorifics)),
            language.state_letters,
        )
        self.given = frozenset(
            first for leader in watchlist.leaders.values() for first in words(leader.name)[:1] if len(first) > 2
        )
        self._given_names: dict[str, frozenset[str]] = {}
        self.serving = lru_cache(maxsize=4096)(watchlist.serving)

    def resolve(self, name: Name, run: TitlePhrase | None, focus: Focus) -> tuple[str, Strength, str]:
        """Return the leader that a name means here ('' for nobody), the name's strength, and the reason if nobody."""
        for phrase in name.phrases:
            held = self.watchlist.holder_of_phrase(phrase, focus.day)
            if held is not None:
                return held.id, "full", ""
        serving = self.serving(focus.day)
        able = [(one, strength) for one, strength in name.leaders if one in serving]
        if not able:
            soon = self.serving(min(focus.day, date.max - DESIGNATE) + DESIGNATE)
            left = self.serving(max(focus.day, date.min + DESIGNATE) - DESIGNATE)
            able = [(one, strength) for one, strength in name.leaders if one in soon | left and strength != "weak"]
        if not able:
            return "", "full", "not in office on the article's date" if name.leaders else "nobody holds that office"
        if run is not None and run.states:
            able = [one for one in able if self._leads(one[0], run, focus.day)]
            if not able:
                return "", "full", "the title belongs to somebody else"
        if run is not None and run.titles and len(able) > 1:
            able = [one for one in able if self.holds(one[0], run.titles, focus.day)] or able
        if len(able) > 1:
            best = [one for one in able if one[0] in focus.named] or [one for one in able if one[1] == "full"]
            able = best or able
        if len({one for one, _ in able}) > 1:
            able = self._leading(able, focus.day) or able
        if len({one for one, _ in able}) > 1:
            return "", "weak", "several leaders have this name"
        return able[0][0], able[0][1], ""

    def _leading(self, able: Sequence[tuple[str, Strength]], day: date) -> list[tuple[str, Strength]]:
        """Of namesakes, those in the leading office of their state: "Kim" is not the premier of that name."""
        return [
            (one, strength)
            for one, strength in able
            for office in self.watchlist.offices_on(one, day)
            if (holder := self.holder(office.country, "leader", day)) is not None and holder.id == one
        ]

    def _leads(self, leader: str, run: TitlePhrase, day: date) -> bool:
        return any(office.country in run.states for office in self.watchlist.offices_on(leader, day))

    def holds(self, leader: str, titles: Sequence[str], day: date) -> bool:
        """Say whether the leader held, on that day, an office that one of these title words means in its state."""
        return any(
            self.watchlist.role_of_title(office.country, title, day) == office.role
            for office in self.watchlist.offices_on(leader, day)
            for title in titles
        )

    def is_spelt(self, leader: Leader) -> bool:
        """Say whether the watchlist has a name of the leader in this language's script."""
        return any(self.language.has_letters(alias.text) for alias in leader.aliases)

    def given_names(self, leader: Leader) -> frozenset[str]:
        """Return the first words of the leader's names, in all their spellings and cases."""
        if leader.id not in self._given_names:
            names = [words(alias.text) for alias in leader.aliases]
            self._given_names[leader.id] = frozenset(one[0] for one in names if len(one) > 1 and len(one[0]) > 2)
        return self._given_names[leader.id]

    def holder(self, state: str, title: str, day: date) -> Leader | None:
        """Return the leader who was "the <state> <title>" on that day, None if there was none."""
        found = self.watchlist.holder_of_title(state, title, day)
        unknown = found is None and self.watchlist.role_of_title(state, title, day) is None
        if unknown and " " in title:  # a longer title of another state: "interim leader"
            found = self.watchlist.holder_of_title(state, title.rsplit(" ", 1)[1], day)
        return found


class Focus:
    """The persons of an article so far: who was named in full, and the order in which leaders were named."""

    def __init__(
        self,
        registry: OfficeRegistry,
        day: date,
        speaker: str,
        named: frozenset[str],
        candidates: frozenset[str],
        *,
        dated: bool = True,
        home: str = "",
    ) -> None:
        self._registry = registry
        self.dated = dated
        self.home = home
        self.day = day
        self.speaker = speaker
        self.named = named
        self.candidates = candidates
        self.seen: list[str] = [speaker] if speaker else []
        self.subject: tuple[str, ...] = (speaker,) if speaker else ()
        self.headline = True

    def see(self, leaders: Sequence[str]) -> None:
        """Record that these leaders were named, the last one last."""
        for leader in leaders:
            if leader in self.seen:
                self.seen.remove(leader)
            self.seen.append(leader)

    def host(self, state: str, *, ceremonial: bool = False) -> str:
        """Return the leader of a state on the article's day who is the host there, '' if there is none.

        The host of a `ceremonial` occasion is the head of state, if the article names one. The host of any other
        occasion is the leader who governs, unless the article names only the head of state.
        """
        holder = self._registry.holder(state, "leader", self.day)
        if ceremonial or (holder is not None and holder.id not in self.candidates):
            heads = self._registry.watchlist.holders(state, "head_of_state", self.day)
            if named := next((one.id for one in heads if one.id in self.candidates), ""):
                return named
        return holder.id if holder is not None else ""

    def of_one_state(self, leaders: frozenset[str]) -> bool:
        """Say whether all lead the same state or body: a president who meets his prime minister is not a contact."""
        return self._led_by_all(leaders) != ""

    def of_one_country(self, leaders: frozenset[str]) -> bool:
        """Say whether all lead the same state. Bodies such as the EU do not count: they receive guests together."""
        state = self._registry.watchlist.states.get(self._led_by_all(leaders))
        return state is not None and state.kind == "state" and not state.joint

    def _led_by_all(self, leaders: frozenset[str]) -> str:
        """Return the code of the state or body that each of them leads, '' when there is none.

        Elected leaders count as in office, because an outgoing leader who calls his successor is not a contact either.
        """
        watchlist, day = self._registry.watchlist, self.day
        soon = min(day, date.max - DESIGNATE) + DESIGNATE
        offices = [watchlist.office_on(one, day) or watchlist.office_on(one, soon) for one in leaders]
        countries = {office.country if office is not None else "" for office in offices}
        return countries.pop() if len(countries) == 1 else ""
