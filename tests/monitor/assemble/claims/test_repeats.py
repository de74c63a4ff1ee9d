"""Test headlines that report one more contact ("again"), in each language of the data file."""

from __future__ import annotations

import pytest

from monitor.assemble.claims.repeats import is_of_two_alone, is_one_more


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Macron phones Putin again", "en"),
        ("Merz telefoniert erneut mit Selenskyj", "de"),
        ("Macron s'entretient à nouveau avec Poutine", "fr"),
        ("Lula e Milei voltam a conversar", "pt-BR"),
        ("Путин и Трамп снова поговорили по телефону", "ru"),
        ("习近平再次同普京通电话", "zh"),
        ("高市首相、再び大統領と電話会談", "ja"),
    ],
)
def test_a_word_in_the_headlines_language_says_so(title: str, language: str):
    assert is_one_more(title, language)


@pytest.mark.parametrize(
    ("title", "language"),
    [("Macron against Putin's call", "en"), ("Macron phones Putin", "en"), ("Macron phones Putin again", "xx")],
)
def test_other_headlines_do_not(title: str, language: str):
    assert not is_one_more(title, language)


@pytest.mark.parametrize(
    ("title", "language"),
    [
        ("Macron meets Modi one-on-one after the summit", "en"),
        ("Merz und Tusk sprechen am Rande des Gipfels", "de"),
        ("Macron et Modi se sont vus en tête-à-tête", "fr"),
        ("Путин и Си поговорили один на один", "ru"),
        ("习近平同普京单独会谈", "zh"),
    ],
)
def test_a_headline_says_that_two_leaders_were_alone(title: str, language: str):
    assert is_of_two_alone(title, language)
    assert not is_of_two_alone(title, "xx")


def test_a_headline_of_two_leaders_does_not_say_that_they_were_alone():
    assert not is_of_two_alone("Macron and Modi meet", "en")
