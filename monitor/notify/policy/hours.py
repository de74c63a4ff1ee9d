"""Compute when quiet hours end and when the next digest is due. Pure; time zones are from the IANA database."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitor.config import Digest, QuietHours

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def quiet_until(hours: QuietHours, now: datetime) -> datetime | None:
    """Return when the quiet hours that contain `now` end, None outside quiet hours.

    `hours.days` are the days on which quiet hours begin; they may end after midnight.
    """
    zone = ZoneInfo(hours.zone)
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    today = now.astimezone(zone).date()
    for begins in (today - timedelta(days=1), today):
        if _DAYS[begins.weekday()] not in hours.days:
            continue
        ends = begins if start < end else begins + timedelta(days=1)
        first = datetime.combine(begins, start, zone).astimezone(UTC)
        last = datetime.combine(ends, end, zone).astimezone(UTC)
        if first <= now < last:
            return last
    return None


def next_digest(digest: Digest, now: datetime) -> datetime:
    """Return the first digest time after `now`."""
    zone = ZoneInfo(digest.zone)
    today = now.astimezone(zone).date()
    moments = (
        datetime.combine(today + timedelta(days=day), time.fromisoformat(at), zone).astimezone(UTC)
        for day in (0, 1, 2)
        for at in digest.at
    )
    return min(moment for moment in moments if moment > now)
