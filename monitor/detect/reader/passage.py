"""Builds the text that the reader is shown of an article for one pair of leaders.

The two leaders are replaced by the markers `[A]` and `[B]`, in the order of the text, and every other leader by `[C]`.
No name, title or state of a leader remains. So the reader can't learn who usually meets whom: with two other leaders in
their place the passage, and therefore the decision, is the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from monitor.detect.reader.pieces import CLS, FIRST, OTHER, SECOND, SEP, UNKNOWN, WordPieces

#: Pieces of a passage at most. Nine in ten titles with their summary have fewer.
MAX_PIECES = 96
#: Leaders of one article whose pairs are read, in the order of the text: more leaders are a list of guests.
MAX_LEADERS = 6
#: Code points of each field that are read: news puts what matters first.
_LONGEST_FIELD = 900


class SeenLeader(NamedTuple):
    """A phrase that means leaders: its place in the field's normalised text, and the leaders."""

    field: str
    start: int
    end: int
    leaders: tuple[str, ...]


class Passage(NamedTuple):
    """An article as input of the reader: fields in reading order, persons in the order of the text.

    `speaker` is the leader whose own office published the article, '' for the press.
    """

    language: str
    fields: tuple[tuple[str, str], ...]
    seen: tuple[SeenLeader, ...]
    speaker: str = ""

    def leaders(self) -> tuple[str, ...]:
        """Return the leaders of the passage, the speaker first, then in the order of the text."""
        named = [one for seen in self.seen if seen.start < _LONGEST_FIELD for one in seen.leaders]
        return tuple(dict.fromkeys(([self.speaker] if self.speaker else []) + named))[:MAX_LEADERS]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Yield each pair of leaders, the one that is named first in front."""
        yield from combinations(self.leaders(), 2)


class Word(NamedTuple):
    """One word (or marker) of a passage, its place in the article, and its rows of the embedding table."""

    field: str
    start: int
    end: int
    rows: tuple[int, ...]

    @property
    def is_marker(self) -> bool:
        """Whether it stands for a leader or for the end of a field."""
        return all(row <= OTHER and row != UNKNOWN for row in self.rows)


def fields_of(texts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the fields to read: title and summary, or without a summary the title and the beginning of the text."""
    given = {name: text for name, text in texts if text}
    order = ("title", "summary") if given.get("summary") else ("title", "text")
    return tuple((name, given[name][:_LONGEST_FIELD]) for name in order if name in given)


def words_of(passage: Passage, pair: tuple[str, str], pieces: WordPieces) -> list[Word]:
    """Return the passage for one pair as words with their pieces: at most MAX_PIECES, with both leaders included."""
    marker = {pair[0]: FIRST, pair[1]: SECOND}
    opening = [Word("", 0, 0, (CLS,))]
    if passage.speaker in marker:
        opening.append(Word("", 0, 0, (marker[passage.speaker], SEP)))
    body: list[Word] = []
    for name, text in passage.fields:
        at = 0
        for seen in passage.seen:
            if seen.field != name or seen.start < at or seen.end > len(text):
                continue
            body += _plain(name, text, (at, seen.start), pieces, passage.language)
            rows = tuple(dict.fromkeys(marker.get(one, OTHER) for one in seen.leaders))
            body.append(Word(name, seen.start, seen.end, rows))
            at = seen.end
        body += _plain(name, text, (at, len(text)), pieces, passage.language)
        body.append(Word(name, len(text), len(text), (SEP,)))
    return opening + _window(body, MAX_PIECES - sum(len(one.rows) for one in opening))


def _plain(name: str, text: str, stretch: tuple[int, int], pieces: WordPieces, language: str) -> Iterator[Word]:
    start, end = stretch
    for first, last, rows in pieces.read(text[start:end], language):
        yield Word(name, start + first, start + last, rows)


def _window(words: list[Word], room: int) -> list[Word]:
    """As many words as fit, from the beginning, or from later if both leaders are named only later."""
    sizes = [len(word.rows) for word in words]
    if sum(sizes) <= room:
        return words
    first = _last_needed(words)
    end, used = 0, 0
    while end < len(words) and used + sizes[end] <= room:
        used += sizes[end]
        end += 1
    start = 0
    while first >= end and end < len(words):
        used += sizes[end]
        end += 1
        while used > room:
            used -= sizes[start]
            start += 1
    return words[start:end]


def _last_needed(words: list[Word]) -> int:
    """The place where the second of the two leaders is first named, plus a few words."""
    where: dict[int, int] = {}
    for at, word in enumerate(words):
        for row in word.rows:
            if row in (FIRST, SECOND):
                where.setdefault(row, at)
    return min(max(where.values(), default=0) + 12, len(words) - 1)
