"""Run the board without a broker: an archive of sample events, an outbox in memory, and a simple HTTP client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import msgspec

from agents.board.access import Access
from agents.board.context import BoardContext
from agents.board.follower import readers
from agents.board.pages.rendering import BROADCASTER
from agents.board.site import make_site
from agents.process.web import serving
from agents.stream.outbox import MemoryOutbox
from agents.stream.topics import TopicNames
from monitor.archive import Archive, Batch, KeptRecord, LeaderNames, write
from monitor.config import BoardSettings, Config
from monitor.notify import Policy
from monitor.records import Event
from monitor.watchlist import bundled
from tests.monitor.archive.samples import NOW, archive, batch

NAMES = LeaderNames(bundled())


class ReadingBack(MemoryOutbox):
    """An outbox whose records come back into the archive, as the follower brings them."""

    def __init__(self, found: Archive, names: TopicNames) -> None:
        super().__init__()
        self._archive, self._readers = found, readers(names, Policy.of(Config()))

    async def send(self, topic: str, key: bytes | None, value: bytes | None, *, partition: int | None = None) -> None:
        await super().send(topic, key, value, partition=partition)
        reader = self._readers[topic]
        kept = (
            reader.read((key or b"").decode(), value) if value else KeptRecord(reader.sort, (key or b"").decode(), b"")
        )
        if kept is not None:
            write(self._archive, Batch(kept=[kept]))


class Board:
    """A running board and its parts."""

    def __init__(self, context: BoardContext, site: Any, base: str) -> None:
        self.context, self.site, self.base = context, site, base
        self.outbox: ReadingBack = context.outbox  # type: ignore[assignment]

    async def bring(self, *events: Event) -> None:
        """Let events arrive, as the follower does."""
        await self.site[BROADCASTER].publish(write(self.context.archive, batch(*events, offset=99)))

    def keep(self, topic: str, key: str, record: msgspec.Struct) -> None:
        """Let a record of another topic arrive."""
        kept = readers(self.context.names, Policy.of(self.context.config))[topic].read(key, msgspec.json.encode(record))
        assert kept is not None
        write(self.context.archive, Batch(kept=[kept]))


@asynccontextmanager
async def board(folder: Path, *events: Event, port: int = 0, **settings: Any) -> AsyncIterator[Board]:
    """A board with these events on a free port."""
    found = archive(folder, *events)
    names = TopicNames("summitry")
    config = Config(board=BoardSettings(**{"rate": 0, **settings}))
    context = BoardContext(config, names, found, NAMES, bundled(), lambda: NOW, ReadingBack(found, names))
    context.progress.done = True
    site = make_site(context, Access.of(config.board, b"s" * 32))
    async with serving(site, "127.0.0.1", port) as free:
        try:
            yield Board(context, site, f"http://127.0.0.1:{free}")
        finally:
            context.pool.shutdown()
            found.close()


@asynccontextmanager
async def browser(of: Board, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client that keeps cookies and follows redirects."""
    options = {"follow_redirects": True, **options}
    async with httpx.AsyncClient(base_url=of.base, trust_env=False, timeout=20.0, **options) as client:
        yield client


def form_token(page: httpx.Response) -> str:
    """The token of the first form of a page."""
    return page.text.split('name="csrf" value="', 1)[1].split('"', 1)[0]
