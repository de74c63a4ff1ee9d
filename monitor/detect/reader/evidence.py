"""Finds the words on which a decision of the reader rests, by leaving words out (occlusion).

Windows of a few words are left out one at a time; the words whose absence lowers the probability most are the
evidence. Each window costs one pass of the model, so this is done only for published mentions that no rule explains,
and with several windows only for the first of them in an article.
"""

from __future__ import annotations

from monitor.detect.reader.passage import Word
from monitor.detect.reader.reader import PairReader

#: Words left out at a time: a verb with its particles.
WINDOW = 3
#: Windows tried at most: those nearest to the leaders' names.
TRIES = 10
#: Pieces read at most in all tries: long passages get fewer tries, so that no article takes long (25 ms for 96 pieces).
_PIECES = 250


def evidence_words(reader: PairReader, words: list[Word], tries: int = TRIES) -> tuple[Word, ...]:
    """Return the words of the window whose absence lowers the probability of a contact most, in the order of the text.

    With `tries` of 1 it is the window nearest to both leaders, and the model is not run.
    """
    pieces = sum(len(word.rows) for word in words)
    windows = _windows(words)[: min(tries, max(2, _PIECES // max(pieces, 1))) if tries > 1 else 1]
    if len(windows) < 2:
        return tuple(words[first] for one in windows for first in range(*one))
    opinions = reader.opinions([words[:first] + words[last:] for first, last in windows])
    least = min(range(len(windows)), key=lambda n: (opinions[n].contact, windows[n]))
    first, last = windows[least]
    return tuple(words[first:last])


def _windows(words: list[Word]) -> list[tuple[int, int]]:
    """Windows of plain words within one field and without a marker between them, those nearest to two markers first."""
    markers = [at for at, word in enumerate(words) if word.is_marker and word.end > word.start]
    found = []
    at = 0
    while at < len(words):
        last = at
        while last < len(words) and last - at < WINDOW and not words[last].is_marker:
            last += 1
        if last > at:
            near = sorted(min(abs(marker - at), abs(marker - last)) for marker in markers)[:2]
            found.append((sum(near), at, last))
        at = max(last, at + 1)
    return [(first, last) for _, first, last in sorted(found)]
