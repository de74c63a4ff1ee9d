"""Run the real service as processes between an HTTP server for feeds and a webhook receiver, all on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from inspect import isawaitable
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import httpx
import yaml
from standardwebhooks import Webhook

from agents.pollers.feed_topics import put_feeds
from agents.process.parent import PARENT
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings
from tests.feedserver import FeedServer, Reply, Request, conditional

T = TypeVar("T")

SECRET = "whsec_c3VtbWl0cnktdGVzdHMtc2VjcmV0LTEyMzQ1Njc4OTA="
#: When the service's clock starts: the evening of the sample story.
NOW = datetime(2026, 2, 4, 18, 0, tzinfo=UTC)


async def until(what: str, condition: Callable[[], T | Awaitable[T]], within: float = 150.0, every: float = 0.1) -> T:
    """The condition's value as soon as it is true; the condition may be a coroutine function."""
    deadline = time.monotonic() + within
    while True:
        found = condition()
        value = await found if isawaitable(found) else found
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        await asyncio.sleep(every)


@dataclass
class Entry:
    id: str
    title: str
    summary: str = ""
    published: datetime = NOW

    def xml(self) -> str:
        return (
            f'<item><guid isPermaLink="false">{escape(self.id)}</guid><title>{escape(self.title)}</title>'
            f"<link>https://news.example/{escape(self.id)}</link><description>{escape(self.summary)}</description>"
            f"<pubDate>{format_datetime(self.published)}</pubDate></item>"
        )


class Newsroom:
    """Outlets with one feed each; every feed begins with one old entry of no interest."""

    def __init__(self, server: FeedServer) -> None:
        self._server = server
        self._entries: dict[str, list[Entry]] = {}
        self.subscriptions: list[Subscription] = []

    def open(self, outlet: str, *, publisher: str = "", **options: Any) -> None:
        old = Entry(f"{outlet}-old", f"Yesterday's weather, by {outlet}", published=NOW - timedelta(days=1))
        self._entries[outlet] = [old]
        url = self._server.on(f"/{outlet}.xml", conditional(lambda: self._document(outlet)))
        self.subscriptions.append(
            Subscription(
                id=outlet, url=url, outlet=outlet.title(), publisher=publisher or outlet.title(), language="en",
                country="GB", interval_s=1, host_group=f"{outlet}.example", allow_private_network=True, **options,
            )
        )  # fmt: skip

    def print(self, outlet: str, *entries: Entry) -> None:
        """Put entries on top of an outlet's feed."""
        self._entries[outlet][:0] = entries

    def forget(self, outlet: str, newest: int) -> None:
        """Offer only so many entries of an outlet from now on."""
        del self._entries[outlet][newest:]

    def correct(self, outlet: str, entry: Entry) -> None:
        """Replace the entry of the same id."""
        entries = self._entries[outlet]
        entries[[known.id for known in entries].index(entry.id)] = entry

    async def all_polled(self, within: float = 150.0) -> None:
        """Return when every feed was read once, so that what comes now is news."""
        paths = [f"/{outlet}.xml" for outlet in self._entries]
        await until("every feed is polled", lambda: all(len(self._server.hits(path)) > 1 for path in paths), within)

    def _document(self, outlet: str) -> bytes:
        items = "".join(entry.xml() for entry in self._entries[outlet])
        return (
            f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>{outlet}</title>'
            f"<link>https://news.example/</link><description>Sample</description>{items}</channel></rss>"
        ).encode()


@dataclass
class Desk:
    """A webhook receiver that keeps what it got, checks every signature, and can be told to fail."""

    server: FeedServer
    failing: int = 0
    messages: list[dict[str, Any]] = field(default_factory=list)
    refused: int = 0

    def open(self) -> str:
        return self.server.on("/hook", self._take)

    def _take(self, request: Request) -> Reply:
        body = Webhook(SECRET).verify(request.body, {name.lower(): value for name, value in request.headers})
        if self.failing:
            self.refused += 1
            return Reply(self.failing)
        identity = request.header("webhook-id")
        assert body["id"] == identity
        self.messages.append(body)
        return Reply(204)

    def items(self) -> list[dict[str, Any]]:
        """What was told: the single messages, and those that came as one."""
        return [item for message in self.messages for item in message["data"].get("items", [message["data"]])]

    def firsts(self) -> Counter[str]:
        """How many different first messages came for each event; repeats of one webhook-id count once."""
        seen = {
            (item["event"]["event_id"], message["id"])
            for message in self.messages
            for item in message["data"].get("items", [message["data"]])
            if item["tell"] == "first"
        }
        return Counter(event_id for event_id, _ in seen)

    def repeats(self) -> int:
        """How many messages came again with the same webhook-id."""
        return len(self.messages) - len({message["id"] for message in self.messages})

    def of(self, *leaders: str) -> list[dict[str, Any]]:
        """What was told of the events between exactly these leaders, in order."""
        return [item for item in self.items() if {p["leader"] for p in item["event"]["participants"]} == set(leaders)]


