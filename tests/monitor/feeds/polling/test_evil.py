"""Test the real poller on a real broker with a server of hostile feeds next to good ones.

`-o log_cli_level=INFO` shows the figures.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from agents.pollers.feed_topics import load_states, put_feeds
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings
from tests.feedserver import FeedServer, Reply, rss
from tests.monitor.feeds.evil import Evil, documents, drip, hosts

logger = logging.getLogger(__name__)

ROOT = Path(__file__).resolve().parents[4]
GOOD = 10
#: What the poller and all of its parser processes may take together (issue: 300 MB).
MEMORY = 300_000_000


def feed(server: FeedServer, name: str, **options: object) -> Subscription:
    values: dict[str, object] = {"allow_private_network": True, "host_group": f"{name}.example"}
    values |= {"url": server.url(f"/{name}.xml"), **options}
    if values["allow_private_network"]:
        values.setdefault("interval_s", 10)
    return Subscription(id=name, **values)  # type: ignore[arg-type]


def slow(server: FeedServer) -> dict[str, Evil]:
    """Those that take their time, and those that lead elsewhere and back."""
    drips = drip(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"<")
    head = drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")
    rebinding = f"http://rebind.example:{server.port}/rebind.xml"
    for n in range(10):
        server.on(f"/hops/{n}", Reply(302, headers={"Location": f"/hops/{n + 1}"}))
    return {
        "loris-body": Evil(Reply(raw=drips), frozenset({"timeout"}), {"timeout_s": 2.0}),
        "loris-headers": Evil(Reply(raw=head), frozenset({"first_byte_timeout"})),
        "loris-all": Evil(Reply(raw=head), frozenset({"timeout"}), {"timeout_s": 2.0}),
        "hops": Evil(Reply(302, headers={"Location": "/hops/0"}), frozenset({"too_many_redirects"})),
        "rebind": Evil(
            Reply(302, headers={"Location": f"{rebinding}?again"}),
            frozenset({"address_refused"}),
            {"url": rebinding, "allow_private_network": False},
        ),
    }


@pytest.mark.broker
@pytest.mark.chaos
@pytest.mark.skipif(not Path("/proc/self/smaps_rollup").exists(), reason="memory is measured by Linux's /proc")
@pytest.mark.timeout(360)
async def test_evil_feeds_cost_neither_memory_nor_the_loop_nor_the_others_and_each_ends_with_its_reason(
    broker: str, prefix: str
) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=4))
    async with FeedServer("127.0.0.2") as server, FeedServer("127.0.0.1", server.port) as inner:
        for n in range(GOOD):
            server.on(f"/good{n}.xml", Reply(200, rss("one story", "two story")))
        await put_feeds(settings, names.feeds, [feed(server, f"good{n}", interval_s=1) for n in range(GOOD)])
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.monitor.feeds.evil_process", broker, prefix, cwd=ROOT,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        family = Family(process.pid)
        try:
            good = [f"/good{n}.xml" for n in range(GOOD)]
            await until(lambda: all(len(server.hits(path)) >= 2 for path in good), 60)
            # How often the good ones are asked without the evil ones, on this machine as it is now.
            alone = await asked(server, good, lambda: all(len(server.hits(path)) >= 6 for path in good))

            evil = {**documents(), **slow(server), **hosts(server.port)}
            for name, each in evil.items():
                server.on(f"/{name}.xml", each.reply)
            await put_feeds(settings, names.feeds, [feed(server, name, **each.options) for name, each in evil.items()])
            ended: dict[str, FeedState] = {}
            health: dict[str, str] = {}

            async def look() -> None:
                while len(ended) < len(evil):
                    states = await load_states(settings, names.feed_state)
                    ended.update({n: s for n, s in states.items() if n in evil and s.polls and n not in ended})
                    health.update({n: s.health for n, s in states.items() if n not in evil})
                    await asyncio.sleep(0.5)

            looking = asyncio.create_task(look())
            beside = await asked(server, good, looking.done, 200)
            await looking
            process.send_signal(signal.SIGTERM)
            told, _ = await asyncio.wait_for(process.communicate(), 30)
            most = json.loads(told)["most"]
        finally:
            await family.close()
            if process.returncode is None:
                process.kill()
                await process.wait()
        ends = {name: ended[name].last_error for name in evil}
        wrong = {name: ends[name] for name, each in evil.items() if ends[name] not in each.ends}
        peaks = sorted((peak // 1_000_000 for peak in family.peaks.values()), reverse=True)
        logger.info(
            "%d MB together, %d by plain sum; at most by process: %s; good polls a second: %.1f alone, %.1f beside; "
            "the loop was busy for %.3f s at most", family.together / 1e6, family.plain_sum / 1e6, peaks, alone, beside,
            most,
        )  # fmt: skip
        assert wrong == {}
        assert Counter(health.values()) == {"OK": GOOD}
        assert inner.requests == [], "nothing of the own network was asked"
        assert family.together < MEMORY
        assert most < 0.1
        assert beside > alone / 2


async def asked(server: FeedServer, paths: list[str], done: Callable[[], bool], within: float = 60) -> float:
    """Requests a second of these paths until something is done."""
    before, began = sum(len(server.hits(path)) for path in paths), time.monotonic()
    await until(done, within)
    return (sum(len(server.hits(path)) for path in paths) - before) / (time.monotonic() - began)


async def until(holds: Callable[[], bool], within: float) -> None:
    async with asyncio.timeout(within):
        while not holds():  # noqa: ASYNC110  # what is waited for happens in another process
            await asyncio.sleep(0.05)


class Family:
    """The memory of a process and its children, looked at every few milliseconds.

    `together` is the most that their resident pages came to at one time: proportional sizes, which count pages that
    several processes use once (proc(5), smaps_rollup); `plain_sum` counts them once for each; `peaks` is what each
    process took at most, by the kernel's own count.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self.together = self.plain_sum = 0
        self.peaks: dict[int, int] = {}
        self._task = asyncio.create_task(self._watch())

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            sizes, once = 0, 0
            for pid in [self._pid, *_children(self._pid)]:
                told = _status(pid)
                sizes += told.get("VmRSS", 0)
                once += _pss(pid)
                self.peaks[pid] = max(self.peaks.get(pid, 0), told.get("VmHWM", 0))
            self.plain_sum, self.together = max(self.plain_sum, sizes), max(self.together, once)
            await asyncio.sleep(0.005)


def _children(pid: int) -> list[int]:
    """All processes that come from one, the children of its children among them."""
    try:
        found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [each for child in found for each in (child, *_children(child))]


def _status(pid: int) -> dict[str, int]:
    """Bytes by name, from /proc/PID/status; nothing when the process has ended."""
    try:
        rows = (line.split() for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        return {row[0][:-1]: int(row[1]) * 1024 for row in rows if row[-1] == "kB"}
    except OSError:
        return {}


def _pss(pid: int) -> int:
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return next((int(row.split()[1]) * 1024 for row in rows if row.startswith("Pss:")), 0)
    except OSError:
        return 0
