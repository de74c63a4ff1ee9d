"""Frames: sentence patterns that state a contact, written as shapes.

A sentence is read as a row of items, each of one class (LEADER, OWNER, a trigger's class, `with`, COMMA, WORD, ...).
A shape is a list of steps, each `[label=]class[|class...][quantifier]` with the quantifiers `?`, `*` (up to 8) and
`{m,n}`: `A=LEADER bridge* T=MEET with? B=LEADER`. The labels are T for the trigger, A and B for the two sides, C for
more of side B, and H for a state or seat whose leader is side B if the article names him. A shape is compiled to a
regular expression in which each item is one character. All quantifiers are bounded and short, so matching takes time
linear in the length of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Literal

import msgspec

from monitor.errors import DataFileError
from monitor.records import Status

_STEP = re.compile(r"(?:([ABCHT])=)?(!?)([A-Za-z_]+(?:\|[A-Za-z_]+)*)(\?|\*|\{\d,\d{1,2}\})?$")
_STAR = "{0,8}"
_FIRST_LETTER = 0x100

#: Classes that every language has: leaders, other persons, and what ends a clause.
BUILT_IN = (
    "LEADER", "PAIR", "OWNER", "PERSON", "STATE", "SEAT", "BREAK", "END", "COMMA", "QUOTE", "HYPHEN", "NAME", "WORD",
)  # fmt: skip

#: Every class that the code refers to; a language may define more for its own shapes. In order: built-in classes,
#: function words, kinds of words, and triggers that frames and cues treat in a special way.
ItemClass = Literal[
    "LEADER", "PAIR", "OWNER", "PERSON", "STATE", "SEAT", "BREAK", "END", "COMMA", "QUOTE", "HYPHEN", "NAME", "WORD",
    "and", "with", "of", "to", "by", "between", "prep", "during", "time", "together",
    "the", "det", "poss", "their", "pron", "say", "conj", "adv", "aux", "have", "support", "control", "travel", "offer",
    "position",
    "MEET", "SPEAK", "TELL", "INVITATION",
]  # fmt: skip

#: Where a side comes from that the shape does not contain: the clause's subject, the person who says it ("..., Putin
#: said"), the two leaders that "their" refers to, the owner of an official source, the only two leaders of the article
#: so far, or the subject of the sentence before, in languages that drop pronouns ("Spotka się z Xi").
Missing = Literal["none", "subject", "attributed", "their", "speaker", "focus", "dropped"]


class Alphabet:
    """One character for each class of a language; `groups` give several classes one name (bridge, filler)."""

    def __init__(self, classes: tuple[str, ...], groups: Mapping[str, tuple[str, ...]], file: str) -> None:
        self._file = file
        self._letters = {name: chr(_FIRST_LETTER + n) for n, name in enumerate(dict.fromkeys((*BUILT_IN, *classes)))}
        self._groups: dict[str, str] = {}
        for name, members in groups.items():
            self._groups[name] = "".join(self._resolve(member, f"groups: {name}") for member in members)

    def __getitem__(self, name: str) -> str:
        return self._letters[name]

    def _resolve(self, name: str, where: str) -> str:
        found = self._groups.get(name) or self._letters.get(name)
        if found is None:
            raise DataFileError(self._file, where, f"no class or group is called {name!r}")
        return found

    def letters(self, names: str, where: str) -> str:
        """Return the characters of the classes or groups in `a|b|c`. Raises DataFileError for an unknown name."""
        return "".join(self._resolve(name, where) for name in names.split("|"))


class FrameTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame states besides its shape.

    `missing`: where the other side comes from if the shape has only one. `collective`: side A alone must hold two
    leaders. `status`: the status that the shape states without a cue ("is meeting"). `alone`: the frame does not apply
    if a forum is named, because its guests need not have met each other. `finite`: the shape contains its own verb, so
    cues inside it are about something else ("urges X to act in a call"). `hosted`: the leader of the state or seat
    takes part even if not named. `asked`: the first of three leaders asks the other two to meet and takes no part.
    `opens`: side A must open its clause, so that it can't be an object ("Z seeks X, Y backing at talks").
    """

    name: str
    missing: Missing = "none"
    collective: bool = False
    status: Status | None = None
    alone: bool = False
    finite: bool = False
    asked: bool = False
    hosted: bool = False
    opens: bool = False


class Frame(FrameTraits, frozen=True, kw_only=True, dict=True):
    """One frame. `triggers` are the characters that T may be: a row without any of them is not searched.

    `compiled` makes the expression at its first use: a language has sixty frames, and an article needs a few.
    """

    compiled: Callable[[], re.Pattern[str]]
    triggers: frozenset[str]

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The regular expression of the shape. Raises DataFileError for a shape that is not valid."""
        return self.compiled()


def trigger_letters(shape: str, alphabet: Alphabet, where: str) -> frozenset[str]:
    """Return the characters that the trigger of a shape may be."""
    names = [step.removeprefix("T=").rstrip("?*") for step in shape.split() if step.startswith("T=")]
    return frozenset(alphabet.letters("|".join(names), where)) if names else frozenset()


def compile_shape(
    shape: str, alphabet: Alphabet, where: str, file: str, unless_behind: tuple[str, ...] = ()
) -> re.Pattern[str]:
    """Return the regular expression of a shape, which does not match before a class of `unless_behind`.

    Raises DataFileError with the step that is not valid.
    """
    parts: list[str] = []
    for step in shape.split():
        match = _STEP.match(step)
        if match is None:
            raise DataFileError(file, where, f"{step!r} is no step of a shape")
        label, negated, names, quantifier = match.groups()
        quantifier = _STAR if quantifier == "*" else quantifier or ""
        letters = alphabet.letters(names, where)
        body = f"[{'^' if negated else ''}{letters}]{quantifier}"
        parts.append(f"(?P<{label}>{body})" if label else body)
    if unless_behind:
        parts.append(f"(?![{alphabet.letters('|'.join(unless_behind), where)}])")
    try:
        return re.compile("".join(parts))
    except re.error as error:
        raise DataFileError(file, where, f"shape does not compile: {error}") from error
