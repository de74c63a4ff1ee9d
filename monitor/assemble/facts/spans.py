"""Classifies a span of days: a week, a month, the first half of a year."""

from __future__ import annotations

from calendar import monthrange
from datetime import date

from monitor.records import Granularity, When

_WEEK = 7
_SUNDAY = 6
#: Number of days in a third of a year.
_THIRD = range(120, 124)
#: Days of a month on which its early part ends, its middle begins and ends, and its late part begins.
_EARLY = range(8, 12)
_MID_FROM, _MID_TO = range(9, 13), range(18, 22)
_LATE = range(19, 24)
#: Granularities that only the words of a text can give.
_TOLD: frozenset[Granularity] = frozenset({"until", "from", "around", "reported"})


def shape_of(when: When, said: date) -> Granularity:
    """Return the granularity of a time that was published on the day `said`; `range` if it has no special form."""
    start, end = when.start, when.end
    if when.granularity in _TOLD:
        return when.granularity
    if start == end:
        return "day"
    if start == said and when.granularity == "range" and (shape := _rest_of(start, end)) is not None:
        return shape  # it began before it was published
    days = (end - start).days + 1
    if start.weekday() + days == _WEEK:
        if days == _WEEK:
            return "week"
        if days == 2:
            return "weekend"
    of_month = (start.year, start.month) == (end.year, end.month)
    whole_months = start.day == 1 and end.day == monthrange(end.year, end.month)[1]
    if of_month and not whole_months and (third := _third_of(start, end)) is not None:
        return third
    if start.year == end.year and days in _THIRD and (start.month, start.day) == (1, 1):
        return "early"
    if whole_months and start.year == end.year:
        months = end.month - start.month + 1
        shapes: dict[int, Granularity] = {1: "month", 3: "quarter", 6: "half", 12: "year"}
        if months in shapes and (start.month - 1) % months == 0:
            return shapes[months]
    return when.granularity


def _rest_of(start: date, end: date) -> Granularity | None:
    """The month or year of which these are the last days: "later this year"."""
    if start.year != end.year:
        return None
    if (end.month, end.day) == (12, 31) and start.month < end.month:
        return "year"
    return "month" if (start.month, monthrange(end.year, end.month)[1]) == (end.month, end.day) else None


def _third_of(start: date, end: date) -> Granularity | None:
    if start.day == 1 and end.day in _EARLY:
        return "early"
    if start.day in _MID_FROM and end.day in _MID_TO:
        return "mid"
    return "late" if start.day in _LATE and end.day == monthrange(end.year, end.month)[1] else None
