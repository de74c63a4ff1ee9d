"""The service's clock. Deciders take times as arguments; shells ask a `Clock`, and nothing else asks the machine.

`SUMMITRY_CLOCK` starts a process's clock at another moment, from which it runs on at the usual pace: for demonstrations
and rehearsals of old news. All processes of one service need the same `SUMMITRY_CLOCK`, in the form `MOMENT` (the clock
says MOMENT when the process starts) or `MOMENT@REAL` (it says MOMENT at the real time REAL), both RFC 3339.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta

from monitor.errors import ConfigError

#: Says what time it is, as an aware UTC datetime.
Clock = Callable[[], datetime]

VARIABLE = "SUMMITRY_CLOCK"


def real_clock() -> datetime:
    """Return the machine's time, in UTC."""
    return datetime.now(UTC)


def boot_time() -> float:
    """Seconds since the machine started, counting the time in which it was suspended; for lengths, not for dates.

    `time.monotonic` stands still while a machine sleeps (clock_gettime(2), CLOCK_MONOTONIC), so a lease that ran out
    meanwhile would look as if it held. Systems without CLOCK_BOOTTIME use the monotonic clock.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def shifted(offset: timedelta, base: Clock = real_clock) -> Clock:
    """Return a clock that is `offset` ahead of `base`."""
    return lambda: base() + offset


def service_clock(env: Mapping[str, str] = os.environ, base: Clock = real_clock) -> Clock:
    """Return the clock that the environment asks for; the machine's own where it asks for none.

    Raises ConfigError when `SUMMITRY_CLOCK` is not of the form that the module describes.
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
