"""Test headlines that report one more contact ("again"), in each language of the data file."""

from __future__ import annotations

import pytest

from monitor.assemble.claims.repeats import is_one_more


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
