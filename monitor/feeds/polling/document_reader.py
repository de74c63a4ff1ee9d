"""Turn a fetched document into articles: parse it in a parser process, then compare it with what was published."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Protocol, Unpack

import msgspec

from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.parse import ParseOptions
from monitor.feeds.novelty.reconcile import Reconciled, reconcile
from monitor.feeds.novelty.seen import STORY_BYTES, SeenStories, Segments
from monitor.feeds.polling.feed_state import DAY, FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.poll import DocumentReading
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Comparing more entries than this, or with more remembered stories, takes long and is done in a thread.
_MANY, _MANY_SEEN = 200, 1000


class DocumentParser(Protocol):
    """Parses documents; `monitor.feeds.sandbox.parser_pool.ParserPool` is the real one."""

    async def parse(self, body: bytes, **options: Unpack[ParseOptions]) -> ParsedFeed:
        """Parse a document. Raises FeedError when it is not a feed."""


class TextEnricher(Protocol):
    """Adds texts from the articles' pages; `monitor.feeds.pages.full_text.FullText` is the real one."""

    async def enrich(self, feed: Subscription, articles: Iterable[Article]) -> tuple[Article, ...]:
        """Return the articles, with the text of their pages where there is one."""


class DocumentReader:
    """Reads documents with `parser`, and adds full texts with `full_text` for subscriptions that want them."""

    def __init__(self, parser: DocumentParser, full_text: TextEnricher | None = None) -> None:
        self._parser, self._full_text = parser, full_text
        # One thread only: each thread would keep the memory of the largest number of stories that it ever unpacked.
        self._beside = ThreadPoolExecutor(1, "compare")

    async def read(
        self, feed: Subscription, state: FeedState, segments: Segments, fetched: FetchResult, now: float
    ) -> DocumentReading:
        """Parse a fetched body and find new and changed entries. Raises FeedError when it is not a feed."""
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
        loop = asyncio.get_running_loop()
        entries, kept = await loop.run_in_executor(self._beside, compare) if many else compare()
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
    """Find new and changed entries in a document; return them, and the segments of all stories seen so far."""
    seen, moment, first = SeenStories(segments), datetime.fromtimestamp(now, UTC), not state.last_success
    entries = reconcile(seen, document, feed, moment, choice=state.choice, first=first)
    entries.seen.prune(entries.current, int(now // DAY))
    kept = entries.seen.segments()
    # Drop the unpacked stories: a kilobyte each, they would stay in memory while the articles are published.
    return msgspec.structs.replace(entries, seen=SeenStories()), kept
