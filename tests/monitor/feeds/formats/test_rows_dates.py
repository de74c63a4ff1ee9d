"""Test the behaviour table of docs/polling.md, rows 114-118: dates as publishers write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.feeds.formats.fields.date_words import names
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.parse import parse


def read(raw: str, language: str = "", zone: str = "", country: str = "") -> str:
    value = read_date(raw, language=language, zone=zone, country=country).value
    return value.strftime("%Y-%m-%dT%H:%M") if value else ""


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        ("2026年02月04日15:15", "zh"),
        ("2026年2月4日15時15分", "ja"),
        ("2026년2월4일15:15", "ko"),
        ("令和8年2月4日15:15", "ja"),
        ("04Feb2026 15:15:00 GMT", "en"),
        ("WED,04FEB202615:15:00GMT", "en"),
        ("Feb042026 15:15", "en"),
        ("2026-02-0415:15:00", "en"),
        ("04/02/2026-15:15", "en"),
        ("04.02.202615:15", "de"),
        ("20260204 15:15", "en"),
        ("20260204151500", "en"),
        ("2026-02-04T151500Z", "en"),
        ("Wed,04 Feb 2026 15:15:00+0000", "en"),
        ("2026/02/04T15:15", "en"),
    ],
)
def test_row_114_a_date_without_spaces_keeps_its_time(raw: str, language: str) -> None:
    assert read(raw, language) == "2026-02-04T15:15"


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        ("2026年2月4日下午3:15", "zh"),
        ("2026年2月4日 午後3時15分30秒", "ja"),
        ("2026년 2월 4일 오후 3:15", "ko"),
        ("2026-02-04 오후 3:15", "ko"),
        ("2026-02-04 3:15 下午", "zh"),
        ("4 de febrero de 2026, 3:15 p. m.", "es"),
        ("4 de febrero de 2026 a las 3:15 de la tarde", "es"),
        ("4 de fevereiro de 2026 às 3:15 da tarde", "pt"),
        ("4 février 2026 3h15 de l’après-midi", "fr"),
        ("٤ فبراير ٢٠٢٦ ٣:١٥ م", "ar"),
        ("4 Φεβρουαρίου 2026 3:15 μ.μ.", "el"),
        ("2026. február 4. du. 3:15", "hu"),
        ("04 tháng 2 2026 3:15 chiều", "vi"),
        ("4 Feb 2026 3.15pm", "en"),
        ("3:15 PM, Feb 4 2026", "en"),
        ("4 februari 2026 3.15 em", "sv"),
    ],
)
def test_row_115_half_days_of_many_languages_are_understood(raw: str, language: str) -> None:
    assert read(raw, language) == "2026-02-04T15:15"


def test_row_115_mornings_and_words_that_only_look_like_half_days() -> None:
    assert read("2026年2月4日凌晨12:30", "zh") == "2026-02-04T00:30"
    assert read("4 février 2026 10h30 du matin", "fr") == "2026-02-04T10:30"
    assert read("10h30 du 4 février 2026", "fr") == "2026-02-04T10:30"
    assert read("3:15 de 4 febrero 2026", "es") == "2026-02-04T03:15"
    assert read("2026. február 4. de. 12:15", "hu") == "2026-02-04T00:15"
    assert read("2026年2月4日上午9点", "zh") == "2026-02-04T09:00"


@pytest.mark.parametrize(
    ("raw", "language"),
    [
        ("4.2.2026 klo 15.15", "fi"),
        ("4 Februari 2026 15.15", "id"),
        ("4 febbraio 2026 ore 15.15", "it"),
        ("4. Februar 2026, 15.15 Uhr", "de"),
        ("04.02.26 15.15", "da"),
        ("4 Şubat 2026 15.15", "tr"),
        ("2026-02-04 15.15.30", "da"),
        ("4 feb 2026 15.15.30", "it"),
        ("2026-02-04T15.15.00Z", "en"),
        ("2026-02-04T15.15.00+00:00", "en"),
        ("15.15, 4 februarie 2026", "ro"),
    ],
)
def test_row_116_times_with_dots_are_times(raw: str, language: str) -> None:
    assert read(raw, language) == "2026-02-04T15:15"


def test_row_116_a_day_with_dots_is_no_time_and_an_hour_alone_is_one() -> None:
    assert read("04.02.2026", "de") == "2026-02-04T00:00"
    assert read("mar 03.02.26 15:15", "fr") == "2026-02-03T15:15"
    assert read("4. 2. 2026", "cs") == "2026-02-04T00:00"
    assert read("4. Februar 2026 um 15 Uhr", "de") == "2026-02-04T15:00"
    assert read("4 février 2026 à 15h", "fr") == "2026-02-04T15:00"
    assert read("4.2.2026 klo 9", "fi") == "2026-02-04T09:00"


@pytest.mark.parametrize(
    ("raw", "hour"),
    [
        ("Wed, 4 Feb 2026 noon", 12),
        ("12 noon, 4 February 2026", 12),
        ("4 February 2026, 12:00 noon", 12),
        ("4 February 2026 midnight", 0),
        ("February 4, 2026 12:00 midnight", 0),
        ("4 février 2026 à midi", 12),
        ("4 février 2026 à minuit", 0),
        ("4. Februar 2026, 12 Uhr mittags", 12),
        ("4. Februar 2026, 0 Uhr Mitternacht", 0),
        ("4 de febrero de 2026, mediodía", 12),
        ("04.02.2026 полдень", 12),
        ("4 февраля 2026 в полночь", 0),
        ("2026年2月4日正午", 12),
        ("2026年2月4日 零时", 0),
        ("2026. február 4. éjfél", 0),
    ],
)
def test_row_115_noon_and_midnight_are_times_of_day(raw: str, hour: int) -> None:
    assert read(raw) == f"2026-02-04T{hour:02}:00"


def test_row_115_a_zone_after_noon_counts() -> None:
    assert read("4 Feb 2026 noon EST") == "2026-02-04T17:00"


@pytest.mark.parametrize(
    "raw",
    [
        "1770218100", "1770218100000", "1770218100.25", "1770218100000000", "1770218100000000000",
        "2026-02-04_15-15-00", "2026-02-04T15-15-00", "Wed, 04 2月 2026 15:15:00 +0000", "2月 04, 2026 15:15",
        "周三, 04 2月 2026 15:15:00", "04-2월-2026 15:15", "2/4/2026 3:15:00 PM", "2/4/26 3:15pm",
    ],
)  # fmt: skip
def test_row_114_dates_as_programs_write_them(raw: str) -> None:
    assert read(raw) == "2026-02-04T15:15"


def test_row_114_an_hour_alone_and_what_else_programs_write() -> None:
    assert read("2026-02-04T15") == read("2026-02-04T15Z") == "2026-02-04T15:00"
    assert read("Wed, 04 Feb 2026 15:15:00 &plus;0100") == read("Wed, 04 Feb 2026 15:15:00 &#43;0100")
    assert read("Wed, 04 Feb 2026 15:15:00 &#43;0100") == "2026-02-04T14:15"


def test_row_114_the_day_comes_first_where_the_country_says_so() -> None:
    assert read_date("2/4/2026 3:15 PM", country="AU").value == datetime(2026, 4, 2, 15, 15, tzinfo=UTC)
    assert read_date("2/4/2026 3:15 PM", language="fr").value == datetime(2026, 4, 2, 15, 15, tzinfo=UTC)
    assert read_date("2/4/2026 15:15").value == datetime(2026, 4, 2, 15, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("raw", "utc"),
    [
        ("15 Jul 2026 14:30 America/New York", "2026-07-15T18:30"),
        ("15 Jul 2026 14:30 (America/Argentina/Buenos Aires)", "2026-07-15T17:30"),
        ("Wed, 15 Jul 2026 14:30:00 EST5EDT", "2026-07-15T18:30"),
        ("Wed, 14 Jan 2026 14:30:00 EST5EDT", "2026-01-14T19:30"),
        ("15 Jul 2026 14:30 CET-1CEST", "2026-07-15T12:30"),
        ("15 Jan 2026 14:30 CET-1CEST,M3.5.0,M10.5.0/3", "2026-01-15T13:30"),
        ("15 Jan 2026 14:30 EST5", "2026-01-15T19:30"),
        ("15 Jan 2026 14:30 EST+5", "2026-01-15T19:30"),
        ("15 Jan 2026 14:30 <+0530>-5:30", "2026-01-15T09:00"),
        ("15 Jan 2026 14:30 ABC-3DEF", "2026-01-15T11:30"),
        ("2026-07-15 14:30:00 Europe/Berlin", "2026-07-15T12:30"),
        ("2026-07-15T14:30:00[Europe/Berlin]", "2026-07-15T12:30"),
        ("2026-07-15T14:30:00+02:00[Europe/Berlin]", "2026-07-15T12:30"),
        ("15 Jul 2026 14:30 (america/new_york)", "2026-07-15T18:30"),
        ("4 Feb 2026 15:15 America/Argentina/Buenos_Aires", "2026-02-04T18:15"),
        ("15 Jan 2026 14:30 Etc/GMT+3", "2026-01-15T17:30"),
        ("15 Jan 2026 14:30 GMT+3", "2026-01-15T11:30"),
        ("15 Jan 2026 14:30 Japan", "2026-01-15T05:30"),
        ("Wed Jul 15 2026 14:30:00 Eastern Daylight Time", "2026-07-15T18:30"),
        ("Wed Jul 15 2026 14:30:00 GMT+0200 (Central European Summer Time)", "2026-07-15T12:30"),
        ("4 Februari 2026 15.15 WIB", "2026-02-04T08:15"),
    ],
)
def test_row_117_iana_and_posix_zones_are_understood(raw: str, utc: str) -> None:
    value, flag = read_date(raw, language="id" if "Februari" in raw else "en")
    assert value == datetime.fromisoformat(f"{utc}+00:00")
    assert flag == ""


def test_row_117_a_zone_that_nobody_knows_is_the_feeds() -> None:
    assert read_date("15 Jul 2026 14:30 Mars/Olympus", zone="Europe/Berlin").flag == "no_zone"
    assert read("15 Jul 2026 14:30 Mars/Olympus", zone="Europe/Berlin") == "2026-07-15T12:30"
    assert read("15 Jul 2026 14:30 ../../etc/passwd") == "2026-07-15T14:30"


@pytest.mark.slow
def test_row_118_every_month_name_of_the_data_file_can_be_read() -> None:
    forms = ("04 {} 2026 15:15:00 +0000", "{} 4, 2026 15:15", "4. {}. 2026, 15.15")
    unread = [
        (language, name)
        for language, months in names().months.items()
        for number, month in enumerate(months, 1)
        for name in month
        for form, written in zip(forms, (name, name.upper(), name), strict=True)
        if read_date(form.format(written), language=language).value != datetime(2026, number, 4, 15, 15, tzinfo=UTC)
    ]
    assert len(names().months) > 50
    assert unread == []


def test_row_118_each_language_has_names_of_its_own_only() -> None:
    own = {"yanvar", "iyun", "iyul", "iyn", "iyl", "avqust", "avq", "sentyabr", "oktyabr", "noyabr", "dekabr"}
    with_them = {language for language, months in names().months.items() for month in months if own & set(month)}
    assert with_them == {"az", "uz"}
    assert (read("4 juli 2026 15:15", "id"), read("4 iyul 2026 15:15", "id")) == (
        "2026-07-04T15:15",
        "2026-07-04T15:15",
    )


def test_row_118_names_of_other_scripts_need_no_language() -> None:
    assert read("04 फ़रवरी 2026 15:15:00 +0530") == "2026-02-04T09:45"
    assert read("04 फरवरी 2026 15:15:00 +0530") == "2026-02-04T09:45"
    assert read("04 ফেব্রুয়ারি 2026 15:15:00 +0600") == "2026-02-04T09:15"
    assert read("4 กุมภาพันธ์ 2569 15:15", "th") == "2026-02-04T15:15"
    assert read("4 كانون الثاني 2026 15:15") == "2026-01-04T15:15"
    assert read("5 பிப்ரவரி 2026 10:00") == "2026-02-05T10:00"


def test_row_118_a_bad_date_costs_itself_only() -> None:
    items = "".join(
        f"<item><title>Story {n}</title><link>https://a.example/{n}</link><pubDate>{date}</pubDate></item>"
        for n, date in enumerate(["32 Foo 2026", "2026-02-04T10:00Z", "\u0664" * 300, "99.99.9999", "4 Feb 99999"])
    )
    feed = parse(f"<rss version='2.0'><channel><title>T</title>{items}</channel></rss>".encode())
    assert [entry.published is not None for entry in feed.entries] == [False, True, False, False, False]
    assert [entry.date_flags for entry in feed.entries if entry.published is None] == [("unreadable",)] * 4
