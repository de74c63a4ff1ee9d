"""Test that names in other scripts are loaded at the first text in such a script, and that none is missed."""

from __future__ import annotations

import pytest

from monitor.detect.people.gazetteer import Gazetteer
from monitor.detect.text.normal import fold, normalise
from monitor.detect.text.scripts import script_of
from monitor.watchlist import bundled


@pytest.fixture
def gazetteer() -> Gazetteer:
    return Gazetteer(bundled(), {"president": 1, "президент": 1}, {"met": "never", "встретился": "never"}, "")


def found(gazetteer: Gazetteer, text: str) -> list[str]:
    folded = fold(normalise(text).text)
    return [folded[hit.start : hit.end] for hit in gazetteer.scan(folded).hits]


def test_the_first_text_in_another_script_finds_its_names(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "President Putin met Xi") == ["president", "putin", "xi"]
    assert found(gazetteer, "Президент Путин встретился с Си") == ["президент", "путин", "си"]
    assert found(gazetteer, "President Putin met Xi") == ["president", "putin", "xi"]


def test_one_name_in_another_script_is_enough(gazetteer: Gazetteer) -> None:
    assert found(gazetteer, "Putin (Путин) met Xi (习近平)") == ["putin", "путин", "xi", "习近平"]


@pytest.mark.slow
def test_no_spelling_in_latin_letters_waits_for_a_text_in_another_script(gazetteer: Gazetteer) -> None:
    def foreign(text: str) -> bool:
        return any(script_of(letter) not in ("", "Latin") for letter in text)

    every, first = gazetteer.spellings(), gazetteer.spellings(foreign)
    assert len(first) < len(every)
    assert {key: name for key, name in every.items() if not foreign(key)} == {
        key: name for key, name in first.items() if not foreign(key)
    }