class Service:
    """Poller and worker processes of one configuration.

    `logins` has the section `broker` of each role that does not use `broker` itself.
    """

    def __init__(
        self,
        broker: str,
        prefix: str,
        folder: Path,
        hook: str,
        *,
        logins: Mapping[str, Mapping[str, Any]] | None = None,
        **sections: Any,
    ) -> None:
        self.broker, self.settings, self.folder = broker, BrokerSettings.from_url(broker), folder
        self.names = TopicNames(prefix)
        self._processes: list[tuple[str, asyncio.subprocess.Process]] = []
        self.config = folder / "summitry.yaml"
        values: dict[str, Any] = {
            "topics": {"prefix": prefix, "partitions": 2},
            "receivers": {
                "desk": {
                    "type": "webhook",
                    "url": hook,
                    "secrets": [SECRET],
                    "allow_private_networks": ["127.0.0.0/8"],
                }
            },
            "poller": {"host_gap": "0s"},
            "web": {"poller_port": 0, "worker_port": 0},
            "board": {"port": 0},
            "log": {"format": "json", "level": "info"},
        }
        for name, section in sections.items():
            values[name] = {**values.get(name, {}), **section}
        self.config.write_text(yaml.safe_dump(values))
        self._arguments = {}
        for role, section in (logins or {}).items():
            path = folder / f"{role}.yaml"
            path.write_text(yaml.safe_dump({**values, "broker": dict(section)}))
            self._arguments[role] = ["--config", str(path)]
        self.topics = TopicSettings(**values["topics"])
        self.clock = {"SUMMITRY_CLOCK": f"{NOW.isoformat()}@{datetime.now(UTC).isoformat()}"}
        self._environment = {**os.environ, **self.clock, PARENT: str(os.getpid())}

    async def prepare(self, feeds: Iterable[Subscription]) -> None:
        await create(self.settings, self.topics)
        await put_feeds(self.settings, self.names.feeds, feeds)

    async def start(
        self,
        role: str,
        module: str = "agents",
        *,
        environment: Mapping[str, str] | None = None,
        log: Path | None = None,
    ) -> asyncio.subprocess.Process:
        with (log or self.folder / f"{role}.log").open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", module, role, *self.arguments(role),
                stdin=asyncio.subprocess.DEVNULL, stdout=out, stderr=out,
                env={**self._environment, **(environment or {})}, start_new_session=True,
            )  # fmt: skip
        self._processes.append((role, process))
        return process

    def arguments(self, role: str) -> list[str]:
        """How a process of this role finds its configuration and its broker."""
        return self._arguments.get(role, ["--config", str(self.config), "--broker", self.broker])

    def running(self, role: str) -> list[asyncio.subprocess.Process]:
        return [process for name, process in self._processes if name == role and process.returncode is None]

    async def kill(self, role: str) -> None:
        """SIGKILL every process of a role, as a machine that fails would."""
        for process in self.running(role):
            process.kill()
            await process.wait()

    async def stop(self) -> None:
        for _, process in self._processes:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(signal.SIGTERM)
        for _, process in self._processes:
            try:
                await asyncio.wait_for(process.wait(), 12)
            except TimeoutError:
                process.kill()
                await process.wait()

    def log(self, role: str) -> list[dict[str, Any]]:
        """The log lines of a role so far, without one that is still being written."""
        path = self.folder / f"{role}.log"
        lines = path.read_text(errors="replace").rpartition("\n")[0].splitlines() if path.exists() else []
        return [json.loads(line) for line in lines if line.startswith("{")]

    def logged(self, role: str, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log(role) if line.get("event") == event]

    def has_logged(self, role: str, event: str) -> bool:
        """Whether a process said so; one that ended by itself never will."""
        assert self.running(role), f"the {role} has ended"
        return bool(self.logged(role, event))

    async def url(self, role: str) -> str:
        """Where the newest process of a role serves its pages."""
        lines = await until(f"{role} serves", lambda: self.logged(role, "serving"))
        return str(lines[-1]["url"])

    async def page(self, role: str, path: str) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False) as client:
            return await client.get(await self.url(role) + path)

    async def ready(self, role: str) -> bool:
        return (await self.page(role, "/ready")).status_code == 200

    async def metrics(self, role: str) -> dict[str, float]:
        """The process's samples by name and labels, as they stand on its page."""
        lines = (await self.page(role, "/metrics")).text.splitlines()
        pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
        return {name: float(value) for name, _, value in pairs}


@dataclass
class World:
    newsroom: Newsroom
    desk: Desk
    service: Service


@asynccontextmanager
async def world(
    broker: str,
    prefix: str,
    folder: Path,
    outlets: Iterable[str],
    *,
    logins: Mapping[str, Mapping[str, Any]] | None = None,
    patience: float = 120.0,
    **sections: Any,
) -> AsyncIterator[World]:
    """The service runs, every feed was read once, and the desk is open. What the service logged is shown on failure.

    `patience` is how long the worker may take to start (seconds).
    """
    async with FeedServer() as server:
        newsroom, desk = Newsroom(server), Desk(server)
        for outlet in outlets:
            newsroom.open(outlet)
        service = Service(broker, prefix, folder, desk.open(), logins=logins, **sections)
        await service.prepare(newsroom.subscriptions)
        try:
            await service.start("poller")
            await service.start("worker")
            await until(
                "the worker has its partitions", lambda: service.has_logged("worker", "deliveries_read"), patience
            )
            await newsroom.all_polled()
            yield World(newsroom, desk, service)
        except BaseException:
            for role in ("poller", "worker"):
                sys.stderr.write(f"--- {role}\n")
                path = folder / f"{role}.log"
                lines = path.read_text(errors="replace").splitlines()[-60:] if path.exists() else []
                sys.stderr.write("\n".join(line[:2000] for line in lines) + "\n")
            raise
        finally:
            await service.stop()
