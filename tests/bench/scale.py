"""Benchmark scaling on Apache Kafka with eight partitions: worker processes, rebalances, and recovery of state.

Rates are given against those of one worker in the same run. A rebalance is measured as a reader of news feels it: the
longest time for which articles of some partition waited.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import yaml
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from agents.process.parent import PARENT
from agents.store import KafkaStore
from agents.stream.topics import TopicNames, create
from monitor.assemble import Assembly
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, consumer, producer
from monitor.records import Article, encode
from tests.bench.assembly import ARTICLES as COPIES
from tests.bench.assembly import sample
from tests.brokers import ApacheKafka
from tests.quality.sets import Sets

PARTITIONS, WORKERS = 8, (1, 2, 4)
#: How much of the whole is measured, to see whether all works.
_SHARE = float(os.environ.get("SUMMITRY_BENCH_SHARE", "1"))
#: Articles of one measurement; a second of the trickle during a rebalance; open events to recover.
ARTICLES, TRICKLE, EVENTS = int(6_000 * _SHARE), 40, (int(10_000 * _SHARE), int(100_000 * _SHARE))
_WATCH_S, _STEP_S = 30.0, 0.1


def run() -> None:
    """Print the tables."""
    broker = ApacheKafka()
    broker.start()
    try:
        asyncio.run(_measure(BrokerSettings.from_url(broker.url)))
    finally:
        broker.stop()


async def _measure(broker: BrokerSettings) -> None:
    articles = list(itertools.islice(_articles(), ARTICLES))
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f} before the run; {PARTITIONS} partitions")
    rates = []
    for workers in WORKERS:
        async with _Site.open(broker, f"scale-{workers}") as site:
            await site.start(workers)
            rates.append(await site.throughput(articles))
        print(f"  {workers} workers {rates[-1]:8.0f} articles a second  {rates[-1] / rates[0]:5.2f}", flush=True)
    async with _Site.open(broker, "rebalance") as site:
        await site.start(1)
        joined = await site.longest_wait(articles, site.start(1))
        print(f"  a second worker joins: articles waited {joined:.1f} s at most", flush=True)
        killed = await site.longest_wait(articles, site.kill())
        print(f"  a worker is killed:    articles waited {killed:.1f} s at most", flush=True)
    for events in EVENTS:
        seconds, size = await _recovery(broker, events)
        print(f"  state of {events:,} open events: {size / 1e6:.0f} MB, read again in {seconds:.1f} s", flush=True)


def _articles() -> Iterator[Article]:
    """Articles of the real stream over and over, or invented ones, each with an id of its own."""
    sets = Sets.from_environment()
    real: Sequence[Article] = sets.stream() if sets else ()
    invented = [
        Article(id="x", title=title, published=datetime(2026, 2, 4, tzinfo=UTC))
        for title in (
            *[f"Council number {n} argues about its budget" for n in range(49)],
            "Macron and Modi speak by phone",
        )
    ]
    for number in itertools.count():
        pool = real or invented
        yield msgspec.structs.replace(pool[number % len(pool)], id=f"scale-{number}")


class _Site:
    """Topics under a prefix, and the workers on them."""

    def __init__(self, broker: BrokerSettings, prefix: str, folder: Path, probe: AIOKafkaConsumer) -> None:
        self._broker, self._folder, self._probe = broker, folder, probe
        self._names = TopicNames(prefix)
        self._places = [TopicPartition(self._names.articles, number) for number in range(PARTITIONS)]
        self._workers: list[asyncio.subprocess.Process] = []

    @classmethod
    @asynccontextmanager
    async def open(cls, broker: BrokerSettings, prefix: str) -> AsyncIterator[_Site]:
        await create(broker, TopicSettings(prefix=prefix, partitions=PARTITIONS))
        with tempfile.TemporaryDirectory(prefix="summitry-scale-") as folder:
            async with consumer(broker) as probe:
                site = cls(broker, prefix, Path(folder), probe)
                settings = {
                    "broker": {"url": broker.servers[0]},
                    "topics": {"prefix": prefix, "partitions": PARTITIONS},
                    "web": {"worker_port": 0},
                    "log": {"format": "json", "level": "info"},
                }
                (Path(folder) / "summitry.yaml").write_text(yaml.safe_dump(settings))
                try:
                    yield site
                finally:
                    await site.stop()

    async def start(self, workers: int) -> None:
        """Start workers and wait until the partitions are shared among all that run."""
        for _ in range(workers):
            with (self._folder / f"{len(self._workers)}.log").open("wb") as log:
                self._workers.append(
                    await asyncio.create_subprocess_exec(
                        sys.executable,
                        "-m",
                        "agents",
                        "worker",
                        "--config",
                        str(self._folder / "summitry.yaml"),
                        stdout=log,
                        stderr=log,
                        env={**os.environ, PARENT: str(os.getpid())},
                    )
                )
        while not all(self._assigned(number) for number in range(len(self._workers))):  # noqa: ASYNC110  # their logs
            await asyncio.sleep(_STEP_S)
        await asyncio.sleep(5)

    def _assigned(self, number: int) -> bool:
        lines = (self._folder / f"{number}.log").read_text(errors="replace").splitlines()
        found = [json.loads(line) for line in lines if '"assigned"' in line]
        return bool(found and found[-1]["partitions"])

    async def kill(self) -> None:
        """SIGKILL the newest worker."""
        self._workers[-1].kill()
        await self._workers[-1].wait()

    async def stop(self) -> None:
        for worker in self._workers:
            with contextlib.suppress(ProcessLookupError):
                worker.terminate()
        await asyncio.gather(*(worker.wait() for worker in self._workers))

    async def throughput(self, articles: Sequence[Article]) -> float:
        """Articles a second, from the first that is done to the last."""
        await self._send(articles)
        first, done, before = 0.0, 0, 0
        while done < len(articles):
            done = sum((await self._committed()).values())
            if done and not first:
                first, before = time.monotonic(), done
            await asyncio.sleep(_STEP_S)
        return (len(articles) - before) / (time.monotonic() - first)

    async def longest_wait(self, articles: Sequence[Article], change: object) -> float:
        """The longest time (seconds) for which a partition with waiting articles did not move, around a change."""
        trickling = asyncio.create_task(self._trickle(articles))
        changing = asyncio.ensure_future(change)  # type: ignore[call-overload]
        longest, moved = 0.0, dict.fromkeys(self._places, time.monotonic())
        last = await self._committed()
        ends_at = time.monotonic() + _WATCH_S
        while time.monotonic() < ends_at or not changing.done():
            now_done, ends, now = await self._committed(), await self._probe.end_offsets(self._places), time.monotonic()
            for place in self._places:
                if now_done.get(place, 0) != last.get(place, 0) or now_done.get(place, 0) >= ends[place]:
                    moved[place] = now
                longest = max(longest, now - moved[place])
            last = now_done
            await asyncio.sleep(_STEP_S)
        trickling.cancel()
        await asyncio.gather(trickling, return_exceptions=True)
        await changing
        return longest

    async def _trickle(self, articles: Sequence[Article]) -> None:
        for start in itertools.count(0, TRICKLE):
            begin = start % (len(articles) - TRICKLE)
            await self._send(articles[begin : begin + TRICKLE])
            await asyncio.sleep(1)

    async def _send(self, articles: Sequence[Article]) -> None:
        async with producer(self._broker) as client:
            sent = [
                await client.send(self._names.articles, encode(one), partition=number % PARTITIONS)
                for number, one in enumerate(articles)
            ]
            await asyncio.gather(*sent)

    async def _committed(self) -> dict[TopicPartition, int]:
        admin = AIOKafkaAdminClient(**self._broker.client_options())
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(self._names.group)
        finally:
            await admin.close()
        return {place: found[place].offset for place in self._places if place in found and found[place].offset > 0}


async def _recovery(broker: BrokerSettings, events: int) -> tuple[float, int]:
    """Seconds that a worker needs to read the assembler's state, and its bytes."""
    topics = TopicSettings(prefix=f"recovery-{events}", partitions=1)
    await create(broker, topics)
    names, assembly = TopicNames(topics.prefix), Assembly()
    for number in range(events):
        assembly.apply(sample(number * COPIES, pairs=events))
    states = dict(assembly.states())
    del assembly
    async with producer(broker, max_batch_size=1_000_000) as client:
        store = KafkaStore(broker, names.assembly, client)
        for keys in _batched(states, 1000):
            await store.put(0, {key: states[key] for key in keys})
        size = sum(map(len, states.values()))
        del states
        started = time.monotonic()
        restored = Assembly.restore((await store.load(0)).values())
        seconds = time.monotonic() - started
    assert restored.open_events == events
    return seconds, size


def _batched(keys: dict[str, bytes], size: int) -> Iterator[tuple[str, ...]]:
    rest = iter(keys)
    while batch := tuple(itertools.islice(rest, size)):
        yield batch


if __name__ == "__main__":
    run()
