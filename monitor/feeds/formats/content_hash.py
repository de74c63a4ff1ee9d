"""Hashes what an entry says to 16 bytes: its words, never its dates and never its address.

The hash is in parts, so that two of them tell what an edit left as it was. An address is no part of it: feeds with
session ids in their links, or with two host names in turn, would look like feeds of nothing but corrections.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from monitor.feeds.formats.document import Entry

#: Text lengths are compared in steps of this many characters; from 3 steps on a change is significant, so that more
#: than 50 characters were added or removed (Feedbin's rule).
_STEP = 25
_SIGNIFICANT_STEPS = 3

#: Where the parts lie: title, summary, text, length of the text, authors and tags.
TITLE, SUMMARY, TEXT, _LENGTH, _LABELS = slice(0, 5), slice(5, 9), slice(9, 13), 13, slice(14, 16)
#: The parts that are words: everything but authors and tags.
WORDS = slice(0, 14)


def revision_hash(*, title: str, summary: str, content: str, authors: Sequence[str], tags: Sequence[str]) -> bytes:
    """Return 16 bytes of what an entry says, with case kept and white space folded.

    A part whose text is empty is all zeros. Authors and tags count in any order.
    """
    labels = "\0".join(_folded("\n".join(sorted(words))) for words in (authors, tags) if words)
    return b"%b%b%b%c%b" % (
        _digest(_folded(title), 5),
        _digest(_folded(summary), 4),
        _digest(_folded(content), 4),
        len(content) // _STEP % 256,
        _digest(labels, 2),
    )


def revision_of(entry: Entry) -> bytes:
    """Return the hash of an entry that was read, or was changed since."""
    return revision_hash(
        title=entry.title, summary=entry.summary, content=entry.content, authors=entry.authors, tags=entry.tags
    )


def significant(before: bytes, after: bytes) -> bool:
    """Tell whether a correction is more than cosmetic: another title or summary, or over 50 characters more or less."""
    steps = (after[_LENGTH] - before[_LENGTH]) % 256
    same_head = before[TITLE] == after[TITLE] and before[SUMMARY] == after[SUMMARY]
    return not same_head or min(steps, 256 - steps) >= _SIGNIFICANT_STEPS


def _folded(text: str) -> str:
    if not text or (text.isprintable() and "  " not in text):
        return text.strip()  # its only white space are spaces
    return " ".join(text.split())


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size).digest() if text else bytes(size)
