"""Test every command of the README: quick ones are run here, long ones are make targets that CI runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from monitor.config import load_config

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
SHELL = [line for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) for line in block.splitlines() if line]
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
TARGETS = sorted(set(re.findall(r"\bmake ([a-z-]+)", README)))
#: Commands that reach outside of this machine's Python: their own tests prove them.
ELSEWHERE = {
    ".venv/bin/summitry receivers test desk --config summitry.yaml": "tests/agents/cli/alerts/test_alerts.py",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the files that the README tells its reader to write."""
    for name, text in zip(("summitry.yaml", "my-feeds.yaml", "my-watchlist.yaml"), YAML, strict=True):
        (tmp_path / name).write_text(text)
    (tmp_path / "slack-token").write_text("xoxb-sample\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(BIN)
    return tmp_path


def environment() -> dict[str, str]:
    return {**os.environ, "HOOK_SECRET": "whsec_c2FtcGxlLXNlY3JldC1mb3ItdGhlLXJlYWRtZS1vbmx5"}


@pytest.mark.parametrize("command", [c for c in SHELL if not c.startswith("make ") and c not in ELSEWHERE])
def test_quick_commands_work_as_written(command: str, folder: Path) -> None:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip()


@pytest.mark.parametrize("command", ELSEWHERE)
def test_the_other_commands_are_in_the_readme_and_proven_elsewhere(command: str) -> None:
    assert command in SHELL
    assert (ROOT / ELSEWHERE[command]).exists()


def test_the_configuration_is_valid(folder: Path) -> None:
    config = load_config(folder / "summitry.yaml", environment())
    assert set(config.receivers) == {"desk", "hook"}
    assert all(yaml.safe_load(text) for text in YAML)


@pytest.mark.parametrize("target", TARGETS)
def test_make_targets_exist(target: str) -> None:
    make = shutil.which("make")
    assert make is not None
    done = subprocess.run([make, "-n", target], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_ci_runs_the_long_targets() -> None:
    ci = (ROOT / ".ci" / "run").read_text()
    for target in ("setup", "lint", "test", "test-kafka", "eval", "demo"):
        assert re.search(rf"^step {target}(?: TESTS=.*)?$", ci, re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#]+)\)", README))))
def test_links_lead_somewhere(link: str) -> None:
    assert (ROOT / link).exists()
