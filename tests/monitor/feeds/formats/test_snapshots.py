"""Test real feeds over months: each entry once, each edit as a revision, nothing lost, even when the poller dies."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping

import pytest

from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.poll_store import MemoryPollStore
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article
from tests.feedserver import FeedServer
from tests.monitor.feeds.snapshots import FEEDS, Expected, load, serve
from tests.monitor.feeds.world import HOUR, World

pytestmark = pytest.mark.slow


class Killed(BaseException):
    """The process ends here: nothing that comes after it happens."""


class DyingStore(MemoryPollStore):
    """A store whose process dies at chosen operations: before one record of it is written, or after it."""

    def __init__(self, deaths: Iterable[int]) -> None:
        super().__init__()
        self._deaths, self._count = set(deaths), 0

    def _step(self) -> None:
        self._count += 1
        if self._count in self._deaths:
            raise Killed

    async def publish(self, articles: Iterable[Article]) -> None:
        for article in articles:
            self._step()
            self.articles.append(article)
        self._step()

    async def save(
        self, partition: int, feed: Subscription, state: FeedState | None, segments: Mapping[int, bytes | None]
    ) -> None:
        for week, packed in segments.items():
            self._step()
            await super().save(partition, feed, self.states.get(feed.id), {week: packed})
        self._step()
        await super().save(partition, feed, state, {})
        self._step()


@pytest.mark.parametrize("feed", FEEDS)
async def test_every_entry_once_and_every_edit_as_a_revision(feed: str) -> None:
    documents = load(feed)
    expected = Expected()
    for document in documents:
        expected.read(document)
    async with FeedServer() as server:
        position = serve(server, "/feed.xml", documents)
        world = World(server)
        world.add()
        for _ in range(len(documents) + 1):
            await world.poll(after=HOUR)
        assert position == [len(documents) - 1]
        assert world.state().last_status == 304
        await world.fetcher.aclose()
    assert published(world.store.articles) == expected.revisions
    assert len({(article.id, article.revision) for article in world.store.articles}) == len(world.store.articles)
    assert all(article.backfill == (n < expected_first(documents)) for n, article in enumerate(world.store.articles))


@pytest.mark.parametrize("seed", range(4))
async def test_death_at_ten_random_moments_loses_nothing_and_repeats_only_the_same(seed: int) -> None:
    documents = load(FEEDS[seed], 25)
    expected = Expected()
    for document in documents:
        expected.read(document)
    deaths = random.Random(seed).sample(range(1, 190), 10)
    async with FeedServer() as server:
        position = serve(server, "/feed.xml", documents)
        world = World(server, store=DyingStore(deaths))
        world.add()
        for _ in range(200):
            try:
                await world.poll(after=HOUR)
            except Killed:
                world.poller = world.restarted()
                world.add()
            if position[0] == len(documents) - 1 and world.poller.held["a"].state.last_status == 304:  # type: ignore[union-attr]
                break
        assert world.store._count > max(deaths), "all deaths have happened"
        await world.fetcher.aclose()
    told = {(article.id, article.revision): article.title for article in world.store.articles}
    assert sorted((title, revision) for (_, revision), title in told.items()) == expected.revisions
    # What was repeated is the same entry under the same id with the same words.
    for article in world.store.articles:
        assert told[article.id, article.revision] == article.title


def published(articles: list[Article]) -> list[tuple[str, int]]:
    return sorted((article.title, article.revision) for article in articles)


def expected_first(documents: list[bytes]) -> int:
    """How many entries the first document has: those are backfill."""
    first = Expected()
    first.read(documents[0])
    return len(first.words)
