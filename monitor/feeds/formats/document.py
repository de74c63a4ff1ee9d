"""What a feed document says, whatever its format: a `ParsedFeed` of `Entry` records.

Everything in here is already safe: texts carry no markup, no control characters and no bidirectional overrides, `html`
is reduced to an allow-list, addresses are absolute http(s), sizes are capped (see `parse.LIMITS`).
"""

from __future__ import annotations

from datetime import datetime

import msgspec


class Image(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A picture of an entry: absolute address, who made it, what it shows."""

    url: str
    credit: str = ""
    caption: str = ""


class EntrySource(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """Where an aggregator took an entry from: Atom `source`, or RSS `<source url>`."""

    title: str = ""
    url: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One entry of a feed.

    `published` and `updated` are aware UTC datetimes, None where the document has none that can be read: the time of
    reading is never put in their place. `date_flags` says what is doubtful: `missing`, `unreadable`, `no_zone` (the
    feed's zone was assumed), `ancient` (before 1990, dropped). `title`, `summary` and `content` are plain text; `html`
    is the safe form of the longest body.

    `revision` is the hash of its words (`content_hash.revision_hash`), b"" where it was not computed yet.
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


class ParsedFeed(msgspec.Struct, frozen=True, kw_only=True):
    """One feed document.

    `mode` is the format (`rss`, `rdf`, `atom`, `json`, `cdf`, `sitemap`) and, after a dash, what it took to read it:
    nothing when the document was well formed, `repaired` when it became so by our repairs, `loose` when feedparser's
    forgiving parser read it. It comes from a bounded set and is a metric label. `problem` says in one line what was
    wrong. `ttl_minutes` and `update_period_seconds` are the feed's own hints, None when absent. `truncated` says that
    entries beyond the limit were left out, `incomplete` that the document ends in the middle: the entry that it ends
    in was left out, and will be there in the whole document.
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
    truncated: bool = False
    incomplete: bool = False
