"""The scripts that language files may name, from `data/scripts.yaml`: a new one needs no Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from monitor.detect.datafile import read


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script: its letters as ranges of a regular expression's class, and how words stand in it.

    `glued`: a word may start and end within a run of letters. `spaced` is false where no spaces are written. Among
    letters of `whole` a name must not go on at either end, among those of `whole_start` not at its start.
    """

    letters: str
    glued: bool = False
    spaced: bool = True
    whole: str = ""
    whole_start: str = ""


@cache
def scripts() -> Mapping[str, Script]:
    """Return all scripts by name. Raises DataFileError when the file is not valid."""
    return read("scripts.yaml", dict[str, Script])


def glued_letters() -> str:
    """Return the ranges of letters among which a word may start and end anywhere."""
    return "".join(one.letters for one in scripts().values() if one.glued)


def whole_letters(*, start: bool) -> str:
    """Return the ranges of letters among which a name is a word of its own at its end, or at its `start`."""
    return "".join(one.whole + (one.whole_start if start else "") for one in scripts().values())


def unspaced_letters() -> str:
    """Return the ranges of letters that are written without spaces."""
    return "".join(one.letters for one in scripts().values() if not one.spaced)


@cache
def _letters() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((name, re.compile(f"[{one.letters}]")) for name, one in scripts().items())


def script_of(letter: str) -> str:
    """Return the name of the script that a letter is of, '' for none of the file."""
    return next((name for name, letters in _letters() if letters.match(letter)), "")
