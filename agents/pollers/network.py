"""Notice that no feed at all can be reached, and say so: one feed that fails is its own fault, all of them are not."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from monitor import metrics

logger = structlog.get_logger()

#: Outcomes of polls that never got to a server.
UNREACHED = frozenset({"dns", "dns_timeout", "connect", "connect_timeout", "proxy"})
#: Polls in a row, with none that got to a server between them, after which it is not the feeds' fault. A poller that
#: has not reached any feed yet says so at the first one.
_ENOUGH = 5
#: Seconds between two looks, and between two lines in the log.
_LOOK_EVERY, _SAY_EVERY = 1.0, 60.0


class Network:
    """The condition of a poller: not ready while polls end and none of them gets to a server."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._reached = self._unreached = 0
        self._row = 0
        self._since: float | None = None
        self._said = 0.0

    def look(self, counts: dict[str, int]) -> None:
        """Take how many polls have ended in each way since the process started; log when that changes the condition."""
        now = self._monotonic()
        unreached = sum(count for outcome, count in counts.items() if outcome in UNREACHED)
        reached = sum(counts.values()) - unreached
        if reached > self._reached:
            if self._since is not None:
                logger.warning("network_is_back", seconds=round(now - self._since), why="feeds can be reached again")
            self._since = None
            self._row = 0
        elif unreached > self._unreached:
            self._row += unreached - self._unreached
            if self._since is None and self._row >= (_ENOUGH if reached else 1):
                self._since, self._said = now, now - _SAY_EVERY
        self._reached, self._unreached = reached, unreached
        if self._since is not None and now - self._said >= _SAY_EVERY:
            logger.warning(
                "waiting_for_network", seconds=round(now - self._since), why="no feed can be reached: network or DNS?"
            )
            self._said = now

    def not_ready(self) -> Iterable[str]:
        """Say for how long no feed could be reached."""
        if self._since is not None:
            yield f"no feed can be reached for {self._monotonic() - self._since:.0f} s: network or DNS?"

    def not_live(self) -> Iterable[str]:
        """Name no reason to end the process: a new one would have no other network."""
        return ()

    async def watch(self) -> None:
        """Look at the counts every few seconds, until it is cancelled."""
        while True:
            self.look(poll_counts())
            await asyncio.sleep(_LOOK_EVERY)


def poll_counts() -> dict[str, int]:
    """Return how many polls of this process ended in each way, from its metrics."""
    (family,) = metrics.feed_polls.collect()
    return {sample.labels["outcome"]: int(sample.value) for sample in family.samples if sample.name.endswith("_total")}
