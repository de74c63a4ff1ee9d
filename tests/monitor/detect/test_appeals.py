"""Test headlines with appeals, recalled contacts ("On this day") and fact checks."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.records import Article
from tests.monitor.detect.conftest import Told

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)


class TestAppeals:
    @pytest.mark.parametrize(
        "title",
        [
            "Erdogan on Monday called on Putin and Zelensky to meet",
            "Lula on Sunday called on Putin and Zelensky to sit down together",
            "Erdogan urges Putin and Zelensky to hold talks",
            "On Wednesday the Pope invited Putin and Zelensky to hold talks",
            "Erdogan on Wednesday called on Putin and Zelensky to return to the table",
        ],
    )
    def test_who_asks_takes_no_part_and_the_day_of_the_appeal_is_not_the_contacts(self, told: Told, title):
        found = told(title)
        assert {(one.key, one.status, one.when) for one in found} <= {
            ("vladimir-putin+volodymyr-zelensky", "proposed", None)
        }

    @pytest.mark.parametrize(
        ("title", "language", "pair"),
        [
            ("Macron on Wednesday invited Putin to Paris", "en", "macron putin"),
            ("Lula on Sunday offered to meet Milei", "en", "lula milei"),
            ("Эрдоган в понедельник предложил Путину и Зеленскому встретиться", "ru", "putin zelensky"),
            ("Трамп в понедельник предложил Путину встретиться в Анкаре", "ru", "trump putin"),
            ("एर्दोगन ने सोमवार को पुतिन और जेलेंस्की से मुलाकात करने की अपील की", "hi", "putin zelensky"),
        ],
    )
    def test_an_offer_is_not_of_the_day_on_which_it_is_made(self, told: Told, title, language, pair):
        (one,) = told(title, language)
        assert all(name in one.key for name in pair.split())
        assert (one.status, one.when) == ("proposed", None)

    @pytest.mark.parametrize(
        "title", ["Lula offered to meet Milei on Sunday", "Macron on Monday was ready to meet Putin on Sunday"]
    )
    def test_the_day_behind_the_offer_is_the_contacts(self, told: Told, title):
        (one,) = told(title)
        assert one.when is not None
        assert one.when.start.isoformat() == "2026-03-15"

    def test_the_day_behind_the_appeal_is_the_contacts(self, told: Told):
        (one,) = told("Erdogan urges Putin and Zelensky to meet on March 20")
        assert one.when is not None
        assert one.when.start.isoformat() == "2026-03-20"


class TestLabels:
    @pytest.mark.parametrize(
        ("title", "language"),
        [
            ("Anniversary: when Trump met Kim Jong Un in Singapore", "en"),
            ("On this day: Macron met Putin at Versailles", "en"),
            ("Rückblick: Merz trifft Macron in Paris", "de"),
            ("Éphéméride : Macron rencontre Poutine à Versailles", "fr"),
            ("В этот день: Путин встретился с Макроном в Версале", "ru"),
        ],
    )
    def test_a_tale_of_the_past_is_background(self, told: Told, title, language):
        assert {one.status for one in told(title, language)} <= {"past"}

    @pytest.mark.parametrize(
        ("title", "language"),
        [
            ("Fact check: Macron and Meloni met in secret in Rome", "en"),
            ("Faktencheck: Merz hat mit Putin telefoniert", "de"),
            ("Verificación: Sánchez se reunió con Meloni en Roma", "es"),
            ("Фактчек: Путин встретился с Макроном в Версале", "ru"),
        ],
    )
    def test_a_checked_claim_is_no_contact(self, told: Told, title, language):
        assert told(title, language) == ()

    def test_what_a_check_denies_opens_nothing(self, told: Told):
        (one,) = told("Fact-check: No, Meloni and Sanchez did not meet in Tunis")
        assert (one.status, one.joins_only) == ("denied", True)


def test_a_visit_to_a_leader_that_is_called_off(told: Told):
    (one,) = told("Orban calls off visit to Vucic")
    assert (one.key, one.status) == ("aleksandar-vucic+viktor-orban", "cancelled")


def test_a_claim_that_is_false_is_no_held_call(told: Told):
    assert all(
        one.joins_only or one.status == "denied" for one in told("Claim that Macron called Putin on Friday is false")
    )


def test_the_host_of_a_state_visit_is_the_king_whom_the_article_names(rules: Detector) -> None:
    article = Article(
        id="1",
        title="Tinubu begins state visit to UK",
        summary="King Charles will greet him; talks with Keir Starmer are on the agenda.",
        published=MONDAY,
        language="en",
    )
    visits = [one for one in rules.detect(article) if one.kind == "visit"]
    assert {one.key for one in visits} == {"bola-tinubu+charles-iii"}


@pytest.mark.parametrize(
    ("language", "text"),
    [("en", "Satire: Macron and Merz meet on the moon"), ("fr", "Satire : Macron rencontre Merz sur la Lune")],
)
def test_satire_tells_of_nothing(told: Told, language: str, text: str) -> None:
    assert not told(text, language)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Guterres pleads with Burhan and Dagalo to talk", "en"),
        ("Guterres insta a Hemedti y Burhan a reunirse", "es"),
    ],
)
def test_who_asks_a_leader_to_meet_somebody_else_is_in_no_contact(told: Told, title: str, language: str):
    assert told(title, language) == ()
