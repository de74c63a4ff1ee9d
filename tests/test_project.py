"""Test the project as a whole: dependencies are explained and pinned, commands have help, layers hold."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from agents.cli import COMMANDS, cli

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NEEDED = {
    re.split(r"[<>=!~ \[;]", requirement)[0].lower(): extra
    for extra, requirements in {"": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}.items()
    for requirement in requirements
}
EXPLAINED = set(re.findall(r"`([a-z0-9_-]+)`", (ROOT / "docs" / "dependencies.md").read_text().lower()))
LOCKED = {
    name: set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements" / name).read_text(), re.MULTILINE))
    for name in ("run.txt", "dev.txt", "train.txt", "release.txt")
}
DOCUMENTS = "\n".join(path.read_text() for path in [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))])


def test_each_dependency_says_why_it_is_there() -> None:
    assert len(NEEDED) > 40
    assert set(NEEDED) - EXPLAINED == set(), "they have no line in docs/dependencies.md"


#: The lock files that a package of an extra stands in; those of `bench` stand in none.
LOCKS_OF = {"train": ["train.txt"], "bench": [], "dev": ["dev.txt"]}


def test_each_dependency_is_locked() -> None:
    missing = [
        (package, lock)
        for package, extra in NEEDED.items()
        for lock in LOCKS_OF.get(extra, ["dev.txt", "run.txt"])
        if package not in LOCKED[lock]
    ]
    assert missing == [], "run `make lock`"


@pytest.mark.parametrize("name", LOCKED)
def test_lock_files_are_hashed_and_name_no_registry(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text()
    assert text.count("--hash=sha256:") >= len(LOCKED[name])
    assert not re.search(r"https?://|--index-url|--find-links|@ file", text)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_explains_itself_and_is_documented(command: str) -> None:
    done = CliRunner().invoke(cli, [command, "--help"])
    assert done.exit_code == 0, done.output
    assert len(done.output.splitlines()) >= 6, done.output
    assert f"summitry {command}" in DOCUMENTS


@pytest.mark.parametrize("broken", ["", "tests.bench"])
def test_a_nightly_run_says_where_its_time_went_also_when_a_part_fails(tmp_path: Path, broken: str) -> None:
    fake = tmp_path / "python"
    fake.write_text(f'#!/bin/sh\n[ "$2" != "{broken or "none"}" ]\n')
    fake.chmod(0o755)
    run = ["make", "--no-print-directory", "-o", "setup", f"BIN={tmp_path}", "nightly"]
    done = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=False)
    told = done.stdout.partition("=== where the time went")[2].splitlines()[1:]
    parts = ["pytest", "pytest", "tests.chaos.driver", "tests.chaos.soak", "tests.bench", "deploy/release.py"]
    done_parts = parts[: parts.index(broken)] if broken else parts
    assert [part for line, part in zip(told, done_parts, strict=True) if part in line and " s " in line] == done_parts
    assert (done.returncode != 0) is bool(broken)
