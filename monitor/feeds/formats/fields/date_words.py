"""Read the words of a date: names of months, `am` and `pm`, signs such as `年`. The words are in months.yaml."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.errors import DataFileError
from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "months.yaml"
#: A word: letters, and the marks that scripts write between or on them, such as vowel signs. Python does not count the
#: marks as letters, so `[^\W\d_]+` alone would cut a Hindi month into pieces. Commas and full stops end a word.
_WORD = re.compile(
    r"(?:[^\W\d_]|(?![،؛؟٪-٭۔।॥\s\d])[\u0300-\u1aff])+"
    r"(?:[.'’](?:[^\W\d_]|(?![،؛؟٪-٭۔।॥\s\d])[\u0300-\u1aff])+)*"
)


class _DateNames(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    am: frozenset[str]
    pm: frozenset[str]
    am_of: dict[str, frozenset[str]]
    pm_of: dict[str, frozenset[str]]
    noon: tuple[str, ...]
    midnight: tuple[str, ...]
    year: tuple[str, ...]
    month: tuple[str, ...]
    day: tuple[str, ...]
    hour: tuple[str, ...]
    minute: tuple[str, ...]
    second: tuple[str, ...]
    at: tuple[str, ...]
    eras: dict[str, int]
    aliases: dict[str, str]
    months: dict[str, tuple[tuple[str, ...], ...]]


class FoundMonth(NamedTuple):
    """A month, 1 to 12, and the position of its name in the text."""

    number: int
    start: int
    end: int


def month_named(word: str, language: str) -> int:
    """Return the month that a word names, 1 to 12, or 0 when it names none.

    The word is looked up in the language, then in English, then in all languages, where it must not name two months.
    """
    return _month(_folded(word), language)


def find_month(text: str, language: str) -> FoundMonth | None:
    """Find the last name of a month in a text.

    The last one, because a weekday that looks like a month (`mar` in French and Spanish) comes before it. The name may
    have several words, as Arabic names of the Levant do, or a word and a number, as in Vietnamese.
    """
    words = [(match.start(), match.end(), _folded(match[0])) for match in _WORD.finditer(text)]
    for at in range(len(words) - 1, -1, -1):
        start, end, word = words[at]
        for first in range(max(0, at - 2), at + 1):
            if number := _month(" ".join(name for _, _, name in words[first : at + 1]), language):
                return FoundMonth(number, words[first][0], end)
        if (match := re.match(r" (\d{1,2})(?!\d)", text[end:])) and (number := _month(f"{word} {match[1]}", language)):
            return FoundMonth(number, start, end + match.end())
    return None


def half_of_day(before: str, after: str, language: str) -> str:
    """Return `am`, `pm` or '' from the text right before and right after a time of day; the longest word counts."""
    before, after = before.rstrip(" ,."), after.lstrip(" ,")
    found = ("", "")
    for half, words in _halves(language).items():
        for word in words:
            if len(word) > len(found[1]) and (_starts(after, word) or _ends(before, word)):
                found = (half, word)
    return found[0]


@cache
def pattern(sign: str) -> str:
    """Return a regular expression for the words of one key of months.yaml, such as `year` or `hour`.

    Words of scripts with spaces match whole words only. `half` means `am` and `pm` in scripts without spaces, where the
    word may touch the number.
    """
    found = names()
    words = (
        [word for word in found.am | found.pm if not _is_spaced(word)] if sign == "half" else list(getattr(found, sign))
    )
    words.sort(key=len, reverse=True)
    return "(?:" + "|".join(re.escape(word) + (r"(?![^\W\d_])" if _is_spaced(word) else "") for word in words) + ")"


@cache
def names() -> _DateNames:
    """Read months.yaml. Raises DataFileError when a language does not have twelve months."""
    found = read_data_file(_FILE, _DateNames)
    for language, months in found.months.items():
        if len(months) != 12 or not all(months):
            raise DataFileError(str(_FILE), language, "twelve months with a name each are needed")
    return found


def _month(folded: str, language: str) -> int:
    by_language = _months()
    own = by_language.get(names().aliases.get(language, language), {})
    return own.get(folded) or by_language["en"].get(folded) or by_language[""].get(folded, 0)


@cache
def _months() -> dict[str, dict[str, int]]:
    """Map language and folded name to the month; under '' are names that mean one month in every language."""
    tables: dict[str, dict[str, int]] = {}
    everywhere: dict[str, set[int]] = {}
    for language, months in names().months.items():
        table = tables.setdefault(language, {})
        for number, forms in enumerate(months, 1):
            for form in map(_folded, forms):
                table.setdefault(form, number)
                everywhere.setdefault(form, set()).add(number)
    tables[""] = {name: min(numbers) for name, numbers in everywhere.items() if len(numbers) == 1}
    return tables


@cache
def _halves(language: str) -> dict[str, frozenset[str]]:
    found = names()
    language = found.aliases.get(language, language)
    return {"am": found.am | found.am_of.get(language, frozenset()),
            "pm": found.pm | found.pm_of.get(language, frozenset())}  # fmt: skip


@lru_cache(maxsize=4096)
def _folded(word: str) -> str:
    """Return a name without case, accents, dots, nukta and abbreviation signs, so that all spellings become equal."""
    if word.isascii():
        return word.casefold().replace(".", "").replace("'", "")
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", word).casefold().replace("ı", "i"))
    kept = (c for c in parts if not ("\u0300" <= c <= "\u036f" or c in "\u093c\u09bc\u0a3c"))
    return unicodedata.normalize("NFC", "".join(c for c in kept if unicodedata.category(c)[0] in "LMNZ"))


def _starts(text: str, word: str) -> bool:
    if not text.startswith(word):
        return False
    rest = text[len(word) :]
    return not _is_spaced(word) or not rest[:1].isalpha()


def _ends(text: str, word: str) -> bool:
    if not text.endswith(word):
        return False
    return not _is_spaced(word) or not text[: -len(word)][-1:].isalpha()


def _is_spaced(word: str) -> bool:
    """Tell whether the word's script puts spaces between words; Han, Kana, Hangul and Thai don't, or not always."""
    return not any("\u0e00" <= c <= "\u0eff" or "\u1100" <= c <= "\u11ff" or c >= "\u2e80" for c in word)
