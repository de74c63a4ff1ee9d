"""The gazetteer: one Aho-Corasick automaton over every name of every tracked leader, all titles and all triggers.

One pass over an article's folded text finds names, namesakes, phrases for office holders, title words and triggers of
all languages. This is the fast path: if the article can't mean two leaders, or has no trigger, detection ends here (Aho
and Corasick 1975; pyahocorasick is the C implementation).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import ahocorasick

from monitor.detect.text.normal import matched_form
from monitor.detect.text.scripts import letters_but_latin, marks, script_of, whole_letters
from monitor.detect.text.tokens import is_glued
from monitor.detect.vocabulary.language_file import Hosted
from monitor.watchlist import Phrase, Strength, Watchlist

#: If a name starts (or ends) with one of these letters, it must not follow (or precede) another letter of the script.
_BOUND_START = re.compile(f"[{whole_letters(start=True)}]")
_BOUND_END = re.compile(f"[{whole_letters(start=False)}]")
_MARK = re.compile(f"[{marks()}]")
#: A letter of another script than Latin. Spellings with such letters are only searched in texts that have some.
_OTHER_SCRIPT = re.compile(f"[{letters_but_latin()}]")
_ORDER: tuple[Strength, ...] = ("full", "surname", "weak")


class Name(NamedTuple):
    """The possible meanings of one spelling: leaders with the strength of the alias, or an office holder's phrase."""

    leaders: tuple[tuple[str, Strength], ...] = ()
    phrases: tuple[Phrase, ...] = ()
    namesake: bool = False
    title: int = 0
    trigger: bool = False
    hosted: Hosted = "never"
    seat: bool = False


_NOTHING = Name()


class NameHit(NamedTuple):
    """A spelling found at `start:end` of the text."""

    start: int
    end: int
    name: Name


class Scan(NamedTuple):
    """The result of one pass: names (leftmost-longest), the number of leaders that can be meant, and of triggers.

    `hosted`: one of the triggers implies a leader whom the text need not name.
    """

    hits: tuple[NameHit, ...]
    people: int
    triggers: int
    hosted: bool = False


