"""Test the supervisor: restarts, logged reasons, and an orderly stop."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agents.process.embedded import EmbeddedBroker
from agents.process.parent import PARENT, RESTARTS, bound_to_parent
from agents.process.supervisor import Supervisor, reason_of
from monitor.errors import ConfigError

pytestmark = pytest.mark.timeout(60)


async def nothing(_: str) -> None:
    """Nothing has to be prepared."""


def child(folder: Path, name: str, then: str) -> list[str]:
    """A child that notes that it runs, how often it was started again, and then does something."""
    program = (
        f"import os, pathlib, signal, sys, time; path = pathlib.Path({str(folder)!r}) / {name!r};"
        f"path.open('a').write(os.environ[{RESTARTS!r}] + ' ' + str(os.getpid()) + chr(10)); {then}"
    )
    return [sys.executable, "-c", program]


def runs(folder: Path, name: str) -> list[tuple[int, int]]:
    """Restart count and process id of each run so far."""
    path = folder / name
    lines = path.read_text().splitlines() if path.exists() else []
    return [(int(count), int(pid)) for count, pid in (line.split() for line in lines)]


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # files and processes are no events
            await asyncio.sleep(0.02)


@asynccontextmanager
async def supervised(
    commands: Mapping[str, Sequence[str]], pauses: Sequence[float] = (0.05,)
) -> AsyncIterator[tuple[Supervisor, asyncio.Task[None]]]:
    supervisor = Supervisor(nothing, lambda _: commands, broker_url="kafka://127.0.0.1:1", pauses=pauses)
    task = asyncio.create_task(supervisor.run())
    try:
        yield supervisor, task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


SLEEP = "time.sleep(60)"


async def test_a_child_that_ends_is_started_again_and_told_how_often(tmp_path: Path) -> None:
    commands = {"poller": child(tmp_path, "poller", "sys.exit(1)"), "worker": child(tmp_path, "worker", SLEEP)}
    async with supervised(commands):
        await until(lambda: len(runs(tmp_path, "poller")) >= 3)
        assert [count for count, _ in runs(tmp_path, "poller")][:3] == [0, 1, 2]
        assert [count for count, _ in runs(tmp_path, "worker")] == [0]


@pytest.mark.parametrize(("code", "mended"), [(75, True), (1, False)])
async def test_what_a_child_missed_is_mended_before_it_is_started_again(
    tmp_path: Path, code: int, mended: bool
) -> None:
    """A process that misses a topic asks to be started again; only its supervisor may make topics."""
    seen: list[tuple[str, int]] = []

    async def mend(url: str) -> None:
        seen.append((url, len(runs(tmp_path, "worker"))))

    commands = {"worker": child(tmp_path, "worker", f"sys.exit({code})")}
    supervisor = Supervisor(nothing, lambda _: commands, broker_url="kafka://127.0.0.1:1", pauses=(0.01,), mend=mend)
    task = asyncio.create_task(supervisor.run())
    await until(lambda: len(runs(tmp_path, "worker")) >= 3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert seen[:2] == ([("kafka://127.0.0.1:1", 1), ("kafka://127.0.0.1:1", 2)] if mended else [])


async def test_pauses_grow(tmp_path: Path) -> None:
    async with supervised({"poller": child(tmp_path, "poller", "sys.exit(1)")}, (0.01, 0.01, 30.0)):
        await until(lambda: len(runs(tmp_path, "poller")) == 3)
        await asyncio.sleep(0.5)
        assert len(runs(tmp_path, "poller")) == 3


async def test_the_end_is_orderly_and_leaves_nothing(tmp_path: Path) -> None:
    polite = "signal.signal(15, lambda *_: (path.with_suffix('.bye').touch(), sys.exit(0))); time.sleep(60)"
    async with supervised({"poller": child(tmp_path, "poller", polite), "worker": child(tmp_path, "worker", SLEEP)}):
        await until(lambda: runs(tmp_path, "poller") and runs(tmp_path, "worker"))
        await asyncio.sleep(0.3)  # until its handler stands
    assert (tmp_path / "poller.bye").exists()
    for name in ("poller", "worker"):
        for _, pid in runs(tmp_path, name):
            with pytest.raises(ProcessLookupError):
                os.kill(pid, 0)


async def test_a_child_that_does_not_listen_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agents.process.supervisor.STOP_TIMEOUT", 0.5)
    deaf = "signal.signal(15, signal.SIG_IGN); path.with_suffix('.deaf').touch(); time.sleep(60)"
    async with supervised({"poller": child(tmp_path, "poller", deaf)}):
        await until((tmp_path / "poller.deaf").exists)
        begun = time.monotonic()
    assert time.monotonic() - begun < 5
    ((_, pid),) = runs(tmp_path, "poller")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_a_mistake_in_the_configuration_ends_everything(tmp_path: Path) -> None:
    commands = {"poller": child(tmp_path, "poller", "sys.exit(2)"), "worker": child(tmp_path, "worker", SLEEP)}
    async with supervised(commands) as (_, task):
        with pytest.raises(ConfigError, match="poller"):
            await asyncio.wait_for(task, 20)
    assert len(runs(tmp_path, "poller")) == 1


@pytest.mark.broker
async def test_without_its_embedded_broker_everything_begins_anew(tmp_path: Path) -> None:
    urls: list[str] = []

    async def prepare(url: str) -> None:
        urls.append(url)

    supervisor = Supervisor(prepare, lambda _: {"worker": child(tmp_path, "worker", SLEEP)})
    task = asyncio.create_task(supervisor.run())
    try:
        await until(lambda: runs(tmp_path, "worker"))
        assert supervisor.broker is not None
        assert supervisor.broker.pid is not None
        os.kill(supervisor.broker.pid, signal.SIGKILL)
        await until(lambda: len(runs(tmp_path, "worker")) == 2)
        assert len(set(urls)) == 2
        assert [count for count, _ in runs(tmp_path, "worker")] == [0, 1]
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert not supervisor.broker.alive


def test_reasons_are_words() -> None:
    assert reason_of(-9) == "killed by SIGKILL"
    assert reason_of(75) == "requested a restart (75), see its log above"
    assert reason_of(3) == "exit code 3"


@pytest.mark.broker
async def test_the_embedded_broker_stops_and_starts() -> None:
    broker = EmbeddedBroker()
    first = await broker.start()
    assert broker.alive
    await broker.stop()
    assert not broker.alive
    await broker.stop()
    assert await broker.start() != first
    await broker.stop()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the kernel ties no child to its parent")
def test_a_child_does_not_outlive_its_parent() -> None:
    program = (
        "import subprocess, sys; from agents.process.parent import bound_to_parent;"
        "print(subprocess.Popen(bound_to_parent(['sleep', '60'])).pid, flush=True); sys.stdin.read()"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0] != b"sleep":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    parent.kill()
    parent.communicate()
    while Path(f"/proc/{pid}").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_launcher_whose_parent_is_gone_does_not_start_anything() -> None:
    command = bound_to_parent(["echo", "started"])
    command[3] = "1"
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (75, b"")


def test_a_service_whose_parent_is_gone_does_not_start() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "agents", "worker", "--broker", "kafka://127.0.0.1:1"],
        env={**os.environ, PARENT: "1"}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 75
