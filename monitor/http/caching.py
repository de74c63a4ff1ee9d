"""Read from the headers when a server wants the next request: Cache-Control, Expires, Retry-After. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

#: The longest Retry-After that is obeyed (FreshRSS has the same limit).
MAX_RETRY_AFTER_S = 48 * 3600.0

_SECONDS = re.compile(r"[0-9]{1,100}")


def freshness(headers: Mapping[str, str], now: float) -> float | None:
    """Return for how many seconds a response is fresh; None when its headers do not say, 0.0 for "not at all".

    That is the longer one of `max-age` minus `Age`, and `Expires` minus `Date` (RFC 9111, 4.2.1 and 5.2). `no-cache`
    and `no-store` mean 0.0, whatever the other values. `now` is the time in seconds since 1970.
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
    """Return the seconds that a Retry-After header asks to wait, at most 48 hours (RFC 9110, 10.2.3).

    Returns None when the header is missing or not valid. A date is compared with the response's own `Date`, since the
    server's clock may be wrong.
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
    """Return the seconds since 1970-01-01 UTC of an HTTP date; None for anything else (`0` is common in Expires)."""
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
