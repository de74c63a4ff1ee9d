"""Notice that no feed at all can be reached, which means that the network or DNS of this machine fails."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable

import structlog

from monitor import metrics

logger = structlog.get_logger()

#: Outcomes of polls that did not reach a server.
UNREACHED = frozenset({"dns", "dns_timeout", "connect", "connect_timeout", "proxy"})
#: After this many polls in a row that reached no server the network is to blame. For a poller that has never reached a
#: feed, one is enough.
_ENOUGH = 5
#: Seconds between two checks, and between two lines in the log.
_LOOK_EVERY, _SAY_EVERY = 1.0, 60.0


class NetworkCondition:
    """The condition of a poller's network: not ready while polls end but none reaches a server."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._reached = self._unreached = 0
        self._row = 0
        self._since: float | None = None
        self._said = 0.0

    def look(self, counts: dict[str, int]) -> None:
        """Update the condition from the number of polls by outcome since the process started; log when it changes."""
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
        """Yield for how long no feed could be reached."""
        if self._since is not None:
            yield f"no feed can be reached for {self._monotonic() - self._since:.0f} s: network or DNS?"

    def not_live(self) -> Iterable[str]:
        """Return nothing: a new process would have the same network."""
        return ()

    async def watch(self) -> None:
        """Check the counts every second, until cancelled."""
        while True:
            self.look(poll_counts())
            await asyncio.sleep(_LOOK_EVERY)


def poll_counts() -> dict[str, int]:
    """Return the number of polls of this process by outcome, from its metrics."""
    (family,) = metrics.feed_polls.collect()
    return {sample.labels["outcome"]: int(sample.value) for sample in family.samples if sample.name.endswith("_total")}