class Gazetteer:
    """The automaton over a watchlist and the trigger and title words of several languages."""

    def __init__(
        self, watchlist: Watchlist, titles: Mapping[str, int], triggers: Mapping[str, Hosted], clitics: str
    ) -> None:
        self._watchlist = watchlist
        self._titles = titles
        self._triggers = triggers
        self._clitics = frozenset(clitics)
        self._automaton: Any = None
        self._complete = False

    def complete(self) -> None:
        """Load the spellings in all scripts now.

        Without this call, spellings in Latin letters are loaded at the first scan, and the others (two thirds of all)
        at the first text with a letter of another script.
        """
        self._automaton, self._complete = _automaton(self.spellings()), True

    def spellings(self, leaves_out: Callable[[str], object] = lambda _: False) -> dict[str, Name]:
        """Return the meanings of spellings by their matched form, without those for which `leaves_out` returns true."""
        names: dict[str, dict[str, Strength]] = {}
        for leader in self._watchlist.leaders.values():
            for alias in leader.aliases:
                if leaves_out(alias.text):
                    continue
                held = names.setdefault(_key(alias.text), {})
                if leader.id not in held or _ORDER.index(alias.strength) < _ORDER.index(held[leader.id]):
                    held[leader.id] = alias.strength
        entries = {key: Name(tuple(held.items())) for key, held in names.items()}
        for phrase in self._watchlist.phrases:
            key = _key(phrase.text)
            known = entries.get(key, Name())
            entries[key] = known._replace(phrases=(*known.phrases, phrase))
        for text in self._watchlist.namesakes:
            entries[_key(text)] = Name(namesake=True)
        for word, holders in self._titles.items():
            if not leaves_out(word):
                entries.setdefault(_key(word), Name(title=holders))
        for state in self._watchlist.states.values():
            for seat in state.seats:
                entries.setdefault(_key(seat.name), Name(seat=True))
        for word, hosted in self._triggers.items():
            if not leaves_out(word):
                known = entries.get(word, _NOTHING)
                entries[word] = Name(
                    known.leaders, known.phrases, known.namesake, known.title, True, hosted, known.seat
                )
        return entries

    def scan(self, folded: str) -> Scan:
        """Return the names in `folded` (leftmost-longest, at the word boundaries of their script), and the counts."""
        found: list[tuple[int, int, Name]] = []
        triggers = 0
        always = visits = seats = False
        size = len(folded)
        if not self._complete and _OTHER_SCRIPT.search(folded):
            self.complete()
        elif self._automaton is None:
            self._automaton = _automaton(self.spellings(_OTHER_SCRIPT.search))
        for last, (length, glued, name) in self._automaton.iter(folded):
            start, end = last - length + 1, last + 1
            if end < size and not glued[1] and _in_word(folded[end]):
                continue
            if start and not glued[0] and _in_word(folded[start - 1]) and not self._after_clitic(folded, start):
                continue
            if glued[2] and _inside_word(folded, start, end):
                continue
            triggers += name.trigger
            always = always or name.hosted == "always"
            visits = visits or name.hosted == "at a seat"
            seats = seats or name.seat
            if name.leaders or name.phrases or name.namesake or name.title:
                found.append((start, -end, name))
        hosted = always or (visits and seats)
        if not found:
            return Scan((), 0, triggers, hosted)
        found.sort(key=_place)
        hits: list[NameHit] = []
        people = done = 0
        for start, minus_end, name in found:
            if start < done:
                continue
            done = -minus_end
            hits.append(NameHit(start, done, name))
            people += name.title or not name.namesake
        return Scan(tuple(hits), people, triggers, hosted)

    def _after_clitic(self, folded: str, start: int) -> bool:
        """Whether only an attached conjunction or preposition is before the name, as in Arabic."""
        return folded[start - 1] in self._clitics and (start == 1 or not folded[start - 2].isalnum())


def _automaton(spellings: Mapping[str, Name]) -> Any:  # noqa: ANN401  # the C module has no types
    automaton = ahocorasick.Automaton()
    for key, name in spellings.items():
        if key:
            glued = _glued(key[0], key[-1])
            if not name.leaders and not name.namesake:
                glued = (glued[0], glued[1], False)
            automaton.add_word(key, (len(key), glued, name))
    automaton.make_automaton()
    return automaton


@lru_cache(maxsize=4_096)
def _in_word(character: str) -> bool:
    """Whether the character is part of a word: a letter, a digit, or a vowel sign."""
    return character.isalnum() or _MARK.match(character) is not None


@lru_cache(maxsize=65_536)
def _glued(first: str, last: str) -> tuple[bool, bool, bool]:
    """Whether a spelling with these letters at its ends may start and end within a word.

    The third value says whether it must not be part of a longer name, although its script allows the other two.
    """
    bound = _BOUND_START.match(first) is not None or _BOUND_END.match(last) is not None
    return is_glued(first) or not _in_word(first), is_glued(last) or not _in_word(last), bound


def _inside_word(folded: str, start: int, end: int) -> bool:
    """Whether a name is part of a longer word: within katakana, or after other Hangul."""
    return _joined(_BOUND_START, folded[start - 1 : start], folded[start]) or _joined(
        _BOUND_END, folded[end : end + 1], folded[end - 1]
    )


def _joined(letters: re.Pattern[str], beside: str, own: str) -> bool:
    """Whether two neighbours are letters of the same kind; `beside` is empty at the ends of the text."""
    if not letters.match(own) or not letters.match(beside):
        return False
    return script_of(beside) == script_of(own)


def _place(found: tuple[int, int, Name]) -> tuple[int, int]:
    return found[0], found[1]


def _key(text: str) -> str:
    return matched_form(text).strip()
