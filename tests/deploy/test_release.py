"""Test the parts of a release: its health check, labels, and the audit's report."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import sys

import pytest

from agents.process.embedded import free_port
from monitor import __version__
from monitor.config import BoardSettings, Web
from tests.deploy.containers import ROOT
from tests.feedserver import FeedServer, Reply

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
ALIVE = ROOT / "deploy" / "alive.py"


async def health(*ports: int) -> int:
    process = await asyncio.create_subprocess_exec(sys.executable, str(ALIVE), *map(str, ports))
    return await process.wait()


async def test_the_health_check_follows_the_page_that_is_there() -> None:
    async with FeedServer() as server:
        server.on("/live", Reply(200, b"live"))
        assert await health(free_port(), server.port) == 0
        server.on("/live", Reply(503, b"records wait and nothing was committed"))
        assert await health(free_port(), server.port) == 1
    assert await health(free_port()) == 1


def test_the_health_check_knows_the_ports_of_all_processes() -> None:
    web = Web()
    ports = {str(web.poller_port), str(web.worker_port), str(BoardSettings().port)}
    assert set(re.findall(r'"(\d{4})"', ALIVE.read_text())) == ports


def test_the_image_is_labelled_unprivileged_and_checked() -> None:
    assert f"ARG VERSION={__version__}\n" in DOCKERFILE
    labels = set(re.findall(r"org\.opencontainers\.image\.(\w+)=", DOCKERFILE))
    assert labels == {"title", "description", "licenses", "version", "revision"}
    assert re.search(r"^USER \d+:\d+$", DOCKERFILE, re.MULTILINE)
    assert re.search(r'^HEALTHCHECK .*CMD \["python", "/opt/summitry/alive.py"\]$', DOCKERFILE, re.MULTILINE)
    assert "--platform" not in DOCKERFILE, "each stage is of the architecture that is built"


def audited(*packages: dict[str, object]) -> str:
    told = runpy.run_path(str(ROOT / "deploy" / "release.py"))["told"]
    return str(told(json.dumps({"dependencies": packages})))


def test_an_audit_that_looked_nothing_up_says_so() -> None:
    fine = {"name": "httpx", "version": "1", "vulns": []}
    unknown = {"name": "nh3", "skip_reason": "Dependency not found on PyPI and could not be audited: nh3 (0.3.8)"}
    assert audited(unknown, unknown) == "no index of advisories can be reached from here; nothing was audited"
    assert audited(fine, unknown) == "no advisory about 1 of 2 packages"
    with pytest.raises(SystemExit, match=r"advisories about httpx 1 \(PYSEC-1, GHSA-2\)"):
        audited({**fine, "vulns": [{"id": "PYSEC-1"}, {"id": "GHSA-2"}]}, unknown)
