"""The work queue of one receiver. Queues share nothing, so a slow or dead receiver does not delay the others."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from monitor.clock import Clock
from monitor.jobs import start_job

#: The longest sleep in seconds, so that messages are not delayed for long when the system clock is changed.
_LONGEST_SLEEP = 30.0


class WorkQueue:
    """Calls `handle(key)` for each key when it is due.

    At most `concurrency` calls run at once, and never two for the same key. `handle` calls `put` when the key must be
    handled again.
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
        """Start the tasks of the queue."""
        self._tasks = [start_job(self._work(), f"queue-{self.name}-{n}") for n in range(self._concurrency)]

    async def stop(self) -> None:
        """Cancel the tasks of the queue. Messages in flight are left in doubt."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []

    def put(self, key: str, due: datetime) -> None:
        """Handle `key` at `due`; this replaces an earlier `put` of the same key."""
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        self._changed.set()

    def drop(self, key: str) -> None:
        """Remove `key` from the queue."""
        self._due.pop(key, None)

    def waiting(self) -> list[str]:
        """Return the keys in the queue."""
        return list(self._due)

    def has(self, key: str) -> bool:
        """Tell whether `key` is in the queue."""
        return key in self._due

    async def settled(self, keys: set[str], busy: Callable[[], bool]) -> None:
        """Wait until none of the keys is being handled and `busy()` is False; it is called after each handled key."""
        async with self._idle:
            await self._idle.wait_for(lambda: self._busy.isdisjoint(keys) and not busy())

    def _next(self, now: datetime) -> tuple[str | None, datetime | None]:
        """Return a due key; or None, and the time at which the next key is due."""
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
            # Wake another task of the queue: more keys may be due.
            self._changed.set()
            try:
                await self._handle(key)
            finally:
                self._busy.discard(key)
                self._changed.set()
                async with self._idle:
                    self._idle.notify_all()


def backoff(retries: tuple[timedelta, ...], attempts: int, roll: float) -> timedelta | None:
    """Return the wait after the `attempts`-th failed attempt, None to give up.

    `roll`, from 0 to 1, adds a jitter of 5 % either way.
    """
    if attempts > len(retries):
        return None
    return retries[attempts - 1] * (0.95 + 0.1 * roll)
