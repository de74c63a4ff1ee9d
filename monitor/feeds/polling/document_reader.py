"""From a fetched document to articles: parsed in a guarded process, then compared with what was published before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.xml.pieces import cut
from monitor.feeds.novelty.entry_keys import NamedEntry
from monitor.feeds.novelty.known_entries import FamiliarEntries, NotFamiliarError, Shortened
from monitor.feeds.novelty.reconcile import Reconciled, TextsLeftOutError, reconcile
from monitor.feeds.novelty.seen import ENTRY_BYTES, Seen, Segments
from monitor.feeds.polling.feed_state import DAY, FeedState
from monitor.feeds.polling.fetch import Fetched
from monitor.feeds.polling.poll import Reading
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

#: Comparing more entries than this, or with more that were seen, takes so long that it is done beside the event loop.
_MANY, _MANY_SEEN = 200, 1000


class Parse(Protocol):
    """Parses documents; `monitor.feeds.sandbox.parser_pool.ParserPool` is the real one."""

    async def parse(
        self,
        body: bytes,
        *,
        content_type: str = "",
        url: str = "",
        language: str = "",
        country: str = "",
        zone: str = "",
        is_cut: bool = False,
    ) -> ParsedFeed:
        """Raises FeedError when it is no feed."""


class Enrich(Protocol):
    """Adds texts from the articles' pages; `monitor.feeds.pages.full_text.FullText` is the real one."""

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

        In the document, one entry may stand for several that stood in it before.
        """
        pieces = cut(fetched.body)
        known = self._familiar.shortened(feed, fetched.url, pieces)
        try:
            document, entries, kept = await self._compared(feed, state, segments, fetched, now=now, known=known)
        except (NotFamiliarError, TextsLeftOutError):  # it was not published then, or is not remembered any more
            document, entries, kept = await self._compared(feed, state, segments, fetched, now=now, known=None)
        self._familiar.keep(feed, fetched.url, pieces, document, entries.named)
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
        known: Shortened | None,
    ) -> tuple[ParsedFeed, Reconciled, dict[int, bytes]]:
        document = await self._parsed(feed, fetched, known)
        compare = partial(_compare, document, feed, state, segments, now, familiar=known.entries if known else ())
        size = len(document.entries) + (len(known.entries) if known else 0)
        many = size > _MANY or sum(map(len, segments.values())) > _MANY_SEEN * ENTRY_BYTES
        return document, *(await asyncio.to_thread(compare) if many else compare())

    async def _parsed(self, feed: Subscription, fetched: Fetched, known: Shortened | None) -> ParsedFeed:
        try:
            document = await self._parser.parse(
                known.body if known else fetched.body,
                content_type=fetched.headers.get("content-type", ""),
                url=fetched.url,
                language=feed.language,
                country=feed.country,
                zone=feed.timezone,
                is_cut=known is not None,
            )
        except FeedError as error:
            if known is None or error.reason != "cut":
                raise
            raise NotFamiliarError from error
        if known is not None:
            known.check(document)
        return document


def _compare(
    document: ParsedFeed,
    feed: Subscription,
    state: FeedState,
    segments: Segments,
    now: float,
    *,
    familiar: Iterable[NamedEntry] = (),
) -> tuple[Reconciled, dict[int, bytes]]:
    """What is new in a document, and what has been seen now, as segments."""
    seen, moment, first = Seen(segments), datetime.fromtimestamp(now, UTC), not state.last_success
    entries = reconcile(seen, document, feed, moment, identity=state.identity, first=first, familiar=familiar)
    entries.seen.prune(entries.current, int(now // DAY))
    return entries, entries.seen.segments()
