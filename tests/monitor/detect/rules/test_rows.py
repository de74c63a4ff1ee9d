"""Test how a sentence is cut into items: asides behind names, and dots of an ellipsis."""

from __future__ import annotations

import pytest

from tests.monitor.detect.conftest import Told


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Donald Trump (L) shakes hands with Xi Jinping (R) in Busan", "en"),
        ("Trump, second from left, greets Xi, far right, in Busan", "en"),
        ("Trump, left, and Xi, right, shake hands", "en"),
        ("Ministerpräsident Trump (79) telefoniert mit Xi (KPCh)", "de"),
        ("特朗普（左）会见习近平（右）", "zh"),
    ],
)
def test_a_short_aside_does_not_part_a_name_from_its_verb(told: Told, title: str, language: str) -> None:
    assert [one.key for one in told(title, language)] == ["donald-trump+xi-jinping"]


def test_an_aside_that_names_somebody_stays(told: Told) -> None:
    assert told("Trump (with Putin) shakes hands with supporters of Xi", "en") == ()


def test_an_ellipsis_ends_what_is_said_of_a_contact(told: Told) -> None:
    (mention,) = told("미러 정상, 2시간 통화…우크라 휴전 합의 못해", "ko")
    assert mention.status == "held"


def test_a_time_before_an_ellipsis_is_of_its_headline(told: Told) -> None:
    (mention,) = told("모디 인도 총리, 4월 방한…이 대통령과 정상회담", "ko")
    assert mention.status == "planned"


def test_a_dot_alone_is_no_ellipsis(told: Told) -> None:
    (mention,) = told("Trump met Xi on Nov. 3 in Busan", "en")
    assert mention.key == "donald-trump+xi-jinping"


def test_the_medium_is_that_of_the_words_nearest_to_the_verb(told: Told) -> None:
    phone, _trip = told("Meloni cancels Washington visit, will speak to Trump by phone instead", "en")
    assert (phone.medium, phone.status) == ("phone", "planned")


def test_a_denial_that_is_also_a_relative_is_a_denial(told: Told) -> None:
    (mention,) = told("크렘린궁, 푸틴과 젤렌스키 회담 부인", "ko")
    assert mention.status == "denied"


def test_a_name_before_a_noun_of_contact_does_not_act(told: Told) -> None:
    (mention,) = told("高市首相がASEAN首脳会議に出席、マレーシアのアンワル首相とも会談", "ja")
    assert mention.key == "anwar-ibrahim+sanae-takaichi"


def test_leaders_joined_by_a_middle_dot_are_a_list(told: Told) -> None:
    (mention,) = told("젤렌스키, 런던서 스타머·마크롱·메르츠와 4자 회담", "ko")
    assert mention.key == "emmanuel-macron+friedrich-merz+keir-starmer+volodymyr-zelensky"
