"""The names that an entry could go by (FEEDS rules D1, D6, D7).

They are functions of the entry and its subscription alone. Which of its names an entry goes by depends on the document
it stands in and on what was seen before; that is decided in `identity`.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import msgspec

from monitor.feeds.formats.content_hash import revision_of
from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.fields.dates import EARLIEST
from monitor.feeds.novelty.filters import stripped
from monitor.feeds.subscriptions.subscription import Subscription

#: A published time that much ahead of our clock is an embargo's or a broken clock's.
FUTURE = timedelta(hours=1)

_COUNTER = re.compile(r"#\d+$")
_GOOGLE_NEWS = re.compile(r"https?://news\.google\.com/(?:rss/)?articles/")


class NamedEntry(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True, gc=False):
    """What an entry is compared by: all of it but its texts.

    `guid` is the entry's own name, without what the user's pattern strips; `numbered` says that it is an address with a
    number behind it, and `is_link` that it is the address of the entry's page. `link_key` is that address as it is
    compared, `page` the key of an entry that goes by it, `own` the key of one that goes by its guid, where that is
    another. The second half of `page`, by which no entry is called, is the name under which the address itself is
    remembered: that must not stand in for an entry whose name it is. `undated` is what an entry with neither goes by,
    beside its title.
    """

    revision: bytes
    title: str = ""
    guid: str = ""
    link_key: str = ""
    page: bytes = b""
    own: bytes = b""
    published: datetime | None = None
    updated: datetime | None = None
    numbered: bool = False
    is_link: bool = False
    fragment: str = ""
    undated: str = ""

    def key(self, feed_id: str, gid: str) -> bytes:
        """`entry_digest` of one of its names."""
        if gid == self.link_key:
            return self.page
        return self.own if gid == self.guid and self.own else entry_digest(feed_id, gid)

    def longer(self, gid: str) -> str:
        """The name of an entry that can't have `gid` because another one has it (D2)."""
        return f"{gid}\n{self.link_key}#{self.fragment}" if self.link_key else f"{gid}\n{self.title}"

    def is_before(self, oldest: datetime) -> bool:
        """Whether it was published before that, as far as it says when."""
        moment = self.published or self.updated
        return moment is not None and moment < oldest

    def believable(self, now: datetime) -> datetime | None:
        """When it was published, else updated; None when that lies ahead, before 1990, or is not told (P7)."""
        for moment in (self.published, self.updated):
            if moment is not None and EARLIEST <= moment <= now + FUTURE:
                return moment
        return None


def entry_digest(feed_id: str, gid: str) -> bytes:
    """The key of an entry: 16 bytes, as hex digits its article's id. It is remembered by the first half."""
    return hashlib.sha256(f"{feed_id}\0{gid}".encode("utf-8", "replace")).digest()[:16]


def named(entry: Entry, subscription: Subscription) -> NamedEntry:
    """The entry's names, in the feed of that subscription."""
    guid = stripped(subscription.guid_strip_regex, entry.guid).strip()
    link_key = article_urls.link_key(entry.link)
    numbered = is_link = False
    if guid.startswith(("http://", "https://")):
        numbered = _COUNTER.search(guid) is not None
        is_link = "#" not in guid and bool(link_key) and article_urls.link_key(guid) == link_key
    elif _GOOGLE_NEWS.match(entry.link) and entry.source is not None:
        # The opaque tokens of an aggregator change; who wrote what under which title does not (D7).
        guid = f"{entry.source.url}\n{entry.title}"
    feed_id = subscription.id
    return NamedEntry(
        revision=entry.revision or revision_of(entry),
        title=entry.title,
        guid=guid,
        link_key=link_key,
        page=entry_digest(feed_id, link_key) if link_key else b"",
        own=entry_digest(feed_id, guid) if guid and not is_link else b"",
        published=entry.published,
        updated=entry.updated,
        numbered=numbered,
        is_link=is_link,
        fragment=urlsplit(entry.link).fragment if "#" in entry.link else "",
        undated="" if guid or link_key else entry.published_raw or entry.updated_raw,
    )


def guids(entries: Sequence[NamedEntry]) -> list[str]:
    """The guids of one document's entries, as names: an address is as good as the entry's link.

    The BBC's guids end in #0, #1, ... and rise with every edit. The parts of a live blog differ in nothing else, so a
    number that tells entries of one document apart stays.
    """
    found = [entry.link_key if entry.is_link else entry.guid for entry in entries]
    if any(entry.numbered for entry in entries):
        pages = Counter(_COUNTER.sub("", guid) for guid in {entry.guid for entry in entries})
        for number, entry in enumerate(entries):
            if entry.numbered and pages[page := _COUNTER.sub("", entry.guid)] == 1:
                found[number] = article_urls.link_key(page)
    return found
