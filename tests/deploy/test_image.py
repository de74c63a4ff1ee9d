"""Test the files that the image's build prepares for a container with a read-only root."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_build_keeps_every_data_file_parsed_and_the_language_model(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "monitor", tmp_path / "monitor", ignore=shutil.ignore_patterns("__pycache__", "*.onnx"))
    dockerfile = (ROOT / "deploy" / "Dockerfile").read_text().replace("\\\n", "")
    (code,) = re.findall(r'bin/python -P -c "([^"]*)"', dockerfile)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True, cwd=ROOT)
    files = [*tmp_path.rglob("*.yaml"), tmp_path / "monitor" / "watchlist" / "data" / "roster"]
    assert len(files) > 100
    assert [one for one in files if not (one.parent / "__pycache__" / f"{one.name}.parsed").exists()] == []
    assert (tmp_path / "monitor" / "language" / "__pycache__" / "languages.model").exists()
