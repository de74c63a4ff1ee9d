"""Test how text is normalised."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.text.normal import MAX_LENGTH, fold, normalise

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
    ("ज़ेलेंस्की से मुलाक़ात, पाँच २०२६", "जेलेंस्की से मुलाकात, पांच 2026"),
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
