"""Turns an expression of time into days: from a rule and the words that filled it, relative to the article's date.

A vague expression becomes a range with its granularity, never a guessed day. If the meaning depends on the verb's tense
("on Friday", "in May"), the result has both readings.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Literal

import msgspec

from monitor.records import Granularity, When

Direction = Literal["past", "future", "none"]
Unit = Literal["hour", "day", "week", "weekend", "month", "quarter", "year"]
Part = Literal["early", "mid", "late", "first_half", "second_half"]
Season = Literal["spring", "summer", "autumn", "winter"]
Mode = Literal["bare", "last", "this", "next", "coming"]
Meaning = Literal[
    "none", "date", "date_range", "weekday", "weekday_range", "offset", "unit", "distance", "within", "rest", "end",
    "month", "month_range", "year", "quarter", "season", "weekend", "beside",
]  # fmt: skip

#: Expressions further than this from the article's date are ignored.
_HORIZON = timedelta(days=366 * 120)
#: The length, in days, of "the coming days, weeks, months, years".
_SOME: dict[str, int] = {"hour": 1, "day": 7, "week": 42, "month": 183, "quarter": 274, "year": 1096}
#: The first month of each season on the northern half of the globe, where most diplomatic calendars are made.
_SEASONS: dict[str, int] = {"spring": 3, "summer": 6, "autumn": 9, "winter": 12}
_DAY = timedelta(days=1)
#: Parts with a granularity of their own; other parts are ranges.
_PARTS: dict[tuple[Granularity, Part], Granularity] = {
    ("month", "early"): "early", ("month", "mid"): "mid", ("month", "late"): "late",
    ("year", "first_half"): "half", ("year", "second_half"): "half",
}  # fmt: skip

#: Days by which a date without a year may contradict its clause's tense and still be taken from the nearest year.
_SLACK = 60

#: How near the turn of the month a day without a month may be of the other month, in days.
_TURN = 10


class TimeRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One kind of expression: its form and its meaning.

    `none` marks words that only look like a time ("2박 3일", a duration). `shift` counts units, or months for a day
    without a month, or gives the sign of a distance. `mode` says how a weekday is meant, and `part` narrows the result.
    `feast` is a holiday's month and day. Before `hour` of the article's day the time lies ahead ("this evening").
    `unless_before`: with one of these words among the five before it, the expression means something else ("their first
    in two weeks"). `moved`: a date that is moved from the first day to the second ("décalé du 13 au 20 mars").
    """

    match: str
    mean: Meaning
    shift: int = 0
    unit: Unit | None = None
    mode: Mode = "bare"
    part: Part | None = None
    feast: str = ""
    hour: int = 0
    unless_before: tuple[str, ...] = ()
    moved: bool = False


class DateSpan(msgspec.Struct, frozen=True):
    """A range of dates, both ends included."""

    start: date
    end: date
    granularity: Granularity

    def when(self, text: str) -> When:
        """Return the span as the `When` of a record."""
        return When(start=self.start, end=self.end, granularity=self.granularity, text=text)


class TimeReading(msgspec.Struct, frozen=True):
    """The meaning of a match: the default reading, and a reading for each tense if they differ.

    `direction` is set if the words say on which side of the article's date a span lies that includes this date ("later
    this month").
    """

    default: DateSpan
    past: DateSpan | None = None
    future: DateSpan | None = None
    explicit: bool = True
    direction: Direction | None = None


class TimeSlots(msgspec.Struct, frozen=True):
    """The slots that a match filled, as numbers and names. Second days, weekdays and months have their own fields."""

    day: int = 0
    day2: int = 0
    month: int = 0
    month2: int = 0
    year: int = 0
    weekday: int = 0
    weekday2: int = 0
    n: int = 0
    unit: Unit | None = None
    season: Season | None = None
    part: Part | None = None
    quarter: int = 0


