"""Test `summitry up` with all its processes, from the terminal."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient

from agents.stream.topics import TopicNames
from monitor.feeds.subscriptions.catalogue import to_yaml
from monitor.kafka import BrokerSettings
from tests.brokers import ROOT, ApacheKafka, Embedded
from tests.e2e.harness import NOW, Entry, Newsroom, until
from tests.feedserver import FeedServer

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(400)]


def relatives(pid: int) -> dict[str, int]:
    """The processes whose parent is `pid`, by a word of their command line."""
    found = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdecimal():
            continue
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue  # it ended meanwhile
        if parent == pid:
            names = [word for word in words if word in {"poller", "worker", "board", "broker"}]
            found[names[0] if names else " ".join(words)] = int(folder.name)
    return found


def alive(pid: int) -> bool:
    try:
        return (Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Up:
    """One running `summitry up`."""

    def __init__(self, process: asyncio.subprocess.Process, folder: Path, newsroom: Newsroom) -> None:
        self.process, self._folder, self.newsroom = process, folder, newsroom

    def alerts(self) -> str:
        return (self._folder / "out").read_text()

    def errors(self) -> str:
        return (self._folder / "err").read_text()

    def logged(self, event: str) -> list[dict[str, Any]]:
        whole = self.errors().rpartition("\n")[0]  # the last line may be half written
        lines = [json.loads(line) for line in whole.splitlines() if line.startswith("{")]
        return [line for line in lines if line["event"] == event]

    def children(self) -> dict[str, int]:
        """The family's members, whatever `make` put between them and us."""
        parent, found = self.process.pid, relatives(self.process.pid)
        while len(found) == 1 and not found.keys() & {"poller", "worker", "board", "broker"}:
            (parent,) = found.values()
            found = relatives(parent)
        return found

    async def works(self, times: int = 1) -> None:
        """Return when the worker has its partitions for the `times`-th time, and the feed was polled since."""
        await until("the worker works", lambda: len(self.logged("deliveries_read")) >= 2 * times, within=150)
        await until("the poller works", lambda: len(self.logged("partition_read")) >= 2 * times, within=150)
        await self.newsroom.all_polled()

    async def gone(self, pids: dict[str, int]) -> None:
        await until(f"{pids} are gone", lambda: not any(alive(pid) for pid in pids.values()), within=10)


@asynccontextmanager
async def up(folder: Path, *, make: bool = False, **sections: Any) -> AsyncIterator[Up]:
    async with FeedServer() as server:
        newsroom = Newsroom(server)
        newsroom.open("alpha")
        (folder / "feeds.yaml").write_text(to_yaml(newsroom.subscriptions))
        values = {
            "topics": {"partitions": 2},
            "feeds": ["feeds.yaml"],
            "poller": {"host_gap": "0s"},
            "web": {"poller_port": 0, "worker_port": 0},
            "board": {"port": 0},
            "log": {"format": "json", "level": "debug"},
            **sections,
        }
        config = folder / "summitry.yaml"
        config.write_text(yaml.safe_dump(values))
        command = [sys.executable, "-m", "agents", "up", "--config", str(config)]
        if make:
            # What is installed already is not to be installed again.
            command = ["make", "-C", str(ROOT), "-o", ".venv/run.stamp", "run", f"CONFIG={config}"]
        clock = f"{NOW.isoformat()}@{datetime.now(UTC).isoformat()}"
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=err,
                env={**os.environ, "SUMMITRY_CLOCK": clock}, start_new_session=True,
            )  # fmt: skip
        try:
            yield Up(process, folder, newsroom)
        except BaseException:
            sys.stderr.write((folder / "err").read_text(errors="replace")[-6000:])
            raise
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()


async def test_make_run_prints_alerts_restarts_a_child_and_ends_with_ctrl_c(
    broker: str, tmp_path: Path, prefix: str
) -> None:
    sections = {"topics": {"partitions": 2, "prefix": prefix}, "broker": {"url": broker.removeprefix("kafka://")}}
    async with up(tmp_path, make=True, **sections) as now:
        await now.works()
        now.newsroom.print("alpha", Entry("a1", "Emmanuel Macron and Narendra Modi held a phone call on Wednesday"))
        await until("the alert", lambda: "Modi" in now.alerts())
        assert "1 feeds on the broker" in now.errors()
        assert "{" not in now.alerts()

        children = now.children()
        assert set(children) == {"poller", "worker", "board"}
        os.kill(children["worker"], signal.SIGKILL)
        (line,) = await until("the end is logged", lambda: now.logged("child_ended"))
        assert (line["child"], line["reason"]) == ("worker", "killed by SIGKILL")
        await until("a new worker works", lambda: len(now.logged("deliveries_read")) >= 4, within=60)
        now.newsroom.print("alpha", Entry("a2", "Giorgia Meloni and Friedrich Merz held a phone call on Wednesday"))
        await until("the next alert", lambda: "Merz" in now.alerts())
        assert now.alerts().count("Macron and Modi spoke by phone") == 1

        children, begun = now.children(), time.monotonic()
        os.killpg(now.process.pid, signal.SIGINT)  # what a terminal does at Ctrl-C
        await asyncio.wait_for(now.process.wait(), 12)
        assert time.monotonic() - begun < 10
        await now.gone(children)
        assert "summitry: stopped" in now.errors()


async def test_topics_that_are_deleted_are_made_again_and_the_service_goes_on(
    broker: str, broker_process: ApacheKafka | Embedded, tmp_path: Path, prefix: str
) -> None:
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("the embedded broker's topics have no ids")
    sections = {"topics": {"partitions": 2, "prefix": prefix}, "broker": {"url": broker.removeprefix("kafka://")}}
    names = TopicNames(prefix)
    async with up(tmp_path, **sections) as now:
        await now.works()
        now.newsroom.print("alpha", Entry("a1", "Emmanuel Macron and Narendra Modi held a phone call on Wednesday"))
        await until("the alert", lambda: "Modi" in now.alerts())
        admin = AIOKafkaAdminClient(**BrokerSettings.from_url(broker).client_options())
        await admin.start()
        await admin.delete_topics([names.feeds, names.acks])
        await admin.close()
        await until("they are made again", lambda: now.logged("topics_made_again"))
        await now.works(times=2)
        now.newsroom.print("alpha", Entry("a2", "Giorgia Meloni and Friedrich Merz held a phone call on Wednesday"))
        await until("the next alert", lambda: "Merz" in now.alerts())
        assert now.alerts().count("Macron and Modi spoke by phone") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel ties no child to its parent")
async def test_the_embedded_broker_is_replaced_and_nothing_outlives_the_family(tmp_path: Path) -> None:
    async with up(tmp_path) as now:
        await now.works()
        children = now.children()
        assert set(children) == {"poller", "worker", "board", "broker"}
        os.kill(children["broker"], signal.SIGKILL)
        await until("that is logged", lambda: now.logged("embedded_broker_ended"))
        await now.works(times=2)
        await now.gone(children)
        now.newsroom.print("alpha", Entry("a1", "Emmanuel Macron and Narendra Modi held a phone call on Wednesday"))
        await until("the alert", lambda: "Modi" in now.alerts())

        children = now.children()
        assert set(children) == {"poller", "worker", "board", "broker"}
        now.process.kill()
        await now.process.wait()
        await now.gone(children)


async def test_a_mistake_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("topics: {partitons: 3}\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "agents", "up", "--config", str(tmp_path / "bad.yaml"), stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    assert process.returncode == 2
    assert err.decode().count("\n") == 1
    assert "partitons" in err.decode()
