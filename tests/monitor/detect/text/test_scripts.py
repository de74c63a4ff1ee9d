"""Test that a script is defined by its entry in a data file alone."""

from __future__ import annotations

import runpy

import msgspec
import pytest

from monitor.detect.text import normal
from monitor.detect.text import scripts as text_scripts
from monitor.detect.text.scripts import Script, commas, letter_variants, script_of, scripts

#: Greek as one would add it: accented vowels and final sigma count as the plain letter, with a made-up row of digits.
GREEK = """
Greek: {letters: "\\u0370-\\u03ff", variants: {α: ά, σ: ς}, signs: "\\u037a", zeros: "\\u0a66", comma: "\\u0384"}
"""


def test_letters_know_their_script() -> None:
    found = [script_of(letter) for letter in "aй行カ가ع"]
    assert found == ["Latin", "Cyrillic", "Han", "Kana", "Hangul", "Arabic"]
    assert script_of("5") == ""


def test_other_forms_of_letters_and_digits_are_data() -> None:
    assert letter_variants()["е"] == "ё"
    assert letter_variants()["7"] == "٧۷७"
    assert set(commas()) == set(",،、")


def test_a_new_script_needs_no_python(monkeypatch: pytest.MonkeyPatch) -> None:
    text = "Μητσοτάκης \u0a67\u0a68"
    assert normal.normalise(text).text == text
    more = {**scripts(), **msgspec.yaml.decode(GREEK, type=dict[str, Script])}
    monkeypatch.setattr(text_scripts, "scripts", lambda: more)
    anew = runpy.run_path(normal.__file__)
    assert anew["normalise"](text).text == "Μητσοτακησ 12"
    assert "\u0384" in commas()
