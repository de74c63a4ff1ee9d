"""Read and write durations in the one form that files and commands use: `90s`, `30m`, `12h`, `7d`, `2w`, `1h30m`."""

from __future__ import annotations

import re
from datetime import timedelta

#: Seconds in each unit, the largest first.
UNITS = {"w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
_PART = r"(\d+(?:\.\d+)?)\s*(ms|[wdhms])"
_WHOLE = re.compile(rf"(?:{_PART}\s*)+")
#: Ten years; a longer duration is taken for a typing mistake.
_LONGEST = 366 * UNITS["d"] * 10


def parse_duration(text: str) -> timedelta:
    """Read a duration such as `12h` or `1h30m`; a bare number counts seconds.

    Raises ValueError, with a message for the user, for any other text and for more than ten years.
    """
    text = text.strip().lower()
    if re.fullmatch(r"\d+(?:\.\d+)?", text):
        seconds = float(text)
    elif _WHOLE.fullmatch(text):
        seconds = sum(float(number) * UNITS[unit] for number, unit in re.findall(_PART, text))
    else:
        raise ValueError(f"{text!r} is not a duration: write 90s, 30m, 12h, 7d or 2w")
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than ten years")
    return timedelta(seconds=seconds)


def duration_text(length: timedelta) -> str:
    """Write a duration in the largest unit that gives a whole number: `5m`, `36h`, `7d`."""
    seconds = length.total_seconds()
    for unit in ("d", "h", "m", "s"):
        if seconds and seconds % UNITS[unit] == 0:
            return f"{int(seconds // UNITS[unit])}{unit}"
    return f"{seconds:g}s"
