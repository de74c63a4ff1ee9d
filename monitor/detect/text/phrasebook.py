"""Finds many phrases in one pass over a text, whole words only.

The automaton (Aho and Corasick 1975) takes the same time for ten phrases as for ten thousand, so even a megabyte of
text is cheap. Phrases are normalised and folded like the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Generic, TypeVar

import ahocorasick

from monitor.detect.text.normal import matched_form
from monitor.detect.text.scripts import glued_letters

V = TypeVar("V")

#: Letters of scripts without spaces between words: a phrase in them needs no word boundary.
_UNSPACED = re.compile(f"[{glued_letters()}]")


class Phrasebook(Generic[V]):
    """Phrases with their values; a word that ends in `*` stands for every word with that beginning."""

    def __init__(self, phrases: Iterable[tuple[str, V]]) -> None:
        table: dict[str, list[tuple[V, bool, bool, re.Pattern[str] | None]]] = {}
        for phrase, value in phrases:
            words = matched_form(phrase)
            bounded = not _UNSPACED.search(words)
            stem, star, rest = words.partition("*")
            whole = re.compile(re.escape(words).replace(r"\*", r"\w{0,12}")) if rest else None
            table.setdefault(stem, []).append((value, bounded, bounded and not (star and words.endswith("*")), whole))
        self._automaton = ahocorasick.Automaton()
        for words, values in table.items():
            self._automaton.add_word(words, (len(words), values))
        self._automaton.make_automaton()
        self._empty = not table

    def find(self, folded: str) -> list[tuple[int, int, V]]:
        """Return every phrase of the folded text as (start, end, value), in order of their ends."""
        found: list[tuple[int, int, V]] = []
        if self._empty:
            return found
        size = len(folded)
        for last, (length, values) in self._automaton.iter(folded):
            start = last + 1 - length
            for value, left, right, whole in values:
                end = last + 1
                if left and start and _is_letter(folded[start - 1]) and _is_letter(folded[start]):
                    continue
                if whole is not None:
                    match = whole.match(folded, start)
                    if match is None:
                        continue
                    end = match.end()
                if right and end < size and _is_letter(folded[end]) and _is_letter(folded[end - 1]):
                    continue
                found.append((start, end, value))
        return found

    def longest(self, folded: str) -> list[tuple[int, int, V]]:
        """Find like `find`, but of overlapping phrases return only the longest, and of equally long ones the first."""
        chosen: list[tuple[int, int, V]] = []
        taken = bytearray(len(folded))
        for start, end, value in sorted(self.find(folded), key=lambda hit: (hit[0] - hit[1], hit[0])):
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                chosen.append((start, end, value))
        return sorted(chosen, key=lambda hit: hit[0])


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"
