"""Benchmark the time from an article on the topic to the webhook, at 1, 50 and 300 articles a second.

One worker process (detection, assembly, notification) on one broker. At one a second every article tells of a contact,
each of another pair of leaders; at the higher rates 60 and 120 of them do, and the rest is background. The time runs
from the broker's ack of the article to the webhook's arrival in this process. Seconds differ from machine to machine;
the columns that compare are the ratios.
"""

from __future__ import annotations

import asyncio
import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from aiokafka import AIOKafkaProducer

from monitor.detect import Detector
from monitor.kafka import BrokerSettings, producer
from monitor.records import Article, encode
from monitor.watchlist import bundled
from tests.brokers import BROKERS, ApacheKafka, Embedded, kafka_jars
from tests.e2e.harness import NOW, Service, until
from tests.receivers.webhook import SECRET, WebhookServer

#: Articles a second, seconds, and how many of them tell of a contact.
LOADS = ((1, 30, 30), (50, 20, 60), (300, 20, 120))


def stories() -> Iterator[tuple[str, str]]:
    """Headlines of calls between two leaders of different states, each pair once, with the pair's key."""
    watchlist = bundled()
    detector, serving, states = Detector(watchlist), [], set()
    for identity in sorted(watchlist.serving(NOW.date())):
        office = watchlist.office_on(identity, NOW.date())
        if office is not None and office.country not in states:
            states.add(office.country)
            serving.append(watchlist.leaders[identity])
    for one, other in itertools.combinations(serving[:60], 2):
        title, key = f"{one.name} and {other.name} held a phone call on Wednesday", "+".join(sorted((one.id, other.id)))
        found = detector.detect(Article(id="x", title=title, published=NOW))
        if [(mention.kind, mention.status, mention.key) for mention in found] == [("call", "held", key)]:
            yield title, key


async def _load(
    client: AIOKafkaProducer, topic: str, told: Iterator[tuple[str, str]], *, rate: int, seconds: int, contacts: int
) -> dict[str, float]:
    """Send articles at an even pace; when each contact's article was on the topic, by its pair."""
    sent: dict[str, float] = {}
    total = rate * seconds
    every = total // contacts
    begun = time.monotonic()

    async def one(number: int) -> None:
        contact = number % every == every - 1
        title, key = next(told) if contact else (f"Harvest report {number}: rain helps the northern fields", "")
        article = Article(
            id=f"{rate}-{number}", title=title, outlet="Sample", publisher=f"Publisher {number}", language="en",
            published=NOW, seen=NOW,
        )  # fmt: skip
        await client.send_and_wait(topic, encode(article), key=article.id.encode())
        if contact:
            sent[key] = time.monotonic()

    async with asyncio.TaskGroup() as group:
        for number in range(total):
            await asyncio.sleep(max(0.0, begun + number / rate - time.monotonic()))
            group.create_task(one(number))
    return sent


async def _measure(broker: ApacheKafka | Embedded, folder: Path) -> list[tuple[int, int, float, float]]:
    """Rate, contacts, p50 and p99 in milliseconds."""
    rows = []
    told = stories()
    async with WebhookServer() as desk:
        hook = {
            "type": "webhook", "url": desk.hook, "secrets": [SECRET], "allow_private_networks": ["127.0.0.0/8"],
        }  # fmt: skip
        service = Service(broker.url, "bench", folder, desk.hook, alerts={"storm": None}, receivers={"desk": hook})
        await service.prepare([])
        try:
            await service.start("worker")
            await until("the worker has its partitions", lambda: service.has_logged("worker", "deliveries_read"), 90)
            async with producer(BrokerSettings.from_url(broker.url), linger_ms=0) as client:
                warm = await _load(client, service.names.articles, told, rate=10, seconds=2, contacts=4)
                await until("the first alerts are out", lambda: len(desk.received) >= len(warm), 60)
                for rate, seconds, contacts in LOADS:
                    sent = await _load(
                        client, service.names.articles, told, rate=rate, seconds=seconds, contacts=contacts
                    )
                    await until("all alerts are out", lambda sent=sent: sent.keys() <= _arrivals(desk).keys(), 120)
                    arrived = _arrivals(desk)
                    waits = sorted((arrived[key] - at) * 1000 for key, at in sent.items())
                    rows.append((rate, len(waits), statistics.median(waits), waits[int(len(waits) * 0.99)]))
        finally:
            await service.stop()
    return rows


def _arrivals(desk: WebhookServer) -> dict[str, float]:
    """When each pair's first message came. The loop's clock is the monotonic one."""
    found: dict[str, float] = {}
    for received in desk.received:
        event = received.body["data"]["event"]
        found.setdefault("+".join(sorted(p["leader"] for p in event["participants"])), received.at)
    return found


def _brokers() -> list[str]:
    try:
        kafka_jars()
    except RuntimeError as error:
        print(f"latency: Apache Kafka left out: {error}", file=sys.stderr)
        return ["embedded"]
    return ["embedded", "kafka"]


def run() -> None:
    """Print a table for each broker there is."""
    print(
        f"{'broker':<10} {'articles/s':>10} {'alerts':>7} {'p50 ms':>8} {'p99 ms':>8} {'p99/p50':>8} {'p99 to 1/s':>11}"
    )
    for name in _brokers():
        broker = BROKERS[name]()
        broker.start()
        try:
            with tempfile.TemporaryDirectory() as folder:
                rows = asyncio.run(_measure(broker, Path(folder)))
        finally:
            broker.stop()
        for rate, count, middle, late in rows:
            ratio, slower = late / middle, late / rows[0][3]
            print(f"{name:<10} {rate:>10} {count:>7} {middle:>8.0f} {late:>8.0f} {ratio:>8.1f} {slower:>11.2f}")
