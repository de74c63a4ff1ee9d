"""Test the behaviour table of docs/polling.md, rows 132-134: other calendars, and unusual forms of dates."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.formats.fields.calendars import find_day
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.parse import parse


def read(raw: str, language: str = "", zone: str = "") -> str:
    value = read_date(raw, language=language, zone=zone).value
    return value.strftime("%Y-%m-%dT%H:%M") if value else ""


# ---- 132: other calendars ----


@pytest.mark.parametrize(
    "raw",
    [
        "۱۵ بهمن ۱۴۰۴ ۱۵:۱۵", "چهارشنبه ۱۵ بهمن ۱۴۰۴ - ۱۵:۱۵", "15 بهمن‌ماه 1404 ساعت 15:15", "15 Bahman 1404 15:15",
        "Bahman 15, 1404 15:15", "1404/11/15 15:15", "1404-11-15 15:15:00", "15:15 - 1404/11/15", "15 دلو 1404، 15:15",
        "15 سلواغه 1404 15:15", "15/11/1404 15:15",
        "١٦ شعبان ١٤٤٧ ١٥:١٥", "الأربعاء 16 شعبان 1447هـ 15:15", "16 من شعبان 1447 هـ، الساعة 15:15",
        "1447/08/16 15:15", "16/8/1447 هـ 15:15", "16 Sha'ban 1447 15:15", "Shaban 16, 1447 AH 15:15",
        "16 Syaban 1447 H 15:15", "16 Şaban 1447 15:15",
    ],
)  # fmt: skip
def test_row_132_islamic_and_persian_days_are_read(raw: str) -> None:
    assert read(raw) == "2026-02-04T15:15"


@pytest.mark.parametrize(
    "raw",
    [
        "16 شعبان 1447هـ الموافق 4 فبراير 2026 15:15",
        "الأربعاء 16 شعبان 1447 هـ - 04 فبراير 2026 15:15",
        "4 فبراير 2026 / 16 شعبان 1447 15:15",
        "17 شعبان 1447 (4 فبراير 2026) 15:15",  # by the moon that was seen, a day apart
        "1404/11/15 - 2026-02-04 15:15",
    ],
)
def test_row_132_of_two_days_the_gregorian_one_counts(raw: str) -> None:
    assert read(raw, "ar") == "2026-02-04T15:15"


@pytest.mark.parametrize(
    ("raw", "day"),
    [
        ("1 Farvardin 1399", "2020-03-20"), ("1 Farvardin 1400", "2021-03-21"), ("1 Farvardin 1403", "2024-03-20"),
        ("30 Esfand 1403", "2025-03-20"), ("1 Farvardin 1404", "2025-03-21"), ("1 Farvardin 1405", "2026-03-21"),
        ("1 Muharram 1445", "2023-07-19"), ("1 Ramadan 1445", "2024-03-11"), ("10 Dhu al-Hijjah 1446", "2025-06-06"),
        ("1 Muharram 1448", "2026-06-16"),
        ("1 መስከረም 2016", "2023-09-12"), ("1 መስከረም 2017", "2024-09-11"), ("21 የካቲት 2018", "2026-02-28"),
        ("6 ጳጉሜን 2015", "2023-09-11"),
        ("31 Bahman 1404", ""), ("30 Esfand 1404", ""), ("30 Muharram 1490", ""), ("6 ጳጉሜን 2016", ""),
    ],
)  # fmt: skip
def test_row_132_days_of_other_calendars_are_those_of_the_almanac(raw: str, day: str) -> None:
    assert read(raw)[:10] == day


@given(st.integers(1421, 1470), st.integers(1, 28))
def test_row_132_days_follow_each_other(year: int, day: int) -> None:
    for names in (("محرم", "صفر"), ("farvardin", "ordibehesht")):
        found = [find_day(f"{number} {names[0]} {year}") for number in (day, day + 1)]
        ends = find_day(f"1 {names[1]} {year}"), find_day(f"1 {names[0]} {year}")
        assert found[0] is not None
        assert found[1] is not None
        assert found[1].day - found[0].day == timedelta(days=1)
        assert ends[0] is not None
        assert ends[1] is not None
        assert timedelta(days=29) <= ends[0].day - ends[1].day <= timedelta(days=31)


def test_row_132_times_and_numbers_are_no_years_of_other_calendars() -> None:
    assert read("4 Feb 2026 14:30") == "2026-02-04T14:30"
    assert read("2026-02-04T1430Z") == "2026-02-04T14:30"
    assert read("1404211234") == "2014-07-01T10:40"
    assert find_day("4 feb 2026 14:04") is None


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        ("4 ก.พ. 69 15:15", "th"),
        ("4 กุมภาพันธ์ 2569 เวลา 15:15 น.", ""),
        ("2569-02-04T15:15:00Z", ""),
        ("Wed, 04 Feb 2569 15:15:00 +0000", "en"),
        ("115/02/04 15:15", "zh"),
        ("115年02月04日 下午03:15", "zh"),
        ("民國115年2月4日 15:15", "zh"),
        ("2026 оны 2 сарын 4 15:15", "mn"),
    ],
)
def test_row_133_years_by_other_counts_are_read(raw: str, language: str) -> None:
    assert read(raw, language) == "2026-02-04T15:15"


def test_row_133_a_year_of_two_digits_in_thai_may_be_of_this_century() -> None:
    assert read("4 ก.พ. 26 15:15", "th") == "2026-02-04T15:15"
    assert read("4 Feb 69", "en") == ""


# ---- 134: more ways to write a moment ----


@pytest.mark.parametrize(
    ("raw", "utc"),
    [
        ("/Date(1770218100000)/", "15:15"),
        ("/Date(1770218100000+0200)/", "15:15"),
        ("Date(1770218100000)", "15:15"),
        ("@1770218100", "15:15"),
        ("1.7702181E9", "15:15"),
        ("1.7702181e+12", "15:15"),
        ("202602041515", "15:15"),
        ("2026-W06-3T15:15:00Z", "15:15"),
        ("2026-035T15:15:00+01:00", "14:15"),
        ("Wed, 04 Feb 2026 15:15:00 0100", "14:15"),  # the plus was lost on the way
        ("2026-02-04T15:15:00 01:00", "14:15"),
        ("04-FEB-26 03.15.00.000000 PM", "15:15"),
        ("Rab, 04 Peb 2026 15:15:00 +0000", "15:15"),
        ("02/04/2026 10:15:00 EST", "15:15"),
    ],
)
def test_row_134_moments_as_programs_write_them(raw: str, utc: str) -> None:
    assert read(raw, "id" if "Peb" in raw else "en") == f"2026-02-04T{utc}"


def dated(*raws: str) -> list[str]:
    items = "".join(f"<item><title>Story</title><pubDate>{raw}</pubDate></item>" for raw in raws)
    found = parse(f"<rss version='2.0'><channel>{items}</channel></rss>".encode()).entries
    return [f"{entry.published:%m-%d}" for entry in found if entry.published]


def test_row_134_one_date_shows_the_order_of_the_others() -> None:
    assert dated("02/13/2026 15:15", "02/04/2026 15:15") == ["02-13", "02-04"]
    assert dated("13/02/2026 15:15", "02/04/2026 15:15") == ["02-13", "04-02"]
    assert dated("02/04/2026 15:15", "02/05/2026 15:15") == ["04-02", "05-02"]
    # Of a feed that has both, each is read by itself.
    assert dated("02/13/2026", "13/02/2026", "02/04/2026") == ["02-13", "02-13", "04-02"]
