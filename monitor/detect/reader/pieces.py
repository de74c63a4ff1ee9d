"""Splits text into word pieces: the numbers that the encoder reads.

Greedy longest match, as BERT's WordPiece does it, over two vocabularies in one table: the base encoder's own pieces of
its language (lower case, no accents) and pieces that all other languages share (as they are written). A small module
of our own instead of the `tokenizers` package: that one brings a download client and its dependencies into a service
that never downloads a model, and a detector reads so few articles that speed does not decide (0.2 ms an article).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import regex

#: Rows of the table that are no piece of text. `PAD` fills a batch, `CLS` opens a passage, `SEP` ends a field.
PAD, UNKNOWN, CLS, SEP, FIRST, SECOND, OTHER = range(7)
SPECIALS: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[A]", "[B]", "[C]")
#: What marks a piece that goes on within a word.
INSIDE = "##"
#: How a row of one language's own vocabulary begins: its code. All other languages share the rows without one.
_OWN = regex.compile(r"([a-z]{2}):(.+)", regex.DOTALL)
#: A word longer than this is noise (a URL, an encoded blob).
_MAX_WORD = 60
_LONGEST_PIECE = 20
_CACHED_WORDS = 50_000
#: Scripts that write words without spaces: a run of them is matched piece by piece.
_RUNS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー"
_WORDS = regex.compile(rf"[{_RUNS}]+|[\p{{L}}\p{{M}}\p{{N}}--[{_RUNS}]]+|[^\s\p{{L}}\p{{M}}\p{{N}}]", regex.V1)


class Pieces:
    """The vocabulary: `rows[n]` is the text of row n, with the specials first."""

    def __init__(self, rows: Sequence[str]) -> None:
        self.rows = tuple(rows)
        self._own: dict[str, dict[str, int]] = {}
        self._shared: dict[str, int] = {}
        for n, row in enumerate(rows[len(SPECIALS) :], len(SPECIALS)):
            if (own := _OWN.fullmatch(row)) is not None:
                self._own.setdefault(own[1], {})[own[2]] = n
            else:
                self._shared[row] = n
        self._word = lru_cache(maxsize=_CACHED_WORDS)(self._split)

    def read(self, text: str, language: str) -> list[tuple[int, int, tuple[int, ...]]]:
        """Return the words of a text with their pieces: start, end (code points of `text`), rows of the table."""
        return [(one.start(), one.end(), self._word(one.group(), language)) for one in _WORDS.finditer(text)]

    def _split(self, word: str, language: str) -> tuple[int, ...]:
        if len(word) > _MAX_WORD:
            return (UNKNOWN,)
        if language in self._own:
            return self._greedy(_plain(word), self._own[language])
        for form in (word, word.lower()):
            if form in self._shared:
                return (self._shared[form],)
        return self._greedy(word, self._shared)

    def _greedy(self, word: str, table: dict[str, int]) -> tuple[int, ...]:
        found: list[int] = []
        at = 0
        while at < len(word):
            inside = at > 0
            for end in range(min(len(word), at + _LONGEST_PIECE), at, -1):
                piece = word[at:end]
                row = table.get(INSIDE + piece if inside else piece)
                if row is None and (not at or is_unspaced(piece[0])):
                    row = table.get(piece if inside else INSIDE + piece)  # a particle behind a name, a run of Chinese
                if row is not None:
                    found.append(row)
                    at = end
                    break
            else:
                if found[-1:] != [UNKNOWN]:
                    found.append(UNKNOWN)
                at += 1
        return tuple(found)


@lru_cache(maxsize=4096)
def is_unspaced(letter: str) -> bool:
    """Say whether the letter's script writes words without spaces."""
    return regex.match(rf"[{_RUNS}]", letter) is not None


def _plain(word: str) -> str:
    """Lower case without accents, as the English base was trained."""
    if word.isascii():
        return word.lower()
    return "".join(one for one in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(one) != "Mn")
