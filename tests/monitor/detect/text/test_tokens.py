"""Test the tables of phrases: the longest at a token, all that occur, and none that the end of a sentence cuts."""

from __future__ import annotations

from monitor.detect.text.tokens import Phrases


def phrases(*given: str) -> Phrases[str]:
    found: Phrases[str] = Phrases()
    for one in given:
        found.add(one.split(), one)
    return found


def test_the_longest_phrase_at_a_token_is_found() -> None:
    known = phrases("phone", "phone call", "phone call with")
    assert known.longest(["a", "phone", "call", "from"], 1) == (3, ["phone call"])
    assert known.longest(["a", "phone", "rang"], 1) == (2, ["phone"])
    assert known.longest(["a", "phone", "rang"], 0) is None
    assert known.longest([], 0) is None


def test_a_sentence_that_ends_within_a_phrase_has_only_the_shorter_one() -> None:
    assert phrases("phone", "phone call with").longest(["by", "phone"], 1) == (2, ["phone"])
    assert phrases("phone call with").longest(["phone", "call"], 0) is None


def test_a_phrase_keeps_all_its_meanings_in_order() -> None:
    known = phrases("call")
    known.add(["call"], "again")
    assert known.longest(["call"], 0) == (1, ["call", "again"])


def test_every_token_at_which_a_phrase_starts_is_found() -> None:
    known = phrases("met", "met with", "with")
    words = ["he", "met", "with", "her", "and", "met", "him"]
    assert list(known.spans(words)) == [(1, 3), (2, 3), (5, 6)]
    assert known.occur(words)
    assert not known.occur(["he", "saw", "her"])
    assert set(known.first_words) == {"met", "with"}
