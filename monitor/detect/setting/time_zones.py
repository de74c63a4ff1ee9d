"""In which time zone an outlet writes "today": the one of its state, as `data/zones.yaml` has it."""

from __future__ import annotations

from datetime import UTC, datetime, time
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from monitor.detect.datafile import read
from monitor.errors import DataFileError

#: What archives that keep dates alone are read as (monitor.articles): the date holds in every zone.
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
    """The aware `moment` on the clocks of the outlet's `country` (ISO 3166 alpha-2); in UTC where that is not known.

    Noon UTC to the second stays as it is: it stands for a date without a time.
    """
    moment = moment.astimezone(UTC)
    zone = _zones().get(country)
    return moment if zone is None or moment.time() == _DATE_ALONE else moment.astimezone(zone)
