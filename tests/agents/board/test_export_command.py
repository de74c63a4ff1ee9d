"""`summitry export` as a user calls it: lines in, an archive, and what it says when something is wrong."""

from __future__ import annotations

import csv
import io

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from agents.cli import cli
from monitor.errors import StateError, SummitryError
from monitor.records import event_line
from tests.monitor.archive.samples import archive, event


def call(*arguments: str, lines: bytes = b"") -> Result:
    result = CliRunner().invoke(cli, ["export", *arguments], input=lines)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def rows(result: Result) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(result.output, newline="")))


def test_the_last_revision_of_each_event_counts():
    events = [
        event("a"), event("b"), replace(event("a"), revision=3, status="denied"), replace(event("a"), revision=2),
        replace(event("b"), revision=2, merged_into="a"),
    ]  # fmt: skip
    found = rows(call("--format", "csv", lines=b"".join(event_line(each) + b"\n" for each in events)))
    assert [(row["event_id"], row["revision"], row["status"]) for row in found] == [("a", "3", "denied")]


def test_links_lead_to_the_board_that_is_named():
    result = call("--format", "csv", "--url", "https://board.example", lines=event_line(event("a")))
    assert rows(result)[0]["url"] == "https://board.example/events/a"


def test_an_archive_is_exported_with_filters(tmp_path):
    archive(tmp_path, *(event(f"ev-{n}", "putin xi" if n % 2 else "macron merz") for n in range(1100))).close()
    file = str(tmp_path / "board.sqlite")
    assert len(rows(call("--format", "csv", "--archive", file))) == 1100
    assert len(rows(call("--format", "csv", "--archive", file, "--where", "pair=vladimir-putin+xi-jinping"))) == 550


def test_mistakes_are_named(tmp_path):
    with pytest.raises(SummitryError, match="line 1"):
        call("--format", "csv", lines=b"{}\n")
    (tmp_path / "text").write_text("no archive")
    with pytest.raises(StateError, match="is no archive"):
        call("--format", "csv", "--archive", str(tmp_path / "text"))
    archive(tmp_path).close()
    file = str(tmp_path / "board.sqlite")
    wrong = call("--format", "csv", "--archive", file, "--where", "status=done")
    assert "there are" in wrong.output
    assert "name one of them" in call("--format", "csv", "--archive", file, "--board", "http://x").output
    assert "needs --archive" in call("--format", "csv", "--where", "kind=call").output
