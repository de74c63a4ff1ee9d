"""A document of XML cut into its entries, without reading it.

What is found by looking for `<item` and `</item>` alone could stand in a comment or in a text. So a document is only
cut where that can't be: where no comment, CDATA section or processing instruction is open at the beginning or the end
of an entry. Whoever cuts still has to compare the number of entries with that which a parser finds in the whole, since
entries may be written in other ways as well.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from monitor.feeds.formats.limits import MAX_ENTRIES

#: The attribute of an element that stands for entries which were left out of a document (`familiar`).
STAND_IN = "summitry-known"
#: Larger documents are not cut: it would take too long beside an event loop.
_LARGEST = 1024 * 1024
#: The start tags above the entries end within so many bytes.
_FARTHEST = 8192
_ATTRIBUTES = rb"""(?:\s+[^\s"'<>=/]+\s*=\s*(?:"[^"<]*"|'[^'<]*'))*\s*"""
_OPENING = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*(?:<\?[^<>]*\?>\s*|<!--[^<>]*-->\s*)*"
    rb"(?:<(?:rss|rdf:RDF)%b>\s*<channel%b>|(?P<atom><feed)%b>)" % (_ATTRIBUTES, _ATTRIBUTES, _ATTRIBUTES)
)
_START = {b"item": re.compile(rb"<item[\s>]"), b"entry": re.compile(rb"<entry[\s>]")}
_UNREAD = ((b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>"))


class Pieces(NamedTuple):
    """A document in pieces.

    `opening` are the start tags above the entries, with what stands before them: all that an entry inherits. It is the
    beginning of the first of the `gaps`, of which one stands before each of the `entries`, and one after the last.
    `tag` is an entry's name, and its end tag is not in the pieces. `is_flat` says that no namespace is declared in it
    but in the opening.
    """

    tag: bytes
    opening: bytes
    entries: list[bytes]
    gaps: list[bytes]
    is_flat: bool

    def without(self, runs: Sequence[int], stand_in: bytes) -> bytes:
        """The document with another element in place of some runs of entries.

        `runs` go through all entries: 0 for one that stays, else the number of those that are left out, which stands
        in the value of the attribute `stand_in`. What lies between entries that are left out stays before them.
        """
        parts: list[bytes] = []
        at = 0
        for length in runs:
            parts += self.gaps[at : at + (length or 1)]
            if length:
                parts.append(b'<%b %b="%d"/>' % (self.tag, stand_in, length))
            else:
                parts += (self.entries[at], b"</%b>" % self.tag)
            at += length or 1
        parts.append(self.gaps[-1])
        return b"".join(parts)


def cut(document: bytes) -> Pieces | None:
    """The document in pieces; None where it is too large, has no entries, or is not plain enough."""
    opening = _OPENING.match(document, 0, _FARTHEST) if len(document) <= _LARGEST else None
    if opening is None:
        return None
    tag = b"entry" if opening["atom"] else b"item"
    end = b"</%b>" % tag
    *parts, tail = document.split(end, MAX_ENTRIES + 1)
    if not 0 < len(parts) <= MAX_ENTRIES:
        return None
    inside = document[opening.end() :]
    # A single byte is found many times faster, and most often is not there.
    unread = [pair for pair in _UNREAD if pair[0][1:2] in inside and pair[0] in inside]
    find = _START[tag].search
    entries, gaps = [], []
    for part in parts:
        start = find(part)
        if start is None:
            return None
        at = start.start()
        gap, entry = (part[:at], part[at:]) if at else (b"", part)
        if unread and (_is_open(gap, unread) or _is_open(entry, unread)):
            return None
        gaps.append(gap)
        entries.append(entry)
    return Pieces(tag, opening[0], entries, [*gaps, tail], b"xmlns" not in inside)


def _is_open(text: bytes, unread: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether something in it that is no markup may not have ended where the text ends."""
    for opener, closer in unread:
        at = text.rfind(opener)
        if at >= 0 and text.find(closer, at + len(opener)) < 0:
            return True
    return False
