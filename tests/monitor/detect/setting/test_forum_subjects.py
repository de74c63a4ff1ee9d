"""At which forum, and about what."""

from __future__ import annotations

import pytest

from monitor.detect.setting.forum import find_forums
from monitor.detect.setting.subjects import find_topics
from monitor.detect.text.normal import normalise
from monitor.detect.text.phrasebook import Phrasebook

FORUMS = [
    # text, forum, on its sidelines
    ("They met on the sidelines of the SCO summit in Tianjin", "SCO", True),
    ("They met on the margins of the UN General Assembly", "UNGA", True),
    ("They met at the G20 summit", "G20", False),
    ("They met at APEC", "APEC", False),
    ("BRICS leaders' virtual summit", "BRICS", False),
    ("The leaders attend the NATO summit", "NATO", False),
    ("Talks at COP30 in Belem", "COP", False),
    ("An EU summit in Brussels", "EU", False),
    ("The European Council meeting on Thursday", "European Council", False),
    ("They spoke at the Munich Security Conference", "MSC", False),
    ("They spoke at the World Economic Forum", "Davos", False),
    ("They met at the East Asia Summit", "EAS", False),
    ("The CSTO summit in Yerevan", "CSTO", False),
    ("A meeting of the Gulf Cooperation Council summit", "GCC", False),
    ("The African Union summit opens", "African Union", False),
    ("The Organization of Turkic States summit", "OTS", False),
    ("They met on the sidelines of G7", "G7", True),
    ("they met at the sco summit", "SCO", False),
    ("They met on the sidelines of the Asean summit", "ASEAN", True),
    ("They met at Cop30", "COP", False),
    ("Лидеры встретились на полях саммита ШОС", "SCO", True),
    ("Лидеры встретились на саммите БРИКС", "BRICS", False),
    ("在上海合作组织峰会期间会见", "SCO", True),
]

BODIES = [
    "The NATO chief said so",
    "G20 countries agreed",
    "EU sanctions hit trade",
    "UN experts warn",
    "NATO members spend more",
    "BRICS nations grow",
    "The quad bike race",
    "A Kim Jong Un Meeting is unlikely",
    "He, along with other EU leaders, talks to the president",
    "A Cop was hurt at the meeting",
    "",
]

TOPICS = [
    ("They discussed the war in Ukraine", ("Ukraine war",)),
    ("Talks about a ceasefire in Gaza", ("ceasefire", "Gaza")),
    ("They spoke of tariffs and rare earths", ("tariffs", "trade", "rare earths")),
    ("They spoke of sanctions", ("sanctions",)),
    ("They spoke of Taiwan and arms control", ("Taiwan", "nuclear")),
    ("They spoke of climate change", ("climate",)),
    ("They spoke of oil supplies", ("energy",)),
    ("Лидеры обсудили ситуацию вокруг Украины", ("Ukraine war",)),
    ("双方讨论了乌克兰危机和贸易", ("Ukraine war", "trade")),
    ("They dined", ()),
    ("The tradesman's boil", ()),
    ("", ()),
]


class TestForums:
    @pytest.mark.parametrize(("text", "forum", "sidelines"), FORUMS)
    def test_a_gathering(self, text, forum, sidelines):
        hits = find_forums(normalise(text).text)
        assert [(hit.forum, hit.sidelines) for hit in hits] == [(forum, sidelines)]

    @pytest.mark.parametrize("text", BODIES)
    def test_a_body_is_no_gathering(self, text):
        assert find_forums(text) == ()


class TestTopics:
    @pytest.mark.parametrize(("text", "topics"), TOPICS)
    def test_in_the_order_of_the_text(self, text, topics):
        assert set(find_topics(normalise(text).text)) == set(topics)

    @pytest.mark.parametrize("text", ["Trump, Carney trade barbs in Oval Office", "Macron and Milei traded insults"])
    def test_who_trades_barbs_does_not_speak_of_trade(self, text):
        assert find_topics(normalise(text).text) == ()

    def test_a_topic_beside_traded_barbs_is_told(self):
        assert find_topics(normalise("Trump, Carney trade barbs over trade and steel tariffs").text) == (
            "trade",
            "tariffs",
        )

    def test_order(self):
        assert find_topics("Sanctions, then climate change, then sanctions again") == ("sanctions", "climate")


class TestPhrasebook:
    def test_whole_words_only_unless_starred(self):
        book = Phrasebook([("trade", 1), ("tariff*", 2)])
        assert [value for _, _, value in book.find("trade trader tariffs")] == [1, 2]

    def test_no_boundaries_where_no_spaces_are_written(self):
        assert Phrasebook([("贸易", 1)]).find("双方贸易额")[0][2] == 1

    def test_the_longest_wins(self):
        book = Phrasebook([("security council", 1), ("un security council", 2), ("council", 3)])
        assert book.longest("the un security council met") == [(4, 23, 2)]

    def test_an_empty_book(self):
        assert Phrasebook([]).find("anything") == []
