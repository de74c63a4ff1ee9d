"""Test dates and time spans, relative to an article of Thursday 5 February 2026."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.datafile import read as read_file
from monitor.detect.setting.when import Calendar, find_times
from monitor.detect.text.normal import normalise
from monitor.errors import DataFileError

THURSDAY = datetime(2026, 2, 5, 12, tzinfo=UTC)


@cache
def calendar_of(language: str) -> Calendar:
    return Calendar.of(read_file(f"languages/{language}/calendar.yaml", dict[str, Any])["calendar"])


@pytest.fixture(scope="module")
def english() -> Calendar:
    return calendar_of("en")


def read(calendar: Calendar, text: str, tense=None, published: datetime = THURSDAY):
    """The one time of the text as `start[/end] granularity`."""
    hits = find_times(normalise(text).text, published, calendar, tense=tense)
    assert len(hits) == 1, hits
    when = hits[0].when
    span = str(when.start) if when.start == when.end else f"{when.start}/{when.end}"
    return f"{span} {when.granularity}"


EXACT = [
    ("The two spoke on February 4", "2026-02-04 day"),
    ("The two spoke on Feb. 4", "2026-02-04 day"),
    ("The two spoke on 4 February 2026", "2026-02-04 day"),
    ("The two spoke on 4 February", "2026-02-04 day"),
    ("The two spoke on the 4th of February", "2026-02-04 day"),
    ("The two spoke on February 4th, 2026", "2026-02-04 day"),
    ("The two spoke on 2026-02-04", "2026-02-04 day"),
    ("The two spoke on Wednesday, Feb 4", "2026-02-04 day"),
    ("They met on December 28", "2025-12-28 day"),
    ("They will meet on December 28, 2026", "2026-12-28 day"),
    ("They will meet on March 1", "2026-03-01 day"),
    ("They met on New Year's Eve", "2025-12-31 day"),
    ("They will dine on Bastille Day", "2026-07-14 day"),
    ("They met on Christmas Day 2024", "2024-12-25 day"),
    ("They will meet before Christmas", "2026-02-05/2026-12-25 until"),
    ("They met today", "2026-02-05 day"),
    ("They meet tonight", "2026-02-05 day"),
    ("They spoke this morning", "2026-02-05 day"),
    ("They spoke yesterday evening", "2026-02-04 day"),
    ("They spoke last night", "2026-02-04 day"),
    ("They spoke the day before yesterday", "2026-02-03 day"),
    ("They will speak tomorrow", "2026-02-06 day"),
    ("They will speak the day after tomorrow", "2026-02-07 day"),
    ("They met three days ago", "2026-02-02 day"),
    ("They will meet in three days", "2026-02-08 day"),
]

RANGES = [
    ("They meet this week", "2026-02-02/2026-02-08 week"),
    ("They meet next week", "2026-02-09/2026-02-15 week"),
    ("They met last week", "2026-01-26/2026-02-01 week"),
    ("They meet next month", "2026-03-01/2026-03-31 month"),
    ("They met last month", "2026-01-01/2026-01-31 month"),
    ("They meet next year", "2027-01-01/2027-12-31 year"),
    ("They meet late next week", "2026-02-13/2026-02-15 range"),
    ("They meet in early April", "2026-04-01/2026-04-10 early"),
    ("They meet in mid-April", "2026-04-11/2026-04-20 mid"),
    ("They meet at the end of March", "2026-03-21/2026-03-31 late"),
    ("They meet in April 2027", "2027-04-01/2027-04-30 month"),
    ("They will meet next November", "2026-11-01/2026-11-30 month"),
    ("They met last May", "2025-05-01/2025-05-31 month"),
    ("They have not met since March", "2025-03-01/2025-03-31 month"),
    ("They will meet by December", "2026-12-01/2026-12-31 month"),
    ("They met between January 30 and February 2", "2026-01-30/2026-02-02 range"),
    ("They meet as early as April", "2026-04-01/2026-04-30 month"),
    ("They met in 2018", "2018-01-01/2018-12-31 year"),
    ("They meet in the second quarter of 2026", "2026-04-01/2026-06-30 quarter"),
    ("They meet this spring", "2026-03-01/2026-05-31 range"),
    ("They meet next summer", "2026-06-01/2026-08-31 range"),
    ("They meet in the coming days", "2026-02-05/2026-02-12 range"),
    ("They meet in the next two weeks", "2026-02-05/2026-02-19 range"),
    ("They meet within 48 hours", "2026-02-05/2026-02-07 range"),
    ("They meet later this month", "2026-02-05/2026-02-28 range"),
    ("They met earlier this week", "2026-02-02/2026-02-05 range"),
    ("They meet by the end of the year", "2026-02-05/2026-12-31 until"),
    ("They meet in two weeks", "2026-02-16/2026-02-22 week"),
    ("The summit is on February 10-12", "2026-02-10/2026-02-12 range"),
    ("The summit is from 10 to 12 February", "2026-02-10/2026-02-12 range"),
    ("The summit is from February 27 to March 2", "2026-02-27/2026-03-02 range"),
    ("The summit was on December 30-January 2", "2025-12-30/2026-01-02 range"),
    ("They meet this weekend", "2026-02-07/2026-02-08 weekend"),
    ("They met last weekend", "2026-01-31/2026-02-01 weekend"),
]

TENSES = [
    # text, tense of its clause, reading
    ("They met on Wednesday", "past", "2026-02-04 day"),
    ("They will meet on Wednesday", "future", "2026-02-11 day"),
    ("They met on Thursday", "past", "2026-02-05 day"),
    ("They will meet on Thursday", "future", "2026-02-05 day"),
    ("They met on Friday", "past", "2026-01-30 day"),
    ("They will meet on Friday", "future", "2026-02-06 day"),
    ("They met last Thursday", "past", "2026-01-29 day"),
    ("They will meet next Tuesday", "future", "2026-02-10 day"),
    ("They will meet this Friday", "future", "2026-02-06 day"),
    ("They met this Tuesday", "past", "2026-02-03 day"),
    ("They met in May", "past", "2025-05-01/2025-05-31 month"),
    ("They will meet in May", "future", "2026-05-01/2026-05-31 month"),
    ("They met over the weekend", "past", "2026-01-31/2026-02-01 weekend"),
    ("They will meet over the weekend", "future", "2026-02-07/2026-02-08 weekend"),
    ("They met from Monday to Wednesday", "past", "2026-02-02/2026-02-04 range"),
    ("They will meet from Monday to Wednesday", "future", "2026-02-09/2026-02-11 range"),
    ("They met on February 4", "future", "2026-02-04 day"),  # a day just gone is not one of next year
]

NOT_A_TIME = [
    "He may meet him",
    "They march on",
    "The fall of the wall",
    "Their first meeting in two weeks",
    "The third call in five days",
    "On 30 February they met",
    "Talks about the economy",
    "It happened on this day",
    "The best result in seven years",
    "The tenth strike in 24 hours",
    "The second meeting of the group",
    "G20 leaders met",
    "",
]


class TestEnglish:
    @pytest.mark.parametrize(("text", "expected"), EXACT + RANGES)
    def test_reads(self, english, text, expected):
        assert read(english, text) == expected

    @pytest.mark.parametrize(("text", "tense", "expected"), TENSES)
    def test_tense_settles_what_the_words_leave_open(self, english, text, tense, expected):
        assert read(english, text, tense) == expected

    @pytest.mark.parametrize("text", NOT_A_TIME)
    def test_is_no_time(self, english, text):
        assert find_times(normalise(text).text, THURSDAY, english) == ()

    def test_a_weekday_alone_is_not_explicit(self, english):
        (hit,) = find_times("They met on Wednesday", THURSDAY, english)
        assert (hit.explicit, hit.direction) == (False, "none")
        (today,) = find_times("They met on Thursday", THURSDAY, english)
        assert today.explicit

    def test_a_month_of_two_years_has_no_side(self, english):
        (hit,) = find_times("They will meet at the end of October", THURSDAY, english)
        assert (hit.explicit, hit.direction) == (False, "none")
        assert (hit.past.end, hit.future.end) == (date(2025, 10, 31), date(2026, 10, 31))

    def test_words_that_settle_a_direction(self, english):
        expected = {
            "yesterday": "past",
            "earlier this week": "past",
            "in the past two weeks": "past",
            "today": "none",
            "this week": "none",
            "tomorrow": "future",
            "next week": "future",
            "later this month": "future",
            "in the coming days": "future",
        }
        assert {text: find_times(text, THURSDAY, english)[0].direction for text in expected} == expected

    def test_this_week_on_a_sunday(self, english):
        sunday = datetime(2026, 2, 8, 12, tzinfo=UTC)
        assert read(english, "They will meet this week", "future", sunday) == "2026-02-09/2026-02-15 week"
        assert read(english, "They met this week", "past", sunday) == "2026-02-02/2026-02-08 week"

    def test_a_text_without_capitals(self, english):
        assert read(english, "the leaders met on march 4, 2026") == "2026-03-04 day"

    @pytest.mark.parametrize(
        ("text", "relation"),
        [
            ("their first call since October 16", "since"),
            ("the first since 2018", "since"),
            ("it ended before February 3", "before"),
            ("by March they will meet", "until"),
            ("not before March", "from"),
            ("no earlier than June", "from"),
            ("in or around April", "around"),
            ("it slips into April", "to"),
            ("it is pushed to the autumn", "to"),
            ("around March 5", "around"),
            ("it moves to March 5", "to"),
            ("after Wednesday nothing happened", "after"),
            ("after Wednesday's call he flew home", "on"),
            ("they met on February 4", "on"),
        ],
    )
    def test_bounds_are_told_apart(self, english, text, relation):
        assert find_times(text, THURSDAY, english)[0].relation == relation

    def test_several_times_come_in_order(self, english):
        hits = find_times("They met on Monday, will meet next week and in June", THURSDAY, english)
        assert [hit.when.text for hit in hits] == ["on Monday", "next week", "in June"]

    def test_the_articles_own_zone_counts(self, english):
        late = datetime(2026, 2, 4, 23, tzinfo=UTC)
        (there,) = find_times("today", late, english, ZoneInfo("Asia/Tokyo"))
        (here,) = find_times("today", late, english, UTC)
        assert (there.when.start, here.when.start) == (date(2026, 2, 5), date(2026, 2, 4))

    @pytest.mark.parametrize("weekday", range(7))
    def test_every_weekday_is_within_a_week(self, english, weekday):
        name = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")[weekday]
        (hit,) = find_times(f"on {name}", THURSDAY, english)
        assert hit.past.start.weekday() == hit.future.start.weekday() == weekday
        assert timedelta(0) <= THURSDAY.date() - hit.past.start < timedelta(7)
        assert timedelta(0) <= hit.future.start - THURSDAY.date() < timedelta(7)

    def test_the_turn_of_the_year(self, english):
        assert read(english, "They met on December 31", published=datetime(2026, 1, 2, tzinfo=UTC)) == "2025-12-31 day"
        assert (
            read(english, "They will meet on January 3", published=datetime(2025, 12, 30, tzinfo=UTC))
            == "2026-01-03 day"
        )
        assert (
            read(english, "next month", published=datetime(2025, 12, 30, tzinfo=UTC)) == "2026-01-01/2026-01-31 month"
        )

    def test_leap_days(self, english):
        assert read(english, "on February 29", published=datetime(2024, 2, 28, tzinfo=UTC)) == "2024-02-29 day"
        assert find_times("on February 29, 2026", THURSDAY, english) == ()

    @pytest.mark.parametrize("published", [datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)])
    def test_the_ends_of_the_calendar_raise_nothing(self, english, published):
        find_times("next year, last year, in 12 months, next week, on February 4, this winter", published, english)

    @given(
        st.text(alphabet="0123456789 -,./thonFebruaryMdayweksnxl", max_size=80), st.datetimes(timezones=st.just(UTC))
    )
    def test_any_text_at_any_time(self, text, published):
        calendar = calendar_of("en")
        for hit in find_times(text, published, calendar):
            assert 0 <= hit.start < hit.end <= len(text)
            for when in (hit.when, hit.past, hit.future):
                assert when.start <= when.end
                assert when.text == text[hit.start : hit.end]


RUSSIAN = {
    "months": {2: ["февраля", "феврале", "февраль"], 4: ["апреля", "апреле"]},
    "weekdays": {3: ["среду", "среда"], 5: ["пятницу", "пятница"]},
    "units": {"week": ["неделе", "недели", "неделю"], "day": ["дня", "дней", "дни"]},
    "numbers": {2: ["две", "два"], 3: ["три"]},
    "rules": [
        {"match": "{day} {month}[ {year}]", "mean": "date"},
        {"match": "[в |во ]{weekday}", "mean": "weekday"},
        {"match": "сегодня", "mean": "offset"},
        {"match": "вчера", "mean": "offset", "shift": -1},
        {"match": "на следующей {unit}", "mean": "unit", "shift": 1},
        {"match": "через {n} {unit}", "mean": "distance", "shift": 1},
        {"match": "в {month}[ {year}]", "mean": "month"},
    ],
}
CHINESE = {
    "spaced": False,
    "months": {},
    "weekdays": {3: ["星期三", "周三"]},
    "units": {"week": ["周", "星期"]},
    "day_suffixes": ["日", "号"],
    "year_suffixes": ["年"],
    "rules": [
        {"match": "[{year}]{monthnumber}月{day}", "mean": "date"},
        {"match": "{day}", "mean": "date"},
        {"match": "{weekday}", "mean": "weekday"},
        {"match": "下{unit}", "mean": "unit", "shift": 1},
        {"match": "今天", "mean": "offset"},
    ],
}


class TestOtherLanguagesAreData:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Переговоры прошли 4 февраля", "2026-02-04 day"),
            ("Переговоры пройдут 4 апреля 2027", "2027-04-04 day"),
            ("Они говорили в среду", "2026-02-04 day"),
            ("Они говорили вчера", "2026-02-04 day"),
            ("Они встретятся на следующей неделе", "2026-02-09/2026-02-15 week"),
            ("Они встретятся через две недели", "2026-02-16/2026-02-22 week"),
            ("Они встретятся в апреле", "2026-04-01/2026-04-30 month"),
        ],
    )
    def test_case_forms(self, text, expected):
        assert read(Calendar.of(RUSSIAN), text) == expected

    @pytest.mark.parametrize(
        ("text", "tense", "expected"),
        [
            ("मोदी कल मैक्रों से मिलेंगे", "future", "2026-02-06 day"),
            ("मोदी कल मैक्रों से मिले", "past", "2026-02-04 day"),
            ("मोदी परसों मैक्रों से मिले", "past", "2026-02-03 day"),
            ("बैठक 16 फरवरी 2026 को होगी", None, "2026-02-16 day"),
            ("बैठक अगले हफ्ते होगी", None, "2026-02-09/2026-02-15 week"),
            ("बैठक मार्च के अंत तक होगी", None, "2026-02-05/2026-03-31 until"),
        ],
    )
    def test_one_word_for_the_day_before_and_the_day_after(self, text, tense, expected):
        hindi = calendar_of("hi")
        assert read(hindi, text, tense) == expected

    @pytest.mark.parametrize(
        ("code", "text", "expected"),
        [
            ("fr", "La rencontre aura lieu vendredi prochain", "2026-02-06 day"),
            ("fr", "Le sommet est décalé au mois de juin", "2026-06-01/2026-06-30 month"),
            ("fr", "La rencontre aura lieu au premier trimestre 2026", "2026-01-01/2026-03-31 quarter"),
            ("fr", "La rencontre aura lieu fin mars", "2026-03-21/2026-03-31 late"),
            ("de", "Das Treffen findet in der ersten Hälfte 2026 statt", "2026-01-01/2026-06-30 half"),
            ("de", "Das Treffen findet Anfang nächster Woche statt", "2026-02-09/2026-02-11 range"),
            ("es", "La cumbre será en el segundo trimestre de 2026", "2026-04-01/2026-06-30 quarter"),
            ("pt", "O encontro será no mês que vem", "2026-03-01/2026-03-31 month"),
            ("it", "L'incontro si terrà entro la fine dell'anno", "2026-02-05/2026-12-31 until"),
            ("pl", "Spotkanie odbędzie się w przyszłym tygodniu", "2026-02-09/2026-02-15 week"),
            ("pl", "Spotkanie odbędzie się pod koniec marca", "2026-03-21/2026-03-31 late"),
            ("ru", "Встреча пройдет в первом квартале 2026 года", "2026-01-01/2026-03-31 quarter"),
            ("ru", "Встреча пройдет в этом году", "2026-01-01/2026-12-31 year"),
            ("ru", "Встреча пройдет до конца недели", "2026-02-05/2026-02-08 until"),
            ("uk", "Зустріч відбудеться наприкінці березня", "2026-03-21/2026-03-31 late"),
            ("nl", "De ontmoeting is komende vrijdag", "2026-02-06 day"),
            ("tr", "Görüşme önümüzdeki cuma günü yapılacak", "2026-02-06 day"),
            ("id", "Pertemuan digelar bulan depan", "2026-03-01/2026-03-31 month"),
            ("ar", "يعقد اللقاء في 12 شباط/فبراير", "2026-02-12 day"),
            ("ar", "يعقد اللقاء في أواخر آذار", "2026-03-21/2026-03-31 late"),
            ("ar", "يعقد اللقاء الأسبوع المقبل", "2026-02-09/2026-02-15 week"),
            ("fa", "این دیدار هفته آینده برگزار می‌شود", "2026-02-09/2026-02-15 week"),
            ("fa", "این دیدار اواخر مارس برگزار می‌شود", "2026-03-21/2026-03-31 late"),
            ("ko", "정상회담은 다음 달 3일 열린다", "2026-03-03 day"),
            ("ko", "정상회담은 내주 열린다", "2026-02-09/2026-02-15 week"),
            ("ja", "首脳会談は来週の金曜日に行われる", "2026-02-13 day"),
            ("ja", "首脳会談は3月20～22日に行われる", "2026-03-20/2026-03-22 range"),
            ("zh", "会晤将于3月底举行", "2026-03-21/2026-03-31 late"),
        ],
    )
    def test_bundled_calendars(self, code, text, expected):
        calendar = calendar_of(code)
        assert read(calendar, text, "future") == expected

    @pytest.mark.parametrize(
        ("text", "expected"), [("23일 정상회담을 했다", "2026-02-23 day"), ("30일 정상회담을 했다", "2026-01-30 day")]
    )
    def test_a_day_without_a_month_is_of_the_other_month_only_around_its_turn(self, text, expected):
        calendar = calendar_of("ko")
        assert read(calendar, text, "past") == expected

    def test_a_time_ends_with_its_word_and_not_before_a_vowel_sign(self):
        hindi = calendar_of("hi")
        assert not find_times("मोदी ने कला मेला देखा", THURSDAY, hindi)

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("双方2月4日举行会谈", "2026-02-04 day"),
            ("双方2026年2月4日举行会谈", "2026-02-04 day"),
            ("双方星期三举行会谈", "2026-02-04 day"),
            ("双方下周举行会谈", "2026-02-09/2026-02-15 week"),
            ("双方今天举行会谈", "2026-02-05 day"),
            ("双方4日举行会谈", "2026-02-04 day"),
        ],
    )
    def test_scripts_without_spaces(self, text, expected):
        assert read(Calendar.of(CHINESE), text) == expected


class TestTheSectionIsChecked:
    def test_an_unknown_slot(self):
        section = RUSSIAN | {"rules": [{"match": "в {weakday}", "mean": "weekday"}]}
        with pytest.raises(DataFileError, match=re.escape("unknown or empty slot {weakday}")):
            Calendar.of(section, "ru.yaml")

    def test_an_empty_table(self):
        section = RUSSIAN | {"seasons": {}, "rules": [{"match": "{season}", "mean": "season"}]}
        with pytest.raises(DataFileError, match=r"ru\.yaml"):
            Calendar.of(section, "ru.yaml")

    def test_an_unknown_meaning(self):
        with pytest.raises(DataFileError, match="rules"):
            Calendar.of(RUSSIAN | {"rules": [{"match": "x", "mean": "someday"}]})

    def test_a_broken_template(self):
        with pytest.raises(DataFileError, match="not a template"):
            Calendar.of(RUSSIAN | {"rules": [{"match": "(a", "mean": "offset"}]})


@pytest.mark.parametrize(("hour", "direction"), [(9, "future"), (16, "future"), (17, "none"), (22, "none")])
def test_this_evening_lies_ahead_until_it_comes(english, hour, direction):
    (hit,) = find_times("they meet this evening", THURSDAY.replace(hour=hour), english)
    assert (hit.direction, str(hit.when.start)) == (direction, "2026-02-05")


def test_this_evening_is_that_of_the_article_and_its_zone(english):
    (hit,) = find_times("they meet tonight", THURSDAY, english, ZoneInfo("Asia/Tokyo"))
    assert hit.direction == "none"
