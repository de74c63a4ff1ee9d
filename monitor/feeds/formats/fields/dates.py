"""Dates of feeds: RFC 5322 and RFC 3339, and everything else that feeds write instead (FEEDS rule P7).

feedparser's own reader takes most zone names for UTC, gives None without a zone and reads unix seconds as a year, so
dates are read here, from the words of the document. Names of zones and months are data files.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

import msgspec
import yaml

from monitor.errors import DataFileError

#: News feeds are younger; earlier dates are the epoch, a template's default or a broken clock.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LONGEST = 120
#: libyaml's where it is there: each parser process reads the names of months.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
T = TypeVar("T")


class ReadDate(NamedTuple):
    """A moment in UTC, None when there is none, and what is doubtful about it.

    `flag` is '' or one of: `missing`, `unreadable`, `no_zone` (taken to be in the feed's zone), `ancient`.
    """

    value: datetime | None
    flag: str = ""


_MISSING = ReadDate(None, "missing")


class _Zones(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    utc: frozenset[str]
    fixed: dict[str, float | dict[str, float]]
    regional: dict[str, str]


class _Names(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    am: frozenset[str]
    pm: frozenset[str]
    months: dict[str, tuple[tuple[str, ...], ...]]


def read_date(raw: str, *, language: str = "", country: str = "", zone: str = "") -> ReadDate:
    """The moment that `raw` means.

    `language` (BCP 47) chooses among month names, `country` (ISO 3166) among zones of one name and the order of day and
    month, `zone` (an IANA name or an offset such as +03:00, UTC when empty or unknown) is used where `raw` names none.
    """
    if not raw:
        return _MISSING
    language = language.partition("-")[0].lower()
    zoned = True
    if (moment := _usual(raw, language)) is None:
        if not (text := _plain(raw)):
            return _MISSING
        try:
            moment, zoned = _read(text, language, country.upper(), _zone_of(zone))
        except (ValueError, OverflowError):
            return ReadDate(None, "unreadable")
    if moment < EARLIEST:
        return ReadDate(None, "ancient")
    return ReadDate(moment, "" if zoned else "no_zone")


def _usual(raw: str, language: str) -> datetime | None:
    """The same moment as `_read` finds, None where that takes more than reading numbers."""
    if match := _USUAL.fullmatch(raw):
        day, name, year, clock, hours, minutes = match.groups()
        if not (month := _month(name.lower(), language)):
            return None
        zone = f"{hours}:{minutes}" if hours else "Z"
        written = f"{year}-{_TWO_DIGITS[month]}-{day if len(day) == 2 else _TWO_DIGITS[int(day)]}T{clock}{zone}"
    elif match := _USUAL_ISO.fullmatch(raw):
        written = match[1] + match[2]
    else:
        return None
    try:
        moment = datetime.fromisoformat(written)
        return moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _plain(raw: str) -> str:
    """Digits of every script as ASCII, odd spaces and minus signs as the usual ones, lower case."""
    text = unicodedata.normalize("NFKC", raw[: _LONGEST * 2]).strip()
    if not text.isascii():
        digits = (str(unicodedata.digit(c)) if c.isdigit() else c for c in text)
        text = (
            "".join(c for c in digits if unicodedata.category(c) != "Cf").replace("\u2212", "-").replace("\u2013", "-")
        )
    return " ".join(text.split())[:_LONGEST].casefold()


#: RFC 5322 and RFC 3339 as nearly all feeds write them.
_HOUR_OF_DAY = r"(?:[01]\d|2[0-3])"
_EAST = r"[+-](?:0\d|1[0-4])"
_USUAL = re.compile(
    rf"(?:[A-Za-z]{{3}}, )?(\d{{1,2}}) ([A-Za-z]{{3}}) (\d{{4}}) ({_HOUR_OF_DAY}:\d\d:\d\d) "
    rf"(?:GMT|UTC|Z|({_EAST})(\d\d))",
    re.ASCII,
)
_USUAL_ISO = re.compile(rf"(\d{{4}}-\d\d-\d\dT{_HOUR_OF_DAY}:\d\d:\d\d)(?:\.\d+)?(Z|{_EAST}:\d\d)", re.ASCII)
_TWO_DIGITS = [f"{number:02}" for number in range(13)]
_UNIX = re.compile(r"(\d{9,10}|\d{13})(?:\.\d+)?")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:t?(\d\d)(\d\d)(\d\d)?)?(z|[+-]\d\d:?\d\d)?")
_ISO = re.compile(
    r"(\d{4})[-/.] ?(\d{1,2})(?:[-/.] ?(\d{1,2})\.?)?(?:(?:t|\s*,?\s|\s*-\s)\s*"
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:]\d*)?)?\s*([ap]\.?m\b\.?)?\s*(.*))?"
)
_YEAR = re.compile(r"\d{4}")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})")
_CJK = re.compile(r"(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일号]?")
_CLOCK = re.compile(
    r"\b(\d{1,2})\s?(?::|h|時|时|시)\s?(\d{1,2})\s?[分분]?(?::(\d{1,2})(?:[.,]\d+)?|\s?(\d{1,2})\s?[秒초])?"
)
_HOUR = re.compile(r"\b(\d{1,2})\s?(?=[ap]\.?m\b)")
_OFFSET = re.compile(r"([+-])\s?(\d{1,2}):?(\d{2})?(?!\d)")
_NUMERIC = re.compile(r"\b(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})\b")
_WORD = re.compile(r"[^\W\d_]+(?:[.'’][^\W\d_]+)*")
_NUMBER = re.compile(r"\d+")


def _read(text: str, language: str, country: str, home: tzinfo) -> tuple[datetime, bool]:
    """The moment, and whether the text named its zone. Raises ValueError when it can't be read."""
    if match := _UNIX.fullmatch(text):
        seconds = int(match[1])
        return datetime.fromtimestamp(seconds / 1000 if len(match[1]) == 13 else seconds, UTC), True
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return _iso(match, country, home)
    if _YEAR.fullmatch(text):
        return _moment(date(int(text), 1, 1), (0, 0, 0), None, home)
    if match := _ORDINAL.fullmatch(text):
        return _moment(date(int(match[1]), 1, 1) + timedelta(days=int(match[2]) - 1), (0, 0, 0), None, home)
    return _words(text, language, country, home)


def _iso(match: re.Match[str], country: str, home: tzinfo) -> tuple[datetime, bool]:
    year, month, day, hour, minute, second, *rest = match.groups()
    half, zone = ("", rest[0]) if len(rest) == 1 else rest
    clock = (_hour(int(hour or 0), half or ""), int(minute or 0), int(second or 0))
    found = _named_zone(zone, country) if zone else None
    return _moment(date(int(year), int(month), int(day or 1)), clock, found, home)


def _words(text: str, language: str, country: str, home: tzinfo) -> tuple[datetime, bool]:
    clock, half, zone = (0, 0, 0), "", None
    names = _names()
    if match := _CLOCK.search(text) or _HOUR.search(text):
        before, after = text[: match.start()], text[match.end() :]
        parts = [int(part) for part in match.groups() if part is not None]
        clock = (parts[0], parts[1] if len(parts) > 1 else 0, parts[2] if len(parts) > 2 else 0)
        words = [word.rstrip(".") for word in _WORD.findall(before)[-1:] + _WORD.findall(after)[:1]]
        half = next((word for word in words if word in names.am or word in names.pm), "")
        zone = _named_zone(after, country)
        after = _OFFSET.sub(" ", after, count=1) if zone is not None else after
        text = f"{before} {after}"
        clock = (_hour(clock[0], half), clock[1], clock[2])
    day = _day(text, language, country)
    return _moment(day, clock, zone, home)


def _day(text: str, language: str, country: str) -> date:
    if match := _CJK.search(text):
        return date(int(match[1]), int(match[2]), int(match[3]))
    if match := _ISO.search(text):
        return date(int(match[1]), int(match[2]), int(match[3] or 1))
    if match := _NUMERIC.search(text):
        first, second, year = int(match[1]), int(match[3]), _full_year(match[4])
        month_first = second > 12 or (first <= 12 and match[2] == "/" and country in {"US", "PH"})
        return date(year, first, second) if month_first else date(year, second, first)
    # The last one: a weekday that reads like a month (French and Spanish `mar`) stands before it.
    month = next((m for word in reversed(_WORD.findall(text)) if (m := _month(word.rstrip("."), language))), 0)
    numbers = _NUMBER.findall(text)
    if not month or not numbers:
        raise ValueError("no date")
    if len(numbers) == 1:
        return date(_full_year(numbers[0]), month, 1) if len(numbers[0]) == 4 else _no_year()
    first, second = numbers[:2]
    if len(first) == 4:
        return date(int(first), month, int(second))
    return date(_full_year(second), month, int(first))


def _no_year() -> date:
    raise ValueError("no year")


def _full_year(digits: str) -> int:
    """RFC 5322, section 4.3: two digits up to 49 are of this century, three digits count from 1900."""
    year = int(digits)
    if len(digits) >= 4:
        return year
    return year + 2000 if len(digits) == 2 and year < 50 else year + 1900


def _hour(hour: int, half: str) -> int:
    if not half:
        return hour
    names = _names()
    if half.replace(".", "") in {word.replace(".", "") for word in names.pm} and hour < 12:
        return hour + 12
    if half.replace(".", "") in {word.replace(".", "") for word in names.am} and hour == 12:
        return 0
    return hour


def _moment(day: date, clock: tuple[int, int, int], zone: tzinfo | None, home: tzinfo) -> tuple[datetime, bool]:
    hour, minute, second = clock
    if not (hour <= 24 and minute < 60 and second <= 60) or (hour == 24 and (minute or second)):
        raise ValueError("no time of day")
    local = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        hours=hour, minutes=minute, seconds=min(second, 59)
    )
    # A wall clock's reading is placed in its zone: no arithmetic across a change to summer time.
    return local.replace(tzinfo=zone or home).astimezone(UTC), zone is not None


