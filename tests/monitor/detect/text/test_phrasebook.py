"""Test finding phrases in a text: whole words only, the longest first."""

from __future__ import annotations

from monitor.detect.text.phrasebook import Phrasebook


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
