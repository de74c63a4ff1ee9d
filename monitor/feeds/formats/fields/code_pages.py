"""Tell the 8-bit encodings of Latin scripts apart, such as windows-1252 and iso-8859-2.

In the right encoding the non-ASCII letters are those of the text's language; in a wrong one many are not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "code_pages.yaml"
#: The largest share of the non-ASCII characters that may be foreign to the language, as in names of other countries:
#: in general, and for an encoding that the document itself names.
_STRANGE_SHARE, _LABELLED_SHARE = 0.25, 0.1
_WORD = re.compile(rb"[A-Za-z\x80-\xff]*[\x80-\xff][A-Za-z\x80-\xff]*")
_MOST_WORDS = 2000
#: Non-letters that may touch a word at its start or end, and those that may be inside one.
_AROUND = frozenset("\u00a0«»‹›„“”‚‘’‛…–—•·§©®™€°¡¿´¨\u00ad")
_WITHIN = frozenset("\u00a0‘’´·–—…\u00ad•")
#: Words shorter than this may be numbers and units, which any sign can touch: `km²`, `nº`.
_SHORT = 3


class _LatinLetters(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    language: str
    letters: str
    pages: tuple[str, ...]


def code_page(sample: bytes, languages: Sequence[str], guess: str = "", labels: Sequence[str] = ()) -> str:
    """Return the encoding of a text in Latin script; `cp1252` when nothing else fits.

    `sample` is the text without markup. `languages` are its probable languages, the most likely first. `guess` is a
    less certain one: it counts only when every letter fits it. `labels` are the encodings that the document and its
    server name, as Python codecs.
    """
    words = _WORD.findall(sample)[:_MOST_WORDS]
    strange: dict[tuple[str, str], int] = {}
    count = 0
    for page in latin_pages():
        texts = [word.decode(page, "replace") for word in words]
        count = max(count, sum(not sign.isascii() for text in texts for sign in text))
        for row in _table():
            if page in row.pages:
                strange[row.language, page] = sum(_strange(text, _letters()[row.language]) for text in texts)
    for label in labels:
        if label != "cp1252" and min((n for (_, page), n in strange.items() if page == label), default=count) <= (
            _LABELLED_SHARE * count
        ):
            return label
    for language, share in (*((language, _STRANGE_SHARE) for language in languages), (guess, 0.0)):
        own = {page: number for (name, page), number in strange.items() if name == language}
        if own and min(own.values()) <= share * count:
            return _best(own, labels)
    best = min(strange.values())
    if best > _STRANGE_SHARE * count:
        return "cp1252"
    return _best({page: number for (_, page), number in strange.items() if number == best}, labels)


def _best(strange: dict[str, int], labels: Iterable[str]) -> str:
    """Return the encoding with the fewest foreign characters; of several, a labelled one, else the most common."""
    fewest = [page for page, number in strange.items() if number == min(strange.values())]
    return next((label for label in labels if label in fewest), min(fewest, key=latin_pages().index))


def _strange(word: str, letters: frozenset[str]) -> int:
    """Count the non-ASCII characters of a word that a language with these letters does not use there."""
    found = 0
    for place, sign in enumerate(word):
        if sign.isascii():
            continue
        if unicodedata.category(sign)[0] == "L" and sign not in "ªº":
            found += sign.lower() not in letters and sign not in letters
            continue
        before, after = word[place - 1 : place].isalpha(), word[place + 1 : place + 2].isalpha()
        inside = before and after and sign not in _WITHIN
        beside = (before or after) and sign not in _AROUND and sum(each.isalpha() for each in word) >= _SHORT
        found += inside or beside
    return found


@cache
def latin_pages() -> tuple[str, ...]:
    """Return the encodings that `code_page` can return, as Python codecs, the most common first."""
    return tuple(dict.fromkeys(page for row in _table() for page in row.pages))


@cache
def _table() -> tuple[_LatinLetters, ...]:
    return read_data_file(_FILE, tuple[_LatinLetters, ...])


@cache
def _letters() -> dict[str, frozenset[str]]:
    return {row.language: frozenset(row.letters) for row in _table()}
