"""Test how the two witnesses are combined: neither alone overrules the other when that one is certain."""

from __future__ import annotations

import pytest

from monitor.detect.reader.fusion import RuleFinding, bundled_fusion, contact, fused
from monitor.detect.reader.opinion import Opinion
from tests.monitor.detect.reader.test_groups import STATUSES, told

FUSION = bundled_fusion()


def together(status: str, share: float, vote: RuleFinding, language: str = "en") -> dict[str, float]:
    return fused(Opinion(told(status, share), {}, {}), vote, FUSION.of(language))


@pytest.mark.parametrize("status", STATUSES)
def test_the_result_is_a_distribution(status: str) -> None:
    found = together(status, 0.7, RuleFinding("planned", 0.9))
    assert sum(found.values()) == pytest.approx(1)
    assert set(found) == set(STATUSES)


def test_rules_add_to_what_the_reader_finds() -> None:
    assert contact(together("held", 0.5, RuleFinding("held", 0.9))) > contact(
        together("held", 0.5, RuleFinding("none"))
    )


def test_a_sure_reader_needs_no_rule() -> None:
    assert contact(together("planned", 0.97, RuleFinding("none"))) > FUSION.joining


def test_surer_rules_weigh_no_less() -> None:
    low, high = (together("none", 0.6, RuleFinding("held", confidence))["held"] for confidence in (0.5, 0.97))
    assert high >= low


def test_a_status_that_no_word_tells_is_left_to_the_reader() -> None:
    told, untold = (together("planned", 0.6, RuleFinding("held", 0.9, stated=one)) for one in (True, False))
    assert untold["held"] < told["held"] < 1
    assert contact(untold) > contact(together("planned", 0.6, RuleFinding("none")))


def test_opening_asks_for_more_than_joining() -> None:
    assert 0.3 <= FUSION.joining < FUSION.opening < 1


@pytest.mark.parametrize("language", ["en", "de"])
def test_what_lies_ahead_did_not_take_place(language: str) -> None:
    held = together("held", 0.6, RuleFinding("planned", 0.9), language)["held"]
    assert together("held", 0.6, RuleFinding("planned", 0.9, ahead=True), language)["held"] < held / 2
