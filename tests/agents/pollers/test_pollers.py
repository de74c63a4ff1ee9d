"""Test poller processes on a real broker: they share the feeds, follow changes, and can be killed at any moment."""

from __future__ import annotations

import asyncio
import itertools
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from agents.pollers.feed_topics import TopicStore, ask_now, load_feeds, load_states, partition_of, put_feeds
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings, producer, read_to_end
from monitor.records import Article, decode
from tests.feedserver import FeedServer, Reply, Request, conditional, rss
from tests.monitor.feeds.snapshots import Expected, load, serve

pytestmark = pytest.mark.broker

ROOT = Path(__file__).resolve().parents[3]


class Service:
    """Topics of its own, a feed server, and poller processes that are all gone at the end."""

    def __init__(self, url: str, prefix: str, server: FeedServer) -> None:
        self.url, self.prefix, self.server = url, prefix, server
        self.settings, self.names = BrokerSettings.from_url(url), TopicNames(prefix)
        self._processes: list[asyncio.subprocess.Process] = []

    async def start(self, name: str, group: str = "") -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.monitor.feeds.poller_process", self.url, self.prefix, name,
            *([group] if group else []), cwd=ROOT,
        )  # fmt: skip
        self._processes.append(process)
        return process

    async def stop(self) -> None:
        for process in self._processes:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def put(self, *feeds: Subscription, remove: tuple[str, ...] = ()) -> None:
        await put_feeds(self.settings, self.names.feeds, feeds, remove=remove)

    async def articles(self) -> list[Article]:
        records = [record async for record in read_to_end(self.settings, self.names.articles)]
        return [decode(Article, record.value) for record in records]

    def feed(self, number: int, **options: object) -> Subscription:
        """A feed with a host group of its own."""
        path = f"/{number}.xml"
        values: dict[str, object] = {"interval_s": 2, "allow_private_network": True, "host_group": f"h{number}.example"}
        return Subscription(id=f"f{number}", url=self.server.url(path), **{**values, **options})  # type: ignore[arg-type]

    def polled_by(self, request: Request) -> str:
        return (request.header("User-Agent") or "").partition("+")[2].partition(";")[0]


@pytest.fixture
async def service(broker: str, prefix: str) -> AsyncIterator[Service]:
    await create(BrokerSettings.from_url(broker), TopicSettings(prefix=prefix, partitions=4))
    async with FeedServer() as server:
        made = Service(broker, prefix, server)
        yield made
        await made.stop()


