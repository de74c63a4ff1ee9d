"""Test the reader's input: markers instead of leaders' names, with both leaders included in long texts."""

from __future__ import annotations

import pytest

from monitor.detect import Detector
from monitor.detect.reader.passage import MAX_LEADERS, MAX_PIECES, Passage, SeenLeader, fields_of, words_of
from monitor.detect.reader.pieces import CLS, FIRST, OTHER, SECOND, SEP, SPECIALS, WordPieces
from monitor.records import Article

WORDS = ["met", "and", "said", "then", "after", "x"]
PIECES = WordPieces([*SPECIALS, *(f"en:{word}" for word in WORDS)])
MET = len(SPECIALS)


def rows(passage: Passage, pair: tuple[str, str] = ("a", "b")) -> list[int]:
    return [row for word in words_of(passage, pair, PIECES) for row in word.rows]


def passage(text: str, *seen: tuple[int, int, str], speaker: str = "") -> Passage:
    return Passage(
        "en", (("title", text),), tuple(SeenLeader("title", *place, (who,)) for *place, who in seen), speaker
    )


def test_leaders_are_markers_in_the_order_of_the_text() -> None:
    shown = passage("Aaa met Bbb and Ccc", (0, 3, "a"), (8, 11, "b"), (16, 19, "c"))
    assert rows(shown) == [CLS, FIRST, MET, SECOND, MET + 1, OTHER, SEP]
    assert list(shown.pairs()) == [("a", "b"), ("a", "c"), ("b", "c")]


def test_who_publishes_is_named_in_front() -> None:
    shown = passage("met Bbb", (4, 7, "b"), speaker="a")
    assert rows(shown) == [CLS, FIRST, SEP, MET, SECOND, SEP]


def test_one_phrase_for_both_is_both_markers() -> None:
    shown = Passage("en", (("title", "They met"),), (SeenLeader("title", 0, 4, ("a", "b")),))
    assert rows(shown) == [CLS, FIRST, SECOND, MET, SEP]


@pytest.mark.parametrize("apart", [10, 200, 400])
def test_both_leaders_are_inside_however_far_apart(apart: int) -> None:
    text = "Aaa " + "met " * apart + "Bbb " + "said " * 300
    at = 4 + 4 * apart
    seen = (SeenLeader("title", 0, 3, ("a",)), SeenLeader("title", at, at + 3, ("b",)))
    shown = rows(Passage("en", (("title", text),), seen))
    assert len(shown) <= MAX_PIECES
    assert SECOND in shown


def test_a_list_of_guests_is_not_read_to_its_end() -> None:
    seen = [(4 * n, 4 * n + 3, f"leader-{n}") for n in range(20)]
    shown = passage("abc " * 20, *seen)
    assert len(shown.leaders()) == MAX_LEADERS


def test_the_text_is_read_where_there_is_no_summary() -> None:
    assert fields_of([("title", "t"), ("summary", "s"), ("text", "x")]) == (("title", "t"), ("summary", "s"))
    assert fields_of([("title", "t"), ("summary", ""), ("text", "x")]) == (("title", "t"), ("text", "x"))


@pytest.mark.parametrize(
    "title",
    [
        "Russian President Vladimir Putin will meet Chinese President Xi Jinping",
        "French President Emmanuel Macron will meet Indian Prime Minister Narendra Modi",
    ],
)
def test_neither_name_nor_title_nor_state_remains(detector: Detector, title: str) -> None:
    shown, _ = detector.reader_input(Article(id="1", title=title, language="en"))
    words = words_of(shown, next(shown.pairs()), PIECES)
    assert [title[word.start : word.end] for word in words if not word.is_marker] == ["will", "meet"]
