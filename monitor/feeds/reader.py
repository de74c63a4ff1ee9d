"""From a fetched document to articles: parsed in a guarded process, then compared with what was published before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import msgspec

from monitor.feeds.document import Entry, ParsedFeed
from monitor.feeds.familiar import FamiliarEntries, merged
from monitor.feeds.feed import Subscription
from monitor.feeds.fetch import Fetched
from monitor.feeds.identity import Reconciled, TextsLeftOutError, reconcile
from monitor.feeds.poll import Reading
from monitor.feeds.state import DAY, ENTRY_BYTES, FeedState, Segments, pack, prune, unpack
from monitor.records import Article

#: Comparing more entries than this, or with more that were seen, takes so long that it is done beside the event loop.
_MANY, _MANY_SEEN = 200, 1000


class Parse(Protocol):
    """Parses documents; `monitor.feeds.parser_pool.ParserPool` is the real one."""

    async def parse(
        self,
        body: bytes,
        *,
        content_type: str = "",
        url: str = "",
        language: str = "",
        country: str = "",
        zone: str = "",
        known: Iterable[bytes] = (),
    ) -> ParsedFeed:
        """Raises FeedError when it is no feed."""


class Enrich(Protocol):
    """Adds texts from the articles' pages; `monitor.feeds.fulltext.FullText` is the real one."""

    async def enrich(self, feed: Subscription, articles: Iterable[Article]) -> tuple[Article, ...]:
        """The articles, with text where their pages gave it."""


class Reader:
    """Reads documents with a parser, and pages where a subscription asks for full texts."""

    def __init__(self, parser: Parse, full_text: Enrich | None = None, familiar: FamiliarEntries | None = None) -> None:
        self._parser, self._full_text = parser, full_text
        self._familiar = familiar or FamiliarEntries()

    async def read(
        self, feed: Subscription, state: FeedState, segments: Segments, fetched: Fetched, now: float
    ) -> Reading:
        """The document and what is new in it. Raises FeedError.

        Entries of the document that stood in it before may be there without their texts.
        """
        known = self._familiar.of(feed)
        try:
            document, entries, kept = await self._compared(feed, state, segments, fetched, now=now, known=known)
        except TextsLeftOutError:  # it was not published then, or is not remembered any more
            document, entries, kept = await self._compared(feed, state, segments, fetched, now=now, known={})
        self._familiar.keep(feed, document.entries)
        if feed.full_text and self._full_text is not None:
            entries = msgspec.structs.replace(
                entries,
                new=await self._full_text.enrich(feed, entries.new),
                changed=await self._full_text.enrich(feed, entries.changed),
            )
        return Reading(document, entries, kept)

    async def _compared(
        self,
        feed: Subscription,
        state: FeedState,
        segments: Segments,
        fetched: Fetched,
        *,
        now: float,
        known: Mapping[bytes, Entry],
    ) -> tuple[ParsedFeed, Reconciled, dict[int, bytes]]:
        document = await self._parser.parse(
            fetched.body,
            content_type=fetched.headers.get("content-type", ""),
            url=fetched.url,
            language=feed.language,
            country=feed.country,
            zone=feed.timezone,
            known=known,
        )
        document = msgspec.structs.replace(document, entries=merged(feed, document.entries, known))
        compare = partial(_compare, document, feed, state, segments, datetime.fromtimestamp(now, UTC))
        many = len(document.entries) > _MANY or sum(map(len, segments.values())) > _MANY_SEEN * ENTRY_BYTES
        return document, *(await asyncio.to_thread(compare) if many else compare())


def _compare(
    document: ParsedFeed, feed: Subscription, state: FeedState, segments: Segments, now: datetime
) -> tuple[Reconciled, dict[int, bytes]]:
    """What is new in a document, and what has been seen now, as segments."""
    first = not state.last_success
    entries = reconcile(unpack(segments), document, feed, now, identity=state.identity, first=first)
    return entries, pack(prune(entries.seen, entries.keys, int(now.timestamp() // DAY)))
