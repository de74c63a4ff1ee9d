"""Hashes what an entry says: its words, never its dates, so that a new date alone is no correction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls

#: Text lengths are compared in steps of this many characters; from 3 steps on a change is significant, so that more
#: than 50 characters were added or removed (Feedbin's rule).
_STEP = 25
_SIGNIFICANT_STEPS = 3


def revision_hash(
    *, title: str, link: str, summary: str, content: str, authors: Sequence[str], tags: Sequence[str]
) -> bytes:
    """Hash what an entry says to 6 bytes, with case kept, spaces folded, and the address as it is compared.

    2 are of title and summary, 1 is the length of the text in steps of 25 characters, 3 are of everything. So two
    hashes also tell whether a change is significant.
    """
    head = (_folded(title), _folded(summary))
    lists = (_folded("\n".join(sorted(words))) if words else "" for words in (authors, tags))
    everything = _digest(head[0], article_urls.link_key(link), head[1], _folded(content), *lists)
    return b"%b%c%b" % (_digest(*head)[:2], len(content) // _STEP % 256, everything[:3])


def revision_of(entry: Entry) -> bytes:
    """Hash an entry as it is."""
    return revision_hash(
        title=entry.title,
        link=entry.link,
        summary=entry.summary,
        content=entry.content,
        authors=entry.authors,
        tags=entry.tags,
    )


def same_words(before: bytes, after: bytes) -> bool:
    """Tell whether two hashes have the same title and summary."""
    return before[:2] == after[:2]


def significant(before: bytes, after: bytes) -> bool:
    """Tell whether a correction is more than cosmetic: another title or summary, or over 50 characters more or less."""
    steps = (after[2] - before[2]) % 256
    return not same_words(before, after) or min(steps, 256 - steps) >= _SIGNIFICANT_STEPS


def _folded(text: str) -> str:
    if not text or (text.isprintable() and "  " not in text):
        return text.strip()  # its only white space are spaces
    return " ".join(text.split())


def _digest(*texts: str) -> bytes:
    return hashlib.sha256("\0".join(texts).encode("utf-8", "replace")).digest()
