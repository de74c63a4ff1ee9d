"""Read the time zones of dates: offsets, abbreviations, IANA names, POSIX strings."""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "zones.yaml"
OFFSET = re.compile(r"([+-])\s?(\d{1,2})[:.]?(\d{2})?(?!\d)")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’][^\W\d_]+)*")
#: `Europe/Berlin`, `America/Argentina/Buenos_Aires`, `Etc/GMT+3`, in lower case.
_REGION = re.compile(r"[a-z]+(?:_[a-z]+)*(?:/[a-z0-9]+(?:[_+-][a-z0-9]+)*)+")
#: POSIX (https://pubs.opengroup.org/onlinepubs/9799919799/basedefs/V1_chap08.html): `EST5EDT`, `CET-1CEST,M3.5.0`,
#: and `EST5`.
_POSIX = re.compile(
    r"(?<![a-z0-9])([a-z]{3,5})([+-]?\d{1,2})(?::\d{2})?([a-z]{3,5})(?![a-z])"
    r"|(?<![a-z0-9])([a-z]{3,5})\d(?!\d)"
)
#: An offset whose `+` became a space, as it does in a URL.
_LOST_PLUS = re.compile(r"\s*(0\d|1[0-4]):?([0-5]\d)\s*")
#: A name and the offset after it.
_NAME_AND_OFFSET = re.compile(r"([a-z]{3,5})\s?[+-]\s?(\d{1,2}):?(\d{2})?(?!\d)")


class _Zones(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    utc: frozenset[str]
    fixed: dict[str, float | dict[str, float]]
    regional: dict[str, str]
    summer: dict[str, str]
    phrases: dict[str, str]


def zone_in(text: str, country: str) -> tzinfo | None:
    """Find the time zone in the text after a time of day; None when it names none.

    `text` is in lower case. `country` (ISO 3166) decides between zones with the same abbreviation.
    """
    if not text.strip(" ()[]"):
        return None
    if "/" in text:
        for written in (text, text.strip(" ()[]").replace(" ", "_")):
            if (match := _REGION.search(written)) and (name := _regions().get(match[0])):
                return ZoneInfo(name)
    if found := _posix(text, country) or _offset(text, country):
        return found
    for phrase, name in _zones().phrases.items():
        if phrase in text:
            return ZoneInfo(name)
    words = [word.replace(".", "") for word in _WORD.findall(text)]
    for word in words:
        if found := _zone_named(word, country):
            return found
    return next((ZoneInfo(_regions()[word]) for word in words if len(word) > 2 and word in _regions()), None)


def _posix(text: str, country: str) -> tzinfo | None:
    match = _POSIX.search(text)
    if match is None:
        return None
    standard, west, summer, alone = match.groups()
    if alone:
        return _zone_named(alone, country)
    if region := _zones().summer.get(summer):
        return ZoneInfo(region)
    if standard in _zones().utc or _zone_named(standard, country) is not None:
        return _zone_named(standard, country)
    hours = -int(west)
    return timezone(timedelta(hours=hours)) if abs(hours) <= 14 else None


def _offset(text: str, country: str) -> tzinfo | None:
    match = OFFSET.search(text)
    if match is None:
        lost = _LOST_PLUS.fullmatch(text)
        return timezone(timedelta(hours=int(lost[1]), minutes=int(lost[2]))) if lost else None
    hours, minutes = int(match[2]), int(match[3] or 0)
    if hours > 14 or minutes > 59:
        return None
    east = timedelta(hours=hours, minutes=minutes)
    # In `EST+5` and `CET-1` the sign is POSIX's: hours west of Greenwich. It is so when the zone of that name has the
    # same number of hours; then the name decides.
    named = _NAME_AND_OFFSET.search(text)
    if named and named.end() >= match.end() and named[1] not in _zones().utc:
        found = _zone_named(named[1], country)
        if isinstance(found, timezone) and abs(found.utcoffset(None)) == east:
            return found
    return timezone(east if match[1] == "+" else -east)


@lru_cache(maxsize=1024)
def _zone_named(name: str, country: str) -> tzinfo | None:
    zones = _zones()
    if name in zones.utc:
        return UTC
    if name in zones.regional:
        return ZoneInfo(zones.regional[name])
    hours = zones.fixed.get(name)
    if isinstance(hours, dict):
        hours = hours.get(country, hours.get("default"))
    return timezone(timedelta(hours=hours)) if hours is not None else None


def known_zone(zone: str) -> bool:
    """Tell whether `zone` is an IANA zone or an offset such as +03:00."""
    return zone in {"UTC", "+00:00"} or zone_of(zone) is not UTC


@lru_cache(maxsize=1024)
def zone_of(zone: str) -> tzinfo:
    """Return the zone that a subscription names; UTC when it is empty or unknown (`options.checked` refuses those)."""
    if not zone:
        return UTC
    if (match := OFFSET.fullmatch(zone)) and int(match[2]) <= 14:
        east = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(east if match[1] == "+" else -east)
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        return UTC


@cache
def _zones() -> _Zones:
    return read_data_file(_FILE, _Zones)


@cache
def _regions() -> dict[str, str]:
    """Return all IANA names by their lower-case form.

    `ZoneInfo(name)` opens a file of that name, so the text of a feed is only looked up here and never passed to it.
    """
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return {name.casefold(): name for name in names}
