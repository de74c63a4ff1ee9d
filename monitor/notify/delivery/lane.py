"""A lane: one receiver's queue. Lanes share nothing, so a receiver that is slow or dead delays no other."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.jobs import start_job

#: Longest sleep in seconds: a clock that is set must not leave messages lying.
_LONGEST_SLEEP = 30.0


class Lane:
    """Call `handle(key)` for each key at its time, at most `concurrency` at once and never twice at once for one key.

    `handle` says what is next for the key by calling `put` again.
    """

    def __init__(self, name: str, concurrency: int, handle: Callable[[str], Awaitable[None]], clock: Clock) -> None:
        self.name = name
        self.paused_until: datetime | None = None
        self._handle = handle
        self._clock = clock
        self._concurrency = concurrency
        self._heap: list[tuple[datetime, int, str]] = []
        self._due: dict[str, datetime] = {}
        self._order = itertools.count()
        self._busy: set[str] = set()
        self._changed = asyncio.Event()
        self._idle = asyncio.Condition()
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to work."""
        self._tasks = [start_job(self._work(), f"lane-{self.name}-{n}") for n in range(self._concurrency)]

    async def stop(self) -> None:
        """Stop at once; messages in flight are left in doubt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def put(self, key: str, due: datetime) -> None:
        """Handle `key` at `due`; an earlier `put` of the same key is forgotten."""
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._changed.set()

    def drop(self, key: str) -> None:
        """Forget `key`."""
        self._due.pop(key, None)

    def waiting(self) -> list[str]:
        """Return the keys that wait for their time."""
        return list(self._due)

    def has(self, key: str) -> bool:
        """Say whether `key` waits for its time."""
        return key in self._due

    async def settled(self, keys: set[str], busy: Callable[[], bool]) -> None:
        """Return when none of the keys is in flight and `busy` says no; it is asked whenever a turn has ended."""
        async with self._idle:
            await self._idle.wait_for(lambda: self._busy.isdisjoint(keys) and not busy())

    def _next(self, now: datetime) -> tuple[str | None, datetime | None]:
        """Return a key whose time has come, or the time of the first one."""
        if self.paused_until and now < self.paused_until:
            return None, self.paused_until
        later: list[tuple[datetime, int, str]] = []
        found: str | None = None
        first: datetime | None = None
        while self._heap:
            item = self._heap[0]
            due, _, key = item
            if self._due.get(key) != due:
                heapq.heappop(self._heap)
            elif key in self._busy:
                later.append(heapq.heappop(self._heap))
            elif due <= now:
                heapq.heappop(self._heap)
                found = key
                break
            else:
                first = due
                break
        for item in later:
            heapq.heappush(self._heap, item)
        return found, first

    async def _work(self) -> None:
        while True:
            self._changed.clear()
            now = self._clock()
            key, first = self._next(now)
            if key is None:
                wait = _LONGEST_SLEEP if first is None else min(_LONGEST_SLEEP, (first - now).total_seconds())
                try:
                    async with asyncio.timeout(max(wait, 0.001)):
                        await self._changed.wait()
                except TimeoutError:
                    pass
                continue
            self._due.pop(key, None)
            self._busy.add(key)
            # There may be more to do than this worker can take.
            self._changed.set()
            try:
                await self._handle(key)
            finally:
                self._busy.discard(key)
                self._changed.set()
                async with self._idle:
                    self._idle.notify_all()


def backoff(retries: tuple[timedelta, ...], attempts: int, roll: float) -> timedelta | None:
    """Return the wait after `attempts` failed ones, with jitter of a tenth by `roll` in [0, 1); None: give up."""
    if attempts > len(retries):
        return None
    return retries[attempts - 1] * (0.95 + 0.1 * roll)
