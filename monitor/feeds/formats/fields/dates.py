"""Read the dates of feeds: RFC 5322, RFC 3339, and the many other forms that feeds write.

feedparser's date parser takes most zone names for UTC, returns None for a date without a zone, and reads Unix time as a
year. So dates are parsed here, from the text of the document. `date_words` has the names of months, `zone_names` the
time zones.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cache
from typing import NamedTuple

from monitor.feeds.formats.fields.calendars import find_day
from monitor.feeds.formats.fields.date_words import find_month, half_of_day, month_named, names, pattern
from monitor.feeds.formats.fields.zone_names import OFFSET, zone_in, zone_of

#: Earlier dates are not real: no news feed is that old. They are a default value such as 1970, or a broken clock.
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LONGEST = 120


class ReadDate(NamedTuple):
    """A time in UTC, or None, and a flag for its problem.

    `flag` is '', `missing`, `unreadable`, `no_zone` (the feed's zone was assumed) or `ancient` (before 1990, dropped).
    """

    value: datetime | None
    flag: str = ""


class _Clock(NamedTuple):
    """A time of day, and its position in the text."""

    hour: int
    minute: int
    second: int
    start: int
    end: int


_MISSING = ReadDate(None, "missing")


def read_date(raw: str, *, language: str = "", country: str = "", zone: str = "") -> ReadDate:
    """Read a date as a feed writes it.

    `language` (BCP 47) decides which month a name means. `country` (ISO 3166) decides which zone an abbreviation means,
    and whether 2/3/2026 is in February or March. `zone` (an IANA name or an offset such as +03:00, UTC when empty or
    unknown) is used when `raw` names no zone.
    """
    if not raw:
        return _MISSING
    language = language.partition("-")[0].lower()
    zoned = True
    if (moment := _usual(raw, language)) is None:
        if not (text := _plain(raw)):
            return _MISSING
        try:
            moment, zoned = _read(text, language, country.upper(), zone_of(zone))
        except (ValueError, OverflowError):
            return ReadDate(None, "unreadable")
    if moment < EARLIEST:
        return ReadDate(None, "ancient")
    return ReadDate(moment, "" if zoned else "no_zone")


def month_comes_first(raws: Iterable[str]) -> bool:
    """Tell whether dates such as 2/13/2026, without any such as 13/2/2026, show that the month is written first."""
    found = [(int(match[1]), int(match[2])) for raw in raws if "/" in raw and (match := _SLASHES.search(raw))]
    return any(second > 12 for _, second in found) and all(first <= 12 for first, _ in found)


def _usual(raw: str, language: str) -> datetime | None:
    """Read the two most common forms quickly; return None for all others, which `_read` then reads."""
    if match := _USUAL.fullmatch(raw):
        day, name, year, clock, hours, minutes = match.groups()
        if not (month := month_named(name, language)):
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
    """Return the text in lower case, with ASCII digits, plain spaces and plain minus signs."""
    raw = html.unescape(raw[: _LONGEST * 2]) if "&" in raw else raw[: _LONGEST * 2]
    text = unicodedata.normalize("NFKC", raw).strip()
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
    rf"(?:[A-Za-z]{{3}}, )?(\d{{1,2}}) ([A-Za-z]{{3}}) ((?:19|20)\d\d) ({_HOUR_OF_DAY}:\d\d:\d\d) "
    rf"(?:GMT|UTC|Z|({_EAST})(\d\d))",
    re.ASCII,
)
_USUAL_ISO = re.compile(rf"((?:19|20)\d\d-\d\d-\d\dT{_HOUR_OF_DAY}:\d\d:\d\d)(?:\.\d+)?(Z|{_EAST}:\d\d)", re.ASCII)
_TWO_DIGITS = [f"{number:02}" for number in range(13)]
#: Unix time in seconds, milliseconds, microseconds or nanoseconds, also as .NET writes it
#: (`/Date(1770218100000+0100)/`). Twelve digits that can be a date and time (`202602041530`) are not Unix time.
_UNIX = re.compile(
    r"(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])\d{6}$)(?:/?date\()?@?"
    r"(\d{9,10})(?:\d{3}|\d{6}|\d{9})?(?:\.\d+)?(?:(?<=\d)[+-]\d{4})?(?:\)/?)?"
)
#: Unix time as a number of JSON: `1.7702181e9`.
_UNIX_FLOAT = re.compile(r"(\d\.\d{3,9}e\+?)(?:0?9|12)")
_COMPACT = re.compile(r"(\d{4})(\d\d)(\d\d)(?:[t ]?(\d\d):?(\d\d):?(\d\d)?(?:[.,]\d+)?)?\s?(z|utc|gmt|[+-]\d\d:?\d\d)?")
_ISO = re.compile(
    r"(\d{4})[-/.] ?(\d{1,2})(?:[-/.] ?(\d{1,2})\.?)?(?:(?:t|\s*,?\s|\s*-\s)\s*"
    r"(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,:]\d*)?)?\s*([ap]\.?m\b\.?)?\s*(.*))?"
)
_YEAR = re.compile(r"\d{4}")
_ORDINAL = re.compile(r"(\d{4})-(\d{3})(?![\d-])")
_WEEK = re.compile(r"(\d{4})-?w(\d\d)(?:-?([1-7]))?(?!\d)")
# A date in numbers, within a longer text.
_YEAR_FIRST = re.compile(r"(?<!\d)(\d{4})\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)\.?")
_YEAR_LAST = re.compile(r"(?<!\d)(\d{1,2})\s?([./-])\s?(\d{1,2})\s?\2\s?(\d{4}|\d{2})(?!\d)")
_YEAR_AND_MONTH = re.compile(r"(?<!\d)(\d{4})[-/.] ?(\d{1,2})(?!\d)")
# A time of day, within a longer text.
_COLONS = re.compile(r"(?<!\d)(\d{1,2})\s?:\s?(\d{1,2})(?:\s?:\s?(\d{1,2})(?:[.,]\d+)?)?")
_DOTS = re.compile(r"(?<![\d.,/:+-])(\d{1,2})\.(\d{2})(?:\.(\d{2})(?:\.\d{3,9})?)?(?![\d/:]|\.\d)")
_BARE = re.compile(r"(?<![^\W\d_])t(\d\d)(\d\d)(\d\d)?(?!\d)")
_NUMBER = re.compile(r"\d+")
# A missing space: between date and time (`2026-02-0415:30`), and between day and year (`Feb 042026`).
_DAY_AND_CLOCK = re.compile(
    r"(?<!\d)(\d{4}-\d\d-\d\d|\d\d[./-]\d\d[./-]\d{4}|(?<=[^\W\d_])(?:19|20)\d\d)(\d{1,2}:\d\d)"
)
_DAY_AND_YEAR = re.compile(r"(?<=[^\W\d_])(\d{2})((?:19|20)\d{2})(?!\d)")
#: An hour without minutes (`2026-02-04t15z`), and a time with hyphens, as in names of files (`2026-02-04_15-30-00`).
_HOUR_ALONE = re.compile(r"(\d{4}-\d\d-\d\dt\d\d)(z|[+-]\d\d:?\d\d)?")
_HYPHENS = re.compile(r"(\d{4}-\d\d-\d\d)[ _t](\d\d)-(\d\d)-(\d\d)(?!\d)")
_SLASHES = re.compile(r"(?<![\d/])(\d{1,2})/(\d{1,2})/(?:\d{4}|\d\d)(?!\d)")
#: `am`, `pm` and time zones that are used in countries that write the month first.
_AMERICAN = re.compile(r"\d\s?[ap]m\b|(?<![a-z])[ecmp][sd]?t\b")
#: Later years than this are of the Buddhist era, 543 years ahead. In Thai so are years of two digits from `_SHORT` on.
_BUDDHIST_FROM, _BUDDHIST, _SHORT = 2400, 543, 33
#: Years of Taiwan's calendar are counted from 1911 and have three digits: 115 is 2026.
_REPUBLIC = 1911
_REPUBLIC_DAY = re.compile(r"(?<!\d)(1\d\d)\s?([-/.])\s?(\d{1,2})\s?\2\s?(\d{1,2})(?!\d)")


def _read(text: str, language: str, country: str, home: tzinfo) -> tuple[datetime, bool]:
    """Return the time, and whether the text named its zone. Raises ValueError when it can't be read."""
    if match := _UNIX.fullmatch(text):
        return datetime.fromtimestamp(int(match[1]), UTC), True
    if match := _UNIX_FLOAT.fullmatch(text):
        return datetime.fromtimestamp(int(float(f"{match[1]}9")), UTC), True
    if (found := find_day(text)) is not None:
        try:
            return _words(found.rest, language, country, home)  # a Gregorian date is beside it: take that one
        except ValueError:
            return _words(found.rest, language, country, home, found.day)
    if match := _HOUR_ALONE.fullmatch(text):
        text = f"{match[1]}:00{match[2] or ''}"
    text = _HYPHENS.sub(r"\1 \2:\3:\4", text)
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        return _iso(match, language, country, home)
    if _YEAR.fullmatch(text):
        return _moment(date(int(text), 1, 1), (0, 0, 0), None, home)
    if match := _ORDINAL.match(text):
        day = date(int(match[1]), 1, 1) + timedelta(days=int(match[2]) - 1)
        return _read(f"{day}{text[match.end() :]}", language, country, home)
    if match := _WEEK.match(text):
        day = date.fromisocalendar(int(match[1]), int(match[2]), int(match[3] or 1))
        return _read(f"{day}{text[match.end() :]}", language, country, home)
    text = _DAY_AND_YEAR.sub(r"\1 \2", _DAY_AND_CLOCK.sub(r"\1 \2", text))
    return _words(text, language, country, home)


def _iso(match: re.Match[str], language: str, country: str, home: tzinfo) -> tuple[datetime, bool]:
    year, month, day, hour, minute, second, *rest = match.groups()
    half, zone = ("", rest[0]) if len(rest) == 1 else rest
    half = half.replace(".", "") if half else half_of_day("", zone or "", language)
    clock = (_hour(int(hour or 0), half), int(minute or 0), int(second or 0))
    found = zone_in(zone, country) if zone else None
    return _moment(date(_full_year(year, language), int(month), int(day or 1)), clock, found, home)


def _words(text: str, language: str, country: str, home: tzinfo, day: date | None = None) -> tuple[datetime, bool]:
    """Read a date and time from a text: a date in numbers or with a month's name, and the time of day.

    When `day` is given, only the time of day is read.
    """
    if day is None:
        day, text = _numeric_day(text, language, country)
    clock = _clock(text)
    named = _named_clock(text)
    if named and (clock is None or named.start <= clock.start < named.end):
        clock = named
    if clock is None:
        return _moment(day or _named_day(text, language), (0, 0, 0), None, home)
    before, after = text[: clock.start], text[clock.end :]
    half = half_of_day(before, after, language)
    zone = zone_in(after, country)
    if day is None:
        rest = OFFSET.sub(" ", after, count=1) if zone is not None else after
        try:
            day = _named_day(before, language)
        except ValueError:  # the day, or only its year, comes after the time
            day = _named_day(f"{before} {rest}", language)
    return _moment(day, (_hour(clock.hour, half), clock.minute, clock.second), zone, home)


def _clock(text: str) -> _Clock | None:
    """Find the time of day: `15:30`, `15h30`, `15.30`, or an hour alone with a sign (`15h`, `3 pm`)."""
    signs, alone = _signed_clock()
    match = _COLONS.search(text)
    if match and text[: match.start()].endswith(("+", "-")) and (before := _DOTS.search(text, 0, match.start())):
        match = before  # the colon belongs to the offset of the zone
    match = match or signs.search(text) or _DOTS.search(text) or _BARE.search(text) or alone.search(text)
    if match is None:
        return None
    hour, minute, second = (*(int(group) for group in match.groups() if group), 0, 0)[:3]
    # Only the number's position, so that the words beside it can still say whether it is am or pm.
    at = next(number for number in range(1, 4) if match.group(number))
    return _Clock(hour, minute, second, match.start(at), match.end())


def _named_clock(text: str) -> _Clock | None:
    """Find `noon` or `midnight`, with or without 12 or 12:00 before it."""
    for hour, found in ((0, _twelve("midnight")), (12, _twelve("noon"))):
        if match := found.search(text):
            return _Clock(hour, 0, 0, match.start(), match.end())
    return None


@cache
def _twelve(sign: str) -> re.Pattern[str]:
    before = rf"(?:(?<!\d)(?:12|00?)(?:[:.]00(?:[:.]00)?)?\s?{pattern('hour')}?\s?)?"
    return re.compile(rf"{before}(?<![^\W\d_]){pattern(sign)}|{before}{pattern(sign)}(?<=[\u0e00-\u0eff\u2e80-\uffff])")


@cache
def _signed_clock() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return the patterns of `15h15` and `15時15分`, and of an hour alone: `15h`, `3 pm`, `下午3`, `klo 15`."""
    hour, minute, second = pattern("hour"), pattern("minute"), pattern("second")
    return (
        re.compile(rf"(?<!\d)(\d{{1,2}})\s?{hour}\s?(\d{{1,2}})(?!\d)(?:\s?{minute}(?:\s?(\d{{1,2}})\s?{second})?)?"),
        re.compile(
            rf"(?<!\d)(\d{{1,2}})\s?(?:{hour}|(?=[ap]\.?\s?m\b))"
            rf"|(?:{pattern('half')})\s?(\d{{1,2}})(?!\d)|(?<![^\W\d_]){pattern('at')}\.?\s?(\d{{1,2}})(?!\d)"
        ),
    )


def _numeric_day(text: str, language: str, country: str) -> tuple[date | None, str]:
    """Read a date that is written in numbers. Returns it and the rest of the text, or None and the whole text."""
    if match := _signed_day().search(text):
        era, number, month, day = match.groups()
        year = names().eras[era] + (1 if not number.isdecimal() else int(number)) if era else int(number)
        year += _REPUBLIC if not era and 100 <= year < 200 else 0
        return date(year, int(month), int(day)), _without(text, match)
    if match := _signed_month().search(text):
        day, month, other_day, year = (int(group or 0) for group in match.groups())
        return date(year, month, day or other_day), _without(text, match)
    if match := _YEAR_FIRST.search(text):
        return date(_full_year(match[1], language), int(match[3]), int(match[4])), _without(text, match)
    if language == "zh" and (match := _REPUBLIC_DAY.search(text)):
        return date(int(match[1]) + _REPUBLIC, int(match[3]), int(match[4])), _without(text, match)
    match = _YEAR_LAST.search(text)
    if match and not (len(match[4]) == 2 and match[2] == "." and _is_clock_of_named_day(text, language)):
        first, second, year = int(match[1]), int(match[3]), _full_year(match[4], language)
        # `am`, `pm` or an American time zone show that the month comes first, unless the country is known.
        is_american = country in {"US", "PH"} or (
            not country and language in {"", "en"} and _AMERICAN.search(text) is not None
        )
        month_first = second > 12 or (first <= 12 and match[2] == "/" and is_american)
        return date(year, first, second) if month_first else date(year, second, first), _without(text, match)
    match = _YEAR_AND_MONTH.search(text)
    if match and find_month(text, language) is None:
        return date(_full_year(match[1], language), int(match[2]), 1), _without(text, match)
    return None, text


@cache
def _signed_day() -> re.Pattern[str]:
    """Return the pattern of `2026年2月4日` and `令和8年2月4日`."""
    era = "|".join(map(re.escape, names().eras))
    return re.compile(
        rf"(?:({era})\.?\s?)?(?<!\d)(\d{{1,4}}|元)\s?{pattern('year')}\s?(\d{{1,2}})\s?{pattern('month')}\s?(\d{{1,2}})"
        rf"(?!\d)\s?{pattern('day')}?"
    )


@cache
def _signed_month() -> re.Pattern[str]:
    """Return the pattern of `02 3月 2026` and `3月 02, 2026`, which programs write in East Asian locales."""
    month, day = pattern("month"), pattern("day")
    return re.compile(
        rf"(?<!\d)(?:(\d{{1,2}})[\s./-]+)?(\d{{1,2}}){month}[\s./-]*(?:(?<=[\s./-])(\d{{1,2}}){day}?,?\s)?(\d{{4}})(?!\d)"
    )


def _is_clock_of_named_day(text: str, language: str) -> bool:
    """Tell whether `10.15.30` is a time of day: the month is named elsewhere, and there is no other time."""
    return find_month(text, language) is not None and not _COLONS.search(text)


def _named_day(text: str, language: str) -> date:
    """Read a date with the name of its month. Raises ValueError when there is none."""
    month = find_month(text, language)
    if month is None:
        raise ValueError("no date")
    numbers = _NUMBER.findall(f"{text[: month.start]} {text[month.end :]}")
    if not numbers or (len(numbers) == 1 and len(numbers[0]) != 4):
        raise ValueError("no year, or no number at all")
    if len(numbers) == 1:
        return date(_full_year(numbers[0], language), month.number, 1)
    first, second = numbers[:2]
    if len(first) == 4:
        return date(_full_year(first, language), month.number, int(second))
    return date(_full_year(second, language), month.number, int(first))


def _without(text: str, match: re.Match[str]) -> str:
    return f"{text[: match.start()]} {text[match.end() :]}".strip()


def _full_year(digits: str, language: str) -> int:
    """Return the year that the digits mean.

    RFC 5322, section 4.3: two digits up to 49 are of this century, three digits count from 1900.
    """
    year = int(digits)
    if len(digits) >= 4:
        return year - _BUDDHIST if year > _BUDDHIST_FROM else year
    if language == "th" and len(digits) == 2 and year >= _SHORT:
        return 2500 - _BUDDHIST + year
    return year + 2000 if len(digits) == 2 and year < 50 else year + 1900


def _hour(hour: int, half: str) -> int:
    if half == "pm" and hour < 12:
        return hour + 12
    return 0 if half == "am" and hour == 12 else hour


def _moment(day: date, clock: tuple[int, int, int], zone: tzinfo | None, home: tzinfo) -> tuple[datetime, bool]:
    hour, minute, second = clock
    if not (hour <= 24 and minute < 60 and second <= 60) or (hour == 24 and (minute or second)):
        raise ValueError("not a time of day")
    local = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(
        hours=hour, minutes=minute, seconds=min(second, 59)
    )
    # The zone is set last: arithmetic on a local time would go wrong at a change to summer time.
    return local.replace(tzinfo=zone or home).astimezone(UTC), zone is not None
