"""The service's clock. The pure modules take times as arguments; everything else asks a `Clock`, never the machine.

`SUMMITRY_CLOCK` moves the clock of a process to another date, for demonstrations and for replays of old news; from
there it runs at the usual pace. `MOMENT` means that the clock shows MOMENT when the process starts, `MOMENT@REAL` that
it shows MOMENT at the real time REAL. Both are RFC 3339. Give all processes of one service the same value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from monitor.errors import ConfigError

#: Returns the current time as an aware UTC datetime.
Clock = Callable[[], datetime]

VARIABLE = "SUMMITRY_CLOCK"


def real_clock() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


def boot_time() -> float:
    """Return the seconds since the machine started, including those it was suspended. Use it to measure durations.

    `time.monotonic` stops while the machine is suspended (clock_gettime(2), CLOCK_MONOTONIC), so a lease that expired
    in that time would still look valid. On systems without CLOCK_BOOTTIME this is the monotonic clock.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def shifted(offset: timedelta, base: Clock = real_clock) -> Clock:
    """Return a clock that is `offset` ahead of `base`."""
    return lambda: base() + offset


def service_clock(env: Mapping[str, str] = os.environ, base: Clock = real_clock) -> Clock:
    """Return the clock that `SUMMITRY_CLOCK` sets, or `base` when the variable is not set.

    Raises ConfigError when the variable has neither of the two forms `MOMENT` and `MOMENT@REAL`.
    """
    setting = env.get(VARIABLE, "")
    if not setting:
        return base
    moment, _, anchor = setting.partition("@")
    try:
        return shifted(_moment(moment) - (_moment(anchor) if anchor else base()), base)
    except ValueError:
        raise ConfigError(
            "environment",
            VARIABLE,
            f"{setting!r} is not a time",
            "write MOMENT or MOMENT@REAL, as 2026-02-04T08:00:00Z",
        ) from None


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(text)
    return moment.astimezone(UTC)
