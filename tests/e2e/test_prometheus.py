"""Test with a real Prometheus that every panel has data and every alert rule can be evaluated."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from agents.process.embedded import free_port
from tests.deploy.test_dashboards import BOARDS, panels
from tests.e2e.harness import Entry, Service, until, world

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules.yml"

pytestmark = [
    pytest.mark.broker,
    pytest.mark.e2e,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed"),
]


@asynccontextmanager
async def prometheus(folder: Path, service: Service) -> AsyncIterator[httpx.AsyncClient]:
    """A Prometheus of our own on a free port that scrapes both processes every second."""
    targets = [(await service.url(role)).removeprefix("http://") for role in ("poller", "worker")]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES)],
        "scrape_configs": [{"job_name": "summitry", "static_configs": [{"targets": targets}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port()}"
    process = await asyncio.create_subprocess_exec(
        "prometheus",
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'prometheus'}",
        f"--web.listen-address={address}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=10) as client:
            yield client
    finally:
        process.terminate()
        await process.wait()


async def result(client: httpx.AsyncClient, query: str) -> list[Any]:
    """What Prometheus answers to an instant query; nothing while it is not up yet. A bad query fails the test."""
    try:
        answer = await client.get("/api/v1/query", params={"query": query})
    except httpx.TransportError:
        return []
    if answer.status_code == 503:
        return []
    assert answer.status_code == 200, f"{query}: {answer.text}"
    return list(answer.json()["data"]["result"])


def queries() -> dict[str, str]:
    """Panel -> PromQL of its targets, as Grafana sends it when all jobs and instances are chosen.

    Panels that compare with another week look on at this hour instead: nobody has run a week here.
    """
    return {
        f"{board.stem} / {panel['title']} {target['refId']}": target["expr"]
        .replace("$job", ".+")
        .replace("$instance", ".+")
        .replace("$__rate_interval", "1m")
        .replace(" offset 7d", "")
        for board in BOARDS
        for panel in panels(board)
        for target in panel["targets"]
    }


async def test_every_panel_shows_the_running_service(broker: str, prefix: str, tmp_path: Path) -> None:
    retries = {"alerts": {"retries": ["1s", "2s", "5s"]}}
    async with world(broker, prefix, tmp_path, ["alpha", "beta"], **retries) as here:
        here.desk.failing = 500
        here.newsroom.print(
            "alpha",
            Entry(
                "call",
                "Modi and Macron hold phone call",
                "Narendra Modi and Emmanuel Macron spoke by phone on Wednesday.",
            ),
            Entry(
                "old",
                "Modi, Macron recall 2018 visit",
                "Emmanuel Macron visited Narendra Modi in New Delhi in March 2018.",
            ),
            Entry(
                "plan",
                "Starmer to meet Carney in Ottawa next week",
                "Keir Starmer will meet Mark Carney in Ottawa next week, Downing Street said.",
            ),
        )
        await until("an attempt failed", lambda: here.desk.refused)
        here.desk.failing = 0
        await until("the alert came", here.desk.firsts)
        async with prometheus(tmp_path, here.service) as client:
            missing = queries()
            deadline = asyncio.get_running_loop().time() + 60
            number = 0
            while missing and asyncio.get_running_loop().time() < deadline:
                # Rates need change: news keeps coming while Prometheus looks on.
                number += 1
                here.newsroom.print("beta", Entry(f"n{number}", f"Harvest report number {number} is out"))
                await asyncio.sleep(1.0)
                for name, query in list(missing.items()):
                    if await result(client, query):
                        del missing[name]
            assert not missing, json.dumps(missing, indent=1)
            health = (await client.get("/api/v1/rules")).json()["data"]["groups"]
            states = {rule["name"]: rule["health"] for group in health for rule in group["rules"]}
            assert states
            assert set(states.values()) == {"ok"}, states
