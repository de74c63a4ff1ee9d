"""The scripts that language files may name, read from `data/scripts.yaml`. A new script needs no Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from monitor.detect.datafile import read


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script: its letters as ranges for a regular expression, and how words are written in it.

    `glued`: a word may start and end within a run of letters. `spaced`: words are separated by spaces. Next to letters
    of `whole` a name must not continue at either end, next to letters of `whole_start` not at its start. `marks`: vowel
    signs that Python does not count as part of a word. `variants`: other forms of a letter. `signs`: ranges of marks
    that matching ignores. `zeros`: the first of each row of digits. `dot`: joins items of a list without a space.
    """

    letters: str
    glued: bool = False
    spaced: bool = True
    whole: str = ""
    whole_start: str = ""
    marks: str = ""
    variants: Mapping[str, str] = {}
    signs: str = ""
    zeros: str = ""
    comma: str = ""
    dot: str = ""


@cache
def scripts() -> Mapping[str, Script]:
    """Return all scripts by name. Raises DataFileError when the file is not valid."""
    return read("scripts.yaml", dict[str, Script])


def glued_letters() -> str:
    """Return the ranges of letters within which a word may start and end anywhere."""
    return "".join(one.letters for one in scripts().values() if one.glued)


def letters_but_latin() -> str:
    """Return the ranges of letters of all scripts but Latin, which stands in texts of any language."""
    return "".join(one.letters for name, one in scripts().items() if name != "Latin")


def whole_letters(*, start: bool) -> str:
    """Return the ranges of letters next to which a name must not continue, at its end or (`start`) at its start."""
    return "".join(one.whole + (one.whole_start if start else "") for one in scripts().values())


def marks() -> str:
    r"""Return the ranges of marks that are parts of words (Devanagari vowel signs), although `\\w` excludes them."""
    return "".join(one.marks for one in scripts().values())


def letter_variants() -> Mapping[str, str]:
    """Return, for each letter and digit, the other forms that count as the same."""
    found = {kept: others for one in scripts().values() for kept, others in one.variants.items()}
    zeros = "".join(one.zeros for one in scripts().values())
    return found | {str(digit): "".join(chr(ord(zero) + digit) for zero in zeros) for digit in range(10)}


def dropped_signs() -> str:
    """Return the ranges of marks that matching ignores."""
    return "".join(one.signs for one in scripts().values())


def commas() -> str:
    """Return the commas of all scripts."""
    return "," + "".join(one.comma for one in scripts().values())


def dots() -> str:
    """Return the dots that join items of a list, of all scripts: "북·중"."""
    return "".join(one.dot for one in scripts().values())


def joints() -> str:
    """Return the marks between states of which one is a letter: "한·미", "한-인도"."""
    return dots() + "-"


def unspaced_letters() -> str:
    """Return the ranges of letters of scripts without spaces."""
    return "".join(one.letters for one in scripts().values() if not one.spaced)


@cache
def _letters() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(f"[{one.letters}]")) for name, one in scripts().items())


def script_of(letter: str) -> str:
    """Return the name of a letter's script, '' if the file does not have it."""
    return next((name for name, letters in _letters() if letters.match(letter)), "")
