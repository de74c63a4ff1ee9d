"""Remove relative times such as "3 hours ago" from a text. They differ at every poll, which is not a correction."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "relative_times.yaml"
#: What most software writes where it has no words of the text's language.
_DEFAULT = "en"
_NUMBER = r"\d{1,4}"
#: Characters beside a mark that are searched: three amounts with their units.
_REACH = 40


class _AgoWords(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of one language; `now` are whole expressions."""

    language: str
    units: tuple[str, ...]
    one: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    now: tuple[str, ...] = ()
    spaces: bool = True


class _AgoMark(NamedTuple):
    """A word found in relative times, the characters to search before and after it, and the pattern of such times."""

    word: str
    before: int
    after: int
    pattern: re.Pattern[str]


def timeless(text: str, language: str) -> str:
    """Return a text without its relative times; unchanged if it has none.

    `language` is a BCP 47 tag, "" for none; English expressions are removed in every language. Only the text around a
    word found in such times is searched: a text of 500 characters without one takes 1 µs.
    """
    for mark in _marks(language):
        at = text.find(mark.word)
        if at < 0:
            continue
        parts: list[str] = []
        done = 0
        while at >= 0:
            start, end = max(done, at - mark.before), at + len(mark.word) + mark.after
            parts += (text[done:start], mark.pattern.sub("", text[start:end]))
            at, done = text.find(mark.word, end), end
        text = "".join((*parts, text[done:]))
    return text


@lru_cache(maxsize=256)
def _marks(language: str) -> tuple[_AgoMark, ...]:
    """Return the marks of the languages that a text may use."""
    rows = read_data_file(_FILE, tuple[_AgoWords, ...])
    language = language.partition("-")[0]
    return tuple(mark for row in rows if row.language in {language, _DEFAULT} for mark in _of(row))


def _of(row: _AgoWords) -> Iterator[_AgoMark]:
    amount = rf"(?:(?:{'|'.join((_NUMBER, *_escaped(row.one)))})\s?(?:de\s)?)?(?:{'|'.join(_escaped(row.units))})\.?"
    several = rf"{amount}(?:,?\s?{amount}){{0,2}}"
    for word in row.before:
        pattern = _whole(rf"{re.escape(word)}\s{several}", row)
        yield from (_AgoMark(each, 1, _REACH, pattern) for each in (f"{word} ", f"{word.capitalize()} "))
    for word in row.after:
        yield _AgoMark(f" {word}" if row.spaces else word, _REACH, 1, _whole(rf"{several}\s?{re.escape(word)}", row))
    for word in row.now:
        yield _AgoMark(word[1:], 2, 1, _whole(re.escape(word), row))


def _whole(pattern: str, row: _AgoWords) -> re.Pattern[str]:
    return re.compile(rf"(?<![^\W_])(?:{pattern})(?![^\W_])" if row.spaces else pattern, re.IGNORECASE)


def _escaped(words: tuple[str, ...]) -> list[str]:
    return [re.escape(word) for word in sorted(words, key=len, reverse=True)]
