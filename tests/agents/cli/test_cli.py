"""The `summitry` command starts quickly: it imports no more than the command needs."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("imported", "heavy"),
    [
        ("agents.cli", {"msgspec", "yaml", "httpx", "aiokafka", "asyncio", "numpy", "faust"}),
        ("agents.cli.news.detect", {"httpx", "aiokafka", "asyncio", "faust"}),
    ],
)
def test_a_command_imports_no_more_than_it_needs(imported: str, heavy: set[str]) -> None:
    code = f"import sys, {imported}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert imported in done.stdout.split()
    assert heavy & set(done.stdout.split()) == set()
