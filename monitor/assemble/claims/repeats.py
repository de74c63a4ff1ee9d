"""Finds headlines that set a contact apart from another one: it is one more, or one of two leaders alone.

"Macron phones Putin again", "Macron meets Modi one-on-one". The words are data.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from monitor.yaml_text import read_data_file

_DATA = Path(__file__).parent / "data"
#: Matches nothing.
_NEVER = re.compile(r"(?!)")


@cache
def _words(file: str) -> dict[str, re.Pattern[str]]:
    languages = read_data_file(_DATA / file, dict[str, tuple[str, ...]])
    return {code: re.compile("|".join(map(_whole, words)), re.IGNORECASE) for code, words in languages.items()}


def _whole(word: str) -> str:
    """The expression of a word; one in letters with cases must stand alone, as scripts without cases join words."""
    found = re.escape(word)
    return rf"\b{found}\b" if word.lower() != word.upper() else found


def is_one_more(title: str, language: str) -> bool:
    """Say whether a title in a language (`en`, `pt-BR`) has a word that means "again"."""
    return _has(title, language, "repeats.yaml")


def is_of_two_alone(title: str, language: str) -> bool:
    """Say whether a title in a language has words that mean "one-on-one"."""
    return _has(title, language, "alone.yaml")


def _has(title: str, language: str, file: str) -> bool:
    return _words(file).get(language.partition("-")[0], _NEVER).search(title) is not None
