"""Identifies the language of a text: by its script if that is enough, else by py3langid's model.

The model (Lui and Baldwin 2012, as py3langid) is loaded at the first text that needs it. It is unreliable for short
headlines made of names, so text in plain letters A to Z counts as the default language unless the model is sure of
another one. Scripts and words are in `data/languages.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from monitor.errors import DataFileError
from monitor.language import model_file
from monitor.yaml_text import read_data_file

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

_FILE = Path(__file__).parent / "data" / "languages.yaml"
#: Code points of a text that are used: enough for the model, and a limit for long texts.
_ENOUGH = 600
#: Probability that the model must give another language than the default, for text in letters A to Z.
_SURE = 0.6
#: Probability that it must give another language than the likely one, for Cyrillic text without a telling letter.
_SURE_OF_CYRILLIC = 0.9
_FOREIGN = re.compile(r"[^\W\d_a-zA-Z]")


class ScriptEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A script that is used by one language, or by another if the text has some letters of that one."""

    language: str
    letters: str
    weight: int = 1
    unless: Mapping[str, str] = {}


class CyrillicEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The Cyrillic letters, those that show the likely language, and those that exclude it."""

    letters: str
    likely: str
    own: str
    foreign: str


class LanguagesFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`data/languages.yaml`."""

    default: str
    function_words: tuple[str, ...]
    news: tuple[str, ...]
    scripts: tuple[ScriptEntry, ...]
    cyrillic: CyrillicEntry
    latin: str


class _ScriptOfLanguage(NamedTuple):
    """One script, ready for matching."""

    language: str
    letters: re.Pattern[str]
    weight: int
    unless: tuple[tuple[str, re.Pattern[str]], ...]


class _Letters:
    """The compiled data file."""

    def __init__(self, file: LanguagesFile) -> None:
        self.default = file.default
        self.news = file.news
        self.scripts = tuple(
            _ScriptOfLanguage(
                one.language,
                re.compile(f"[{one.letters}]+"),
                one.weight,
                tuple((code, re.compile(f"[{letters}]")) for code, letters in one.unless.items()),
            )
            for one in file.scripts
        )
        self.likely = file.cyrillic.likely
        self.cyrillic = re.compile(f"[{file.cyrillic.letters}]+")
        self.own, self.foreign = re.compile(f"[{file.cyrillic.own}]"), re.compile(f"[{file.cyrillic.foreign}]")
        self.latin = re.compile(f"[{file.latin}]+")
        self.function_words = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, file.function_words))})(?!\w)")


def identify(text: str, default: str = "") -> str:
    """Return the BCP 47 primary tag of the text's language, `default` if nothing decides. Deterministic."""
    letters = _letters()
    own = default in ("", letters.default)
    default = default or letters.default
    folded = text[:_ENOUGH].replace("\u0130", "i").lower()
    if folded.isascii() or not _FOREIGN.search(folded):
        if own and next(islice(letters.function_words.finditer(folded), 1, None), None):
            return default
        code, sure = load_model().classify(folded)
        return str(code) if sure >= _SURE and not letters.function_words.search(folded) else default
    latin = _count(letters.latin, folded)
    if _count(letters.cyrillic, folded) > latin:
        foreign = letters.foreign.search(folded) is not None
        if letters.own.search(folded) and not foreign:
            return letters.likely
        code, sure = load_model().classify(folded)
        return str(code) if sure >= _SURE_OF_CYRILLIC or foreign else letters.likely
    for script in letters.scripts:
        if _count(script.letters, folded) * script.weight > latin:
            return next((code for code, pattern in script.unless if pattern.search(folded)), script.language)
    return str(load_model().classify(folded)[0])


def _count(letters: re.Pattern[str], text: str) -> int:
    """Return how many of these letters the text has; `letters` matches runs of them."""
    return sum(map(len, letters.findall(text)))


@cache
def _letters() -> _Letters:
    file = read_data_file(_FILE, LanguagesFile)
    try:
        return _Letters(file)
    except re.error as error:
        raise DataFileError(str(_FILE), "", str(error)) from error


@cache
def load_model() -> LanguageIdentifier:
    """Return py3langid's model, which is loaded once."""
    return model_file.load(_letters().news)
