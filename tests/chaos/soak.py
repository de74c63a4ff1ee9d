"""Run the service at a steady load for long, and check that memory, handles and lag stay flat.

One poller and two workers on Apache Kafka, fifty outlets with a new article a second in each. Now and then some tell
of a contact, and the same contact comes again from other outlets. The resident memory and the open handles of each
process (with its children, the parsers of the poller) are printed with the lag every half a minute.

The first third of the time is for warming up: caches fill, buffers find their sizes. From then on memory is flat when
the median of the last third is at most SHARE above that of the second third, and no sixth of the two thirds stands more
than STEP above it. A leak slopes, and a new pool or arena is a step, so both are asked. Medians, since parsers are
replaced each half a minute. SHARE is not zero because one thing has to grow: what feeds have told is remembered
(STORY_BYTES each, MAX_SEEN a feed), which is 2.3 MiB, or 1.4 % of the poller, in each third of half an hour. In less
than 20 minutes the warming up itself may be found to have grown.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from statistics import median

from aiokafka import AIOKafkaConsumer, TopicPartition

from monitor.kafka import BrokerSettings, consumer, partitions_of
from monitor.watchlist import bundled
from tests.brokers import ApacheKafka
from tests.chaos.driver.run import say, stories
from tests.e2e.harness import Entry, Newsroom, World, until, world

OUTLETS = [f"outlet-{number}" for number in range(50)]
#: Articles a second, seconds between two that tell of a contact, and the newest entries that a feed offers.
RATE, STORY_EVERY, OFFERED = 50, 5, 60
#: Outlets that report each contact, and the seconds between two of them.
REPORTS, ECHO = 3, 20
#: Seconds between two measurements, and between two printed ones.
LOOK_EVERY, SAY_EVERY = 5.0, 30.0
#: What a process may have grown by, as shares of its memory: from third to third, and in any sixth of both. Handles.
SHARE, STEP, HANDLES = 0.03, 0.05, 8
#: Seconds of lag at the end.
LAG = 20


@dataclass(frozen=True)
class Sample:
    """What one process and its children hold at one time: MiB of memory, and open handles."""

    memory: float
    handles: int


def main() -> int:
    """Run the soak; the exit code is 1 when something grew."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30.0)
    minutes: float = parser.parse_args().minutes
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    broker = ApacheKafka()
    broker.start()
    try:
        found = asyncio.run(_soak(broker, minutes * 60))
    finally:
        broker.stop()
    say(f"soak: {'; '.join(found) or 'memory, handles and lag are flat'}")
    return 1 if found else 0