def _named_zone(text: str, country: str) -> tzinfo | None:
    """The zone that stands at the end of a date: an offset, a name, or both (`GMT+3`); None when there is none."""
    offset = _OFFSET.search(text)
    if offset:
        hours, minutes = int(offset[2]), int(offset[3] or 0)
        if hours <= 14 and minutes < 60:
            east = timedelta(hours=hours, minutes=minutes)
            return timezone(east if offset[1] == "+" else -east)
        return None
    for word in _WORD.findall(text):
        if found := _zone_named(word.replace(".", ""), country):
            return found
    return None


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
    """Whether `zone` is an IANA zone or an offset such as +03:00."""
    return zone in {"UTC", "+00:00"} or _zone_of(zone) is not UTC


@lru_cache(maxsize=1024)
def _zone_of(zone: str) -> tzinfo:
    """The feed's own zone; UTC when it is empty or nobody knows it (a wrong option is refused where it is loaded)."""
    if not zone:
        return UTC
    if (match := _OFFSET.fullmatch(zone)) and int(match[2]) <= 14:
        east = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
        return timezone(east if match[1] == "+" else -east)
    try:
        return ZoneInfo(zone)
    except (OSError, ValueError, KeyError):
        return UTC


def _month(word: str, language: str) -> int:
    by_language = _months()
    return by_language.get(language, {}).get(word) or by_language["en"].get(word) or by_language[""].get(word, 0)


