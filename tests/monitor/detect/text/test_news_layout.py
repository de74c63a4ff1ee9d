"""Test the layout of news text: sentences, labels, bylines, captions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.text.news_layout import furniture, label, sentences

SENTENCES = [
    ["The two met.", "They spoke for an hour."],
    ["U.S. President Trump met Mr. Modi on Feb. 4 in the U.S.", "The leaders talked."],
    ["J. D. Vance was there.", "So was Gen. Kellogg."],
    ['He said: "We met."', "She agreed."],
    ["What next?", "Nobody knows!", "Talks go on."],
    ["Talks ended at 5 p.m. on Monday.", "No date was set."],
    ["It was in 2018.", "Later they met again."],
    ["Он прилетел в пятницу.", "Переговоры прошли в Кремле."],
    ["Um 4. Februar 2026 trafen sie sich.", "Danach reiste er ab."],
    ["双方举行会谈。", "会谈持续一小时。"],
]


class TestSentences:
    @pytest.mark.parametrize("parts", SENTENCES)
    def test_end_where_they_end(self, parts):
        text = " ".join(parts)
        assert [text[start:end] for start, end in sentences(text)] == parts

    def test_lines_and_bullets_part(self):
        text = "One line\nAnother line * * * A third • A fourth"
        parts = [text[start:end].strip(" *•") for start, end in sentences(text)]
        assert parts == ["One line", "Another line", "A third", "A fourth"]

    def test_only_the_first(self):
        assert sentences("One. Two. Three.", limit=2) == [(0, 4), (5, 9)]

    def test_nothing(self):
        assert sentences("") == sentences(" \n ") == []

    @given(st.text(alphabet="aA1.!? \n\"')。", max_size=60))
    def test_cover_the_text_in_order(self, text):
        last = 0
        for start, end in sentences(text):
            assert last <= start < end <= len(text)
            assert not text[last:start].strip()
            last = end
        assert not text[last:].strip()


class TestFurniture:
    @pytest.mark.parametrize(
        ("title", "name"),
        [
            ("Opinion: They should meet", "opinion"),
            ("Analysis | What they want", "analysis"),
            ("LIVE: Leaders meet", "live"),
            ("Leaders meet | Opinion", "opinion"),
            ("[Explainer] How they met", "analysis"),
            ("Timeline: Meetings of the two", "history"),
            ("BREAKING: Leaders meet", "news"),
        ],
    )
    def test_labels(self, title, name):
        found = label(title)
        assert found is not None
        assert found.name == name

    @pytest.mark.parametrize(
        "title", ["Live music in Paris", "Leaders voice opinion", "Watch them meet", "Views: a matter"]
    )
    def test_words_that_are_no_labels(self, title):
        assert label(title) is None

    def test_bylines_captions_and_related_lines(self):
        text = "By Jane Sample\nThe leaders met.\n(Reporting by Jane Sample; editing by Joe Sample)\nRead more: Another"
        assert [(piece.kind, text[piece.start : piece.end].split(maxsplit=1)[0]) for piece in furniture(text)] == [
            ("byline", "By"),
            ("byline", "(Reporting"),
            ("related", "Read"),
        ]

    @pytest.mark.parametrize(
        "caption",
        [
            "FILE PHOTO: Modi meets Prabowo in Jakarta",
            "(FILES) Modi meets Prabowo in Jakarta",
            "FILE - Modi meets Prabowo in Jakarta",
            "In this file photo Modi meets Prabowo in Jakarta",
        ],
    )
    def test_a_caption_of_an_old_picture(self, caption):
        (found,) = furniture(caption)
        assert (found.kind, found.start, found.end) == ("archive", 0, len(caption))

    def test_an_old_picture_behind_a_sentence(self):
        text = "Rice fell on Monday. File photo: Modi meets Prabowo"
        assert [(one.kind, text[one.start : one.end]) for one in furniture(text)] == [
            ("archive", "File photo: Modi meets Prabowo")
        ]
