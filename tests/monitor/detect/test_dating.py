"""Test which of an article's times is chosen as the time of a contact."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from monitor.detect import Detector
from monitor.detect.dating import Feature, weights
from monitor.records import Article, Mention


@pytest.fixture(scope="module")
def detector(rules: Detector) -> Detector:
    """Return the rules alone: it is they who read times."""
    return rules


SUNDAY = datetime(2026, 2, 8, 12, tzinfo=UTC)
THURSDAY = datetime(2026, 2, 5, 12, tzinfo=UTC)


def only(
    detector: Detector, title: str, lede: str = "", *, published: datetime = THURSDAY, code: str = "en"
) -> Mention:
    (mention,) = detector.detect(Article(id="1", title=title, summary=lede, published=published, language=code))
    return mention


def told(mention: Mention) -> tuple[str, ...]:
    when = mention.when
    return (mention.status, *((str(when.start), str(when.end), when.granularity) if when else ()))


@pytest.mark.parametrize(
    ("title", "lede", "day"),
    [
        ("Macron and Modi speak by phone", "In the conversation on Tuesday the two discussed trade.", "2026-02-03"),
        (
            "Macron hosts Modi",
            "Emmanuel Macron shakes hands with Narendra Modi in Paris on Feb. 4, 2026.",
            "2026-02-04",
        ),
        ("Macron meets Modi", "Bread prices rose again on Tuesday, the office for statistics said.", None),
        ("Macron to meet Modi next week", "The two leaders are due to meet in Paris on Wednesday.", "2026-02-11"),
        ("Macron to meet Modi", "The meeting is planned for February 10.", "2026-02-10"),
    ],
)
def test_the_day_may_stand_in_another_sentence(detector: Detector, title: str, lede: str, day: str | None) -> None:
    when = only(detector, title, lede).when
    assert (str(when.start) if when else None) == day


def test_a_day_of_another_predicate_is_not_taken(detector: Detector) -> None:
    assert only(detector, "Macron had a long call with Modi, will fly to Rome on Monday").when is None


def test_the_words_of_the_source_stay(detector: Detector) -> None:
    when = only(detector, "Macron meets Modi", "The two sat down in Paris on Wednesday evening.").when
    assert when is not None
    assert when.text == "on Wednesday evening"


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Putin to meet Xi by March", ("planned", "2026-02-05", "2026-03-31", "until")),
        ("Putin to meet Xi before March", ("planned", "2026-02-05", "2026-02-28", "until")),
        ("Putin to meet Xi not before April", ("proposed", "2026-04-01", "2027-04-01", "from")),
        ("Putin and Xi will meet around February 20", ("planned", "2026-02-17", "2026-02-23", "around")),
        ("Putin and Xi to meet in the first half of 2027", ("planned", "2027-01-01", "2027-06-30", "half")),
        ("Putin and Xi to meet in the second quarter of 2026", ("planned", "2026-04-01", "2026-06-30", "quarter")),
        ("Putin and Xi to meet in early April", ("planned", "2026-04-01", "2026-04-10", "early")),
        ("Putin and Xi to meet in the coming weeks", ("planned", "2026-02-05", "2026-03-19", "range")),
        ("Putin and Xi to meet this week", ("planned", "2026-02-05", "2026-02-08", "range")),
        ("Putin-Xi summit postponed from February 10 to March 3", ("rescheduled", "2026-03-03", "2026-03-03", "day")),
        ("Putin-Xi summit postponed until May", ("rescheduled", "2026-05-01", "2026-05-31", "month")),
        ("Putin-Xi summit postponed", ("postponed",)),
        ("Putin's meeting with Xi moved to Friday", ("rescheduled", "2026-02-06", "2026-02-06", "day")),
        ("on february 3, president putin held talks with president xi", ("held", "2026-02-03", "2026-02-03", "day")),
        ("putin may visit xi in march", ("proposed", "2026-03-01", "2026-03-31", "month")),
        ("Putin May Meet Xi in May", ("proposed", "2026-05-01", "2026-05-31", "month")),
    ],
)
def test_how_precisely_it_is_told(detector: Detector, title: str, expected: tuple[str, ...]) -> None:
    assert told(only(detector, title)) == expected


def test_a_month_that_is_a_modal_elsewhere_gives_no_status(detector: Detector) -> None:
    may = datetime(2026, 5, 6, tzinfo=UTC)
    mention = only(detector, "on may 5, president putin held a phone call with president xi", published=may)
    assert told(mention) == ("held", "2026-05-05", "2026-05-05", "day")


def test_weeks_on_a_sunday(detector: Detector) -> None:
    held = only(detector, "Putin and Xi met last week", published=SUNDAY)
    assert told(held) == ("held", "2026-02-02", "2026-02-08", "week")
    planned = only(detector, "Putin and Xi will meet this week", published=SUNDAY)
    assert told(planned) == ("planned", "2026-02-09", "2026-02-15", "week")


@pytest.mark.parametrize(
    ("code", "title", "expected"),
    [
        (
            "de",
            "Treffen von Putin und Xi auf den 5. März verschoben",
            ("rescheduled", "2026-03-05", "2026-03-05", "day"),
        ),
        (
            "fr",
            "Rencontre entre Macron et Trump reportée au 12 mars",
            ("rescheduled", "2026-03-12", "2026-03-12", "day"),
        ),
        ("ru", "Встреча Путина и Трампа перенесена на 5 марта", ("rescheduled", "2026-03-05", "2026-03-05", "day")),
        ("pl", "Na niedzielę zaplanowano rozmowę Macrona z Trumpem", ("planned", "2026-02-08", "2026-02-08", "day")),
    ],
)
def test_other_languages(detector: Detector, code: str, title: str, expected: tuple[str, ...]) -> None:
    assert told(only(detector, title, code=code)) == expected


def test_a_meeting_that_no_word_calls_held_lies_where_its_day_does(detector: Detector) -> None:
    mention = only(detector, "Adviser on the Putin-Xi summit", "Putin and Xi sit down in Moscow on February 20.")
    assert told(mention) == ("planned", "2026-02-20", "2026-02-20", "day")


def test_every_feature_has_its_weight() -> None:
    assert set(weights().weights) == set(get_args(Feature))
    assert 0 < weights().threshold < 1


TUESDAY = datetime(2026, 2, 10, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("title", "status", "day"),
    [
        ("Kremlin denies Putin spoke to Trump on Saturday", "denied", "2026-02-07"),
        ("Starmer did not phone Netanyahu on Sunday, Downing Street says", "denied", "2026-02-08"),
        ("Starmer will not meet Netanyahu on Sunday", "denied", "2026-02-15"),
        ("Kremlin denies plans for Putin to meet Trump on Saturday", "denied", "2026-02-14"),
        ("Tusk was supposed to meet Fico on Monday", "cancelled", "2026-02-09"),
        ("Tusk was supposed to meet Fico on Thursday", "cancelled", "2026-02-12"),
        ("Tusk was to meet Fico on Monday, but fog kept him at home", "cancelled", "2026-02-09"),
        ("Tusk was to meet Fico on Thursday", "planned", "2026-02-12"),
    ],
)
def test_what_is_denied_or_cancelled_may_lie_behind(detector: Detector, title: str, status: str, day: str) -> None:
    assert told(only(detector, title, published=TUESDAY)) == (status, day, day, "day")


@pytest.mark.parametrize(
    ("code", "title"),
    [
        ("fr", "Le sommet Lee-Takaichi décalé du 13 au 20 février"),
        ("es", "La cumbre Lee-Takaichi pasa del 13 al 20 de febrero"),
        ("ko", "이재명·다카이치 정상회담, 13일서 20일로 연기"),
        ("ja", "高市首相と李大統領の会談、13日から20日に延期"),
        ("zh", "李在明与高市早苗会谈由2月13日推迟至20日"),
    ],
)
def test_of_two_days_the_second_is_the_new_one(detector: Detector, code: str, title: str) -> None:
    told_of = told(only(detector, title, published=TUESDAY, code=code))
    assert told_of == ("rescheduled", "2026-02-20", "2026-02-20", "day")


def test_a_range_of_days_that_is_put_off_has_no_new_day(detector: Detector) -> None:
    assert told(only(detector, "Sommet Lee-Takaichi du 13 au 15 mars reporté", code="fr"))[0] == "postponed"
