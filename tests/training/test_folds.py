"""Test that no outlet is on both sides of a split, and that the folds have equal sizes."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from training.folds import FOLDS, folds_of

OUTLETS = st.lists(st.tuples(st.sampled_from(["en", "de", "zh"]), st.sampled_from("abcdefghijkl")), min_size=1)


@given(OUTLETS)
def test_each_outlet_has_one_fold(examples: list[tuple[str, str]]) -> None:
    fold = folds_of(examples)
    assert set(fold) == {outlet for _, outlet in examples}
    assert set(fold.values()) <= set(range(FOLDS))


def test_folds_are_even_within_a_language() -> None:
    examples = [(language, f"{language}-{n}") for language in ("en", "pl") for n in range(30) for _ in range(n + 1)]
    sizes = Counter((language, folds_of(examples)[outlet]) for language, outlet in examples)
    for language in ("en", "pl"):
        own = [sizes[language, n] for n in range(FOLDS)]
        assert max(own) - min(own) <= 30


def test_the_order_of_the_examples_does_not_matter() -> None:
    examples = [("en", name) for name in "aabbbcdde"]
    assert folds_of(examples) == folds_of(examples[::-1])
