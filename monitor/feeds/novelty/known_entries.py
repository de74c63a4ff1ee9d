"""What is kept of the entries that a feed had last, so that they need not be read again.

Of a document that changed, nearly all entries stood in the last one, too, letter for letter. Reading such an entry
(parsing it, cleaning its HTML, finding its language, hashing its words) gives what it gave before: it is a function of
what stands in it, of the start tags around it, and of what is known of the feed. So these entries are cut out of the
document before it is parsed, and what they are compared by is taken from here. It is kept without texts, for as many
feeds as fit into a few megabytes; nothing depends on it being there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.xml.pieces import STAND_IN, Pieces
from monitor.feeds.novelty.entry_keys import NamedEntry
from monitor.feeds.novelty.filters import looks_into_texts
from monitor.feeds.subscriptions.subscription import Subscription

#: Bytes that are kept in all; a feed of thirty entries takes some 5,000.
_MOST = 24 * 1024 * 1024
#: An entry that declares a namespace of its own says with it what a prefix means in the whole document (`xmltree`).
_OWN_NAMESPACE = b"xmlns"


class NotFamiliarError(Exception):
    """The document is not the one in which the entries that were cut out of it would mean the same."""


class Shortened(NamedTuple):
    """A document without the entries that are known, and those.

    `runs` are as in `Pieces.without`, `reading` is how the document has to be read for the entries to mean the same.
    """

    body: bytes
    runs: list[int]
    entries: list[NamedEntry]
    reading: tuple[str, ...]

    def check(self, document: ParsedFeed) -> None:
        """Raise NotFamiliarError when the entries may mean something else in the document that was read."""
        if [entry.stands_for for entry in document.entries] != self.runs or _reading(document) != self.reading:
            raise NotFamiliarError


class _Known(NamedTuple):
    """What a feed's last document was, and its entries: hashes of what stood there, and NamedEntry, in MessagePack."""

    feed: Subscription
    url: str
    opening: bytes
    reading: tuple[str, ...]
    packed: bytes

    @property
    def size(self) -> int:
        return len(self.packed) + len(self.opening)


_Entries = dict[int, NamedEntry]
_DECODER = msgspec.msgpack.Decoder(_Entries)
_ENCODER = msgspec.msgpack.Encoder()


class FamiliarEntries:
    """Entries of the feeds that were read last, without their texts."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def __contains__(self, feed: Subscription) -> bool:
        return feed.id in self._known

    def shortened(self, feed: Subscription, url: str, pieces: Pieces | None) -> Shortened | None:
        """The document from that address without what is known of it; None when nothing is."""
        known = self._known.get(feed.id)
        if known is None or pieces is None:
            return None
        if (known.url, known.opening) != (url, pieces.opening) or known.feed != feed:
            return None
        entries = _DECODER.decode(known.packed)
        found = [entries.get(hash(entry)) for entry in pieces.entries]
        runs: list[int] = []
        for name in found:
            if name is None or not runs or not runs[-1]:
                runs.append(int(name is not None))
            else:
                runs[-1] += 1
        if not any(runs):
            return None
        return Shortened(
            pieces.without(runs, STAND_IN.encode()), runs, [entry for entry in found if entry], known.reading
        )

    def keep(
        self,
        feed: Subscription,
        url: str,
        pieces: Pieces | None,
        document: ParsedFeed,
        named: Sequence[NamedEntry | None],
    ) -> None:
        """Know the entries of a feed's document, `named` in its order, and no others, from now on.

        Nothing is kept where the parser found other entries than the pieces are, or where the subscription looks into
        the texts of entries.
        """
        before = self._known.pop(feed.id, None)
        self._size -= before.size if before else 0
        if pieces is None or not document.plain or len(named) != len(pieces.entries) or looks_into_texts(feed):
            return
        # Python's own hash is as good as another one within a process, and bytes that have it need not be hashed again.
        entries = {
            hash(entry): name
            for entry, name in zip(pieces.entries, named, strict=True)
            if name is not None and (pieces.is_flat or _OWN_NAMESPACE not in entry)
        }
        known = _Known(feed, url, pieces.opening, _reading(document), _ENCODER.encode(entries))
        self._known[feed.id] = known
        self._size += known.size
        while self._size > self._most:
            _, oldest = self._known.popitem(last=False)
            self._size -= oldest.size


def _reading(document: ParsedFeed) -> tuple[str, ...]:
    """How a document was read, as far as its entries depend on it."""
    return document.encoding, document.mode, document.language
