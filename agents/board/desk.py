"""What every part of the board needs: archive, names, configuration, clock, and the way to the topics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import ParamSpec, TypeVar

from aiohttp import web

from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.archive import Archive, LeaderNames, archive_queries
from monitor.clock import Clock
from monitor.config import Config
from monitor.watchlist import Watchlist

P = ParamSpec("P")
T = TypeVar("T")

#: Threads that read the archive.
READERS = 3
_COUNTRIES_FOR = 60.0


@dataclass
class Progress:
    """How much of the topics was read: records read and records there when the board began."""

    read: int = 0
    total: int = 0
    done: bool = False
    error: str = ""

    @property
    def percent(self) -> int:
        """How much is done."""
        return 100 if self.done or not self.total else min(99, self.read * 100 // self.total)


@dataclass
class Flow:
    """What the System page knows of the stream: records ever written to each topic, and what waits, by topic."""

    written: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


@dataclass
class Desk:
    """The board's parts."""

    config: Config
    names: TopicNames
    archive: Archive
    people: LeaderNames
    watchlist: Watchlist
    clock: Clock
    outbox: Outbox
    progress: Progress = field(default_factory=Progress)
    flow: Flow = field(default_factory=Flow)
    _countries: tuple[str, float, list[tuple[str, int]]] | None = None
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "archive"))

    def countries(self) -> list[tuple[str, int]]:
        """The countries to filter by; counting them goes through all events, so they are up to a minute old."""
        known, now = self._countries, time.monotonic()
        if known is None or known[0] != self.archive.identity or now - known[1] > _COUNTRIES_FOR:
            self._countries = known = (self.archive.identity, now, archive_queries.countries(self.archive))
        return known[2]

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the archive in a thread, so that a long answer holds up nobody else."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, lambda: question(*args, **kwargs))


DESK = web.AppKey("desk", Desk)
