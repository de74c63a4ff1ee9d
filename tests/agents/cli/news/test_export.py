"""Test `summitry export`: event lines and archives as input, and its error messages."""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from agents.cli import cli
from monitor.errors import StateError, SummitryError
from monitor.records import Event, decode, event_line
from tests.agents.board.boards import board
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
    with pytest.raises(StateError, match="is not an archive"):
        call("--format", "csv", "--archive", str(tmp_path / "text"))
    archive(tmp_path).close()
    file = str(tmp_path / "board.sqlite")
    wrong = call("--format", "csv", "--archive", file, "--where", "status=done")
    assert "known are" in wrong.output
    assert "give only one of" in call("--format", "csv", "--archive", file, "--board", "http://x").output
    assert "needs --archive" in call("--format", "csv", "--where", "kind=call").output


async def test_a_running_board_is_exported_page_by_page(tmp_path):
    many = [event(f"ev-{n}", "putin xi" if n % 2 else "macron merz", days_ago=n / 50) for n in range(1100)]
    async with board(tmp_path, *many) as place:
        every = await asyncio.to_thread(call, "--format", "csv", "--board", place.base)
        assert [row["event_id"] for row in rows(every)] == [f"ev-{n}" for n in range(1100)]
        assert rows(every)[0]["url"] == f"{place.base}/events/ev-0"
        chosen = "pair=vladimir-putin+xi-jinping&until=2026-02-03"
        some = await asyncio.to_thread(call, "--format", "jsonl", "--board", f"{place.base}/", "--where", chosen)
        found = [decode(Event, line) for line in some.stdout_bytes.splitlines()]
        assert 400 < len(found) < 550
        assert found[0] in many, "what comes out is what went in"


async def test_a_board_that_asks_for_a_token_gets_it_and_one_that_is_not_there_is_named(tmp_path):
    tokens = tmp_path / "tokens.yaml"
    tokens.write_text(f"tokens:\n- {{name: export, sha256: {hashlib.sha256(b'secret').hexdigest()}}}\n")
    async with board(tmp_path, event("a"), tokens=tokens) as place:
        arguments = ("--format", "csv", "--board", place.base)
        assert len(rows(await asyncio.to_thread(call, *arguments, "--token", "secret"))) == 1
        with pytest.raises(SummitryError, match="401"):
            await asyncio.to_thread(call, *arguments)
        base = place.base
    with pytest.raises(SummitryError, match="refused"):
        await asyncio.to_thread(call, "--format", "csv", "--board", base)
