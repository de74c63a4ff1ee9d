"""Run a poller with a clock that the test sets, a store in memory, and real HTTP to a server on loopback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from monitor.feeds.formats.parse import parse
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import Fetcher
from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.polling.poll_store import MemoryPollStore
from monitor.feeds.polling.poller import Poller
from monitor.feeds.polling.schedule import ScheduleRules
from monitor.feeds.polling.websub import WebSub
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from tests.feedserver import FeedServer

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC).timestamp()


class InlineParser:
    """Parses in the test's own process, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    async def parse(self, body: bytes, **options: str) -> Any:
        self.calls += 1
        return parse(body, **options)


class World:
    """One poller and the feeds it was given. Time stands still unless `wait` moves it."""

    def __init__(self, server: FeedServer, **options: Any) -> None:
        self.server = server
        self.now = START
        self.store = options.pop("store", None) or MemoryPollStore()
        self.parser = InlineParser()
        self.fetcher = Fetcher(options.pop("book", None) or AddressBook(), **options.pop("fetch", {}))
        self.draw: Callable[[], float] = options.pop("draw", lambda: 0.5)
        self.rules = options.pop("rules", ScheduleRules())
        if callback := options.pop("callback", ""):
            options["push"] = WebSub(callback, self.fetcher, now=lambda: self.now, draw=lambda: 0.5)
        self._options = options
        self.poller = self.restarted()

    def restarted(self) -> Poller:
        """A new poller process that knows only what the store knows."""
        return Poller(
            self.store, self.fetcher, DocumentReader(self.parser), clock=lambda: datetime.fromtimestamp(self.now, UTC),
            draw=lambda: self.draw(), rules=self.rules, **self._options,  # noqa: PLW0108  # tests put another one there
        )  # fmt: skip

    def add(self, feed_id: str = "a", path: str = "/feed.xml", **options: Any) -> Subscription:
        """Subscribe to a path of the server (or to `url`) as a new feed."""
        options.setdefault("allow_private_network", True)
        options.setdefault("url", self.server.url(path))
        feed = Subscription(id=feed_id, **options)
        self.poller.own([HeldFeed(0, feed, self.store.states.get(feed_id), self.store.segments.get(feed_id, {}))])
        return feed

    async def poll(self, feed_id: str = "a", after: float = 0.0) -> FeedState:
        """Let time pass, poll once whatever the schedule says, and return the state."""
        self.now += after
        await self.poller.poll_now(feed_id)
        return self.state(feed_id)

    async def poll_when_due(self, feed_id: str = "a") -> FeedState:
        """Let time pass until the feed is due, then poll it."""
        self.now = max(self.now, self.state(feed_id).next_due)
        return await self.poll(feed_id)

    def state(self, feed_id: str = "a") -> FeedState:
        state = self.poller.held[feed_id].state
        assert state is not None
        return state

    def wait(self, feed_id: str = "a") -> float:
        """Seconds from now until a feed is due."""
        return self.state(feed_id).next_due - self.now

    @property
    def titles(self) -> list[str]:
        return [article.title for article in self.store.articles]
