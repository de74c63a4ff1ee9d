"""Run the commands of the compose file and the manifests, and play the demonstration's story through them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec
import pytest

from tests.deploy.containers import ROOT, Container, of_compose, of_manifests
from tests.deploy.helm import RENDERED

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.nightly,
    pytest.mark.slow,
    pytest.mark.timeout(1200),
    pytest.mark.skipif(
        os.name != "posix" or os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs namespaces of its own"
    ),
]

SOURCES: dict[str, Callable[[], list[Container]]] = {
    "compose": of_compose,
    "kubernetes": partial(of_manifests, ROOT / "deploy" / "kubernetes" / "summitry.yaml"),
    "chart": partial(of_manifests, RENDERED),
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_story_passes_through_the_deployed_commands(source: str, tmp_path: Path) -> None:
    containers = SOURCES[source]()
    assert [one.name for one in containers] == ["topics", "poller", "worker", "board"]
    file = tmp_path / "containers.json"
    file.write_bytes(msgspec.json.encode(containers))
    done = subprocess.run(
        ["unshare", "--net", "--mount", sys.executable, "-m", "tests.deploy.stack", str(file)],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
