"""Names as text: slugs, spellings without diacritics, and the strength of an alias."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache

from monitor.watchlist.roster import Strength

#: Letters that Unicode does not decompose into a base letter and a mark, with their usual English transcription.
_LETTERS = str.maketrans({
    "ı": "i", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "đ": "d", "Đ": "D", "ð": "d", "Ð": "D", "þ": "th", "Þ": "Th",
    "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ə": "a", "Ə": "A", "’": "'", "ʻ": "'", "‘": "'", "ʼ": "'",
})  # fmt: skip
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def plain(text: str) -> str:
    """Return the text with Latin letters without their diacritics; other scripts stay as they are."""
    if text.isascii():
        return text
    return "".join(map(_plain_letter, unicodedata.normalize("NFC", text.translate(_LETTERS))))


@lru_cache(maxsize=4096)
def _plain_letter(letter: str) -> str:
    base = unicodedata.normalize("NFD", letter)[0]
    return base if base.isascii() else letter


def spellings(text: str) -> tuple[str, ...]:
    """Return other spellings of a name: without diacritics, and Korean or Taiwanese given names without the hyphen.

    `Lee Jae-myung` is also `Lee Jae Myung` and `Lee Jae-Myung`.
    """
    others = [plain(text)]
    if "-" in text and (match := _GIVEN_PAIR.fullmatch(others[0])) is not None:
        family, first, second = match.groups()
        others += [f"{family} {first} {second.title()}", f"{family} {first}-{second.title()}"]
    return tuple(one for one in dict.fromkeys(others) if one != text)


_GIVEN_PAIR = re.compile(r"([A-Z]\w+) ([A-Z]\w+)-([a-z]\w+)")


def slug(name: str) -> str:
    """Return the id of a full name: `Recep Tayyip Erdoğan` is `recep-tayyip-erdogan`; empty without Latin letters."""
    return _NOT_SLUG.sub("-", plain(name).lower().replace("'", "")).strip("-")


def is_slug(text: str) -> bool:
    """Say whether the text is a well-formed id."""
    return _SLUG.fullmatch(text) is not None


def strength_of(text: str, weak: Collection[str]) -> Strength:
    """Return the strength of an alias without an explicit one.

    Several words name a person; one word is a surname. A word of `weak` (lower case), or a Latin word of up to two
    letters, counts only with support: `Store` is weak, Norway's `Støre` is not.
    """
    key = text.lower()
    if key in weak or (key.isascii() and len(key) <= 2):
        return "weak"
    if " " in text or "·" in text or "・" in text:
        return "full"
    if not text.isascii() and _ideographic(text):
        return "full" if len(text) >= 3 else "surname"
    return "surname"


def surname(name: str) -> str:
    """Return the last word of a name with its particles: `von der Leyen`, `bin Salman`, `al-Sisi`.

    Endings such as `Jr` and `II` are not part of the surname, and a monarch's name (`Mohammed VI`, `Philippe of
    Belgium`) stays whole. Not for names with the surname first (Xi Jinping).
    """
    words = name.split()
    while len(words) > 1 and _SUFFIX.fullmatch(words[-1]):
        words.pop()
    if len(words) == 1 or "of" in words:
        return name
    start = len(words) - 1
    while start > 1 and words[start - 1].lower() in _PARTICLES:
        start -= 1
    return " ".join(words[start:])


_SUFFIX = re.compile(r"(?:[JS]r\.?|[IVX]+)")
_PARTICLES = frozenset({
    "von", "der", "den", "van", "de", "del", "della", "di", "da", "dos", "das", "du", "des", "la", "le",
    "el", "al", "bin", "bint", "ibn", "ben", "ould", "mint", "abu", "ter", "ten", "af",
})  # fmt: skip


def _ideographic(text: str) -> bool:
    return all("\u3040" <= letter <= "\u9fff" or "\uac00" <= letter <= "\ud7a3" for letter in text)
