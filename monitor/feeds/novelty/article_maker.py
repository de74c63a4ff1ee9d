"""Turn an entry of a feed into the `Article` that is published. Pure."""

from __future__ import annotations

from datetime import datetime

from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.novelty.entry_keys import EntryKeys
from monitor.feeds.subscriptions import outlets
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article


class ArticleMaker:
    """Makes articles from the entries of one document.

    `now` is the time of the poll; `first` is True for the first document that is read of a feed.
    """

    def __init__(self, parsed: ParsedFeed, subscription: Subscription, now: datetime, *, first: bool) -> None:
        self._parsed, self._subscription, self._now, self._first = parsed, subscription, now, first

    def article(self, keys: EntryKeys, article_id: bytes, *, revision: int = 0, significant: bool = True) -> Article:
        """Return the article of an entry. In a feed's first document, revision 0 is marked as backfill."""
        entry, feed = keys.entry, self._subscription
        origin, publisher, country = "", feed.publisher, feed.country
        if entry.source is not None and not feed.outlet:
            # An aggregator's entry belongs to the outlet it was taken from, so that one owner is not counted twice.
            known = outlets.outlet_of(entry.source.url)
            origin = known.name if known else entry.source.title
            publisher = publisher or (known.publisher if known else origin)
            country = country or (known.country if known else "")
        language = entry.language or self._parsed.language or feed.language
        return Article(
            id=article_id.hex(),
            title=entry.title,
            url=article_urls.canonical(entry.link),
            summary=entry.summary,
            text=entry.content if entry.content != entry.summary else "",
            language=language.partition("-")[0],
            published=keys.believable(self._now),
            outlet=feed.outlet or origin or self._parsed.title,
            feed=feed.url,
            publisher=publisher,
            country=country,
            official=feed.official,
            speaks_for=feed.speaks_for,
            seen=self._now,
            revision=revision,
            significant=significant,
            backfill=self._first and not revision,
            authors=entry.authors,
            tags=entry.tags,
        )
