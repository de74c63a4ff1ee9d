"""The parsed form of a feed document, the same for all formats: a `ParsedFeed` with its `Entry` records.

All values are safe to print and store: texts have no markup, no control characters and no bidirectional overrides,
`html` has only allowed elements, URLs are absolute http(s), and sizes are limited.
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Image(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture of an entry: its absolute URL, who made it, and its caption."""

    url: str
    credit: str = ""
    caption: str = ""


class EntrySource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The feed that an aggregator took an entry from: Atom `source`, or RSS `<source url>`."""

    title: str = ""
    url: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One entry of a feed.

    `published` and `updated` are aware UTC datetimes, or None when the document has no readable date; the time of the
    poll is never used instead. `date_flags` lists problems with the dates: `missing`, `unreadable`, `no_zone` (the
    feed's zone was assumed), `ancient` (before 1990, dropped). `title`, `summary` and `content` are plain text; `html`
    is the safe HTML of `content`, or of `summary` when there is no `content`.

    `revision` is the hash of the text (`content_hash.revision_hash`), b"" when it was not computed yet.
    """

    guid: str = ""
    guid_is_permalink: bool = False
    link: str = ""
    title: str = ""
    summary: str = ""
    content: str = ""
    html: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    published_raw: str = ""
    updated_raw: str = ""
    date_flags: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    language: str = ""
    image: Image | None = None
    source: EntrySource | None = None
    revision: bytes = b""


class UnreadEntries(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Entries that the document has and `ParsedFeed.entries` has not.

    `reason` is one of few names, `text` says why in words, and `count` is how many there are, 0 when nobody knows.
    """

    reason: str
    text: str
    count: int = 0


class ParsedFeed(msgspec.Struct, frozen=True, kw_only=True):
    """One feed document.

    `mode` is the format (`rss`, `rdf`, `atom`, `json`, `cdf`, `sitemap`), with a suffix when the document was not well
    formed: `rss-repaired` when our repairs made it so, `rss-loose` when feedparser's lenient parser read it. It is a
    metric label. `problem` says in one line what was wrong. `ttl_minutes` and `update_period_seconds` are the feed's
    own hints, None when absent.

    `unread` has the entries that were left out, by reason. `truncated` means that entries beyond the limit were left
    out. `incomplete` means that the document was cut off: its last entry is missing here and will be in the complete
    document.
    """

    title: str = ""
    link: str = ""
    language: str = ""
    description: str = ""
    ttl_minutes: int | None = None
    update_period_seconds: int | None = None
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[str, ...] = ()
    hub: str = ""
    self_url: str = ""
    next_url: str = ""
    entries: tuple[Entry, ...] = ()
    mode: str = ""
    encoding: str = ""
    problem: str = ""
    unread: tuple[UnreadEntries, ...] = ()
    truncated: bool = False
    incomplete: bool = False
