"""Test the parser of YAML into mappings, lists and text."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from monitor import yaml_text
from monitor.yaml_text import MAX_DEPTH, kept, parse_data_file, parse_yaml

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


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands in for this package, of whose files the parsed values are kept."""
    monkeypatch.setattr(yaml_text, "_PACKAGE", tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    return tmp_path


def test_a_file_of_the_package_is_parsed_once_until_it_changes(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = package / "words.yaml"
    file.write_text("a: [NO, '1']\n")
    assert parse_data_file(file) == {"a": ["NO", "1"]}
    with monkeypatch.context() as nobody_parses:
        nobody_parses.setattr(yaml_text, "parse_yaml", None)
        assert parse_data_file(file) == {"a": ["NO", "1"]}
    file.write_text("a: [NO, '2']\n")
    assert parse_data_file(file) == {"a": ["NO", "2"]}


def test_what_was_kept_damaged_is_parsed_anew(package: Path) -> None:
    file = package / "words.yaml"
    file.write_text("a: 1\n")
    parse_data_file(file)
    (file_kept,) = package.glob("__pycache__/*")
    file_kept.write_bytes(file_kept.read_bytes()[:-1])
    assert parse_data_file(file) == {"a": "1"}


@pytest.mark.parametrize("reason", ["another's file", "python keeps nothing", "no folder can be made"])
def test_nothing_is_kept_where_it_must_not_be(package: Path, monkeypatch: pytest.MonkeyPatch, reason: str) -> None:
    file = package / "words.yaml"
    file.write_text("a: 1\n")
    if reason == "another's file":
        monkeypatch.setattr(yaml_text, "_PACKAGE", package / "elsewhere")
    elif reason == "python keeps nothing":
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
    else:
        (package / "__pycache__").touch()
    assert parse_data_file(file) == {"a": "1"}
    assert not (package / "__pycache__").is_dir()


def test_what_is_made_of_several_files_is_made_again_when_one_changes(package: Path) -> None:
    made = []

    def make() -> dict[str, int]:
        made.append(1)
        return {"times": len(made)}

    for made_of, times in (
        ([b"a", b"b"], 1),
        ([b"a", b"b"], 1),
        ([b"a", b"c"], 2),
        ([b"ac", b""], 3),
        ([b"ac", b""], 3),
    ):
        assert kept(package / "both", made_of, dict[str, int], make) == {"times": times}


def test_what_was_kept_of_another_type_is_made_again(package: Path) -> None:
    assert kept(package / "one", [b"a"], str, lambda: "text") == "text"
    assert kept(package / "one", [b"a"], int, lambda: 7) == 7
