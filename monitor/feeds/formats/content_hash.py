"""Hash the text of an entry to 16 bytes, to notice later that the entry was edited.

Each field has its own bytes in the hash, so comparing two hashes shows which fields changed. Dates and links are left
out: a feed with session ids in its links would seem to correct every entry at every poll.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Sequence

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields.relative_times import timeless

#: Text lengths are compared in steps of this many characters; from 3 steps on a change is significant, so that more
#: than 50 characters were added or removed (Feedbin's rule).
_STEP = 25
_SIGNIFICANT_STEPS = 3

#: The bytes of each field: title, summary, text, length of the text, authors and tags.
TITLE, SUMMARY, TEXT, _LENGTH, _LABELS = slice(0, 5), slice(5, 9), slice(9, 13), 13, slice(14, 16)
#: The bytes of title, summary and text, without authors and tags.
WORDS = slice(0, 14)


def revision_hash(
    *, title: str, summary: str, content: str, authors: Sequence[str], tags: Sequence[str], language: str = ""
) -> bytes:
    """Return the 16-byte hash of an entry's fields. Case counts; the amount of white space does not.

    The bytes of an empty field are zeros. The order of authors and tags does not matter. Relative times ("3 hours ago",
    in the words of `language` or in English) are left out of summary and content, since they change at every poll.
    """
    summary = summary and timeless(summary, language)
    content = content and timeless(content, language)
    labels = "\0".join(_folded("\n".join(sorted(words))) for words in (authors, tags) if words)
    return b"%b%b%b%c%b" % (
        _digest(_folded(title), 5),
        _digest(_folded(summary), 4),
        _digest(_folded(content), 4),
        len(content) // _STEP % 256,
        _digest(labels, 2),
    )


def revision_of(entry: Entry) -> bytes:
    """Return the hash of an entry's present fields; `entry.revision` may be older, if the entry was changed since."""
    return revision_hash(
        title=entry.title,
        summary=entry.summary,
        content=entry.content,
        authors=entry.authors,
        tags=entry.tags,
        language=entry.language,
    )


def significant(before: bytes, after: bytes) -> bool:
    """Tell whether two hashes differ by more than cosmetics: in title or summary, or by over 50 characters of text."""
    steps = (after[_LENGTH] - before[_LENGTH]) % 256
    same_head = before[TITLE] == after[TITLE] and before[SUMMARY] == after[SUMMARY]
    return not same_head or min(steps, 256 - steps) >= _SIGNIFICANT_STEPS


def _folded(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)  # other code points for the same letters are not a correction
    # Texts of entries were cleaned before: their only white space are single spaces and ends of lines.
    return " ".join(text.split()) if "\n" in text or "  " in text or "\t" in text else text.strip()


def _digest(text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=size).digest() if text else bytes(size)
