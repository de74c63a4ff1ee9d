"""Run containers' commands as processes in their own namespaces, and play the demonstration's story through them.

    unshare --net --mount python -m tests.deploy.stack containers.json

Inside, `kafka` is this machine, with the embedded broker on its port, and each container's files lie where it looks for
them. Arguments and environment are the containers' own, but for the story's clock. Prints what is not as expected.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import httpx
import msgspec
import yaml

from agents.demo.outcome import problems
from agents.demo.server import SampleWorld
from agents.demo.story import load_story
from agents.process.embedded import _binary
from agents.process.parent import bound_to_parent
from monitor.clock import VARIABLE, service_clock
from monitor.kafka import BrokerSettings, wait_for_broker
from monitor.records import Event
from tests.deploy.containers import Container

_BROKER = "tcp://kafka:9092"
_PAGES = {"poller": "http://127.0.0.1:9651", "worker": "http://127.0.0.1:9652", "board": "http://127.0.0.1:9650"}
_PATIENCE = 180.0


def furnish(containers: list[Container], folder: Path) -> None:
    """Bring up loopback, name the hosts, and lay the containers' files. Only this namespace sees any of it."""
    run("ip", "link", "set", "lo", "up")
    etc = folder / "etc"
    run("cp", "-a", "/etc/.", str(etc))
    (etc / "hosts").write_text("127.0.0.1 localhost kafka\n")
    (etc / "summitry").mkdir()
    run("mount", "--bind", str(etc), "/etc")
    for place in ("/run", "/var/lib"):
        run("mount", "-t", "tmpfs", "none", place)
    Path("/var/lib/summitry").mkdir()
    for container in containers:
        for path, text in container.files.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)


def run(*command: str) -> None:
    subprocess.run(command, check=True)


class Stack:
    """The broker and the containers' processes."""

    def __init__(self, folder: Path, clock: str) -> None:
        self.folder = folder
        self._environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), VARIABLE: clock}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    async def broker(self) -> None:
        command = [
            _binary(), "broker", "--listener-url", _BROKER, "--advertised-listener-url", _BROKER,
            "--storage-engine", "memory://tansu/",
        ]  # fmt: skip
        environment = {**os.environ, "RUST_LOG": "off"}
        self.processes["kafka"] = subprocess.Popen(bound_to_parent(command), env=environment)  # noqa: ASYNC220
        await wait_for_broker(BrokerSettings.from_url("kafka:9092"), _PATIENCE)

    def start(self, container: Container) -> subprocess.Popen[bytes]:
        with (self.folder / f"{container.name}.log").open("wb") as log:
            process = subprocess.Popen(
                bound_to_parent([sys.executable, "-m", "agents", *container.arguments]),
                env=self._environment | container.environment, stdout=log, stderr=log,
            )  # fmt: skip
        self.processes[container.name] = process
        return process

    async def summitry(self, *arguments: str) -> str:
        """Run one command to its end and give its output."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "agents", *arguments, env=self._environment, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
        assert process.returncode == 0, arguments
        return output.decode()

    def told(self) -> list[tuple[str, str]]:
        """What the worker's log says was told: the event and how."""
        lines = (self.folder / "worker.log").read_text(errors="replace").rpartition("\n")[0].splitlines()
        logged = [json.loads(line) for line in lines if line.startswith("{")]
        return [(line["event_id"], line["tell"]) for line in logged if line.get("event") == "told"]

    def stop(self) -> None:
        for process in reversed(self.processes.values()):
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


async def story(containers: list[Container], folder: Path) -> list[str]:
    """Start everything in the containers' order, play the story, and say what is not as expected."""
    told = load_story()
    clock = f"{told.clock.isoformat()}@{service_clock({})().isoformat()}"
    secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
    world = SampleWorld(told.outlets, service_clock({VARIABLE: clock}), secret)
    stack = Stack(folder, clock)
    await world.start()
    try:
        await stack.broker()
        first, *rest = containers
        assert await asyncio.to_thread(stack.start(first).wait, _PATIENCE) == 0, f"{first.name} failed"
        for container in rest:
            stack.start(container)
        for name, page in _PAGES.items():
            await until(f"{name} is live", lambda url=f"{page}/live": answers(url))
        await until("the worker is ready", lambda: answers(f"{_PAGES['worker']}/ready"))
        feeds = folder / "feeds.yaml"
        feeds.write_text(yaml.safe_dump({"feeds": [
            {
                "id": outlet.id, "url": world.feed_url(outlet), "outlet": outlet.name, "publisher": outlet.publisher,
                "language": outlet.language, "country": outlet.country, "interval_s": 1,
                "allow_private_network": True, "host_group": f"{outlet.id}.sample",
            }
            for outlet in told.outlets
        ]}))  # fmt: skip
        config = rest[0].arguments[-1]
        await stack.summitry("feeds", "import", str(feeds), "--config", config)
        await until("every feed was read once", lambda: not world.unread)
        for act in told.acts:
            world.play(act)
            await until("the feeds are read", lambda: not world.unread)

        async def wrong() -> list[str]:
            lines = (await stack.summitry("events", "--format", "json", "--config", config)).splitlines()
            events = {one.event_id: one for one in (msgspec.json.decode(line, type=Event) for line in lines)}
            by_event: dict[str, list[tuple[str, Event]]] = {}
            for event_id, tell in stack.told():
                by_event.setdefault(event_id, []).append((tell, events[event_id]))
            return problems(told.expected, by_event)

        found: list[str] = []
        for _ in range(20):
            if not (found := await wrong()):
                break
            await asyncio.sleep(3)
        return found + [f"{name} ended" for name, one in stack.processes.items() if name != first.name and one.poll()]
    finally:
        stack.stop()
        await world.stop()


async def until(what: str, reached: Callable[[], bool]) -> None:
    """Wait for a condition, and say what was waited for in vain."""
    print(f"until {what}", flush=True)  # noqa: T201
    async with asyncio.timeout(_PATIENCE):
        while not await asyncio.to_thread(reached):  # noqa: ASYNC110  # other processes have no events
            await asyncio.sleep(0.2)


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=5).status_code < 400
    except httpx.HTTPError:
        return False


def main() -> int:
    containers = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=list[Container])
    with tempfile.TemporaryDirectory(prefix="summitry-stack-") as name:
        folder = Path(name)
        furnish(containers, folder)
        try:
            wrong = asyncio.run(story(containers, folder))
        except (AssertionError, TimeoutError) as error:
            wrong = [f"{type(error).__name__}: {error}"]
        for problem in wrong:
            print(problem)  # noqa: T201
        for log in sorted(folder.glob("*.log")) if wrong else ():
            print(f"--- {log.stem}\n{log.read_text(errors='replace')[-3000:]}")  # noqa: T201
        run("umount", "/etc")
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
