"""Reads when a server wants to be asked again: Cache-Control, Expires, Retry-After. Pure functions of the headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

#: Nobody is waited for longer than this (FreshRSS has the same limit).
MAX_RETRY_AFTER_S = 48 * 3600.0

_SECONDS = re.compile(r"[0-9]{1,12}")


def freshness(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds for which an answer calls itself fresh; None when it says nothing, 0.0 for "not at all".

    The longer one of `max-age` less `Age`, and `Expires` less `Date` (RFC 9111, 4.2.1 and 5.2). With `no-cache` or
    `no-store` the numbers beside them mean nothing for a poller: not fresh at all, also where an earlier answer was.
    """
    if "cache-control" not in headers and "expires" not in headers:
        return None
    directives = _directives(headers.get("cache-control", ""))
    if "no-cache" in directives or "no-store" in directives:
        return 0.0
    hints: list[float] = []
    max_age = directives.get("max-age", "")
    if _SECONDS.fullmatch(max_age):
        age = headers.get("age", "").strip()
        hints.append(float(max_age) - (float(age) if _SECONDS.fullmatch(age) else 0.0))
    expires = http_date(headers.get("expires", ""))
    if expires is not None:
        hints.append(expires - (http_date(headers.get("date", "")) or now))
    return max(0.0, *hints) if hints else None


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that a server asks to wait, at most 48 hours; None for nothing usable (RFC 9110, 10.2.3).

    A date is taken relative to the answer's own `Date`, since the server's clock may be wrong.
    """
    value = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(value):
        wait = float(value)
    else:
        moment = http_date(value)
        if moment is None:
            return None
        wait = moment - (http_date(headers.get("date", "")) or now)
    return min(wait, MAX_RETRY_AFTER_S) if wait > 0 else None


def http_date(text: str) -> float | None:
    """Return the seconds since 1970-01-01 UTC of an HTTP date; None when it is none (`0` is common in Expires)."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
        return moment.timestamp() if moment.tzinfo else None
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def _directives(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in value.split(","):
        name, _, argument = part.strip().partition("=")
        found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found
