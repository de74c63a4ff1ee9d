"""What the reader is shown of an article for one pair of leaders.

The two leaders stand as markers `[A]` and `[B]`, in the order of the text, and every other leader as `[C]`. No name,
title or state of a leader remains, so the reader cannot learn who usually meets whom: with two others in their place
the passage is the same, and so is the decision.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from monitor.detect.reader.pieces import CLS, FIRST, OTHER, SECOND, SEP, UNKNOWN, Pieces

#: Pieces of a passage, at most. Nine in ten titles with their summary have fewer.
MAX_PIECES = 96
#: Leaders of one article whose pairs are read, in the order of the text: more are a list of guests.
MAX_LEADERS = 6
#: Fields of the article that are read: news stands at the top.
_LONGEST_FIELD = 900


class SeenLeader(NamedTuple):
    """A phrase that means leaders: code points of the field's text as normalised, and whom it means."""

    field: str
    start: int
    end: int
    leaders: tuple[str, ...]


class Passage(NamedTuple):
    """An article as the reader takes it: fields in the order of reading, persons in the order of the text.

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
        """Yield each pair of leaders, the one named first in front."""
        yield from combinations(self.leaders(), 2)


class Word(NamedTuple):
    """One word of a passage (or a marker), its place in the article, and its rows of the table."""

    field: str
    start: int
    end: int
    rows: tuple[int, ...]

    @property
    def is_marker(self) -> bool:
        """Whether it stands for a leader or ends a field."""
        return all(row <= OTHER and row != UNKNOWN for row in self.rows)


def fields_of(texts: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Return the fields that are read: title and summary; where there is no summary, the beginning of the text."""
    given = {name: text for name, text in texts if text}
    order = ("title", "summary") if given.get("summary") else ("title", "text")
    return tuple((name, given[name][:_LONGEST_FIELD]) for name in order if name in given)


def words_of(passage: Passage, pair: tuple[str, str], pieces: Pieces) -> list[Word]:
    """Return the passage for one pair, as words with their pieces, bounded to `MAX_PIECES` with both leaders inside."""
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


def _plain(name: str, text: str, stretch: tuple[int, int], pieces: Pieces, language: str) -> Iterator[Word]:
    start, end = stretch
    for first, last, rows in pieces.read(text[start:end], language):
        yield Word(name, start + first, start + last, rows)


def _window(words: list[Word], room: int) -> list[Word]:
    """As many words as fit: from the beginning, or from so far on that the first place with both leaders is inside."""
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
    """Where the later of the two leaders is named for the first time, with a few words behind."""
    where: dict[int, int] = {}
    for at, word in enumerate(words):
        for row in word.rows:
            if row in (FIRST, SECOND):
                where.setdefault(row, at)
    return min(max(where.values(), default=0) + 12, len(words) - 1)
