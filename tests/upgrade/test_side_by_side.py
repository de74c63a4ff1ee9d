"""Run workers of 0.1.0 and of this version in one group, through an upgrade and a rollback: one alert for each story.

The old version is the one in this repository's history, run as a process of its own.
"""

from __future__ import annotations

import asyncio
import io
import os
import subprocess
import sys
import tarfile
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.e2e.harness import Entry, Service, World, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow, pytest.mark.nightly, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]
#: The last commit of version 0.1.0.
OLD = "d00ce7dc564fd7c07a0c34c9cd9bb2cb6abf7804"
#: Who spoke to whom, in three evenings' news.
STORIES = (
    ("Vladimir Putin", "Xi Jinping"), ("Emmanuel Macron", "Narendra Modi"), ("Volodymyr Zelensky", "Donald Trump"),
    ("Giorgia Meloni", "Recep Tayyip Erdogan"), ("Pedro Sanchez", "Alexander Lukashenko"),
    ("Javier Milei", "Benjamin Netanyahu"), ("Keir Starmer", "Anthony Albanese"), ("Viktor Orban", "Donald Tusk"),
    ("Cyril Ramaphosa", "Friedrich Merz"),
)  # fmt: skip


@pytest.fixture(scope="module")
def old_code(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code of 0.1.0, unpacked."""
    packed = subprocess.run(
        ["git", "archive", OLD, "monitor", "agents"], cwd=ROOT, capture_output=True, check=False
    )  # fmt: skip
    if packed.returncode:
        pytest.skip("this clone has no history, and so no 0.1.0")
    folder = tmp_path_factory.mktemp("version-0.1.0")
    with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as archive:
        archive.extractall(folder, filter="data")
    return folder


class Worker:
    """One worker of one version, with a log of its own."""

    def __init__(self, service: Service, name: str, code: Path | None = None) -> None:
        self._service, self._log = service, service.folder / f"{name}.log"
        # PYTHONPATH goes before what is installed, and the safe path keeps the working directory from going before it.
        self._environment = {"PYTHONPATH": str(code), "PYTHONSAFEPATH": "1"} if code else {}
        self._process: asyncio.subprocess.Process | None = None

    def logged(self, event: str) -> list[dict[str, str]]:
        everything = Service.log(self._service, self._log.stem)
        return [line for line in everything if line.get("event") == event]

    async def join(self) -> None:
        """Start, and return when it has a share of the partitions."""
        before = len(self.logged("assigned"))
        self._process = await self._service.start("worker", environment=self._environment, log=self._log)
        await until(f"{self._log.stem} has its share", lambda: any(
            line["partitions"] for line in self.logged("assigned")[before:]
        ))  # fmt: skip
        await until(f"{self._log.stem} is ready", self._ready)

    async def code(self) -> Path:
        """Where a process like this one has its code from."""
        asked = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "import agents; print(agents.__file__)",
            env=os.environ | self._environment, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return Path((await asked.communicate())[0].decode().strip()).parents[1]

    async def leave(self, *, killed: bool = False) -> None:
        assert self._process
        (self._process.kill if killed else self._process.terminate)()
        await self._process.wait()

    async def page(self, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(self.logged("serving")[-1]["url"] + path)

    async def _ready(self) -> bool:
        return (await self.page("/ready")).status_code == 200


async def told(now: World, stories: tuple[tuple[str, str], ...]) -> None:
    """Print stories in different papers, and return when each was told."""
    for number, (one, other) in enumerate(stories):
        outlet = ("alpha", "bravo", "charlie")[number % 3]
        title = f"{one} and {other} held a phone call on Wednesday"
        now.newsroom.print(outlet, Entry(title, title))
    for story in stories:
        await until(f"the call of {story} is told", partial(has_body, now, ids(*story)))


def ids(*names: str) -> set[str]:
    return {name.lower().replace(" ", "-") for name in names}


def has_body(now: World, leaders: set[str]) -> bool:
    return leaders in contacts(now)


def contacts(now: World) -> list[set[str]]:
    """Who was told to have spoken, one for each event that had a first message."""
    first = {item["event"]["event_id"]: item for item in now.desk.items() if item["tell"] == "first"}
    return [{person["leader"] for person in item["event"]["participants"]} for item in first.values()]


async def test_an_upgrade_and_a_rollback_lose_nothing_and_tell_nothing_twice(
    broker: str, prefix: str, tmp_path: Path, old_code: Path
) -> None:
    async with world(broker, prefix, tmp_path, ["alpha", "bravo", "charlie"], patience=150) as now:
        await now.service.kill("worker")
        old, new = Worker(now.service, "old", old_code), Worker(now.service, "new")
        await old.join()
        assert await old.code() == old_code
        await told(now, STORIES[:3])

        await new.join()  # the upgrade: side by side
        await told(now, STORIES[3:5])
        await old.leave(killed=True)
        await told(now, STORIES[5:6])

        await old.join()  # the rollback: side by side again, then the old one alone
        await told(now, STORIES[6:8])
        await new.leave()
        await told(now, STORIES[8:])

        for worker in (old, new):
            assert worker.logged("told"), "both have told something"
            assert not worker.logged("dead_letter")
    assert sorted(map(sorted, contacts(now))) == sorted(sorted(ids(*pair)) for pair in STORIES)
    assert set(now.desk.firsts().values()) == {1}
