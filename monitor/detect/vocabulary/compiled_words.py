"""The compiled words of a language: triggers, cues, vetoes, and the words of appeals and trips."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import product

import msgspec

from monitor.detect.text.normal import fold, normalise
from monitor.detect.text.tokens import Phrases, tokenize
from monitor.detect.vocabulary.language_file import CueWords, Tense, TriggerForms
from monitor.records import Kind, Medium

#: Alternatives in a phrase of a data file.
_ALTERNATIVES = re.compile(r"[()]")


class Trigger(msgspec.Struct, frozen=True):
    """One form of a trigger; `kind` and `medium` are the trigger's, or its compound's ("video summit")."""

    of: TriggerForms
    tense: Tense
    kind: Kind
    medium: Medium

    @property
    def name(self) -> str:
        """The name by which vetoes and cues refer to it."""
        return self.of.name

    @property
    def class_(self) -> str:
        """The class by which shapes refer to it."""
        return self.of.class_

    @property
    def distributive(self) -> bool:
        """Whether several partners mean a separate contact with each: "meetings with A and B"."""
        return self.tense == "plural" or (self.of.distributive and self.tense != "noun")


class Cue(msgspec.Struct, frozen=True):
    """One form of a status cue."""

    of: CueWords
    words: str
    unless_before: str
    followed: Phrases[bool] | None = None


class Veto(msgspec.Struct, frozen=True):
    """A false sense, compiled."""

    name: str
    triggers: frozenset[str]
    only_behind: str
    before: Phrases[bool]
    after: Phrases[bool]
    anywhere: Phrases[bool]
    object_then: str
    behind_object: Phrases[bool]
    single: bool
    certain: bool


class Crowds(msgspec.Struct, frozen=True):
    """The words of appeals by people who are not leaders, compiled."""

    who: Phrases[bool]
    asks: Phrases[bool]
    against: Phrases[bool]
    asked_by: Phrases[bool]
    unreal: Phrases[bool]
    remarks: Phrases[bool]
    gatherings: Phrases[bool]
    verb_last: bool


class Trips(msgspec.Struct, frozen=True):
    """The words of cancelled and postponed trips, compiled."""

    trip: Phrases[bool]
    off: Phrases[bool]
    later: Phrases[bool]
    ends: Phrases[bool]
    stays: Phrases[bool]
    unless: Phrases[bool]


def words(phrase: str) -> tuple[str, ...]:
    """Return the folded tokens of a phrase of a data file."""
    if phrase.isascii() and phrase.replace(" ", "").isalpha():  # nothing to normalise, and spaces separate the tokens
        return tuple(phrase.lower().split())
    text = normalise(phrase).text
    return tuple(token.text for token in tokenize(text, fold(text), 0, len(text)))


def alternatives(phrase: str) -> Iterator[str]:
    """Yield each phrase that one with alternatives stands for: "(brushes|waves) off talk of" are two."""
    choices = [part.split("|") for part in _ALTERNATIVES.split(phrase)]
    return (" ".join("".join(chosen).split()) for chosen in product(*choices))


def phrases_of(listed: Iterable[str]) -> Phrases[bool]:
    """Return the phrases of a data file, ready for matching. Their value only says that they are there."""
    found: Phrases[bool] = Phrases()
    for phrase in listed:
        found.add(words(phrase), True)
    return found
