"""Run the demonstration: `python -m agents.demo`. The exit code is 0 when the alerts were as expected, else 1."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import click
import httpx
import yaml

from agents.demo.gauges import Gauges
from agents.demo.outcome import messages_by_event, problems
from agents.demo.server import SampleWorld
from agents.demo.story import DemoStory, load_story
from agents.process.embedded import free_port
from agents.process.supervisor import python
from monitor.clock import VARIABLE, service_clock

#: The demonstration is aborted after this many seconds.
DEADLINE = 150.0
#: An act is over when nothing new has happened for this many seconds.
QUIET = 1.5
#: The same when somebody watches on the board.
QUIET_WATCHED = 5.0
_STOP_TIMEOUT = 12.0


class DemoError(Exception):
    """The demonstration can't continue; the message says why."""


class Demo:
    """One run of the demonstration: serves the sample feeds, starts the service, plays the acts, checks the alerts."""

    def __init__(self, story: DemoStory, folder: Path, *, hold: bool = False) -> None:
        self._story, self._folder = story, folder
        self._secret = "whsec_" + b64encode(secrets.token_bytes(24)).decode()
        self._environment = {
            **os.environ,
            VARIABLE: f"{story.clock.isoformat()}@{service_clock({})().isoformat()}",
            "PYTHONUNBUFFERED": "1",
        }
        self._world = SampleWorld(story.outlets, service_clock(self._environment), self._secret)
        self._ports, self._board_port = (free_port(), free_port()), free_port()
        self._hold, self._deadline = hold, DEADLINE * (2 if hold else 1)
        self._gauges = Gauges(self._ports)
        self._service: asyncio.subprocess.Process | None = None
        self._began = time.monotonic()

    async def run(self) -> list[str]:
        """Play the whole story. Returns a sentence for each difference from the expected alerts."""
        await self._world.start()
        try:
            async with asyncio.timeout(self._deadline), httpx.AsyncClient(timeout=5.0, trust_env=False) as client:
                await self._start()
                if self._hold:
                    await self._board_up(client)
                    say(f"\n    Watch it live: {self._board}", bold=True)
                    await asyncio.sleep(QUIET_WATCHED)
                for number, act in enumerate(self._story.acts, 1):
                    say(f"\n[{number}/{len(self._story.acts)}] {act.say}", bold=True)
                    self._world.play(act)
                    await self._until("the feeds are read", client, lambda: not self._world.unread)
                    await self._quiet(client)
                by_event = messages_by_event(self._world.deliveries)
                self._summary()
                wrong = problems(self._story.expected, by_event)
                print_verdict(wrong)
        except TimeoutError:
            raise DemoError(f"not done within {self._deadline:g} seconds") from None
        else:
            await self._say_where()
            return wrong
        finally:
            await self._stop()
            await self._world.stop()

    @property
    def _board(self) -> str:
        return f"http://127.0.0.1:{self._board_port}"

    async def _board_up(self, client: httpx.AsyncClient) -> None:
        """Wait until the board answers."""
        while True:
            try:
                if (await client.get(f"{self._board}/ready")).is_success:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)

    async def _say_where(self) -> None:
        """Print where the board is; with HOLD keep it running until Ctrl-C."""
        if not self._hold:
            say(f"    The board was at {self._board}. To look around on it, run `make demo HOLD=1`.")
            return
        say(f"    The board stays at {self._board} until Ctrl-C. Search for 普京, press ? for keys, open an event.")
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await stop.wait()

    async def _start(self) -> None:
        config = self._folder / "summitry.yaml"
        (self._folder / "feeds.yaml").write_text(yaml.safe_dump({"feeds": self._feeds()}, allow_unicode=True))
        config.write_text(yaml.safe_dump(self._config()))
        with (self._folder / "service.log").open("wb") as log:
            self._service = await asyncio.create_subprocess_exec(
                *python("up", "--config", str(config)),
                env=self._environment,
                stderr=log,
                stdin=asyncio.subprocess.DEVNULL,
            )

    def _feeds(self) -> list[dict[str, object]]:
        return [
            {
                "id": outlet.id, "url": self._world.feed_url(outlet), "outlet": outlet.name,
                "publisher": outlet.publisher, "language": outlet.language, "country": outlet.country,
                "interval_s": 1, "allow_private_network": True, "host_group": f"{outlet.id}.sample",
            }
            for outlet in self._story.outlets
        ]  # fmt: skip

    def _config(self) -> dict[str, object]:
        return {
            "feeds": ["feeds.yaml"],
            "topics": {"partitions": 2},
            "poller": {"host_gap": "100ms", "floor": "1s"},
            "receivers": {
                "console": {"type": "console"},
                "check": {
                    "type": "webhook",
                    "url": f"{self._world.base}/alerts",
                    "secrets": [self._secret],
                    "allow_private_networks": ["127.0.0.0/8"],
                },
            },
            "web": {"poller_port": self._ports[0], "worker_port": self._ports[1]},
            "board": {"port": self._board_port},
            "log": {"format": "json", "level": "warning"},
        }

    async def _until(self, what: str, client: httpx.AsyncClient, reached: Callable[[], bool]) -> None:
        """Wait until `reached()`; on a terminal show what it waits for."""
        while not (await self._gauges.read(client) and reached()):
            if self._service is not None and self._service.returncode is not None:
                raise DemoError(f"the service ended by itself, with code {self._service.returncode}")
            if sys.stdout.isatty():
                say(f"\r    {time.monotonic() - self._began:3.0f} s, until {what} ", dim=True, end="\r")
            await asyncio.sleep(0.2)

    async def _quiet(self, client: httpx.AsyncClient) -> None:
        """Wait until all articles were handled and nothing has changed for a while."""
        last, since = self._gauges.state, time.monotonic()

        def quiet() -> bool:
            nonlocal last, since
            if self._gauges.state != last or not self._gauges.settled:
                last, since = self._gauges.state, time.monotonic()
            return time.monotonic() - since > (QUIET_WATCHED if self._hold else QUIET)

        await self._until("all alerts are sent", client, quiet)

    def _summary(self) -> None:
        def row(name: str, metric: str, label: str) -> None:
            counts = self._gauges.by(f"summitry_{metric}_total", label)
            listed = sorted(counts.items(), key=lambda count: (-count[1], count[0]))
            say(f"    {name:<11} {sum(counts.values()):3}  {', '.join(f'{n} {what}' for what, n in listed)}")

        say("\nSummary", bold=True)
        row("polls", "feed_polls", "outcome")
        row("articles", "articles", "result")
        row("mentions", "mentions", "status")
        row("events", "events", "kind")
        row("messages", "notifications", "receiver")
        row("not told", "notifications_suppressed", "reason")

    async def _stop(self) -> None:
        service = self._service
        if service is None or service.returncode is not None:
            return
        service.send_signal(signal.SIGINT)
        try:
            await asyncio.wait_for(service.wait(), _STOP_TIMEOUT)
        except TimeoutError:
            service.kill()
            await service.wait()


