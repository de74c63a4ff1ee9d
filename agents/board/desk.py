"""What every part of the board needs: archive, names, configuration, clock, and the way to the topics."""

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
from monitor.archive import Archive, LeaderNames, NamedParticipants, archive_queries, pair_contacts
from monitor.clock import Clock
from monitor.config import Config
from monitor.watchlist import Watchlist

P = ParamSpec("P")
T = TypeVar("T")

#: Threads that read the archive.
READERS = 3
_CHOICES_FOR = 60.0
#: Leaders and pairs that a form offers; any other can be typed.
_OFFERED = 100


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


class Recent(Generic[T]):
    """What was just made, for whoever asks for the same: many do when news breaks. It is made once for all of them."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._made: dict[Hashable, tuple[float, asyncio.Future[T]]] = {}

    async def get(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """Return what was made for `key`, or what `make` makes. Raises what `make` raises, and forgets it."""
        found, now = self._made.get(key), time.monotonic()
        if found is None or now - found[0] > self._seconds:
            self._made.pop(key, None)
            while len(self._made) >= self._most:
                del self._made[next(iter(self._made))]
            made = asyncio.ensure_future(make())
            made.add_done_callback(lambda made: self._forget_failed(key, made))
            self._made[key] = found = now, made
        # One who goes away does not take it from the others.
        return await asyncio.shield(found[1])

    def _forget_failed(self, key: Hashable, made: asyncio.Future[T]) -> None:
        if (made.cancelled() or made.exception()) and self._made.get(key, (0.0, None))[1] is made:
            del self._made[key]


@dataclass(frozen=True)
class Choices:
    """What the forms offer to filter by: countries with how many take part, leaders and pairs as they are typed."""

    countries: tuple[tuple[str, int], ...]
    leaders: tuple[str, ...]
    pairs: tuple[str, ...]


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
    _choices: tuple[str, float, Choices] | None = None
    _gathering: threading.Lock = field(default_factory=threading.Lock)
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(READERS, "archive"))

    def choices(self) -> Choices:
        """Return what to filter by; gathering it goes through all events, so it is up to a minute old.

        One thread gathers; the others take what is known meanwhile, and wait only where nothing is.
        """
        known = self._known_choices()
        if known is not None and (time.monotonic() - known[1] <= _CHOICES_FOR or self._gathering.locked()):
            return known[2]
        with self._gathering:
            known = self._known_choices()  # perhaps another thread has just gathered it
            if known is None or time.monotonic() - known[1] > _CHOICES_FOR:
                self._choices = known = (self.archive.identity, time.monotonic(), self._gathered())
            return known[2]

    def _known_choices(self) -> tuple[str, float, Choices] | None:
        """What was gathered last, if it is of the archive as it is now."""
        known = self._choices
        return known if known is not None and known[0] == self.archive.identity else None

    def _gathered(self) -> Choices:
        everything = NamedParticipants()
        rows = pair_contacts.leaders(self.archive, self.people, everything, _OFFERED)
        pairs = pair_contacts.pairs(self.archive, self.people, everything, self.clock().date(), _OFFERED)
        return Choices(
            tuple(archive_queries.countries(self.archive)),
            tuple(dict.fromkeys(self.written(row.leader) for row in rows)),
            tuple(dict.fromkeys(self.written_pair(pair.leaders) for pair in pairs)),
        )

    def written(self, leader: str) -> str:
        """How a leader is written in a field of a form: the name where it stands for nobody else, or else the id."""
        known = self.watchlist.leaders.get(leader)
        plain = known and not {"+", ","} & set(known.name) and self.people.bearing(known.name) == (leader,)
        return known.name if known and plain else leader

    def written_pair(self, pair: tuple[str, str]) -> str:
        """Return how a pair is written in a field of a form."""
        return " + ".join(self.written(leader) for leader in pair)

    async def ask(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the archive in a thread, so that a long answer holds up nobody else."""
        return await asyncio.get_running_loop().run_in_executor(self.pool, lambda: question(*args, **kwargs))


DESK = web.AppKey("desk", Desk)
