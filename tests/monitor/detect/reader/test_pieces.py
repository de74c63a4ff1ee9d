"""Test word pieces: known words stay whole, and every text gets numbers."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor.detect.reader.pieces import SPECIALS, UNKNOWN, WordPieces

ROWS = [*SPECIALS, "en:meet", "en:##ing", "en:call", "Treffen", "treffen", "##을", "会", "谈", "会谈", "##t", "e"]
PIECES = WordPieces(ROWS)


def texts(text: str, language: str = "en") -> list[str]:
    return [ROWS[row] for _, _, rows in PIECES.read(text, language) for row in rows]


def test_english_words_are_split_from_the_left_into_the_longest_pieces() -> None:
    assert texts("Meeting call") == ["en:meet", "en:##ing", "en:call"]


def test_accents_and_capitals_do_not_matter_in_english() -> None:
    assert texts("CÁLL") == ["en:call"]


def test_other_languages_keep_their_capitals_where_the_vocabulary_does() -> None:
    assert texts("Treffen", "xx") == ["Treffen"]
    assert texts("TREFFEN", "xx") == ["treffen"]


def test_english_pieces_are_not_for_other_languages() -> None:
    assert texts("call", "xx") != ["en:call"]


def test_scripts_without_spaces_are_matched_within_a_run() -> None:
    assert texts("会谈会", "xx") == ["会谈", "会"]


def test_a_particle_right_behind_a_name_is_read() -> None:
    assert texts("을", "xx") == ["##을"]


def test_what_is_in_no_vocabulary_is_unknown_once() -> None:
    (word,) = PIECES.read("qqqq", "en")
    assert word == (0, 4, (UNKNOWN,))


@given(st.text(max_size=80), st.sampled_from(["en", "xx"]))
def test_every_word_has_pieces_and_its_place(text: str, language: str) -> None:
    last = 0
    for start, end, rows in PIECES.read(text, language):
        assert last <= start < end <= len(text)
        assert rows
        assert all(0 <= row < len(ROWS) for row in rows)
        last = end
