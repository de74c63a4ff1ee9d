"""Finds runs of states, titles and modifiers, with or without a name: "former German chancellor", "India's premier"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from monitor.detect.people.named_sentence import Sentence
from monitor.detect.people.offices import Focus, OfficeRegistry, TitlePhrase
from monitor.detect.text.scripts import commas, dots, joints, script_of
from monitor.detect.text.tokens import POSSESSIVES, is_glued

#: Words of a phrase such as "of the kingdom of", at most.
_PREFIX = 6
#: States listed before a title, at most.
_LISTED = 6
#: States written as joined letters, at most.
_JOINED = 3
#: Marks between the states of a list.
_DOTS = frozenset(dots())
_SEPARATORS = frozenset(commas()) | _DOTS
#: Marks between states that are joined to one letter: "한-인도".
_JOINTS = frozenset(joints())


class TitlePhrases:
    """Finds title phrases, with the words that one language has for states and titles."""

    def __init__(self, registry: OfficeRegistry, focus: Focus) -> None:
        self._registry = registry
        self._language = registry.language
        self._focus = focus

    def read(self, s: Sentence, at: int) -> TitlePhrase | None:
        """Return the title phrase that starts at a token, None if none does."""
        states: list[str] = []
        titles: list[str] = []
        former = other = plural = owned = False
        i = at
        while i < len(s.words) and (s.name_at(i) is None or self.is_other_now(s, i) or self._is_state_of(s, i, titles)):
            role = self._language.roles.longest(s.words, i)
            kinds = dict(role[1]) if role else {}
            title = self._registry.titles.longest(s.words, i)
            state = self._state_at(s, i)
            if role and "other_title" in kinds and not (title and title[0] > role[0]):
                other, i = True, role[0]
            elif role and "former" in kinds:
                former, i = True, role[0]
            elif title and (not role or title[0] >= role[0]):
                titles.append(title[1][0])
                i = title[0]
            elif role and "title" in kinds:
                titles.append(kinds["title"])
                plural, i = True, role[0]
            elif state and (
                not titles or self._language.state_behind_title or self._after_of(s, i) or (plural and states)
            ):
                states.append(state[1][0][0])
                i = state[0]
                if i < len(s.words) and s.words[i] in POSSESSIVES:
                    owned, i = True, i + 1
                    if titles:  # "premier of China's State Council": the name of the office continues
                        while s.is_capital(i) and s.spaced(i) and not self.knows(s, i):
                            i += 1
                        break
            elif role and self._goes_with(kinds, anything=bool(states or titles or former), first=i == at):
                within = self._state_within(s, i + 1, role[0])
                states += [within[1][0][0]] if within is not None else []
                i = within[0] if within is not None else role[0]
            elif (states or titles) and self._goes_on(s, i, plural=plural, titled=bool(titles)):
                i += 1
            else:
                break
        while i > at and (s.words[i - 1] == "-" or self._is_prefix(s, i - 1)):
            i -= 1
        if i == at or not (titles or other or (states and owned) or former):
            return None
        return TitlePhrase(i, tuple(dict.fromkeys(states)), tuple(titles), plural, former, other, owned)

    def letters(self, s: Sentence, at: int) -> tuple[int, list[str]] | None:
        """Return states joined to one letter, and the token after them: "한미 정상", "美朝峰会", "한·베트남 정상"."""
        letter = self._letter(s, at)
        if not letter or (at > 0 and self._letter(s, at - 1)):
            return None
        states, last = [letter], at + 1
        dotted = last < len(s.words) and s.words[last] in _JOINTS
        while last + dotted < len(s.words) and len(states) < _JOINED:
            if dotted != (s.words[last] in _JOINTS):
                if self._letter(s, last):
                    return None  # "북·중러": it is unclear which states meet
                break
            letter, behind = self._letter(s, last + dotted), last + dotted + 1
            if not letter and (named := self._named_behind_letter(s, last + dotted, dotted=dotted)) is not None:
                behind, ((letter, _), *_) = named
            if not letter:
                break
            states.append(letter)
            last = behind
        if len(set(states)) < 2 or self._language.behind_letters.longest(s.words, last) is None:
            return None
        return last, states

    def _letter(self, s: Sentence, at: int) -> str:
        """The state that a letter stands for, '' for any other token, and for the unit of a number ("10日")."""
        unit = at > 0 and s.words[at - 1].isdigit()
        return "" if unit else self._language.state_letters.get(s.words[at], "")

    def _named_behind_letter(self, s: Sentence, at: int, *, dotted: bool) -> tuple[int, list[tuple[str, bool]]] | None:
        """The state named in full behind a dot, or directly behind a letter of another script: "日ウクライナ首脳"."""
        if not dotted and (s.tokens[at].spaced or script_of(s.words[at][0]) == script_of(s.words[at - 1][0])):
            return None
        return self._registry.states.longest(s.words, at)

    @staticmethod
    def _goes_with(kinds: Mapping[str, str], *, anything: bool, first: bool) -> bool:
        """Whether a modifier, or a preposition after a title or state ("republic of"), is part of the phrase."""
        return ("modifier" in kinds and (anything or first)) or ("state_prefix" in kinds and anything)

    def _state_within(self, s: Sentence, first: int, end: int) -> tuple[int, list[tuple[str, bool]]] | None:
        """The state whose own name begins within a prefix: "of the republic of" and "Republic of Korea"."""
        states = (self._state_at(s, at) for at in range(first, end))
        return next((state for state in states if state is not None and state[0] > end), None)

    def _state_at(self, s: Sentence, at: int) -> tuple[int, list[tuple[str, bool]]] | None:
        """The state named at a token, if the token's capitals allow it."""
        state = self._registry.states.longest(s.words, at) or self._same_state(s, at)
        lower = s.lower_case or (
            state is not None and self._language.lower_adjectives and any(small for _, small in state[1])
        )
        return state if lower or s.is_capital(at) or self._same_state(s, at) else None

    def _same_state(self, s: Sentence, at: int) -> tuple[int, list[tuple[str, bool]]] | None:
        """The last named state, meant by "the nation's leader" or "its president"."""
        role = self._language.roles.longest(s.words, at)
        if role is None or role[1][0][0] != "same_state":
            return None
        for before in range(at - 1, -1, -1):
            if s.is_capital(before) and (state := self._registry.states.longest(s.words, before)) is not None:
                return role[0], [(state[1][0][0], True)]
        return None

    def _goes_on(self, s: Sentence, at: int, *, plural: bool, titled: bool) -> bool:
        """Whether a run continues after a token: "the presidents of Russia and Uzbekistan", "vice-president"."""
        if plural and s.is_comma(at):
            return self._lists_on(s, at)
        if titled and not plural and s.words[at] != "-":
            return False  # "태국 총리, 캄보디아 총리": two phrases
        if self._is_and(s, at) or (not plural and self._separates(s, at)):
            state = self._registry.states.longest(s.words, at + 1)
            return state is not None and (plural or self._many_behind(s, state[0]))
        return s.words[at] == "-" and at + 1 < len(s.words) and not s.tokens[at].spaced

    def _lists_on(self, s: Sentence, at: int) -> bool:
        """Whether a comma after a plural title continues its list: "France, Germany and Poland", "Peru, and other"."""
        if self._is_and(s, at + 1):  # a comma before the last state
            return self._state_at(s, at + 2) is not None
        state = self._state_at(s, at + 1) if at + 1 < len(s.words) else None
        if state is None or state[0] >= len(s.words):
            return False
        if s.is_comma(state[0]) and self._is_and(s, state[0] + 1):
            return True
        return self._is_and(s, state[0]) or (s.is_comma(state[0]) and self._state_at(s, state[0] + 1) is not None)

    def _many_behind(self, s: Sentence, at: int) -> bool:
        """Whether a list of states, read up to a token, ends in a plural title: "US, French and Turkish ..."."""
        for _ in range(_LISTED):
            if at >= len(s.words):
                return False
            role = self._language.roles.longest(s.words, at)
            if role is not None and role[1][0][0] == "state_prefix" and role[0] < len(s.words):
                at, role = role[0], self._language.roles.longest(s.words, role[0])  # "रूस और चीन के राष्ट्रपतियों"
            if role is not None and role[1][0][0] == "title":
                return True
            if is_glued(s.words[at]) and self._registry.titles.longest(s.words, at) is not None:
                return True  # scripts in which titles have no plural
            while at < len(s.words) and (self._separates(s, at) or self._is_and(s, at)):
                at += 1
            state = self._state_at(s, at) if at < len(s.words) else None
            if state is None:
                return False
            at = state[0]
        return False

    @staticmethod
    def _separates(s: Sentence, at: int) -> bool:
        """Whether the token is a comma, or the separator that a script without spaces uses in lists."""
        return at < len(s.words) and s.words[at] in _SEPARATORS

    def _after_of(self, s: Sentence, at: int) -> bool:
        return any(
            (found := self._language.roles.longest(s.words, start)) is not None
            and found == (at, found[1])
            and found[1][0][0] == "state_prefix"
            for start in range(max(0, at - _PREFIX), at)
        )

    def _is_and(self, s: Sentence, at: int) -> bool:
        found = self._language.lexicon.longest(s.words, at) if at + 1 < len(s.words) else None
        return found is not None and "and" in found[1]

    def _is_prefix(self, s: Sentence, at: int) -> bool:
        found = self._language.roles.longest(s.words, at)
        return found is not None and found[1][0][0] == "state_prefix"

    def knows(self, s: Sentence, at: int) -> bool:
        """Say whether the language or the roster knows the phrase at the token, so that it is no unknown name."""
        return (
            self._language.lexicon.longest(s.words, at) is not None
            or self._language.roles.longest(s.words, at) is not None
            or self._language.cues.longest(s.words, at) is not None
            or self._registry.states.longest(s.words, at) is not None
            or self._registry.titles.longest(s.words, at) is not None
            or s.name_at(at) is not None
            or s.words[at].startswith(self._language.not_names)
        )

    def _is_state_of(self, s: Sentence, at: int, titles: Sequence[str]) -> bool:
        """Whether a name behind a title is its state's adjective: in Arabic, a leader of Iraq is called "Sudanese"."""
        hit = s.name_at(at)
        if hit is None or not titles or not self._language.state_behind_title or self._state_at(s, at) is None:
            return False
        return not any(self._registry.holds(one, titles, self._focus.day) for one, _ in hit.name.leaders)

    def is_other_now(self, s: Sentence, at: int) -> bool:
        """Say whether a name that is also a state or a title is not meant as a name: "Saudi king", "Nepal PM".

        That is so if the state's name goes on ("Costa Rica"), behind "of" ("president of Montenegro"), or if nobody
        with that surname is in office.
        """
        hit, state = s.name_at(at), self._registry.states.longest(s.words, at)
        if hit is None or hit.name.phrases:
            return False
        if state is not None and (state[0] > s.after(hit) or self._after_of(s, at)):
            return True
        known = state is not None or self._registry.titles.longest(s.words, at) is not None
        return known and not any(one in self._registry.serving(self._focus.day) for one, _ in hit.name.leaders)
