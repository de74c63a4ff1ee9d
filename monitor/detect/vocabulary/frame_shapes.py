"""Frames: how leaders and a trigger stand to each other in a clause, written as a shape.

A sentence is read as a row of items, each of one class (LEADER, OWNER, a trigger's class, `with`, COMMA, WORD, ...).
A shape is a row of steps, each `[label=]class[|class...][quantifier]` with the quantifiers `?`, `*` (up to 8) and
`{m,n}`: `A=LEADER bridge* T=MEET with? B=LEADER`. Labels: T the trigger, A and B the two
sides, C more of side B, H a state or seat whose leader is side B if the article names him. Shapes are compiled to
regular expressions over one character an item; all quantifiers are bounded and short, so matching is linear in the
length of a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from monitor.errors import DataFileError
from monitor.records import Status

_STEP = re.compile(r"(?:([ABCHT])=)?(!?)([A-Za-z_]+(?:\|[A-Za-z_]+)*)(\?|\*|\{\d,\d{1,2}\})?$")
_STAR = "{0,8}"
_FIRST_LETTER = 0x100

#: Classes that every language has: leaders, persons who are none, and what cuts a clause.
BUILT_IN = (
    "LEADER", "PAIR", "OWNER", "PERSON", "STATE", "SEAT", "BREAK", "END", "COMMA", "QUOTE", "HYPHEN", "NAME", "WORD",
)  # fmt: skip

#: Every class that the code itself goes by; a language may have more, for its own shapes. Words: prepositions and
#: conjunctions with a meaning of their own, then kinds of words; triggers: those that frames and cues treat apart.
ItemClass = Literal[
    "LEADER", "PAIR", "OWNER", "PERSON", "STATE", "SEAT", "BREAK", "END", "COMMA", "QUOTE", "HYPHEN", "NAME", "WORD",
    "and", "with", "of", "to", "by", "between", "prep", "during", "time", "together",
    "the", "det", "poss", "their", "pron", "say", "conj", "adv", "aux", "have", "support", "control", "travel", "offer",
    "MEET", "SPEAK", "TELL", "INVITATION",
]  # fmt: skip

#: Where the side comes from that a shape does not show: the clause's subject, whoever says it ("..., Putin
#: said"), the two leaders that "their" means, the owner of an official source, or the only two of the article so far.
Missing = Literal["none", "subject", "attributed", "their", "speaker", "focus"]


class Alphabet:
    """One character for each class name of a language; `groups` name several classes at once (bridge, filler)."""

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
        """Return the letters of `a|b|c`."""
        return "".join(self._resolve(name, where) for name in names.split("|"))


class FrameTraits(msgspec.Struct, frozen=True, kw_only=True):
    """What a frame says beside its shape.

    `missing` says where the other side comes from when only one is in the shape. `collective`: side A alone must hold
    two leaders. `status` is what the shape says without a cue ("is meeting"). `alone`: not where a
    forum is named, whose many guests need not have met each other. `finite`: its own verb stands in it, so cues inside
    speak of something else ("urges X to act in a call"). `hosted`: the leader of the state or seat takes part unnamed.
    `asked`: of three leaders the first asks the others for it, and takes no part.
    `opens`: only where side A opens its clause, so that it is no object ("Z seeks X, Y backing at talks").
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


class Frame(FrameTraits, frozen=True, kw_only=True):
    """One compiled frame. `triggers` are the letters that T may be: a row without any of them need not be searched."""

    pattern: re.Pattern[str]
    triggers: frozenset[str]


def trigger_letters(shape: str, alphabet: Alphabet, where: str) -> frozenset[str]:
    """Return the letters that the trigger of a shape may be."""
    names = [step.removeprefix("T=").rstrip("?*") for step in shape.split() if step.startswith("T=")]
    return frozenset(alphabet.letters("|".join(names), where)) if names else frozenset()


def compile_shape(
    shape: str, alphabet: Alphabet, where: str, file: str, unless_behind: tuple[str, ...] = ()
) -> re.Pattern[str]:
    """Return the regular expression of a shape, not followed by a class of `unless_behind`.

    Raises DataFileError naming the step that is not one.
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
