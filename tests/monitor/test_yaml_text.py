"""YAML as mappings, lists and text."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor.yaml_text import MAX_DEPTH, parse_yaml

_TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufeff\u2028\u2029"))
_VALUES = st.recursive(_TEXT, lambda inner: st.lists(inner) | st.dictionaries(_TEXT, inner), max_leaves=20)


@given(_VALUES)
@pytest.mark.slow
def test_what_was_written_is_read(value: object) -> None:
    assert parse_yaml(yaml.safe_dump(value, allow_unicode=True)) == value


def test_no_scalar_is_guessed_at() -> None:
    assert parse_yaml("[NO, on, 1.5, 2026-02-04, ~, '']") == ["NO", "on", "1.5", "2026-02-04", "~", ""]


def test_an_empty_document_is_none() -> None:
    assert parse_yaml(b"# nothing\n") is None


def test_an_alias_stands_for_a_word_or_a_list() -> None:
    assert parse_yaml("a: &w word\nb: *w\nc: &l [x, y]\nd: *l\n") == {
        "a": "word", "b": "word", "c": ["x", "y"], "d": ["x", "y"],
    }  # fmt: skip


BOMB = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "`a` is given twice", 3),
        ("a:\n  [x]: 1\n", "a key is no plain text", 2),
        ("- *a\n", "`*a` stands for nothing that came before", 1),
        ("a: &a [*a]\n", "`*a` stands for nothing that came before", 1),
        ("a: 1\n---\nb: 2\n", "a second document begins", 2),
        ("[" * (MAX_DEPTH + 1) + "]" * (MAX_DEPTH + 1), "nested too deeply", 1),
        (BOMB, "aliases unfold to more values than are read", 8),
        ("a: [b\n", "did not find expected ',' or ']'", 2),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, problem: str, line: int) -> None:
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        parse_yaml(text)
    assert caught.value.problem == problem
    assert caught.value.problem_mark is not None
    assert caught.value.problem_mark.line + 1 == line