def read_rule(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    """Return the days that a matched rule means, relative to `base`; None if such days do not exist."""
    try:
        if rule.feast:
            month, day = map(int, rule.feast.split("-"))
            groups = msgspec.structs.replace(groups, month=month, day=day)
        reading = _MEANINGS[rule.mean](rule, groups, base)
    except (ValueError, OverflowError):  # such a day or year does not exist
        return None
    if reading is None or abs(reading.default.start - base) > _HORIZON:
        return None
    return reading


# --- One function for each meaning ------------------------------------------------------------------------------------


def _day(day: date) -> DateSpan:
    return DateSpan(day, day, "day")


def _container(unit: Unit, day: date, shift: int = 0) -> DateSpan:
    """The day, week (from Monday), weekend, month, quarter or year that contains `day`, moved by `shift` units."""
    match unit:
        case "day" | "hour":
            return _day(day + shift * _DAY)
        case "week":
            start = day - (day.isoweekday() - 1) * _DAY + 7 * shift * _DAY
            return DateSpan(start, start + 6 * _DAY, "week")
        case "weekend":
            saturday = day - (day.isoweekday() - 6) * _DAY + 7 * shift * _DAY
            return DateSpan(saturday, saturday + _DAY, "weekend")
        case "month":
            return _months(day.year, day.month + shift, 1, "month")
        case "quarter":
            return _months(day.year, (day.month - 1) // 3 * 3 + 1 + 3 * shift, 3, "quarter")
        case "year":
            return _months(day.year + shift, 1, 12, "year")


def _months(year: int, month: int, count: int, granularity: Granularity) -> DateSpan:
    """`count` whole months from `month` of `year`, where month 0 is the December before and 13 the January after."""
    first, last = year * 12 + month - 1, year * 12 + month - 1 + count - 1
    end_year, end_month = last // 12, last % 12 + 1
    end = date(end_year, end_month, monthrange(end_year, end_month)[1])
    return DateSpan(date(first // 12, first % 12 + 1, 1), end, granularity)


def _part_of(span: DateSpan, part: Part | None) -> DateSpan:
    if part is None or span.granularity == "day":
        return span
    days = (span.end - span.start).days + 1
    third = -(-days // 3)
    half = days // 2 - 1 if days > 31 else 15  # 181 or 182 of a year's 365 or 366 days are before July
    bounds = {
        "early": (0, third - 1), "mid": (days // 3, days - days // 3 - 1), "late": (days - third, days - 1),
        "first_half": (0, half - 1), "second_half": (half, days - 1),
    }[part]  # fmt: skip
    granularity = _PARTS.get((span.granularity, part), "range")
    return DateSpan(span.start + bounds[0] * _DAY, span.start + bounds[1] * _DAY, granularity)


def _nearest(spans: list[DateSpan], base: date, slack: int = 1) -> TimeReading | None:
    """Choose among the same date in different years: one for each tense, and without a tense the nearest."""
    if not spans:
        return None

    def distance(span: DateSpan) -> int:
        return max((span.start - base).days, (base - span.end).days, 0)

    default = min(spans, key=distance)
    past = [span for span in spans if span.start <= base + slack * _DAY]
    future = [span for span in spans if span.end >= base - slack * _DAY]
    return TimeReading(
        default, max(past, key=_start) if past else default, min(future, key=_start) if future else default
    )


def _start(span: DateSpan) -> date:
    return span.start


def _none(_: TimeRule, __: TimeSlots, base: date) -> TimeReading:
    return TimeReading(_day(base))


def _date(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    if groups.year:
        return TimeReading(_day(date(groups.year, groups.month, groups.day)))
    if not groups.month and rule.shift:
        month = _container("month", base, rule.shift).start
        found = _valid(month.year, month.month, groups.day)
        return TimeReading(_day(found)) if found is not None else None
    if not groups.month:
        return _day_of_month(groups.day, base)
    return _nearest(
        [_day(day) for year in _around(base) if (day := _valid(year, groups.month, groups.day))], base, _SLACK
    )


def _day_of_month(day: int, base: date) -> TimeReading | None:
    """A day without a month is of this one; of the one before or behind only in the days around its turn."""
    months = [_container("month", base, shift).start for shift in (-1, 0, 1)]
    days = [found for first in months if (found := _valid(first.year, first.month, day))]
    near = [one for one in days if one.replace(day=1) == base.replace(day=1) or abs((one - base).days) <= _TURN]
    return _nearest([_day(one) for one in near or days], base)


def _around(base: date) -> tuple[int, int, int]:
    return base.year - 1, base.year, base.year + 1


def _valid(year: int, month: int, day: int) -> date | None:
    return date(year, month, day) if 1 <= day <= monthrange(year, month)[1] else None


def _date_range(_: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    if not groups.month:
        old, new = _day_of_month(groups.day, base), _day_of_month(groups.day2, base)
        if old is None or new is None or new.default.start < old.default.start:
            return None
        return TimeReading(DateSpan(old.default.start, new.default.start, "range"))
    spans = []
    for year in (groups.year,) if groups.year else _around(base):
        start = _valid(year, groups.month, groups.day)
        last = groups.month2 or groups.month
        end = _valid(year + (last < groups.month), last, groups.day2)
        if start and end and start <= end:
            spans.append(DateSpan(start, end, "range"))
    return _nearest(spans, base, _SLACK)


def _weekday(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    ahead = (groups.weekday - base.isoweekday()) % 7
    future = base + ahead * _DAY
    past = base - (-ahead % 7) * _DAY
    monday = base - (base.isoweekday() - 1) * _DAY
    match rule.mode:
        case "last":
            return TimeReading(_day(past if past < base else past - 7 * _DAY))
        case "next":
            return TimeReading(_day(monday + (6 + groups.weekday) * _DAY))
        case "coming":
            return TimeReading(_day(future if future > base else future + 7 * _DAY))
        case "this":
            this = _day(monday + (groups.weekday - 1) * _DAY)
            return TimeReading(_day(future), this, _day(future))
    return TimeReading(_day(past), _day(past), _day(future), explicit=past == future)


def _weekday_range(_: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    length = ((groups.weekday2 - groups.weekday) % 7) * _DAY
    one = _weekday(TimeRule(match="", mean="weekday"), groups, base)
    past, future = (one.past or one.default).start, (one.future or one.default).start
    return TimeReading(
        DateSpan(past, past + length, "range"),
        DateSpan(past, past + length, "range"),
        DateSpan(future, future + length, "range"),
        False,
    )


def _offset(rule: TimeRule, _: TimeSlots, base: date) -> TimeReading:
    return TimeReading(_day(base + rule.shift * _DAY))


def _beside(rule: TimeRule, _: TimeSlots, base: date) -> TimeReading:
    """One word for both the day before and the day after (Hindi कल): the tense decides."""
    past, future = _day(base - rule.shift * _DAY), _day(base + rule.shift * _DAY)
    return TimeReading(past, past, future, explicit=False)


def _unit(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    """Like "next month".

    On a Sunday, "last week" and "this week" mean the week that ends that day; "this week" with a future verb means the
    week that begins the next day.
    """
    unit, part = rule.unit or groups.unit or "day", rule.part or groups.part
    sunday = unit == "week" and base.isoweekday() == 7
    this = _part_of(_container(unit, base, 0 if sunday and rule.shift == -1 else rule.shift), part)
    if sunday and rule.shift == 0:
        return TimeReading(this, this, _part_of(_container(unit, base, 1), part))
    return TimeReading(this)


def _distance(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    """Like "in two weeks", "three days ago". The result is as precise as its unit."""
    unit = rule.unit or groups.unit or "day"
    n = groups.n or 1
    if unit == "hour":
        end = base + rule.shift * (-(-n // 24)) * _DAY
        return TimeReading(DateSpan(min(base, end), max(base, end), "range"), direction=_side(rule.shift))
    return TimeReading(_container(unit, base, rule.shift * n))


def _within(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    """Like "in the coming days", "over the past two weeks": a range from or up to the article's date."""
    unit = rule.unit or groups.unit or "day"
    days = (-(-groups.n // 24) if unit == "hour" else _length(unit) * groups.n) if groups.n else _SOME.get(unit, 7)
    far = base + rule.shift * days * _DAY
    return TimeReading(DateSpan(min(base, far), max(base, far), "range"), direction=_side(rule.shift))


def _side(shift: int) -> Direction:
    return "future" if shift > 0 else "past"


def _length(unit: Unit) -> int:
    return {"hour": 1, "day": 1, "week": 7, "weekend": 7, "month": 31, "quarter": 92, "year": 366}[unit]


def _rest(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading:
    """Like "later this month" (from the article's date to the end) and "earlier this week" (from the beginning)."""
    whole = _container(rule.unit or groups.unit or "day", base)
    span = DateSpan(base, whole.end, "range") if rule.shift > 0 else DateSpan(whole.start, base, "range")
    return TimeReading(span, direction=_side(rule.shift))


def _end(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    """Like "by the end of the year", "by the end of March": any day until then."""
    if groups.day:
        feasts = [date(year, groups.month, groups.day) for year in _around(base)]
        return TimeReading(DateSpan(base, min(day for day in feasts if day >= base), "until"))
    if groups.month:
        months = _month(rule, groups, base)
        return months and TimeReading(DateSpan(base, max(base, (months.future or months.default).end), "until"))
    if groups.year:
        return TimeReading(DateSpan(base, max(base, date(groups.year, 12, 31)), "until"))
    return TimeReading(DateSpan(base, _container(rule.unit or groups.unit or "day", base, rule.shift).end, "until"))


def _month(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    part = rule.part or groups.part
    years = (groups.year,) if groups.year else _around(base)
    spans = [_part_of(_months(year, groups.month, 1, "month"), part) for year in years]
    if not groups.year and rule.mode == "last":
        spans = [max((span for span in spans if span.start <= base), key=_start)]
    elif not groups.year and rule.mode == "next":
        spans = [min((span for span in spans if span.end >= base), key=_start)]
    return _nearest(spans, base)


def _month_range(_: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    spans = []
    for year in (groups.year,) if groups.year else _around(base):
        count = (groups.month2 - groups.month) % 12 + 1
        whole = _months(year, groups.month, count, "month")
        spans.append(DateSpan(whole.start, whole.end, "range"))
    return _nearest(spans, base)


def _year(rule: TimeRule, groups: TimeSlots, _: date) -> TimeReading:
    return TimeReading(_part_of(_months(groups.year, 1, 12, "year"), rule.part or groups.part))


def _quarter(_: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    if not 1 <= groups.quarter <= 4:
        return None
    years = (groups.year,) if groups.year else _around(base)
    return _nearest([_months(year, groups.quarter * 3 - 2, 3, "quarter") for year in years], base)


def _season(rule: TimeRule, groups: TimeSlots, base: date) -> TimeReading | None:
    if groups.season is None:
        return None
    first = _SEASONS[groups.season]
    whole = [
        _months(year, first, 3, "month")
        for year in ((groups.year,) if groups.year else (*_around(base), base.year + 2))
    ]
    spans = [DateSpan(span.start, span.end, "range") for span in whole]
    if rule.mode == "last":
        spans = [max((span for span in spans if span.end < base), key=_start)]
    elif rule.mode in {"next", "coming"}:
        spans = [min((span for span in spans if span.start > base), key=_start)]
    return _nearest([_part_of(span, rule.part or groups.part) for span in spans], base)


def _weekend(rule: TimeRule, _: TimeSlots, base: date) -> TimeReading:
    this = _container("weekend", base)
    if rule.mode == "last":
        return TimeReading(_container("weekend", base, -1))
    if rule.mode == "next":
        return TimeReading(_container("weekend", base, 1))
    if rule.mode in {"this", "coming"}:
        return TimeReading(this, this if base >= this.start else _container("weekend", base, -1), this)
    past = this if base >= this.start else _container("weekend", base, -1)
    return TimeReading(past, past, this, explicit=past == this)


_MEANINGS: Mapping[str, Callable[[TimeRule, TimeSlots, date], TimeReading | None]] = {
    "none": _none,
    "date": _date,
    "date_range": _date_range,
    "weekday": _weekday,
    "weekday_range": _weekday_range,
    "offset": _offset,
    "beside": _beside,
    "unit": _unit,
    "distance": _distance,
    "within": _within,
    "rest": _rest,
    "end": _end,
    "month": _month,
    "month_range": _month_range,
    "year": _year,
    "quarter": _quarter,
    "season": _season,
    "weekend": _weekend,
}
