"""The scripts that language files may name, from `data/scripts.yaml`: a new one needs no Python."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import msgspec

from monitor.detect.datafile import read


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script: its letters as ranges of a regular expression's class, and how words stand in it.

    `glued`: a word may start and end within a run of letters. `spaced` is false where no spaces are written.
    """

    letters: str
    glued: bool = False
    spaced: bool = True


@cache
def scripts() -> Mapping[str, Script]:
    """Return all scripts by name. Raises DataFileError when the file is not valid."""
    return read("scripts.yaml", dict[str, Script])


def glued_letters() -> str:
    """Return the ranges of letters among which a word may start and end anywhere."""
    return "".join(one.letters for one in scripts().values() if one.glued)


def unspaced_letters() -> str:
    """Return the ranges of letters that are written without spaces."""
    return "".join(one.letters for one in scripts().values() if not one.spaced)
