"""What is kept of the entries that a feed had last, so that they need not be read again.

Of a document that changed, nearly all entries stood in the last one, too. Reading such an entry (cleaning its HTML,
finding its language, hashing its words) gives what it gave before: an entry is a function of what stands in the
document, and of what it is read with, and its digest covers both. So what it is compared by is kept, without its texts,
for as many feeds as fit into a few megabytes; nothing depends on it being there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping

import msgspec

from monitor.feeds.document import Entry
from monitor.feeds.feed import Subscription
from monitor.feeds.identity import revision_hash

#: Bytes that are kept in all; a feed of thirty entries takes some 7,000.
_MOST = 24 * 1024 * 1024


class FamiliarEntries:
    """Entries of the feeds that were read last, without their texts."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._size = 0
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def of(self, feed: Subscription) -> dict[bytes, Entry]:
        """What is known of a feed's entries, by digest."""
        packed = self._packed.get(feed.id)
        if packed is None or not may_be_left_out(feed):
            return {}
        return {entry.digest: entry for entry in msgspec.msgpack.decode(packed, type=list[Entry])}

    def keep(self, feed: Subscription, entries: Iterable[Entry]) -> None:
        """Know these entries of a feed, and no others, from now on."""
        self._size -= len(self._packed.pop(feed.id, b""))
        if not may_be_left_out(feed):
            return
        packed = msgspec.msgpack.encode([without_texts(entry) for entry in entries if has_words(entry)])
        self._packed[feed.id] = packed
        self._size += len(packed)
        while self._size > self._most:
            _, oldest = self._packed.popitem(last=False)
            self._size -= len(oldest)


def may_be_left_out(feed: Subscription) -> bool:
    """Whether nothing of a subscription looks into the texts of entries, or makes other entries of them."""
    return not (feed.keep or feed.block or feed.url_rewrite)


def has_words(entry: Entry) -> bool:
    """Whether it says anything: what says nothing is counted as dropped each time."""
    return bool(entry.left_out or entry.title or entry.summary or entry.content)


def without_texts(entry: Entry) -> Entry:
    """What an entry is compared by: its names, title, dates and source, and the hash of its words."""
    if entry.left_out:
        return entry
    return Entry(
        guid=entry.guid,
        guid_is_permalink=entry.guid_is_permalink,
        link=entry.link,
        title=entry.title,
        published=entry.published,
        updated=entry.updated,
        published_raw=entry.published_raw,
        updated_raw=entry.updated_raw,
        source=entry.source,
        digest=entry.digest,
        left_out=True,
        revision=revision_hash(entry),
    )


def merged(feed: Subscription, entries: Iterable[Entry], known: Mapping[bytes, Entry]) -> tuple[Entry, ...]:
    """The entries of a document, with what is known of those that were not read again, and what the others say."""
    if not may_be_left_out(feed):
        return tuple(entries)
    return tuple(
        known[entry.digest] if entry.left_out else msgspec.structs.replace(entry, revision=revision_hash(entry))
        for entry in entries
    )
