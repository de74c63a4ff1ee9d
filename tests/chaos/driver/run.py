"""Run the service under the faults of one seed, let it recover, and compare its output with the model."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions

from agents.pollers.feed_topics import put_feeds
from agents.stream.dead_letters import read
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.detect import Detector
from monitor.errors import SummitryError
from monitor.kafka import BrokerSettings, consumer, partitions_of
from monitor.records import Article
from monitor.watchlist import Watchlist, bundled
from tests.brokers import ApacheKafka
from tests.chaos.driver.model import Expected, Told, violations
from tests.chaos.driver.poison import STAGES, poison
from tests.chaos.driver.proxy import KafkaProxy
from tests.chaos.driver.steps import Step
from tests.e2e.harness import NOW, SECRET, Entry, Newsroom, Service, until
from tests.feedserver import FeedServer, Reply, Request

OUTLETS = [f"outlet-{number}" for number in range(6)]
#: Processes of each role at the start, and the most there may be.
WORKERS, MOST_WORKERS, POLLERS = 2, 4, 1
#: Seconds between two stories.
STORY_EVERY = 4.0
#: Seconds after the last step in which everything must be told and handled.
HEAL = 300.0


class Receiver:
    """A webhook receiver that keeps what it got.

    It can refuse, limit the rate without naming a wait, redirect, take and lose its answer, answer late, or answer with
    a body that never ends.
    """

    def __init__(self, server: FeedServer, name: str) -> None:
        self.name, self.told, self.mode = name, Told(), ""
        self.url = server.on(f"/{name}", self._take)

    def _take(self, request: Request) -> Reply:
        if refusal := _REFUSALS.get(self.mode):
            return refusal
        self.told.take(json.loads(request.body))
        match self.mode:
            case "lose":
                return Reply(raw=_hang_up)
            case "late":
                return Reply(204, delay=4.0)
            case "endless":
                return Reply(raw=_talk_on)
            case _:
                return Reply(204)


_REFUSALS = {
    "refuse": Reply(503),
    "limit": Reply(429, headers={"Retry-After": "0"}),
    "redirect": Reply(307, headers={"Location": "http://127.0.0.1:1/"}),
}


async def _talk_on(writer: asyncio.StreamWriter) -> None:
    """Take the message, and go on talking until nobody listens."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    with contextlib.suppress(ConnectionError):
        while not writer.is_closing():
            writer.write(b"and so on " * 1000)
            await writer.drain()
            await asyncio.sleep(0.1)


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


@dataclass(frozen=True)
class Story:
    """One contact: what is reported of it first, and what, if anything, once that was told everywhere."""

    contact: frozenset[str]
    title: str
    status: str
    then: str = ""
    last_status: str = ""


def told_stories() -> Iterator[Story]:
    """Make stories of the bundled watchlist's leaders, each third one a plan that is cancelled, if it reads as one."""
    detector = Detector(bundled())

    def reads_as(title: str, status: str) -> bool:
        return [m.status for m in detector.detect(Article(id="x", title=title, published=NOW))] == [status]

    for number, (title, contact) in enumerate(stories(bundled())):
        names = title.removesuffix(" held a phone call on Wednesday")
        plan, cancelled = (
            f"{names} will hold a phone call on Thursday",
            f"Phone call between {names} on Thursday cancelled",
        )
        if number % 3 == 2 and reads_as(plan, "planned") and reads_as(cancelled, "cancelled"):
            yield Story(contact, plan, "planned", cancelled, "cancelled")
        else:
            yield Story(contact, title, "held")


def stories(watchlist: Watchlist) -> Iterator[tuple[str, frozenset[str]]]:
    """Headlines of calls between leaders of different states that detection reads as held calls, each pair once.

    In the first ones, about as many as half of the states, each leader is there once.
    """
    detector, states, serving = Detector(watchlist), set(), []
    for leader in sorted(watchlist.serving(NOW.date())):
        office = watchlist.office_on(leader, NOW.date())
        if office is not None and office.country not in states:
            states.add(office.country)
            serving.append(watchlist.leaders[leader])
    for distance in range(1, len(serving)):
        for place, one in enumerate(serving[:-distance]):
            if place // distance % 2:
                continue  # it is the other one of a pair
            other = serving[place + distance]
            title = f"{one.name} and {other.name} held a phone call on Wednesday"
            found = detector.detect(Article(id="x", title=title, published=NOW))
            if [(m.kind, m.status, m.key) for m in found] == [("call", "held", "+".join(sorted((one.id, other.id))))]:
                yield title, frozenset((one.id, other.id))


