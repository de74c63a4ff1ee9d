"""Test `summitry watchlist check` and `summitry watchlist show`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.cli.news.watchlist import watchlist
from monitor.errors import SummitryError

HERE = Path(__file__).parents[3] / "monitor" / "watchlist"


def run(*words: str) -> str:
    result = CliRunner().invoke(watchlist, list(words), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_check_counts_what_is_in_the_bundled_roster() -> None:
    said = run("check")
    assert "bundled roster: ok" in said
    assert "in office on" in said
    assert ", en " in said.partition("names: ")[2]
    assert "offices known up to 20" in said


def test_check_warns_of_an_office_that_should_have_ended(tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    office = "{title: President, country: FR, from: 2017-05-14, term: 2022-05-13}"
    path.write_text(f"leaders: [{{name: Jean Valjean, offices: [{office}]}}]")
    said = run("check", str(path))
    assert "jean-valjean: the term as President of FR ended on 2022-05-13" in said


def test_check_of_a_right_file() -> None:
    said = run("check", str(HERE / "roster_1987.yaml"))
    assert "roster_1987.yaml: ok, 0 warnings" in said
    assert "since 1952" in said


def test_check_warns_of_two_presidents_at_once(tmp_path: Path) -> None:
    path = tmp_path / "two.yaml"
    path.write_text(
        """
leaders:
  - {name: Ann Example, offices: [{title: President, country: US, from: 2001-01-20, to: 2005-01-21}]}
  - {name: Bob Sample, offices: [{title: President, country: US, from: 2005-01-20}]}
  - {name: Cid Vane}
watch: {leaders: [ann-example]}
""",
        encoding="utf-8",
    )
    said = run("check", str(path))
    assert "warning: US: ann-example and bob-sample are both President from 2005-01-20 to 2005-01-21" in said
    assert "warning: cid-vane: has no office" in said
    assert "watch: 1 leader, 0 pairs, 0 countries" in said


def test_a_mistake_ends_with_code_2_and_one_line(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text("leaders: [{name: Ann, ofices: []}]", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", "from agents.cli import main; main()", "watchlist", "check", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr == f"summitry: {path}: leaders[0]: unknown key `ofices` (in Ann); did you mean `offices`?\n"


def test_a_folder_and_an_empty_file_are_refused_in_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty.yaml"
    empty.touch()
    for path, problem in ((tmp_path, "can't be read (Is a directory); check the path"),
                          (empty, "expected a mapping, got nothing")):  # fmt: skip
        for command in ("check", "show"):
            done = CliRunner().invoke(watchlist, [command, str(path)])
            assert str(done.exception) == f"{path}: {problem}"


def test_show_who_held_office_on_a_day() -> None:
    lines = run("show", "--country", "RU", "--on", "2008-08-12").splitlines()
    assert lines[0].split() == ["country", "leader", "title", "from", "to"]
    assert [line.split()[1] for line in lines[1:]] == ["dmitry-medvedev", "vladimir-putin"]


def test_show_as_json_lines() -> None:
    rows = [
        json.loads(line)
        for line in run("show", "--country", "EU", "--on", "2025-01-01", "--format", "json").splitlines()
    ]
    assert {row["leader"] for row in rows} >= {"ursula-von-der-leyen", "antonio-costa"}
    assert {row["role"] for row in rows} == {"body_head"}


def test_show_an_empty_day() -> None:
    said = run("show", "--on", "2020-01-01", str(HERE / "roster_1987.yaml"), "--country", "GB")
    assert said == "nobody of this watchlist is in office on 2020-01-01 in GB\n"


def test_show_takes_a_state_wherever_it_takes_a_leader() -> None:
    assert run("show", "--with", "Russland", "--on", "2025-01-01") == run(
        "show", "--country", "RU", "--on", "2025-01-01"
    )


def test_show_one_leader() -> None:
    said = run("show", "--leader", "vladimir-putin")
    assert said.startswith("vladimir-putin: Vladimir Putin (Q7747)")
    assert "2012-05-07 to today" in said
    assert "Путиным" in said
    whole = json.loads(run("show", "--leader", "xi-jinping", "--format", "json"))
    assert whole["offices"][0]["from"] == "2012-11-15"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["show", "--leader", "xi-jinpin"], "did you mean xi-jinping?"),
        (["show", "--country", "atlantis"], "is neither a state nor a body"),
        (["show", "--on", "tomorrow"], "`tomorrow` is not a date; write it like 2004-06-01"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(words: list[str], said: str) -> None:
    with pytest.raises(SummitryError) as caught:
        CliRunner().invoke(watchlist, words, catch_exceptions=False)
    assert said in str(caught.value)


@pytest.mark.parametrize("words", [["--help"], ["check", "--help"], ["show", "--help"]])
def test_help_teaches_with_examples(words: list[str]) -> None:
    said = run(*words)
    assert "summitry watchlist" in said or "leaders:" in said
