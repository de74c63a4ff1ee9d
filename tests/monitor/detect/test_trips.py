"""Test that a cancelled trip cancels the plan to meet the leader of that state, named or not."""

from __future__ import annotations

from datetime import date

import pytest

from tests.monitor.detect.conftest import Told


@pytest.mark.parametrize(
    ("title", "language", "traveller", "state"),
    [
        ("Takaichi cancels visit to South Korea", "en", "sanae-takaichi", "KR"),
        ("Modi's Japan trip called off", "en", "narendra-modi", "JP"),
        ("Macron's trip to Poland has been scrapped", "en", "emmanuel-macron", "PL"),
        ("Macron annule son déplacement en Pologne", "fr", "emmanuel-macron", "PL"),
        ("Merz sagt Reise in die Türkei ab", "de", "friedrich-merz", "TR"),
        ("Sánchez cancela su viaje a Marruecos", "es", "pedro-sanchez", "MA"),
        ("Lula cancela viagem à Colômbia", "pt", "luiz-inacio-lula-da-silva", "CO"),
        ("Meloni annulla il viaggio in Albania", "it", "giorgia-meloni", "AL"),
        ("Токаев отменил поездку в Россию", "ru", "kassym-jomart-tokayev", "RU"),
        ("Erdoğan, Mısır ziyaretini iptal etti", "tr", "recep-tayyip-erdogan", "EG"),
        ("特朗普取消访问中国", "zh", "donald-trump", "CN"),
        ("高市首相、韓国訪問を中止", "ja", "sanae-takaichi", "KR"),
        ("Visit of Modi to Japan called off", "en", "narendra-modi", "JP"),
        ("La visite de Meloni à Alger est annulée", "fr", "giorgia-meloni", "DZ"),
        ("Besuch von Macron in Algier abgesagt", "de", "emmanuel-macron", "DZ"),
        ("Визит Путина в Анкару отменён", "ru", "vladimir-putin", "TR"),
        ("Starmer won't travel to Warsaw next week, office says", "en", "keir-starmer", "PL"),
        ("Sheinbaum no viajará a Washington la próxima semana", "es", "claudia-sheinbaum", "US"),
        ("Macron n'ira finalement pas à Rome", "fr", "emmanuel-macron", "IT"),
    ],
)
def test_the_office_of_the_other_state_takes_part(told: Told, title: str, language: str, traveller: str, state: str):
    (one,) = told(title, language)
    assert {p.leader for p in one.participants} == {traveller, f"office:{state}"}
    assert (one.status, one.joins_only) == ("cancelled", True)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Sheikh Tamim's White House visit postponed to March 29", "en"),
        ("Visit by Meloni to Algiers postponed to March 29", "en"),
        ("La visite de Meloni à Alger reportée au 29 mars", "fr"),
        ("Rinviata al 29 marzo la visita di Meloni ad Algeri", "it"),
        ("Besuch von Macron in Algier auf 29. März verschoben", "de"),
        ("Visita de Lula a Tóquio é adiada para 29 de março", "pt"),
        ("高市首相のソウル訪問、3月29日に延期", "ja"),
        ("Erdoğan'ın Moskova ziyareti 29 Mart'a ertelendi", "tr"),
    ],
)
def test_a_trip_that_is_put_off_to_a_day_has_that_day(told: Told, title: str, language: str):
    (one,) = told(title, language)
    assert one.status == "rescheduled"
    assert one.when is not None
    assert one.when.start == date(2026, 3, 29)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Trump may cancel trip to China", "en"),
        ("Trump drops tariffs ahead of China trip", "en"),
        ("Trump delays tariffs after China visit", "en"),
        ("Merz sagt bei Besuch in Polen: Europa muss handeln", "de"),
        ("Macron cancels holiday trip to Corsica", "en"),
        ("Modi drops levy, Friday trip to Japan still stands", "en"),
        ("Modi calls off fuel levy after a nice trip home", "en"),
    ],
)
def test_other_headlines_call_nothing_off(told: Told, title: str, language: str):
    assert told(title, language) == ()


@pytest.mark.parametrize(
    ("title", "language", "leaders", "status"),
    [
        ("Modi cancels Tokyo visit, where he was to see Takaichi", "en", "narendra-modi+sanae-takaichi", "cancelled"),
        ("Starmer puts off trip to Rome, where Meloni had expected him", "en",
         "giorgia-meloni+keir-starmer", "postponed"),
        ("Merz sagt Reise nach Rom ab, wo er Meloni treffen wollte", "de",
         "friedrich-merz+giorgia-meloni", "cancelled"),
        ("Meloni rinvia il viaggio a Berlino, dove avrebbe visto Merz", "it",
         "friedrich-merz+giorgia-meloni", "postponed"),
        ("Токаев отложил поездку в Баку, где его ждал Алиев", "ru", "ilham-aliyev+kassym-jomart-tokayev", "postponed"),
        ("Зеленський скасував поїздку до Парижа, де мав побачитися з Макроном", "uk",
         "emmanuel-macron+volodymyr-zelensky", "cancelled"),
        ("Tusk odwołał wyjazd do Paryża, gdzie czekał Macron", "pl", "donald-tusk+emmanuel-macron", "cancelled"),
        ("De Wever zegt bezoek aan Berlijn af, waar hij Merz zou zien", "nl",
         "bart-de-wever+friedrich-merz", "cancelled"),
        ("Prabowo menunda lawatan ke Tokyo, semula akan bertemu Takaichi", "id",
         "prabowo-subianto+sanae-takaichi", "postponed"),
    ],
)  # fmt: skip
def test_a_named_host_takes_part_and_no_other_plan_of_the_two_is_told(
    told: Told, title: str, language: str, leaders: str, status: str
):
    assert [("+".join(sorted(p.leader for p in one.participants)), one.status) for one in told(title, language)] == [
        (leaders, status)
    ]


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("Starmer cancels Rome trip, will call Meloni instead", "planned"),
        ("Starmer calls off Rome trip and speaks to Meloni by phone instead", "held"),
    ],
)
def test_a_call_in_place_of_a_trip_is_not_called_off(told: Told, title: str, status: str):
    assert {(one.medium, one.status) for one in told(title)} == {("in_person", "cancelled"), ("phone", status)}