class Run:
    """One run: the world, the faults, and what is expected of it."""

    def __init__(self, broker: ApacheKafka, proxy: KafkaProxy, folder: Path, seed: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        prefix = f"chaos-{seed}-{time.time_ns() % 10**9}"
        self._broker, self._proxy, self._folder, self._prefix = broker, proxy, folder, prefix
        self._dice = random.Random(seed)
        self.expected = Expected()
        self._direct = BrokerSettings.from_url(broker.direct)
        self._names = TopicNames(prefix)
        #: Roles and codes of processes that ended by themselves.
        self.exits: list[tuple[str, int]] = []
        self._wanted: list[tuple[str, asyncio.subprocess.Process]] = []
        self._ours: set[int] = set()
        self._keepers: set[asyncio.Task[None]] = set()
        self._ended = False

    async def play(self, steps: list[Step], seconds: float) -> list[str]:
        """Play the steps; gives what was not as it must be."""
        async with FeedServer() as server:
            self._newsroom = Newsroom(server)
            for outlet in OUTLETS:
                self._newsroom.open(outlet)
            self.receivers = {name: Receiver(server, name) for name in ("desk", "wire")}
            self._service = self._make_service()
            await create(self._direct, TopicSettings(prefix=self._prefix, partitions=2))
            await put_feeds(self._direct, self._names.feeds, self._newsroom.subscriptions)
            try:
                return await self._play(steps, seconds)
            finally:
                self._ended = True
                for keeper in self._keepers:
                    keeper.cancel()
                await asyncio.gather(*self._keepers, return_exceptions=True)
                await self._service.stop()

    async def _play(self, steps: list[Step], seconds: float) -> list[str]:
        for role, count in (("poller", POLLERS), ("worker", WORKERS)):
            for _ in range(count):
                await self._start(role)
        await until("the workers have their partitions", self._deliveries_read, 120)
        await self._newsroom.all_polled(120)
        self._stories = told_stories()
        await asyncio.to_thread(self._next_story)  # the detector reads its files
        began = time.monotonic()
        writing = asyncio.create_task(self._write_stories(seconds))
        under_way: set[asyncio.Task[None]] = set()
        for number, step in enumerate(steps):
            await asyncio.sleep(max(0.0, began + step.at - time.monotonic()))
            say(f"{time.monotonic() - began:7.1f} s  {step}")
            under_way.add(asyncio.create_task(self._do(step, number), name=str(step)))
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        await asyncio.wait_for(asyncio.gather(*under_way), 60)
        await writing
        return await self._settle()

    def _deliveries_read(self) -> bool:
        return bool(self._service.logged("worker", "deliveries_read"))

    def _make_service(self) -> Service:
        receivers = {
            name: {
                "type": "webhook", "url": receiver.url, "secrets": [SECRET], "timeout": "2s",
                "allow_private_networks": ["127.0.0.0/8"],
            }
            for name, receiver in self.receivers.items()
        }  # fmt: skip
        alerts = {"update_wait": "1s", "storm": None, "retries": ["0.5s", "1s", "2s", *["4s"] * 40]}
        return Service(
            self._broker.url, self._prefix, self._folder, receivers["desk"]["url"],
            alerts=alerts, receivers=receivers,
        )  # fmt: skip

    async def _start(self, role: str, *, log: Path | None = None, **environment: str) -> None:
        environment = {"SUMMITRY_BROKER__CONNECT_TIMEOUT": "60s", **environment}
        process = await self._service.start(role, environment=environment, log=log)
        self._wanted.append((role, process))
        keeper = asyncio.create_task(self._keep(role, process))
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)

    async def _keep(self, role: str, process: asyncio.subprocess.Process) -> None:
        """Start a process again that ended, as a supervisor does; one that left in order is left alone."""
        code = await process.wait()
        self._wanted.remove((role, process))
        if self._ended or process.pid in self._ours:
            return
        self.exits.append((role, code))
        say(f"            the {role} {process.pid} ended with {code}")
        await asyncio.sleep(1)
        await self._start(role)

    def _running(self, role: str) -> list[asyncio.subprocess.Process]:
        return [process for name, process in self._wanted if name == role and process.returncode is None]

    # -- what is published -------------------------------------------------------------------------------------------

    async def _write_stories(self, seconds: float) -> None:
        """Publish a story now and then, in several outlets, with noise between."""
        async with asyncio.TaskGroup() as following:
            for number in range(int(seconds / STORY_EVERY)):
                story = await asyncio.to_thread(self._next_story)
                self.expected.contacts[story.contact] = story.status
                outlets = self._dice.sample(OUTLETS, 3)
                for outlet in outlets[:2]:
                    text = f"{outlet} has learned of it."
                    self._newsroom.print(outlet, Entry(f"{outlet}-story-{number}", story.title, text))
                    noise = f"Harvest report {number}: more rain"
                    self._newsroom.print(outlet, Entry(f"{outlet}-noise-{number}", noise))
                    await asyncio.sleep(STORY_EVERY / 2)
                if story.then:
                    following.create_task(self._follow_up(story, number, outlets[2]))

    def _next_story(self) -> Story:
        return next(self._stories)

    async def _follow_up(self, story: Story, number: int, outlet: str) -> None:
        """Publish what became of a plan once each receiver was told of the plan; nothing if that takes for ever."""
        for _ in range(120):
            if all(receiver.told.firsts()[story.contact] for receiver in self.receivers.values()):
                now = NOW + (datetime.now(UTC) - self._service_began)
                self._newsroom.print(outlet, Entry(f"{outlet}-then-{number}", story.then, published=now))
                self.expected.contacts[story.contact] = story.last_status
                return
            await asyncio.sleep(0.5)

    # -- faults ------------------------------------------------------------------------------------------------------

    async def _do(self, step: Step, number: int) -> None:
        match step.kind:
            case "kill":
                if victims := self._running(step.what):
                    self._dice.choice(victims).kill()
            case "stop":
                await self._stop_for(step)
            case "skew" | "join" | "full-disk":
                await self._join(step)
            case "leave":
                if len(running := self._running(step.what)) > 1:
                    self._ours.add(running[0].pid)
                    running[0].send_signal(signal.SIGTERM)
            case "poison":
                await self._poison(step, number)
            case "refuse" | "lose" | "late" | "limit" | "redirect" | "endless":
                receiver = self.receivers[step.what]
                receiver.mode = step.kind
                await asyncio.sleep(step.lasts)
                receiver.mode = ""
            case _:
                await self._break_broker(step)

    async def _stop_for(self, step: Step) -> None:
        if victims := self._running(step.what):
            victim = self._dice.choice(victims)
            victim.send_signal(signal.SIGSTOP)
            await asyncio.sleep(step.lasts)
            with contextlib.suppress(ProcessLookupError):
                victim.send_signal(signal.SIGCONT)

    async def _join(self, step: Step) -> None:
        """One more process: with a clock of its own, or with its log on a full disk."""
        if len(self._running(step.what)) >= MOST_WORKERS:
            return
        if step.kind == "full-disk":
            await self._start(step.what, log=Path("/dev/full"))
            return
        skew = timedelta(seconds=float(step.detail)) if step.kind == "skew" else timedelta()
        await self._start(step.what, SUMMITRY_CLOCK=f"{(NOW + skew).isoformat()}@{self._service_began.isoformat()}")

    @property
    def _service_began(self) -> datetime:
        return datetime.fromisoformat(self._service.clock["SUMMITRY_CLOCK"].partition("@")[2])

    async def _poison(self, step: Step, number: int) -> None:
        try:
            place = await poison(self._direct, self._names, step.what, step.detail, f"poison-{number}")
        except Exception as error:  # noqa: BLE001  # the broker is away or refuses: then nothing was written
            say(f"            not poisoned: {type(error).__name__}: {error}")
            return
        if step.what in STAGES and step.detail != "half-characters":
            self.expected.poisoned.append(place)

    async def _break_broker(self, step: Step) -> None:
        match step.kind:
            case "broker-kill":
                self._broker.kill()
                await asyncio.sleep(min(step.lasts, 5.0))
                self._broker.spawn()
            case "broker-pause":
                self._broker.pause()
                await asyncio.sleep(step.lasts)
                self._broker.resume()
            case "hold":
                self._proxy.hold(step.what)
                await asyncio.sleep(step.lasts)
                self._proxy.release(step.what)
            case "cut":
                self._proxy.cut()
            case "partitions" | "remake":
                with contextlib.suppress(Exception):  # the broker may be away just now
                    await self._change_topics(step.kind)

    async def _change_topics(self, kind: str) -> None:
        admin = AIOKafkaAdminClient(**self._direct.client_options(), request_timeout_ms=5000)
        await admin.start()
        try:
            if kind == "partitions":
                await admin.create_partitions({self._names.articles: NewPartitions(3)})
                return
            await admin.delete_topics([self._names.acks])
        finally:
            await admin.close()
        for _ in range(20):
            await asyncio.sleep(0.5)
            with contextlib.suppress(SummitryError):
                await create(self._direct, TopicSettings(prefix=self._prefix, partitions=2))
                return

    # -- the end -----------------------------------------------------------------------------------------------------

    async def _settle(self) -> list[str]:
        """Heal everything, wait until nothing changes any more, and compare."""
        self._proxy.release()
        for receiver in self.receivers.values():
            receiver.mode = ""
        say("            healing")
        deadline, found = time.monotonic() + HEAL, ["nothing was looked at"]
        while time.monotonic() < deadline:
            await asyncio.sleep(3)
            found = await self._violations()
            say(f"            {len(found)} things to go: {found[:3]}")
            if not found:
                await asyncio.sleep(5)  # long enough for a second first message
                return await self._violations()
        return found

    async def _violations(self) -> list[str]:
        try:
            letters = [letter.id for letter in await read(self._direct, self._names.dead_letters, replayed=True)]
            waiting = await self._waiting()
        except SummitryError as error:
            return [f"the broker can't be asked: {error}"]
        told = {name: receiver.told for name, receiver in self.receivers.items()}
        return violations(self.expected, told, letters, self.exits) + waiting

    async def _waiting(self) -> list[str]:
        """Records that nobody has handled."""
        found = []
        async with consumer(self._direct, group_id=self._names.group) as client:
            for topic in sorted(getattr(self._names, name) for name in STAGES):
                places = [TopicPartition(topic, number) for number in await partitions_of(client, topic)]
                for place, end in (await client.end_offsets(places)).items():
                    if (waiting := end - (await client.committed(place) or 0)) > 0:
                        found.append(f"{waiting} records of {topic}:{place.partition} wait")
        return found


def say(text: str) -> None:
    """Tell what happens, on standard error."""
    sys.stderr.write(text + "\n")
