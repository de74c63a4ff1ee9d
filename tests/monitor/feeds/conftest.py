"""Provide fixtures for tests of feeds: a feed server on loopback, and a poller that fetches from it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.feedserver import FeedServer
from tests.monitor.feeds.world import World


@pytest.fixture
async def server() -> AsyncIterator[FeedServer]:
    """Serve feeds; a test says which."""
    async with FeedServer() as running:
        yield running


@pytest.fixture
async def world(server: FeedServer) -> AsyncIterator[World]:
    """A poller of the server's feeds, whose clock the test moves."""
    made = World(server)
    yield made
    await made.fetcher.aclose()
