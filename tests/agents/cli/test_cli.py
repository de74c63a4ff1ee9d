"""Test that the `summitry` command starts quickly and that its help is readable."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from agents.cli import cli


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


def test_no_list_of_commands_is_cut_short() -> None:
    context = click.Context(cli)
    for name in cli.list_commands(context):
        command = cli.get_command(context, name)
        if isinstance(command, click.Group):
            text = CliRunner().invoke(command, ["--help"]).output
            assert "..." not in text.partition("Commands:")[2], name


@pytest.mark.parametrize(
    ("typed", "meant"),
    [("evnts", "events"), ("deadletters", "dead-letters"), ("feeds lst", "list"), ("topics restor", "restore"),
     ("watchlist chek", "check"), ("config shwo", "show"), ("receivers tset", "test"), ("deliveries retyr", "retry"),
     ("feedback exprt", "export"), ("silence lits", "list"), ("dead-letters reply", "replay"),
     ("events --formt json", "--format"), ("--versoin", "--version")],
)  # fmt: skip
def test_a_mistyped_command_or_option_is_answered_with_the_nearest(typed: str, meant: str) -> None:
    done = CliRunner().invoke(cli, typed.split())
    assert done.exit_code == 2
    assert meant in done.stderr.splitlines()[-1]


def test_a_command_like_no_other_is_answered_without_a_guess() -> None:
    done = CliRunner().invoke(cli, ["quux"])
    assert done.exit_code == 2
    assert done.stderr.splitlines()[-1] == "Error: No such command 'quux'."


def test_a_board_that_does_not_run_is_named_with_what_to_check() -> None:
    done = CliRunner().invoke(cli, ["export", "--format", "csv", "--board", "http://127.0.0.1:1"])
    assert "can't be reached; check the URL" in str(done.exception or "") + done.output
    assert done.exit_code != 0
