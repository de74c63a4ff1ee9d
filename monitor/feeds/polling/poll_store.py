"""The interface through which a poller publishes articles and stores state, and a fake for tests."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from monitor.errors import BrokerError
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article


class PollStore(Protocol):
    """Publishes articles and stores state. `agents.pollers.feed_topics.TopicStore` is the real one."""

    async def publish(self, articles: Iterable[Article]) -> None:
        """Write articles; return when all of them are acknowledged. Raises BrokerError."""

    async def save(
        self, partition: int, feed: Subscription, state: FeedState | None, segments: Mapping[int, bytes | None]
    ) -> None:
        """Write the segments (None deletes one), then the state (None deletes it). Raises BrokerError."""


class MemoryPollStore:
    """A fake for tests and for `summitry feeds check`. The first `failures` calls of `publish` fail.

    `history` has every state that was saved.
    """

    def __init__(self) -> None:
        self.articles: list[Article] = []
        self.states: dict[str, FeedState] = {}
        self.segments: dict[str, dict[int, bytes]] = {}
        self.history: list[FeedState] = []
        self.failures = 0

    async def publish(self, articles: Iterable[Article]) -> None:
        """Store articles in memory. Raises BrokerError while `failures` is above 0."""
        if self.failures > 0:
            self.failures -= 1
            raise BrokerError("the fake broker is down")
        self.articles += articles

    async def save(
        self, partition: int, feed: Subscription, state: FeedState | None, segments: Mapping[int, bytes | None]
    ) -> None:
        """Store or delete segments and the state in memory."""
        kept = self.segments.setdefault(feed.id, {})
        for week, packed in segments.items():
            if packed is None:
                kept.pop(week, None)
            else:
                kept[week] = packed
        if state is None:
            self.states.pop(feed.id, None)
        else:
            self.states[feed.id] = state
            self.history.append(state)
