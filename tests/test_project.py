"""The project's own promises: dependencies are explained and pinned, commands explain themselves, layers hold."""

from __future__ import annotations

import re
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


@pytest.mark.parametrize("package", NEEDED)
def test_each_dependency_says_why_it_is_there(package: str) -> None:
    assert package in EXPLAINED, f"{package} has no line in docs/dependencies.md"


@pytest.mark.parametrize("package", NEEDED)
def test_each_dependency_is_locked(package: str) -> None:
    extra = NEEDED[package]
    if extra == "train":
        assert package in LOCKED["train.txt"], "run `make lock`"
        return
    if extra != "bench":
        assert package in LOCKED["dev.txt"], "run `make lock`"
    if extra not in {"bench", "dev"}:
        assert package in LOCKED["run.txt"], "run `make lock`"


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
