"""Test which times, places and forums belong to a contact, and which to another clause."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.records import Article, Mention


def only(detector: Detector, title: str, published: str) -> Mention:
    (mention,) = detector.detect(
        Article(id="1", title=title, published=datetime.fromisoformat(published).replace(hour=12, tzinfo=UTC))
    )
    return mention


@pytest.mark.parametrize(
    ("title", "published", "day"),
    [
        ("Zelensky had a long call with Trump, will fly to Rome on Monday", "2025-08-16", None),
        ("Fico meets Putin in China, says he will travel home on Friday", "2025-09-02", None),
        ("Putin and Xi will meet, the Kremlin said, on Friday in Beijing", "2025-08-26", "2025-08-29"),
        ("The Putin-Xi summit was put off and will be held on Friday", "2025-08-26", "2025-08-29"),
        ("Sunday's Putin-Trump call was their ninth in 2025", "2025-12-30", "2025-12-28"),
    ],
)
def test_a_day_is_of_its_own_clause(detector, title, published, day):
    when = only(detector, title, published).when
    assert (when.start.isoformat() if when else None) == day


@pytest.mark.parametrize(
    ("published", "status", "day"),
    [
        ("2025-02-10", "planned", "2025-02-11"),
        ("2025-02-11", "held", "2025-02-11"),
        ("2025-02-12", "held", "2025-02-11"),
    ],
)
def test_a_weekday_beside_the_present_tense_is_the_nearer_one(detector, published, status, day):
    mention = only(detector, "King Abdullah of Jordan visits Trump on Tuesday", published)
    assert mention.when is not None
    assert (mention.status, mention.when.start.isoformat()) == (status, day)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("Merz empfängt Lula bis Ende März", "planned"),
        ("Merz empfängt Lula um den 12. März", "planned"),
        ("Merz empfängt Lula im ersten Halbjahr", "planned"),
        ("Merz trifft Lula und will ein Abkommen bis Ende März", "held"),
    ],
)
def test_a_bound_right_behind_the_present_tense_is_of_a_plan(detector, title, status):
    published = datetime(2026, 1, 26, 12, tzinfo=UTC)
    (mention,) = detector.detect(Article(id="1", title=title, language="de", published=published))
    assert mention.status == status


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("the first half of 2026", "2026-02-04", "2026-06-30"),
        ("the second half of 2028", "2028-07-01", "2028-12-31"),
        ("the first half of March", "2026-03-01", "2026-03-15"),
        ("the second half of March", "2026-03-16", "2026-03-31"),
    ],
)
def test_halves(detector, words, start, end):
    when = only(detector, f"Putin will meet Xi in {words}", "2026-02-04").when
    assert when is not None
    assert (when.start.isoformat(), when.end.isoformat()) == (start, end)


def test_a_call_is_at_no_forum(detector):
    assert only(detector, "Zelensky calls Modi ahead of SCO summit", "2025-08-30").forum is None
    assert only(detector, "Modi met Putin at the SCO summit", "2025-09-01").forum == "SCO"


@pytest.mark.parametrize(
    ("title", "place", "medium"),
    [
        ("Trump speaks with Zelensky after Paris summit", None, "unknown"),
        ("Trump speaks with Zelensky at Paris summit", "Paris", "in_person"),
    ],
)
def test_a_place_behind_another_preposition_is_of_another_gathering(detector, title, place, medium):
    mention = only(detector, title, "2025-09-04")
    assert (mention.place.name if mention.place else None, mention.medium) == (place, medium)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("Zelensky rules out a truce ahead of Trump-Putin talks", "planned"),
        ("Kremlin denies preparations for a Trump-Putin meeting", "denied"),
        ("Putin will not travel to Istanbul for talks with Zelensky", "denied"),
        ("Putin lands in Anchorage on eve of summit with Trump", "planned"),
        ("Putin says talks with Trump were open and substantive", "held"),
        ("Trump began arranging a Putin-Zelensky meeting", "planned"),
    ],
)
def test_a_cue_speaks_of_what_it_stands_with(detector, title, status):
    assert only(detector, title, "2025-08-12").status == status
