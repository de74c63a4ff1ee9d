"""Test how the language of a text is identified."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.language.identify import identify

TEXTS = [
    ("The leaders met in Samarkand and spoke for an hour", "en"),
    ("Putin, Xi meet", "en"),
    ("Trump — Putin", "en"),
    ("Лидеры встретились в Самарканде", "ru"),
    ("Лидеры двух стран поговорили", "ru"),
    ("Лідери зустрілися у Києві", "uk"),
    ("两国领导人举行会谈", "zh"),
    ("両首脳は電話会談を行った", "ja"),
    ("양국 정상이 통화했다", "ko"),
    ("التقى الزعيمان في الرياض", "ar"),
    ("رهبران دو کشور گفت‌وگو کردند", "fa"),
    ("दोनों नेताओं ने मुलाकात की", "hi"),
    ("Los dos líderes se reunieron el miércoles en Madrid", "es"),
    ("Les deux dirigeants se sont entretenus mercredi à Paris", "fr"),
    ("Die beiden Staatschefs trafen sich am Mittwoch in Berlin", "de"),
    ("Os dois líderes reuniram-se na quarta-feira em Lisboa", "pt"),
    ("I due leader si sono incontrati mercoledì a Roma", "it"),
    ("İki lider çarşamba günü Ankara'da görüştü", "tr"),
    ("", "en"),
    ("12345 !?", "en"),
]


@pytest.mark.parametrize(("text", "code"), TEXTS)
def test_identify(text, code):
    assert identify(text) == code


@given(st.text(max_size=80))
def test_any_text_has_one_answer(text):
    assert identify(text) == identify(text)
