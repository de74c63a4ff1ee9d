"""Splits text into word pieces, the numbers that the model reads.

The method is greedy longest match, as in BERT's WordPiece, over two vocabularies in one table: the English pieces of
the base model (lower case, without accents), and pieces that all other languages share (as they are written). We do not
use the `tokenizers` package, because it adds a download client and its dependencies to a service that downloads no
model. Speed does not matter here: few articles reach the reader, and each takes 0.2 ms.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import msgspec
import regex

from monitor.detect.datafile import read

#: Rows of the table that are not text. `PAD` fills a batch, `CLS` opens a passage, `SEP` ends a field.
PAD, UNKNOWN, CLS, SEP, FIRST, SECOND, OTHER = range(7)
SPECIALS: tuple[str, ...] = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[A]", "[B]", "[C]")
#: Prefix of a piece that continues a word.
INSIDE = "##"
#: A row of a vocabulary for one language starts with its code. Rows without a code are shared by all other languages.
_CODE = regex.compile("[a-z]{2}")
#: A longer word is noise (a URL, an encoded blob).
_MAX_WORD = 60
_LONGEST_PIECE = 20
_CACHED_WORDS = 50_000


class UnspacedScripts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`data/unspaced.yaml`: scripts without spaces by their Unicode name, and more letters that count as theirs."""

    scripts: tuple[str, ...]
    letters: str


_UNSPACED = read("unspaced.yaml", UnspacedScripts, folder=Path(__file__).parent / "data")
#: The letters of these scripts, for a regular expression: a run of them is matched piece by piece.
_RUNS = "".join(rf"\p{{{name}}}" for name in _UNSPACED.scripts) + _UNSPACED.letters
_WORDS = regex.compile(rf"[{_RUNS}]+|[\p{{L}}\p{{M}}\p{{N}}--[{_RUNS}]]+|[^\s\p{{L}}\p{{M}}\p{{N}}]", regex.V1)


class WordPieces:
    """The vocabulary: `rows[n]` is the text of row n; the special rows come first."""

    def __init__(self, rows: Sequence[str]) -> None:
        self.rows = tuple(rows)
        self._own: dict[str, dict[str, int]] = {}
        self._shared: dict[str, int] = {}
        for n, row in enumerate(rows[len(SPECIALS) :], len(SPECIALS)):
            language, _, piece = row.partition(":")
            if piece and len(language) == 2 and _CODE.fullmatch(language):
                self._own.setdefault(language, {})[piece] = n
            else:
                self._shared[row] = n
        self._word = lru_cache(maxsize=_CACHED_WORDS)(self._split)

    def read(self, text: str, language: str) -> list[tuple[int, int, tuple[int, ...]]]:
        """Return the words of a text with their pieces: start and end (code points of `text`), rows of the table."""
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
                    row = table.get(piece if inside else INSIDE + piece)  # a particle after a name, a run of Chinese
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
    """Say whether the letter's script has no spaces between words."""
    return regex.match(rf"[{_RUNS}]", letter) is not None


def _plain(word: str) -> str:
    """The word in lower case and without accents, as in the training data of the English base model."""
    if word.isascii():
        return word.lower()
    return "".join(one for one in unicodedata.normalize("NFD", word.lower()) if unicodedata.category(one) != "Mn")