async def _soak(broker: ApacheKafka, seconds: float) -> list[str]:
    # Detection finds the headlines; it would hold up the newsroom that answers the poller.
    titles = [title for title, _ in islice(stories(bundled()), 1 + int(seconds) // STORY_EVERY)]
    folder = Path(tempfile.mkdtemp(prefix="summitry-soak-"))
    settings = BrokerSettings.from_url(broker.url)
    # The settings of a real service but for the addresses; nothing is held back, so that each story is counted.
    alerts = {"storm": None, "update_wait": "1s"}
    async with world(broker.url, "soak", folder, OUTLETS, patience=180, alerts=alerts) as now:
        await now.service.start("worker")
        await until("the second worker works", lambda: len(now.service.logged("worker", "started")) == 2, 180)
        samples: dict[str, list[Sample]] = {}
        async with consumer(settings, group_id=now.service.names.group) as probe:
            writing = asyncio.create_task(_print(now.newsroom, titles, seconds))
            told = await _watch(now, probe, samples, writing)
            await writing
            lag = await _lag(probe, now.service.names.articles)
        found = grown(samples)
        if lag > RATE * LAG:
            found.append(f"{lag} articles wait at the end")
        if set(now.desk.firsts().values()) != {1}:
            found.append(f"first messages: {now.desk.firsts()}")
        for name, of_one in samples.items():
            ninth = len(of_one) // 9
            rows = " ".join(f"{_memory(of_one[n * ninth : (n + 1) * ninth]):.1f}" for n in range(9 if ninth else 0))
            say(f"soak: {name}, medians of each ninth of the time in MiB: {rows}")
        say(f"soak: {int(seconds * RATE)} articles, {told} contacts told, logs in {folder}")
    return found


async def _print(newsroom: Newsroom, titles: list[str], seconds: float) -> None:
    """Print at an even pace, whatever the service does."""
    began = time.monotonic()
    for second in range(int(seconds)):
        await asyncio.sleep(max(0.0, began + second - time.monotonic()))
        for place, outlet in enumerate(OUTLETS):
            entries = [
                Entry(f"{outlet}-{second}-{number}", f"Harvest report {second} {number}: rain helps the fields")
                for number in range(RATE // len(OUTLETS))
            ]
            for told in (second - ECHO * number for number in range(REPORTS)):
                if told >= 0 and told % STORY_EVERY == 0 and (second * REPORTS) % len(OUTLETS) == place:
                    story = titles[told // STORY_EVERY % len(titles)]
                    entries.append(Entry(f"{outlet}-{second}-{told}", story, f"{outlet} has learned of it."))
            newsroom.print(outlet, *entries)
            newsroom.forget(outlet, OFFERED)


async def _watch(
    now: World, probe: AIOKafkaConsumer, samples: dict[str, list[Sample]], until_done: asyncio.Task[None]
) -> int:
    """Measure until the last article was printed; gives how many contacts were told."""
    began = said = time.monotonic()
    while not until_done.done():
        await asyncio.sleep(LOOK_EVERY)
        for role in ("poller", "worker"):
            for process in now.service.running(role):
                samples.setdefault(f"{role} {process.pid}", []).append(sample(process.pid))
        if time.monotonic() - said >= SAY_EVERY:
            said = time.monotonic()
            rows = ", ".join(f"{name} {s[-1].memory:.0f} MiB {s[-1].handles} handles" for name, s in samples.items())
            lag = await _lag(probe, now.service.names.articles)
            say(f"soak: {said - began:5.0f} s  {rows}, lag {lag}, told {len(now.desk.firsts())}")
    return len(now.desk.firsts())


async def _lag(probe: AIOKafkaConsumer, topic: str) -> int:
    places = [TopicPartition(topic, number) for number in await partitions_of(probe, topic)]
    return sum([end - (await probe.committed(place) or 0) for place, end in (await probe.end_offsets(places)).items()])


def grown(samples: dict[str, list[Sample]]) -> list[str]:
    """Say which processes hold more once they are warm (see above); a new process is named, too."""
    longest, found = max(map(len, samples.values()), default=0), []
    if longest < 9:
        return ["too short to tell"]
    for name, of_one in samples.items():
        if len(of_one) < longest - 2:
            found.append(f"{name} was not there all the time")
            continue
        third, sixth = len(of_one) // 3, len(of_one) // 9
        before, after = of_one[third : 2 * third], of_one[2 * third :]
        base, last = _memory(before), _memory(after)
        highest = max(_memory(of_one[at : at + sixth]) for at in range(third, 9 * sixth, sixth))
        handles = max(each.handles for each in before), max(each.handles for each in after)
        if last > (1 + SHARE) * base or highest > (1 + STEP) * base:
            found.append(f"{name} grew from {base:.0f} to {last:.0f} MiB, at times {highest:.0f}")
        if handles[1] > handles[0] + HANDLES:
            found.append(f"{name} grew from {handles[0]} to {handles[1]} handles")
    return found


def _memory(samples: Sequence[Sample]) -> float:
    return median(each.memory for each in samples)


def sample(pid: int) -> Sample:
    """Measure a process and its children (Linux); one that has ended counts for nothing."""
    total = Sample(0.0, 0)
    folder = Path("/proc") / str(pid)
    try:
        pages = int((folder / "statm").read_text().split()[1])
        children = [
            int(child) for task in (folder / "task").iterdir() for child in (task / "children").read_text().split()
        ]
        total = Sample(pages * 4096 / 2**20, len(list((folder / "fd").iterdir())))
    except OSError:
        return total
    for each in map(sample, children):
        total = Sample(total.memory + each.memory, total.handles + each.handles)
    return total


if __name__ == "__main__":
    sys.exit(main())
