"""What HTTP answers mean for a delivery."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from monitor.errors import DeliveryError

#: Longest Retry-After that is obeyed, in seconds.
MAX_RETRY_AFTER = 86400.0


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds to wait as the answer's Retry-After says (RFC 9110, 10.2.3), None when it says nothing usable."""
    value = headers.get("retry-after", headers.get("Retry-After", "")).strip()
    if not value:
        return None
    if value.isdecimal():
        return min(float(value), MAX_RETRY_AFTER)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max(0.0, (moment - (now or datetime.now(UTC))).total_seconds()), MAX_RETRY_AFTER)


def refused(status: int, wait: float | None) -> DeliveryError:
    """The error for an answer that is not 2xx; every one of them is tried again on schedule."""
    if status == 429:
        return DeliveryError("429 Too Many Requests", reason="rate_limited", retry_after=wait)
    kind = {3: "redirect", 4: "refused", 5: "server"}.get(status // 100, "answer")
    return DeliveryError(f"HTTP {status}", reason=f"{kind}", retry_after=wait)
