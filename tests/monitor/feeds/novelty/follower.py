"""Follow one feed from poll to poll as the poller does: parse, compare, remember in segments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from xml.sax.saxutils import escape

from monitor.feeds.formats.parse import parse
from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.feeds.novelty.reconcile import Reconciled, reconcile
from monitor.feeds.novelty.seen import SeenStories
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

START = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEED = Subscription(id="sample", url="https://example.org/feed", language="en")


class Follower:
    """One feed. `published` has all articles that were published, in order."""

    def __init__(self, feed: Subscription = FEED) -> None:
        self.feed = feed
        self.now = START
        self.segments: dict[int, bytes] = {}
        self.choice = KeyChoice()
        self.published: list[Article] = []
        self.polls = 0

    def poll(self, document: str | bytes) -> Reconciled:
        """Read the feed's next document, one hour after the last one."""
        body = document.encode() if isinstance(document, str) else document
        seen = SeenStories(self.segments)
        found = reconcile(
            seen, parse(body, url=self.feed.url), self.feed, self.now, choice=self.choice, first=not self.polls
        )
        found.seen.prune(found.current, (self.now.date() - datetime(1970, 1, 1, tzinfo=UTC).date()).days)
        self.segments, self.choice = found.seen.segments(), found.choice
        self.published += (*found.new, *found.changed)
        self.polls += 1
        self.now += timedelta(hours=1)
        return found

    def play(self, documents: Iterable[str | bytes]) -> list[tuple[list[str], list[tuple[str, int]]]]:
        """Poll documents in turn; for each, the titles of new articles, and titles and revisions of corrections."""
        told = []
        for document in documents:
            found = self.poll(document)
            told.append((sorted(a.title for a in found.new), sorted((a.title, a.revision) for a in found.changed)))
        return told


def item(title: str = "", link: str = "", guid: str = "", text: str = "", date: str | datetime | int = "") -> str:
    """One RSS item; `date` may be an hour of 2 March 2026."""
    if isinstance(date, int):
        date = datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=date)
    if isinstance(date, datetime):
        date = date.strftime("%a, %d %b %Y %H:%M:%S GMT")
    fields = {"title": title, "link": link, "description": text, "pubDate": date}
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items() if value)
    return f"<item>{inner}" + (f'<guid isPermaLink="false">{escape(guid)}</guid>' if guid else "") + "</item>"


def rss(*items: str) -> str:
    """A document of items."""
    return f"<rss version='2.0'><channel><title>Sample</title>{''.join(items)}</channel></rss>"


def ids(articles: Sequence[Article]) -> dict[str, set[Any]]:
    """The ids under which each title was published."""
    found: dict[str, set[Any]] = {}
    for article in articles:
        found.setdefault(article.title, set()).add(article.id)
    return found
