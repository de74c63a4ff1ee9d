"""Splits text into tokens: words, possessive marks, single ideographs and syllables, and punctuation.

Scripts without spaces (Chinese, Japanese), or with particles attached to names (Korean), are split into single
characters, so that one table of phrases works for every script.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache
from typing import Generic, NamedTuple, TypeVar

from monitor.detect.text.news_layout import layout
from monitor.detect.text.scripts import glued_letters, marks

_GLUED = glued_letters()
#: The possessive marks of all languages, each a separate token: text is split before its language is known.
POSSESSIVES = frozenset(layout().possessives)
#: Letters after which a plain apostrophe is a possessive mark.
BARE_BEHIND = frozenset(layout().bare_possessive_behind)
_OWNERS = "|".join(map(re.escape, sorted(POSSESSIVES, key=len, reverse=True))) or r"(?!)"
#: Linear time: every alternative starts with a different kind of character, or is a single one.
_LETTERS = rf"[^\W_{_GLUED}]"
_WORD = rf"{_LETTERS}+(?:[{marks()}]+{_LETTERS}*)*"
_TOKEN = re.compile(rf"(?:[A-Za-z]\.){{2,4}}|(?:{_OWNERS})(?![^\W_])|[{_GLUED}]|{_WORD}|[^\w\s]|_")
_GLUED_CHAR = re.compile(f"[{_GLUED}]")

V = TypeVar("V")


class Token(NamedTuple):
    """One token of a normalised text: its place, its folded form, and whether white space is before it."""

    start: int
    end: int
    text: str
    spaced: bool
    capital: bool


def tokenize(text: str, folded: str, start: int, end: int) -> list[Token]:
    """Return the tokens of `text[start:end]`; `folded` is `text` folded, character for character."""
    found: list[Token] = []
    last = start
    for match in _TOKEN.finditer(folded, start, end):
        a, b = match.span()
        found.append(Token(a, b, match.group(), a > last or a == start, text[a].isupper()))
        last = b
    return found


def split_at(tokens: list[Token], starts: Collection[int]) -> list[Token]:
    """Return the tokens, split at each position of `starts` inside one: a name after an attached conjunction."""
    found: list[Token] = []
    for token in tokens:
        cut = next((one for one in starts if token.start < one < token.end), None)
        if cut is None:
            found.append(token)
            continue
        size = cut - token.start
        found.append(Token(token.start, cut, token.text[:size], token.spaced, token.capital))
        found.append(Token(cut, token.end, token.text[size:], spaced=True, capital=token.capital))
    return found


@lru_cache(maxsize=8_192)
def is_glued(char: str) -> bool:
    """Say whether the character belongs to a script in which a word may start and end anywhere."""
    return _GLUED_CHAR.match(char) is not None


class Phrases(Generic[V]):
    """Phrases of tokens with their meanings; finds the longest one that starts at a token."""

    def __init__(self) -> None:
        self._meanings: dict[tuple[str, ...], list[V]] = {}
        #: The lengths of the phrases that start with a word, the longest first.
        self._lengths: dict[str, list[int]] = {}

    def add(self, words: Sequence[str], value: V) -> None:
        """Add a meaning to a phrase."""
        key = tuple(words)
        self._meanings.setdefault(key, []).append(value)
        lengths = self._lengths.setdefault(key[0], [])
        if len(key) not in lengths:
            lengths.append(len(key))
            lengths.sort(reverse=True)

    def longest(self, words: Sequence[str], at: int) -> tuple[int, list[V]] | None:
        """Return the longest phrase at `at`: the index after it, and its meanings. None if there is none."""
        if at >= len(words) or (lengths := self._lengths.get(words[at])) is None:
            return None
        for length in lengths:
            phrase = tuple(words[at : at + length])
            if len(phrase) == length and (meanings := self._meanings.get(phrase)) is not None:
                return at + length, meanings
        return None

    def spans(self, words: Sequence[str]) -> Iterator[tuple[int, int]]:
        """Yield the longest phrase at each token where one starts, as the token and the one after the phrase."""
        for at, word in enumerate(words):
            if word in self._lengths and (found := self.longest(words, at)) is not None:
                yield at, found[0]

    def occur(self, words: Sequence[str]) -> bool:
        """Say whether any of the phrases is among the words."""
        return any(True for _ in self.spans(words))

    @property
    def first_words(self) -> Collection[str]:
        """The words with which phrases start."""
        return self._lengths.keys()
