"""The time zone in which an outlet writes "today": that of its state, from `data/zones.yaml`."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.detect.datafile import read
from monitor.errors import DataFileError

#: The time that monitor.articles gives to a date without a time, because at noon UTC the date is the same in most
#: zones.
_DATE_ALONE = time(12)


@cache
def _zones() -> dict[str, ZoneInfo]:
    zones = {}
    for country, name in read("zones.yaml", dict[str, str]).items():
        try:
            zones[country] = ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise DataFileError("zones.yaml", country, f"no time zone {name!r}") from error
    return zones


def local_time(moment: datetime, country: str) -> datetime:
    """Return the aware `moment` in the time zone of the outlet's `country` (ISO 3166 alpha-2), or in UTC if unknown.

    Exactly noon UTC is returned unchanged, because it stands for a date without a time.
    """
    moment = moment.astimezone(UTC)
    zone = _zones().get(country)
    return moment if zone is None or moment.time() == _DATE_ALONE else moment.astimezone(zone)
