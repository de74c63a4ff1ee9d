"""From a fetched document to articles: parsed in a guarded process, then compared with what was published before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, Unpack

import msgspec

from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.parse import ParseOptions
from monitor.feeds.novelty.reconcile import Reconciled, reconcile
from monitor.feeds.novelty.seen import STORY_BYTES, SeenStories, Segments
from monitor.feeds.polling.feed_state import DAY, FeedState
from monitor.feeds.polling.fetch import Fetched
from monitor.feeds.polling.poll import DocumentReading
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Comparing more entries than this, or with more that were seen, takes so long that it is done beside the event loop.
_MANY, _MANY_SEEN = 200, 1000


class Parse(Protocol):
    """Parses documents; `monitor.feeds.sandbox.parser_pool.ParserPool` is the real one."""

    async def parse(self, body: bytes, **options: Unpack[ParseOptions]) -> ParsedFeed:
        """Parse a document. Raises FeedError when it is no feed."""


class Enrich(Protocol):
    """Adds texts from the articles' pages; `monitor.feeds.pages.full_text.FullText` is the real one."""

    async def enrich(self, feed: Subscription, articles: Iterable[Article]) -> tuple[Article, ...]:
        """Return the articles, with text where their pages gave it."""


class DocumentReader:
    """Reads documents with a parser, and pages where a subscription asks for full texts."""

    def __init__(self, parser: Parse, full_text: Enrich | None = None) -> None:
        self._parser, self._full_text = parser, full_text

    async def read(
        self, feed: Subscription, state: FeedState, segments: Segments, fetched: Fetched, now: float
    ) -> DocumentReading:
        """Parse a fetched body and find what is new in it. Raises FeedError when it is no feed."""
        document = await self._parser.parse(
            fetched.body,
            content_type=fetched.headers.get("content-type", ""),
            url=fetched.url,
            language=feed.language,
            country=feed.country,
            zone=feed.timezone,
            max_size=feed.max_body,
        )
        compare = partial(_compare, document, feed, state, segments, now)
        many = len(document.entries) > _MANY or sum(map(len, segments.values())) > _MANY_SEEN * STORY_BYTES
        entries, kept = await asyncio.to_thread(compare) if many else compare()
        if feed.full_text and self._full_text is not None:
            entries = msgspec.structs.replace(
                entries,
                new=await self._full_text.enrich(feed, entries.new),
                changed=await self._full_text.enrich(feed, entries.changed),
            )
        return DocumentReading(document, entries, kept)


def _compare(
    document: ParsedFeed, feed: Subscription, state: FeedState, segments: Segments, now: float
) -> tuple[Reconciled, dict[int, bytes]]:
    """Find what is new in a document; returns it with the segments of what has been seen by now."""
    seen, moment, first = SeenStories(segments), datetime.fromtimestamp(now, UTC), not state.last_success
    entries = reconcile(seen, document, feed, moment, choice=state.choice, first=first)
    entries.seen.prune(entries.current, int(now // DAY))
    return entries, entries.seen.segments()