async def until(holds: Callable[[], bool], within: float) -> float:
    """Wait until something holds; seconds that took."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within:
            pytest.fail(f"not within {within:g} s")
        await asyncio.sleep(0.05)
    return time.monotonic() - began


async def test_a_change_of_the_list_reaches_a_running_poller_within_seconds(service: Service) -> None:
    server = service.server
    for number in range(3):
        server.on(f"/{number}.xml", conditional(lambda: rss("one story")))
    await service.put(service.feed(0))
    process = await service.start("p1")
    await until(lambda: len(server.hits("/0.xml")) >= 1, 30)
    await service.put(service.feed(1))
    assert await until(lambda: len(server.hits("/1.xml")) >= 1, 10) < 5
    await service.put(service.feed(1, user_agent="changed"))
    await until(lambda: server.hits("/1.xml")[-1].header("User-Agent") == "changed", 15)
    await service.put(remove=("f1",))
    await until(lambda: not _asked_lately(server, "/1.xml", 3.0), 20)
    assert await load_feeds(service.settings, service.names.feeds) == {"f0": service.feed(0)}
    assert set(await load_states(service.settings, service.names.feed_state)) == {"f0"}
    await service.put(service.feed(0, enabled=False))
    await until(lambda: not _asked_lately(server, "/0.xml", 3.0), 20)
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        assert await process.wait() == 0


async def test_a_feed_can_be_asked_for_now_but_not_twice_in_a_minute(service: Service) -> None:
    server, feed, now = service.server, service.feed(0, interval_s=3600), time.time()
    server.on("/0.xml", conditional(lambda: rss("one story")))
    server.on("/1.xml", conditional(lambda: rss("other story")))
    state = FeedState(feed="f0", request=feed.request_hash, url=feed.url, last_attempt=now - 120, next_due=now + 3000)
    names = service.names
    async with producer(service.settings) as client:
        store = TopicStore(service.settings, client, names)
        await store.save(partition_of(feed.group, 4), feed, state, {})
    await service.put(feed, service.feed(1, host_group=feed.group, interval_s=3600))
    await service.start("p1")
    await until(lambda: len(server.hits("/1.xml")) == 1, 30)
    assert server.hits("/0.xml") == [], "it is not due"
    assert await ask_now(service.settings, names.feeds, ["f0", "nobody"]) == ["f0"]
    await until(lambda: len(server.hits("/0.xml")) == 1, 15)
    await ask_now(service.settings, names.feeds, ["f0"])
    # A change that is followed after it shows that the second wish was read, and not granted.
    await service.put(service.feed(1, host_group=feed.group, user_agent="changed"))
    await until(lambda: server.hits("/1.xml")[-1].header("User-Agent") == "changed", 20)
    assert len(server.hits("/0.xml")) == 1


@pytest.mark.chaos
async def test_feeds_of_a_killed_poller_move_within_15_seconds_and_nothing_is_lost_or_asked_early(
    service: Service,
) -> None:
    count, server = 12, service.server
    begun = time.monotonic()
    told: dict[str, int] = {}

    def growing(number: int) -> Callable[[Request], Reply]:
        """A feed with a new entry every second; it remembers how many it has shown."""

        def answer(request: Request) -> Reply:
            entries = 1 + int(time.monotonic() - begun)
            told[f"f{number}"] = max(told.get(f"f{number}", 0), entries)
            return Reply(200, rss(*(f"e{number}x{n} text" for n in range(entries, 0, -1))))

        return answer

    for number in range(count):
        server.on(f"/{number}.xml", growing(number))
    await service.put(*(service.feed(number, interval_s=3) for number in range(count)))
    first, second = await service.start("p1"), await service.start("p2")

    def owners() -> dict[str, str]:
        return {request.path: service.polled_by(request) for request in server.requests}

    await until(lambda: len(owners()) == count and set(owners().values()) == {"p1", "p2"}, 45)
    await asyncio.sleep(5)
    mine = {path for path, owner in owners().items() if owner == "p1"}
    assert mine
    first.kill()
    killed = time.monotonic()
    await until(lambda: set(owners().values()) == {"p2"}, 25)
    moved = max(min(r.at for r in server.hits(path) if service.polled_by(r) == "p2" and r.at > killed) for path in mine)
    assert moved - killed < 15
    await asyncio.sleep(5)
    second.send_signal(signal.SIGTERM)
    async with asyncio.timeout(15):
        assert await second.wait() == 0
    for number in range(count):
        times = [request.at for request in server.hits(f"/{number}.xml")]
        gaps = [after - before for before, after in itertools.pairwise(times)]
        assert min(gaps) > 2.6, "no early poll, neither by the interval nor by the change of hands"
    articles = await service.articles()
    found = Counter((article.id, article.revision) for article in articles)
    per_feed = Counter(article.title.partition("x")[0][1:] for article in {a.id: a for a in articles}.values())
    for number in range(count):
        # The last answer may have come while the poller was stopped; everything before it must be there.
        assert per_feed[str(number)] >= told[f"f{number}"] - 5
    titles = {article.id: article.title for article in articles}
    assert len(set(titles.values())) == len(titles), "no entry has two ids"
    for number in range(count):
        numbers = sorted(int(t.split()[0].partition("x")[2]) for t in titles.values() if t.startswith(f"e{number}x"))
        assert numbers == list(range(1, len(numbers) + 1)), "no gap"
    assert sum(found.values()) - len(found) <= 20, "only what was under way when the poller was killed may be repeated"


@pytest.mark.chaos
@pytest.mark.slow
@pytest.mark.timeout(240)
async def test_snapshots_of_real_feeds_survive_ten_kills(service: Service) -> None:
    documents = load("ft-home", 15)
    expected = Expected()
    for document in documents:
        expected.read(document)
    position = serve(service.server, "/0.xml", documents)
    await service.put(service.feed(0, interval_s=1))
    draw = random.Random(5)
    for kill in range(10):
        # A group of its own each time, so that the next one need not wait until the broker misses the dead one.
        process = await service.start(f"p{kill}", group=f"{service.prefix}-{kill}")
        served = len(service.server.requests)
        await until(lambda served=served: len(service.server.requests) > served + draw.randrange(3), 30)
        await asyncio.sleep(draw.random() * 0.05)
        process.kill()
        await process.wait()
    await service.start("last", group=f"{service.prefix}-last")
    await until(lambda: position[0] == len(documents) - 1, 90)
    seen = len(service.server.requests)
    await until(lambda: len(service.server.requests) > seen + 2, 30)
    articles = await service.articles()
    told = {(article.id, article.revision): article.title for article in articles}
    assert sorted((title, revision) for (_, revision), title in told.items()) == expected.revisions


def _asked_lately(server: FeedServer, path: str, seconds: float) -> bool:
    hits = server.hits(path)
    return bool(hits) and time.monotonic() - hits[-1].at < seconds
