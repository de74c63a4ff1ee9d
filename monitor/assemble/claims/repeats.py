"""Finds headlines that report one more contact of the same leaders: "Macron phones Putin again". The words are data."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

import msgspec
import yaml

from monitor.errors import DataFileError

_FILE = "repeats.yaml"
#: Matches nothing.
_NEVER = re.compile(r"(?!)")


@cache
def _words() -> dict[str, re.Pattern[str]]:
    text = resources.files(__package__).joinpath("data", _FILE).read_text(encoding="utf-8")
    try:
        languages = msgspec.convert(yaml.safe_load(text), dict[str, tuple[str, ...]])
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(_FILE, "", str(error)) from error
    return {code: re.compile("|".join(map(_whole, words)), re.IGNORECASE) for code, words in languages.items()}


def _whole(word: str) -> str:
    """The expression of a word; one in letters with cases must stand alone, as scripts without cases join words."""
    found = re.escape(word)
    return rf"\b{found}\b" if word.lower() != word.upper() else found


def is_one_more(title: str, language: str) -> bool:
    """Say whether a title in a language (`en`, `pt-BR`) has a word that means "again"."""
    return _words().get(language.partition("-")[0], _NEVER).search(title) is not None
