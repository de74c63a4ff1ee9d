"""Test how topics are found."""

from __future__ import annotations

import pytest

from monitor.detect.text.normal import normalise
from monitor.detect.vocabulary.language import bundled_languages

TOPICS = [
    ("They discussed the war in Ukraine", ("Ukraine war",)),
    ("Talks about a ceasefire in Gaza", ("ceasefire", "Gaza")),
    ("They spoke of tariffs and rare earths", ("tariffs", "trade", "rare earths")),
    ("They spoke of sanctions", ("sanctions",)),
    ("They spoke of Taiwan and arms control", ("Taiwan", "nuclear")),
    ("They spoke of climate change", ("climate",)),
    ("They spoke of oil supplies", ("energy",)),
    ("ru: Лидеры обсудили ситуацию вокруг Украины", ("Ukraine war",)),
    ("zh: 双方讨论了乌克兰危机和贸易", ("Ukraine war", "trade")),
    ("They dined", ()),
    ("The tradesman's boil", ()),
    ("", ()),
]


def found(text: str) -> tuple[str, ...]:
    code, _, said = text.rpartition(": ")
    return bundled_languages()[code or "en"].topics.find(normalise(said).text)


class TestTopics:
    @pytest.mark.parametrize(("text", "topics"), TOPICS)
    def test_in_the_order_of_the_text(self, text, topics):
        assert set(found(text)) == set(topics)

    @pytest.mark.parametrize("text", ["Trump, Carney trade barbs in Oval Office", "Macron and Milei traded insults"])
    def test_who_trades_barbs_does_not_speak_of_trade(self, text):
        assert found(text) == ()

    def test_a_topic_beside_traded_barbs_is_told(self):
        assert found("Trump, Carney trade barbs over trade and steel tariffs") == (
            "trade",
            "tariffs",
        )

    def test_order(self):
        assert found("Sanctions, then climate change, then sanctions again") == ("sanctions", "climate")
