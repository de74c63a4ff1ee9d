"""Test the runner of the benchmarks, and that it can run each of them."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.bench.__main__ import main, names
from tests.bench.detection import MEGABYTE, megabytes


@pytest.mark.parametrize("name", names())
def test_each_has_a_run_and_says_what_it_compares(name):
    module = importlib.import_module(f"tests.bench.{name}")
    assert not inspect.signature(module.run).parameters
    assert module.__doc__


def test_an_unknown_name_is_named(capsys):
    assert main(["no-such"]) == 2
    assert "no benchmark no-such" in capsys.readouterr().err


def test_a_megabyte_is_one():
    assert {len(text) for text in megabytes().values()} == {MEGABYTE}


def test_each_benchmark_is_documented():
    from tests.quality.audit import PAGE

    page = PAGE.with_name("benchmarks.md").read_text("utf-8")
    assert [name for name in names() if f"\n## {name}\n" not in page] == []
