"""Test that every test named in docs/guarantees.md exists."""

from __future__ import annotations

import ast
import re

from tests.brokers import ROOT


def test_each_named_proof_is_a_test() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text()
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    assert len(named) > 20
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}, (
            name
        )


def test_each_named_module_exists() -> None:
    text = (ROOT / "docs" / "guarantees.md").read_text() + (ROOT / "docs" / "operations.md").read_text()
    for file in re.findall(r"`((?:agents|monitor|deploy)/[\w/.-]+)`", text):
        assert (ROOT / file).exists(), file
