"""Test which words give a contact its status, and which words are about something else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.records import Article


def status(detector: Detector, title: str) -> str:
    article = Article(id="1", title=title, language="en", published=datetime(2026, 2, 4, 12, tzinfo=UTC))
    return " ".join(one.status for one in detector.detect(article))


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Putin holds talks with Xi to end the oil dispute", "held"),
        ("Putin hosts lunch with Xi to end the oil dispute", "held"),
        ("Putin-Xi summit to end the oil dispute", "planned"),
        ("Sisi renews his pledge to guard the crossing in meeting with Erdogan", "held"),
        ("Sisi to guard the crossing in meeting with Erdogan", "planned"),
    ],
)
def test_an_infinitive_is_the_plan_of_its_subject(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Ramaphosa vows he'll stay calm as he holds talks with Trump", "held"),
        ("Ramaphosa vows he'll stay calm and hold talks with Trump", "planned"),
    ],
)
def test_a_cue_ends_where_a_clause_with_its_own_subject_begins(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Lukashenko and Putin held a summit amid speculation of a merger", "held"),
        ("Lukashenko-Putin summit proposal grows", "proposed"),
    ],
)
def test_what_follows_a_preposition_is_not_said_of_the_contact(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


@pytest.mark.parametrize(
    "title",
    [
        "Sanchez 'prepared' to talk with Milei",
        "Sanchez “prepared” to talk with Milei",
        "Sanchez prepared to talk with Milei",
    ],
)
def test_marks_of_quotation_hide_no_cue(detector: Detector, title: str) -> None:
    assert status(detector, title) == "proposed"


def test_an_apostrophe_is_no_mark_of_quotation(detector: Detector) -> None:
    assert status(detector, "Sanchez won't talk with Milei") == "denied"


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Kremlin agreed on Xi visiting Putin", "planned"),
        ("Kremlin confirms Xi is visiting Putin", "held"),
    ],
)
def test_a_gerund_is_what_governs_it(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Ruto and Museveni dine in Kampala tonight", "planned"),
        ("Ruto and Museveni dined in Kampala tonight", "held"),
        ("The week ahead: Ruto hosts Museveni", "planned"),
        ("Lukashenko lands in Moscow, where he will meet Putin", "planned"),
        ("Lukashenko lands in Moscow to meet Putin", "ongoing"),
        ("Ruto and Museveni did not discuss oil in phone call", "held"),
    ],
)
def test_what_lies_ahead_is_no_report(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


def test_a_day_that_something_is_put_on_is_no_day_of_what_took_place(detector: Detector) -> None:
    title = "Talks between Pashinyan and Aliyev end in Vienna, next round set for December"
    (mention,) = detector.detect(
        Article(id="1", title=title, language="en", published=datetime(2026, 2, 4, 12, tzinfo=UTC))
    )
    assert (mention.status, mention.when) == ("held", None)


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Modi flies to Tokyo, holds talks with Takaichi", "held"),
        ("Modi flies to Tokyo, dines with Takaichi", "held"),
        ("Modi flies to Tokyo for talks with Takaichi", "planned"),
        ("Modi flies to Tokyo, will meet Takaichi", "planned"),
    ],
)
def test_a_journey_plans_nothing_that_has_its_own_verb(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told


@pytest.mark.parametrize(
    ("title", "told"),
    [
        ("Modi was supposed to meet Takaichi in Tokyo", "cancelled"),
        ("Modi had hoped to meet Takaichi in Tokyo", "cancelled"),
        ("Modi hopes to meet Takaichi in Tokyo", "proposed"),
        ("Delhi brushes off talk of a Modi-Sharif meeting", "denied"),
        ("Delhi pours cold water on Modi-Sharif call", "denied"),
        ("Modi cuts short meeting with Takaichi to fly home", "held"),
        ("Modi denies phoning Sharif", "denied"),
    ],
)
def test_what_came_to_nothing_or_to_an_early_end(detector: Detector, title: str, told: str) -> None:
    assert status(detector, title) == told