def say(text: str, *, bold: bool = False, dim: bool = False, end: str = "\n") -> None:
    """Print and flush; without colours if it is not a terminal."""
    click.secho(text + end, bold=bold, dim=dim, nl=False)
    sys.stdout.flush()


def print_verdict(wrong: list[str]) -> None:
    """Print whether the alerts were as expected."""
    if not wrong:
        say("\nAs expected: one alert for each of the two contacts, updated in place, and nothing else.", bold=True)
        return
    say("\nNot as expected:", bold=True)
    for problem in wrong:
        say(f"    {problem}")


def main() -> int:
    """Run the demonstration. Returns the exit code."""
    story = load_story()
    hold = bool(os.environ.get("HOLD"))
    formats = len({outlet.format for outlet in story.outlets})
    say("Summitry, a demonstration: the real service on this machine. Broker, poller, worker, board.", bold=True)
    say(
        f"    {len(story.outlets)} sample feeds in {formats} formats on loopback, and for the service it is "
        f"{story.clock:%A %-d %B %Y}.\n    The story: one video call, alerted once. It takes about a minute."
    )
    with tempfile.TemporaryDirectory(prefix="summitry-demo-") as folder:
        try:
            wrong = asyncio.run(Demo(story, Path(folder), hold=hold).run())
        except (DemoError, KeyboardInterrupt) as error:
            say(f"\nThe demonstration ended early: {error or 'interrupted'}", bold=True)
            say((Path(folder) / "service.log").read_text(errors="replace")[-4000:], dim=True)
            return 1
        if wrong:
            say((Path(folder) / "service.log").read_text(errors="replace")[-4000:], dim=True)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
