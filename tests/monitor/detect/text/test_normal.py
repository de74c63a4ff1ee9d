"""Text made safe and even, and what shapes news text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.text.normal import (
    MAX_LENGTH,
    dateline,
    fold,
    furniture,
    label,
    normalise,
    sentences,
    source_suffix,
)

EVEN = [
    # given, normalised
    ("Putin met Xi", "Putin met Xi"),
    ("Putin’s “call” – with Xi", 'Putin\'s "call" - with Xi'),
    ("Putin\u2010Xi, Putin‑Xi", "Putin-Xi, Putin-Xi"),
    ("S&P 500 & more, 3 < 4", "S&P 500 & more, 3 < 4"),
    ("Putin &amp; Xi &quot;met&quot;", 'Putin & Xi "met"'),
    ("Putin&nbsp;met&#32;Xi", "Putin met Xi"),
    ("<b>Pu</b>tin met <a href='x'>Xi</a>", "Putin met Xi"),
    ("<p>One.</p><p>Two.</p>", "\nOne.\n\nTwo.\n"),
    ("Pu\u200btin\u00ad met\ufeff Xi\u2060", "Putin met Xi"),
    ("\u202ePutin\u202c met Xi", "Putin met Xi"),
    ("Putin\x00 met\x07Xi", "Putin met Xi"),
    ("Putin \ud800 Xi", "Putin \ufffd Xi"),
    ("Putin\u00a0met\u2009Xi\tnow", "Putin met Xi now"),
    ("Ｐｕｔｉｎ ｍｅｔ Ｘｉ", "Putin met Xi"),
    ("习近平，普京：会谈！", "习近平,普京:会谈!"),
    ("e\u0301tat", "état"),
    ("Зеленский и Орёл", "Зеленский и Орел"),
    ("إردوغان وأردوغان", "اردوغان واردوغان"),
    ("التَقَى", "التقي"),
    ("Putin 🤝 Xi", "Putin 🤝 Xi"),
    ("Putin & <3 Xi", "Putin & <3 Xi"),
    ("&#0;&#xD800;&bogus;", "\ufffd\ufffd&bogus;"),
    ("", ""),
]


PIECES = [
    "<b>", "</p>", "<", "&", "&lt;", "&#65;", "e\u0301", "\u0301", "\u200b", "\ud83d", "ﷺ", "é", "’", "x", "\x00", "가",
    "\u1100\u1161\u11a8", "İ", "\n",
]  # fmt: skip


class TestNormalise:
    @pytest.mark.parametrize(("given_", "expected"), EVEN)
    def test_even(self, given_, expected):
        assert normalise(given_).text == expected

    @pytest.mark.parametrize(("given_", "_"), EVEN)
    def test_is_stable(self, given_, _):
        once = normalise(given_).text
        assert normalise(once).text == once

    @pytest.mark.parametrize(
        ("given_", "words", "there"),
        [
            ("<b>Pu</b>tin &amp; Xi", "Putin", "Pu</b>tin"),
            ("a &amp; b", "&", "&amp;"),
            ("x Pu\u200btin met", "Putin", "Pu\u200btin"),
            ("e\u0301tat", "é", "e\u0301"),
            ("a ﷺ b", "الله", "ﷺ"),
            ("Putin’s call", "Putin's", "Putin’s"),
            ("\x00\x00Putin met Xi", "met Xi", "met Xi"),
        ],
    )
    def test_the_way_back(self, given_, words, there):
        normal = normalise(given_)
        at = normal.text.index(words)
        start, end = normal.span(at, at + len(words))
        assert given_[start:end] == there

    def test_a_plain_title_stays_as_it_is(self):
        title = "Putin and Xi held a video call on Wednesday"
        assert normalise(title).text is title

    def test_length_is_bounded(self):
        for text in ("a" * 10 * MAX_LENGTH, "ﷺ" * MAX_LENGTH, "&amp;" * MAX_LENGTH):
            assert len(normalise(text).text) <= MAX_LENGTH

    @given(st.text(alphabet=st.characters(codec=None), max_size=60))
    def test_any_text(self, text):
        normal = normalise(text)
        assert not any("\ud800" <= letter <= "\udfff" or letter == "\x00" for letter in normal.text)
        last = 0
        for at in range(len(normal.text)):
            start, end = normal.span(at, at + 1)
            assert last <= end
            assert 0 <= start < end <= len(text)
            last = start
        assert len(fold(normal.text)) == len(normal.text)

    @given(st.lists(st.sampled_from(PIECES), max_size=25))
    def test_pieces_that_stick_together(self, pieces):
        text = "".join(pieces)
        normal = normalise(text)
        for at in range(len(normal.text)):
            start, end = normal.span(at, at + 1)
            assert 0 <= start < end <= len(text)


class TestFold:
    def test_moves_no_letter(self):
        assert fold("İstanbul PUTIN Å") == "istanbul putin å"


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


DATELINES = [
    # text, place, agency, date, rest
    ("BEIJING, Feb 4 (Reuters) - The leaders met.", "BEIJING", "Reuters", "Feb 4", "The leaders met."),
    ("MOSCOW, February 4. /TASS/. The leaders met.", "MOSCOW", "TASS", "February 4", "The leaders met."),
    ("WASHINGTON (AP) — The leaders met.", "WASHINGTON", "AP", "", "The leaders met."),
    ("KYIV, Ukraine (AP) — The leaders met.", "KYIV", "AP", "", "The leaders met."),
    ("BEIJING, Feb. 4 (Xinhua) -- The leaders met.", "BEIJING", "Xinhua", "Feb. 4", "The leaders met."),
    ("NEW DELHI, 5 December - The leaders met.", "NEW DELHI", "", "5 December", "The leaders met."),
    ("МОСКВА, 4 фев - РИА Новости. Лидеры встретились.", "МОСКВА", "РИА Новости", "4 фев", "Лидеры встретились."),
    ("新华社北京2月4日电 双方举行会谈", "北京", "新华社", "2月4日", "双方举行会谈"),
]


class TestDateline:
    @pytest.mark.parametrize(("text", "place", "agency", "day", "rest"), DATELINES)
    def test_opens_a_wire_story(self, text, place, agency, day, rest):
        line = dateline(normalise(text).text)
        assert line is not None
        assert (line.place, line.agency, line.date) == (place, agency, day)
        assert text[line.end :].strip() == rest

    @pytest.mark.parametrize(
        "text",
        [
            "Moscow and Beijing (both) - held talks",
            "US - China talks",
            "PUTIN MET XI",
            "The leaders met.",
            "",
            "G20 - a summit",
        ],
    )
    def test_is_not_there(self, text):
        assert dateline(text) is None


class TestSuffix:
    @pytest.mark.parametrize(
        ("title", "tail", "kind"),
        [
            ("Leaders to meet in May - Reuters", "Reuters", "outlet"),
            ("Leaders to meet in May | The Guardian", "The Guardian", "outlet"),
            ("Leaders talk over phone — media", "media", "attribution"),
            ("Leaders may meet soon — Kremlin", "Kremlin", "attribution"),
            ("Leaders may meet soon — Polish foreign minister", "Polish foreign minister", "attribution"),
        ],
    )
    def test_is_told_apart(self, title, tail, kind):
        suffix = source_suffix(title)
        assert suffix is not None
        assert (suffix.text, suffix.kind) == (tail, kind)
        assert title[suffix.start :].endswith(tail)

    def test_the_articles_own_outlet(self):
        assert source_suffix("Leaders to meet - Morning Courier") is None
        suffix = source_suffix("Leaders to meet - Morning Courier", "Morning Courier")
        assert suffix is not None
        assert suffix.kind == "outlet"

    @pytest.mark.parametrize("title", ["Putin-Trump summit", "Macron - Merz talks end", "Leaders meet", " - Reuters"])
    def test_is_not_there(self, title):
        suffix = source_suffix(title)
        assert suffix is None or suffix.start > 0


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
