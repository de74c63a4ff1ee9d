"""The image's health check tells a live process from one that is not; the container file says what the image is."""

from __future__ import annotations

import asyncio
import re
import sys

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