@cache
def _months() -> dict[str, dict[str, int]]:
    """Language -> name -> 1 to 12; under '' the names that mean the same month in every language that has them."""
    tables: dict[str, dict[str, int]] = {}
    everywhere: dict[str, set[int]] = {}
    for language, months in _names().months.items():
        table = tables.setdefault(language, {})
        for number, names in enumerate(months, 1):
            for name in names:
                folded = unicodedata.normalize("NFKC", name).casefold()
                for form in {folded, _unaccented(folded)}:
                    table.setdefault(form, number)
                    everywhere.setdefault(form, set()).add(number)
    tables[""] = {name: min(numbers) for name, numbers in everywhere.items() if len(numbers) == 1}
    return tables


def _unaccented(word: str) -> str:
    """`février` as `fevrier`; letters of other scripts keep their marks, which are letters there."""
    parts = unicodedata.normalize("NFD", word)
    bare = "".join(c for c in parts if not "\u0300" <= c <= "\u036f")
    return unicodedata.normalize("NFC", bare)


@cache
def _zones() -> _Zones:
    return _load("zones.yaml", _Zones)


@cache
def _names() -> _Names:
    names = _load("months.yaml", _Names)
    for language, months in names.months.items():
        if len(months) != 12 or not all(months):
            raise DataFileError("months.yaml", language, "twelve months with a name each are needed")
    return names


def _load(file: str, kind: type[T]) -> T:
    text = resources.files("monitor.feeds.formats.fields").joinpath("data", file).read_text(encoding="utf-8")
    try:
        return msgspec.convert(yaml.load(text, Loader=_LOADER), kind)  # noqa: S506  # it is one of the safe ones
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(file, "", str(error)) from error
