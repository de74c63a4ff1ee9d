"""Test that appeals by people who are not leaders open no event, and those by leaders and governments do."""

from __future__ import annotations

import pytest

from monitor.detect import Detector
from monitor.records import Article
from tests.monitor.detect.conftest import Told


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Truckers demand Carney meet Trump", "en"),
        ("Most Canadians want Carney to meet Trump", "en"),
        ("Poll: 62% of Indians want Modi to meet Xi", "en"),
        ("Starmer urged by backbenchers to meet Putin", "en"),
        ("Merz-Putin meeting would help, poll suggests", "en"),
        ("Wax figures of Trump and Kim shake hands in museum", "en"),
        ("Families of hostages in Tel Aviv call on Netanyahu to meet Sheikh Tamim", "en"),
        ("Zelensky could have met Orban in Brussels, aide says", "en"),
        ("Trump says he nearly called Xi over soybeans", "en"),
        ("In the play, Trump and Xi meet in a lift", "en"),
        ("Deepfake clip of a Putin-Kim video call spreads online", "en"),
        ("Doctored photo shows Macron meeting Xi", "en"),
        ("Un vídeo falso muestra a Sánchez reunido con Putin", "es"),
        ("Deepfake-Video zeigt Telefonat von Merz und Putin", "de"),
        ("Manifestantes exigen que Sheinbaum se reúna con Trump", "es"),
        ("Sondage : la majorité des Français veut que Macron rencontre Poutine", "fr"),
        ("Demonstranten fordern Treffen von Merz und Putin", "de"),
        ("Оппозиция требует, чтобы Путин встретился с Зеленским", "ru"),
        ("デモ隊、高市首相に習近平主席との会談を要求", "ja"),
    ],
)
def test_what_a_crowd_asks_for_is_no_contact(told: Told, title: str, language: str):
    assert told(title, language) == ()


@pytest.mark.parametrize(
    ("title", "unsure"),
    [
        ("White House urges Putin and Zelensky to meet", False),
        ("Protesters rally as Trump urges Putin to meet Zelensky", True),
        ("Vatican urges Putin and Zelensky to meet", False),
    ],
)
def test_what_a_government_asks_for_is_proposed(told: Told, title: str, unsure: bool):
    assert [(one.key, one.status, one.joins_only) for one in told(title)] == [
        ("vladimir-putin+volodymyr-zelensky", "proposed", unsure)
    ]


@pytest.mark.parametrize(
    ("title", "language", "told_of"),
    [
        ("Trump, Macron y Zelenski asisten al funeral del cardenal", "es", 0),
        ("Trump, Macron und Selenskyj bei der Trauerfeier für den Kardinal", "de", 0),
        ("Macron meets Zelensky at cardinal's funeral", "en", 1),
    ],
)
def test_mourners_need_not_have_met(told: Told, title: str, language: str, told_of: int):
    assert len(told(title, language)) == told_of


def test_a_march_against_a_meeting_does_not_report_it(told: Told):
    (one,) = told("Thousands march against Trump-Xi meeting in Seoul")
    assert (one.status, one.joins_only) == ("planned", True)


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("Protesters jeer as Trump meets Putin in Budapest", "held"),
        ("Thousands demand ceasefire in Gaza ahead of Trump-Sisi meeting", "planned"),
    ],
)
def test_a_crowd_beside_a_meeting_changes_nothing(told: Told, title: str, status: str):
    (one,) = told(title)
    assert (one.status, one.joins_only) == (status, False)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Carney would not say whether he had spoken to Modi", "en"),
        ("Starmer and Merz both attended the memorial service in Caen", "en"),
    ],
)
def test_what_a_leader_leaves_open_is_no_contact(told: Told, title: str, language: str):
    assert told(title, language) == ()


@pytest.mark.parametrize(
    ("remark", "contact", "language"),
    [
        ("Erdoğan Macron'u kutladı", "Erdoğan Macron'u telefonla arayıp kutladı, iki lider telefonda görüştü", "tr"),
        ("ماكرون ينتقد نتنياهو في خطاب", "ماكرون ينتقد نتنياهو في اتصال هاتفي بين ماكرون ونتنياهو", "ar"),
    ],
)
def test_a_remark_without_a_word_of_contact_is_none(told: Told, remark: str, contact: str, language: str):
    assert told(remark, language) == ()
    assert [one.medium for one in told(contact, language)] == ["phone"]


def test_a_poll_in_the_headline_silences_no_report_below_it(detector: Detector):
    article = Article(
        id="1", title="Poll finds Canadians back Carney meeting with Trump", language="en",
        summary="Carney will meet Trump in Washington, his office said.",
    )  # fmt: skip
    (one,) = detector.detect(article)
    assert (one.key, one.status) == ("donald-trump+mark-carney", "planned")
