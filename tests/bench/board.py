"""Benchmark the board: 100,000 events, 50 readers with live updates, 200 requests a second. See docs/benchmarks.md.

The board runs as a process of its own on the embedded broker. `SUMMITRY_BENCH_EVENTS` makes it smaller.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import aiohttp
import yaml
from msgspec.structs import replace
from yarl import URL

from agents.process.embedded import EmbeddedBroker, free_port
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, producer
from monitor.records import Event, encode
from tests.browser.world import contact
from tests.monitor.archive.samples import PEOPLE

EVENTS = int(os.environ.get("SUMMITRY_BENCH_EVENTS", "100000"))
READERS, RATE, SECONDS = 50, 200, 20
PREFIX = "bench"
#: What readers and programs ask for, by how often.
MIX = (
    *["/"] * 3, "/?q=putin", "/?status=planned", "/events/{id}", "/events/{id}", "/calendar",
    *["/api/v1/events?limit=20"] * 4, *["/api/v1/events?pair=vladimir-putin%2Bxi-jinping&limit=20"] * 2,
    *["/api/v1/events/{id}"] * 4, "/api/v1/events?q=%E6%99%AE%E4%BA%AC&limit=20", "/events.atom?country=FR",
)  # fmt: skip
#: Names in three scripts, words that all events have, few have and none has, two letters and one.
QUESTIONS = ("putin", "Путин", "普京", "xi macron", "phone call held", "talks during a visit", "gas deal", "ca", "习")


def some_events(count: int) -> list[Event]:
    chance = random.Random(7)
    names = list(PEOPLE)
    statuses = ("held", "held", "held", "planned", "denied", "cancelled", "postponed")
    made = []
    for n in range(count):
        who = " ".join(chance.sample(names, 2))
        kind, medium = chance.choice(
            (("call", "phone"), ("call", "video"), ("meeting", "in_person"), ("visit", "in_person"))
        )
        event = contact(n, who, 1, kind, medium, chance.choice(statuses))
        seen = event.first_seen - timedelta(minutes=chance.randrange(1_000_000)) if event.first_seen else None
        when = replace(event.when, start=seen.date(), end=seen.date()) if event.when and seen else None
        history = tuple(replace(change, at=seen) for change in event.history) if seen else ()
        made.append(replace(event, first_seen=seen, last_seen=seen, when=when, history=history))
    return made


async def fill(broker: BrokerSettings, events: list[Event]) -> None:
    names = TopicNames(PREFIX)
    await create(broker, TopicSettings(prefix=PREFIX, partitions=4))
    async with producer(broker, linger_ms=20) as client:
        for n, event in enumerate(events):
            sent = await client.send(names.events, encode(event), key=event.event_id.encode())
            if n % 5000 == 4999:
                await sent


def memory(pid: int) -> float:
    """The resident memory of a process in megabytes."""
    line = next(line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def processor(pid: int) -> float:
    """The processor time of a process in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def listen(client: aiohttp.ClientSession, counted: list[int]) -> None:
    async with client.get("/changes", timeout=aiohttp.ClientTimeout(total=None)) as response:
        async for line in response.content:
            counted[0] += line == b"event: event\n"


async def search(client: aiohttp.ClientSession) -> dict[str, float]:
    """Milliseconds until each question is answered, none of them asked before."""
    times = {}
    for question in QUESTIONS:
        start = time.perf_counter()
        async with client.get("/api/v1/events", params={"q": question, "limit": "20"}) as answer:
            answer.raise_for_status()
            await answer.read()
        times[question] = (time.perf_counter() - start) * 1000
    return times


# The pool of httpx takes longer for each request than the board does, once hundreds are under way.
async def load(client: aiohttp.ClientSession, ids: list[str]) -> list[float]:
    chance = random.Random(3)
    times: list[float] = []

    async def one() -> None:
        start = time.perf_counter()
        address = URL(chance.choice(MIX).replace("{id}", chance.choice(ids)), encoded=True)
        async with client.get(address) as answer:
            answer.raise_for_status()
            await answer.read()
        times.append(time.perf_counter() - start)

    begin, tasks = time.perf_counter(), []
    for n in range(RATE * SECONDS):
        await asyncio.sleep(max(0.0, begin + n / RATE - time.perf_counter()))
        tasks.append(asyncio.create_task(one()))
    await asyncio.gather(*tasks)
    return sorted(times)


async def measure(folder: Path) -> None:
    broker = EmbeddedBroker()
    url = await broker.start()
    settings, events = BrokerSettings.from_url(url), some_events(EVENTS)
    await fill(settings, events)
    port = free_port()
    config = {
        "topics": {"prefix": PREFIX, "partitions": 4},
        "board": {"port": port, "rate": 0, "archive": str(folder / "archive.sqlite")},
    }
    (folder / "summitry.yaml").write_text(yaml.safe_dump(config))
    command = [sys.executable, "-m", "agents", "board", "--config", str(folder / "summitry.yaml"), "--broker", url]
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    try:
        base = f"http://127.0.0.1:{port}"
        async with aiohttp.ClientSession(base, connector=aiohttp.TCPConnector(limit=400)) as client:
            started = 0.0
            while True:
                with contextlib.suppress(aiohttp.ClientError):
                    async with client.get("/ready") as answer:
                        started = started or time.perf_counter()
                        if answer.status == 200:
                            break
                await asyncio.sleep(0.05)
            took = time.perf_counter() - started
            worked = processor(process.pid)
            print(
                f"rebuild from topics: {EVENTS:,} events in {took:.1f} s, {EVENTS / took:,.0f} a second; "
                f"{worked:.1f} s of processor time, start included"
            )
            found = await search(client)
            print("search, in ms: " + ", ".join(f"{question} {took:.0f}" for question, took in found.items()))
            counted = [0]
            listeners = [asyncio.create_task(listen(client, counted)) for _ in range(READERS)]
            await asyncio.sleep(1)
            before = processor(process.pid)
            loading = asyncio.create_task(load(client, [event.event_id for event in events[:1000]]))
            async with producer(settings, linger_ms=0) as sender:
                for n, event in enumerate(events[:SECONDS]):
                    changed = replace(event, revision=50 + n, status="ongoing")
                    await sender.send_and_wait(TopicNames(PREFIX).events, encode(changed), key=event.event_id.encode())
                    await asyncio.sleep(1)
            times = await loading
            print(f"{READERS} live readers got {counted[0]} of {READERS * SECONDS} changes")
            print(
                f"{RATE} requests a second for {SECONDS} s: "
                + ", ".join(
                    f"p{share} {times[min(len(times) - 1, len(times) * share // 100)] * 1000:.0f} ms"
                    for share in (50, 90, 99)
                )
            )
            each = (processor(process.pid) - before) / len(times) * 1000
            print(f"processor time of the board for each request: {each:.1f} ms")
            print(f"memory of the board: {memory(process.pid):.0f} MB")
            for task in listeners:
                task.cancel()
    finally:
        process.kill()
        await process.wait()
        await broker.stop()


def run() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="summitry-bench-") as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    run()
