"""Measure how long work takes, in seconds that mean the same on slow and fast machines."""

from __future__ import annotations

import time
from collections.abc import Callable

_STEPS = 1_000_000
#: Steps of a plain loop that a usual core makes in a second. The loop runs beside the work, as the measure for it.
_STEPS_A_SECOND = 12_000_000


def seconds(work: Callable[[], object], runs: int = 1) -> float:
    """Return the shortest of some runs, of this process's own time, in seconds of a usual core."""
    loop, wanted = min(_own_time(_loop) for _ in range(3)), min(_own_time(work) for _ in range(runs))
    return wanted / loop * _STEPS / _STEPS_A_SECOND


def _loop() -> int:
    total = 0
    for number in range(_STEPS):
        total += number
    return total


def _own_time(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start
