"""Read dates of the Islamic, Persian and Ethiopian calendars.

News agencies of Arab states write Islamic dates, mostly beside Gregorian ones; those of Iran and Afghanistan write
Persian dates only. The names of months, and the lengths of Islamic months, are in `calendars.yaml`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec

from monitor.yaml_text import read_data_file

_FILE = Path(__file__).parent / "data" / "calendars.yaml"
#: A text can only hold such a date when it has a year such as 1446 or 1404, or Ethiopic letters.
_YEAR = re.compile(r"(?<!\d)1[34]\d\d(?!\d)")
_ETHIOPIC = re.compile("[\u1200-\u137f]")
#: The Gregorian dates of 1 Farvardin 1404 and 1 Meskerem 2000; other years are counted from them.
_PERSIAN_YEAR, _PERSIAN_DAY = 1404, date(2025, 3, 21)
_ETHIOPIAN_YEAR, _ETHIOPIAN_DAY = 2000, date(2007, 9, 12)
_MONTHS = 12


class _Months(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    months: tuple[tuple[str, ...], ...]


class _Islamic(_Months, frozen=True, forbid_unknown_fields=True):
    first_year: int
    first_day: date
    long_months: tuple[int, ...]


class _Calendars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    islamic_from: int
    same_letters: dict[str, str]
    fillers: tuple[str, ...]
    marks: tuple[str, ...]
    islamic: _Islamic
    persian: _Months
    ethiopian: _Months


class FoundDay(NamedTuple):
    """The Gregorian day that was found, and the rest of the text without it."""

    day: date
    rest: str


def find_day(text: str) -> FoundDay | None:
    """Find an Islamic, Persian or Ethiopian date in a text; None when there is none.

    The text must be in lower case with ASCII digits. Raises ValueError for a day that the calendar does not have, and
    for Islamic years that are not in the table.
    """
    if not (_YEAR.search(text) or _ETHIOPIC.search(text)):
        return None
    letters = text.translate(_letters())
    if match := _named().search(letters):
        day, name, year = match.group(1, 2, 3) if match[1] else match.group(5, 4, 6)
        to_day, number = _names()[name]
        found = to_day(int(year), number, int(day))
    elif match := _in_numbers().search(letters):
        year, month, day = map(int, match.group(1, 2, 3) if match[1] else match.group(6, 5, 4))
        found = (_islamic if year >= _calendars().islamic_from else _persian)(year, month, day)
    else:
        return None
    return FoundDay(found, f"{text[: match.start()]} {text[match.end() :]}".strip())


def _islamic(year: int, month: int, day: int) -> date:
    table = _calendars().islamic
    place = year - table.first_year
    if not 0 <= place < len(table.long_months):
        raise ValueError("that Islamic year is not in the table")
    before = sum(29 * _MONTHS + months.bit_count() for months in table.long_months[:place])
    lengths = [29 + (table.long_months[place] >> number & 1) for number in range(_MONTHS)]
    return table.first_day + timedelta(days=before + _day_of_year(lengths, month, day))


def _persian(year: int, month: int, day: int) -> date:
    first, last = sorted((year, _PERSIAN_YEAR))
    days = sum(365 + _is_long_persian(each) for each in range(first, last))
    start = _PERSIAN_DAY + timedelta(days=days if year > _PERSIAN_YEAR else -days)
    return start + timedelta(days=_day_of_year([31] * 6 + [30] * 5 + [29 + _is_long_persian(year)], month, day))


def _is_long_persian(year: int) -> bool:
    """Tell whether a Persian year has 366 days. The rule, eight years in 33, holds from 1178 to 1633."""
    return (25 * year + 11) % 33 < 8


def _ethiopian(year: int, month: int, day: int) -> date:
    # The years 3, 7, 11, ... are leap years, so the following year begins a day later.
    start = _ETHIOPIAN_DAY + timedelta(days=365 * (year - _ETHIOPIAN_YEAR) + year // 4 - _ETHIOPIAN_YEAR // 4)
    return start + timedelta(days=_day_of_year([30] * 12 + [5 + (year % 4 == 3)], month, day))


def _day_of_year(lengths: list[int], month: int, day: int) -> int:
    if not (0 < month <= len(lengths) and 0 < day <= lengths[month - 1]):
        raise ValueError("the calendar has no such day")
    return sum(lengths[: month - 1]) + day - 1


@cache
def _calendars() -> _Calendars:
    return read_data_file(_FILE, _Calendars)


@cache
def _letters() -> dict[int, str]:
    return {ord(written): letter for written, letter in _calendars().same_letters.items()}


@cache
def _names() -> dict[str, tuple[Callable[[int, int, int], date], int]]:
    """Map a month's name to its calendar and number."""
    found = _calendars()
    calendars: tuple[tuple[Callable[[int, int, int], date], _Months], ...] = (
        (_islamic, found.islamic), (_persian, found.persian), (_ethiopian, found.ethiopian),
    )  # fmt: skip
    return {
        name.translate(_letters()): (to_day, number)
        for to_day, calendar in calendars
        for number, names in enumerate(calendar.months, 1)
        for name in names
    }


def _either(words: Iterable[str]) -> str:
    ordered = sorted((word.translate(_letters()) for word in words), key=len, reverse=True)
    return "|".join(map(re.escape, ordered))


@cache
def _named() -> re.Pattern[str]:
    """Return the pattern of a date with a month's name, such as `15 bahman 1404` or `bahman 15, 1404`.

    A mark of the calendar (as in "1446 AH") may follow.
    """
    found = _calendars()
    gap = rf"[\s.,/-]*(?:(?:{_either(found.fillers)})\s*)?"
    name = rf"(?<![^\W\d_])({_either(_names())})"
    year = rf"((?:1[34]|20)\d\d)(?!\d)(?:\s?(?:{_either(found.marks)})(?![^\W\d_]))?"
    return re.compile(rf"(?<!\d)(\d{{1,2}}){gap}{name}{gap}{year}|{name}[\s.-]*(\d{{1,2}})(?!\d)[\s.,-]*{year}")


@cache
def _in_numbers() -> re.Pattern[str]:
    mark = rf"(?:\s?(?:{_either(_calendars().marks)})(?![^\W\d_]))?"
    return re.compile(
        r"(?<!\d)(1[34]\d\d)\s?[-/.]\s?(\d{1,2})\s?[-/.]\s?(\d{1,2})(?!\d)"
        rf"|(?<![\d.:])(\d{{1,2}})\s?[-/.]\s?(\d{{1,2}})\s?[-/.]\s?(1[34]\d\d)(?!\d){mark}"
    )
