"""Test which leaders are in one contact together, and which in separate contacts."""

from __future__ import annotations

import pytest

from tests.monitor.detect.conftest import Told


@pytest.mark.parametrize(
    ("title", "language", "keys"),
    [
        (
            "Modi speaks to Sultan of Oman, Malaysian PM",
            "en",
            ["haitham-bin-tariq+narendra-modi", "anwar-ibrahim+narendra-modi"],
        ),
        ("Carney phones Macron and Merz", "en", ["emmanuel-macron+mark-carney", "friedrich-merz+mark-carney"]),
        (
            "Erdogan spricht mit Putin und Selenskyj über Getreide",
            "de",
            ["recep-tayyip-erdogan+vladimir-putin", "recep-tayyip-erdogan+volodymyr-zelensky"],
        ),
        (
            "السيسي يتحدث هاتفيا مع ماكرون وأردوغان",
            "ar",
            ["abdel-fattah-el-sisi+emmanuel-macron", "abdel-fattah-el-sisi+recep-tayyip-erdogan"],
        ),
        ("Carney speaks with Macron and Merz on a joint call", "en", ["emmanuel-macron+friedrich-merz+mark-carney"]),
        ("Carney, Macron and Merz speak about Arctic security", "en", ["emmanuel-macron+friedrich-merz+mark-carney"]),
        ("Carney meets Macron and Merz in Ottawa", "en", ["emmanuel-macron+friedrich-merz+mark-carney"]),
    ],
)
def test_calls_with_several_are_one_with_each(told: Told, title: str, language: str, keys: list[str]):
    assert [one.key for one in told(title, language)] == keys


@pytest.mark.parametrize(
    ("title", "language", "keys"),
    [
        (
            "Sharaa meets King Charles and Starmer in London",
            "en",
            ["ahmed-al-sharaa+charles-iii", "ahmed-al-sharaa+keir-starmer"],
        ),
        (
            "Merz trifft Mattarella und Meloni in Rom",
            "de",
            ["friedrich-merz+sergio-mattarella", "friedrich-merz+giorgia-meloni"],
        ),
        ("Carney meets Costa and von der Leyen in Brussels", "en", ["antonio-costa+mark-carney+ursula-von-der-leyen"]),
    ],
)
def test_two_hosts_of_one_state_are_met_one_by_one(told: Told, title: str, language: str, keys: list[str]):
    assert sorted(one.key for one in told(title, language)) == sorted(keys)
