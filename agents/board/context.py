"""What all parts of the board need: archive, leaders' names, configuration, clock, and the outbox to the topics."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Generic, ParamSpec, TypeVar

from aiohttp import web

from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.archive import Archive, EventFilters, LeaderNames, archive_queries, pair_contacts
from monitor.clock import Clock
from monitor.config import Config
from monitor.watchlist import Watchlist

P = ParamSpec("P")
T = TypeVar("T")

#: Threads that read the archive.
READERS = 3
#: Seconds after which the choices of the forms are gathered again.
_CHOICES_FOR = 60.0
#: Number of leaders and of pairs that a form suggests; any other can be typed.
_OFFERED = 100


@dataclass
class Progress:
    """How much of the topics was read since the board started: records read, out of those there at the start."""

    read: int = 0
    total: int = 0
    done: bool = False
    error: str = ""

    @property
    def percent(self) -> int:
        """The share that was read, from 0 to 100; 100 only when everything was."""
        return 100 if self.done or not self.total else min(99, self.read * 100 // self.total)


@dataclass
class TopicFlow:
    """How much work the topics hold, for the System page: by topic, records written in all, and still waiting."""

    written: dict[str, int] = field(default_factory=dict)
    waiting: dict[str, int] = field(default_factory=dict)


class RecentAnswers(Generic[T]):
    """Keeps up to `most` answers for some seconds: when news breaks, many readers request the same page at once.

    Requests that come while an answer is being made wait for this answer; it is made once.
    """

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._made: dict[Hashable, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return the answer kept for `key`, or make it. What `make` raises is raised here, and is not kept."""
        found, now = self._made.get(key), time.monotonic()
        if found is None or now - found[0] > self._seconds:
            self._made.pop(key, None)
            while len(self._made) >= self._most:
                del self._made[next(iter(self._made))]
            made = asyncio.ensure_future(make())
            made.add_done_callback(lambda made: self._forget_failed(key, made))
            self._made[key] = found = now, made
        # A client that disconnects must not cancel the answer that others wait for.
        return await asyncio.shield(found[1])

    def _forget_failed(self, key: Hashable, made: asyncio.Future[T]) -> None:
        if (made.cancelled() or made.exception()) and self._made.get(key, (0.0, None))[1] is made:
            del self._made[key]


@dataclass(frozen=True)
class FilterChoices:
    """What the filters of a page suggest: countries with their number of events, and leaders and pairs as written."""

    countries: tuple[tuple[str, int], ...]
    leaders: tuple[str, ...]
    pairs: tuple[str, ...]


@dataclass
class BoardContext:
    """The objects that the board's handlers share."""

    config: Config
    names: TopicNames
    archive: Archive
    people: LeaderNames
    watchlist: Watchlist
    clock: Clock
    outbox: Outbox
    progress: Progress = field(default_factory=Progress)
    flow: TopicFlow = field(default_factory=TopicFlow)
    _choices: tuple[str, float, FilterChoices] | None = None
    _gathering: threading.Lock = field(default_factory=threading.Lock)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "archive"))

    def choices(self) -> FilterChoices:
        """Return what the filters suggest, at most a minute old: gathering it means reading all events.

        One thread gathers at a time. Meanwhile the others return the previous choices; they wait if there are none.
        """
        known = self._known_choices()
        if known is not None and (time.monotonic() - known[1] <= _CHOICES_FOR or self._gathering.locked()):
            return known[2]
        with self._gathering:
            known = self._known_choices()  # another thread may have gathered them while this one waited
            if known is None or time.monotonic() - known[1] > _CHOICES_FOR:
                self._choices = known = (self.archive.identity, time.monotonic(), self._gathered())
            return known[2]

    def _known_choices(self) -> tuple[str, float, FilterChoices] | None:
        """Return the choices gathered last, with their time; None if the archive was started anew since."""
        known = self._choices
        return known if known is not None and known[0] == self.archive.identity else None

    def _gathered(self) -> FilterChoices:
        everything = EventFilters()
        rows = pair_contacts.leaders(self.archive, self.people, everything, _OFFERED)
        pairs = pair_contacts.pairs(self.archive, self.people, everything, self.clock().date(), _OFFERED)
        return FilterChoices(
            tuple(archive_queries.countries(self.archive)),
            tuple(dict.fromkeys(self.written(row.leader) for row in rows)),
            tuple(dict.fromkeys(self.written_pair(pair.leaders) for pair in pairs)),
        )

    def written(self, leader: str) -> str:
        """Return how a leader is written in a form's field: the name if only this leader has it, otherwise the id."""
        known = self.watchlist.leaders.get(leader)
        plain = known and not {"+", ","} & set(known.name) and self.people.leaders_named(known.name) == (leader,)
        return known.name if known and plain else leader

    def written_pair(self, pair: tuple[str, str]) -> str:
        """Return how a pair is written in a field of a form."""
        return " + ".join(self.written(leader) for leader in pair)

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a query of the archive in a thread, so that a slow one does not block the event loop."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, lambda: question(*args, **kwargs))


CONTEXT = web.AppKey("context", BoardContext)
