"""Benchmark polling: our poller next to a plain loop, and a simulated day of many feeds.

The first table polls 2,000 origins on loopback with 200 requests in flight: feeds that answer 304, and feeds of 24 kB
that have changed, with thirty entries of which two are new to us, as at most polls that bring something at all, or all
of them, as at a feed's first poll. An origin takes 20 ms to answer. That is long enough for 200 requests to be in
flight, and short enough to hold nobody up: with 200 in flight it would let 10,000 polls a second pass, several times
what any of the loops manages, so that what is measured is their own work.

The plain loop is httpx as its manual shows it, behind a semaphore (without one, all of its 2,000 requests at once end
as PoolTimeout), with feedparser called in place; once with httpx's own limits, which let 100 requests pass, and once
without limits, so that there are 200 in flight. The ratios of each row are to these two. They read a changed document
as a whole, however many of its entries are new.

The second table drives the real schedule with a virtual clock. Ratios count; the numbers depend on the machine.
Processor time a poll has that of our parsers in it, with their start; it hardly depends on what else the machine does.
"""

from __future__ import annotations

import asyncio
import functools
import hashlib
import json
import math
import os
import random
import resource
import subprocess
import sys
import time
from array import array
from bisect import bisect_right
from collections import Counter
from datetime import UTC, datetime
from typing import Self

import httpx
import msgspec

from agents.process.embedded import free_port
from monitor.feeds.polling.agenda import Agenda
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import Fetcher
from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.polling.poll_store import MemoryPollStore
from monitor.feeds.polling.poller import Poller
from monitor.feeds.polling.schedule import PollAnswer, ScheduleRules, after, begin
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from monitor.loop import collect_rarely, loop_factory

ORIGINS, IN_FLIGHT = 2000, 200
#: How long an origin takes to answer (see above).
LATENCY_S = 0.02
#: Entries of a document; of those in the last row, so many are new.
ENTRIES, NEW = 30, 2
#: The plain loop is stopped after this many seconds; its rate is that of what it has done by then.
PATIENCE_S = 20.0
#: httpx's own: at most 100 connections, of which 20 are kept alive.
DEFAULT_LIMITS = httpx.Limits(max_connections=100, max_keepalive_connections=20)
DAY = 86400.0
FEEDS = int(os.environ.get("SUMMITRY_BENCH_FEEDS", "100000"))


def run() -> None:
    """Print both tables."""
    print(f"{ORIGINS} origins, {IN_FLIGHT} in flight")
    print(
        f"{'':28}{'polls/s':>10}{'ratios':>8}{'':8}{'cpu/poll':>10}{'ratios':>8}{'':8}"
        f"{'lag p99':>10}{'lag max':>10}{'memory':>9}"
    )
    kinds = {
        "304": [("304, summitry", "ours")],
        "changed": [(f"{NEW} of {ENTRIES} new, summitry", "ours-few"), ("all new, summitry", "ours")],
    }
    for kind, ours in kinds.items():
        rows = [(f"{kind}, plain loop", "plain"), (f"{kind}, no limits", "unlimited"), *ours]
        with _Server(kind) as port:
            found = [(name, _child(who, kind, port)) for name, who in rows]
        (_, plain), (_, unlimited), *_ = found
        for name, row in found:
            print(
                f"{name:28}{row['rate']:10.0f}{row['rate'] / plain['rate']:8.1f}{row['rate'] / unlimited['rate']:8.1f}"
                f"{row['cpu'] * 1000:8.2f}ms{plain['cpu'] / row['cpu']:8.1f}{unlimited['cpu'] / row['cpu']:8.1f}"
                f"{row['p99'] * 1000:8.1f}ms{row['max'] * 1000:8.1f}ms{row['rss'] / 1e6:7.0f}MB"
            )
    print(f"\na day of {FEEDS} feeds, by the real schedule and a virtual clock")
    print(f"{'':28}{'polls/feed':>10}{'p50 min':>9}{'p95 min':>9}{'peak/s':>8}{'seen':>9}{'memory':>9}{'took':>7}")
    for name in ("summitry", "fixed 15 min", "miniflux, by frequency"):
        row = _child("day", name, 0)
        print(
            f"{name:28}{row['polls']:10.1f}{row['p50']:9.1f}{row['p95']:9.1f}{row['peak']:8.0f}{row['seen']:9.0%}"
            f"{row['rss'] / 1e6:7.0f}MB{row['took']:6.0f}s"
        )


def _child(*arguments: str | int) -> dict[str, float]:
    """Run one measurement in a process of its own, so that memory and loops do not mix."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.polling", *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=1800)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


# ---- the origins ----


class _Server:
    """One process that answers for all of 127.0.0.0/8 on one port."""

    def __init__(self, kind: str) -> None:
        self._kind, self._port = kind, free_port()

    def __enter__(self) -> int:
        command = [sys.executable, "-m", "tests.bench.polling", "serve", self._kind, str(self._port)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self._process.stdout.readline()
        return self._port

    def __exit__(self, *exc: object) -> None:
        self._process.kill()
        self._process.wait()


def document(salt: int = 0, *, newer: bool = False) -> bytes:
    """A feed of about 24 kB, different for each number: thirty entries as outlets write them, with one of 20 texts.

    A newer one has NEW other entries at its top, and the last NEW of the older are gone.
    """
    head, items, tail = _template(salt % 20)
    shown = items[:ENTRIES] if newer else items[NEW:]
    return b"".join((head, *shown, tail)).replace(b"@SALT@", b"%d" % salt)


@functools.cache
def _template(number: int) -> tuple[bytes, list[bytes], bytes]:
    draw = random.Random(number)
    words = ["officials", "said", "that", "talks", "on", "trade", "and", "security", "would", "go", "next", "week"]
    items = [
        f"<item><title>@SALT@ {' '.join(draw.sample(words, 9))}</title><link>https://news.example/@SALT@/{n}</link>"
        f'<guid isPermaLink="false">@SALT@-{n}</guid><pubDate>Mon, 02 Mar 2026 {n % 24:02}:15:00 GMT</pubDate>'
        f"<description>@SALT@ {' '.join(draw.choices(words, k=110))}</description></item>".encode()
        for n in range(ENTRIES + NEW)
    ]
    return b'<?xml version="1.0"?><rss version="2.0"><channel><title>S</title>', items, b"</channel></rss>"


class _Origin(asyncio.Protocol):
    """Answers `GET /NUMBER`; everything was made before, so that the origins take little of the machine."""

    answers: tuple[bytes, ...] = ()
    newer: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._head = transport, b""

    def data_received(self, data: bytes) -> None:
        self._head += data
        if self._head.endswith(b"\r\n\r\n"):
            keep = b"connection: close" not in self._head.lower()
            number = int(self._head[5:12].split(b" ", 1)[0])
            if number == ORIGINS:
                number, _Origin.answers = 0, self.newer
            answer, self._head = self.answers[number], b""
            asyncio.get_running_loop().call_later(LATENCY_S, self._answer, answer, keep)

    def _answer(self, answer: bytes, keep: bool) -> None:
        self._transport.write(answer)  # type: ignore[attr-defined]
        if not keep:
            self._transport.close()


async def _serve(kind: str, port: int) -> None:
    if kind == "304":
        _Origin.answers = (b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\n\r\n',) * ORIGINS
    else:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n"
        documents = ([document(n, newer=newer) for n in range(ORIGINS)] for newer in (False, True))
        _Origin.answers, _Origin.newer = (tuple(head % len(body) + body for body in bodies) for bodies in documents)
    server = await asyncio.get_running_loop().create_server(_Origin, "0.0.0.0", port, backlog=4096)
    print("ready", flush=True)
    await server.serve_forever()


def _urls(port: int) -> list[str]:
    return [f"http://127.{1 + n // 250}.{n % 250}.1:{port}/{n}" for n in range(ORIGINS)]


# ---- the two pollers ----


class _Lag:
    """How late the loop wakes a timer of 5 ms."""

    def __init__(self) -> None:
        self.late: list[float] = []
        self._cpu = time.process_time()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        self.cpu = time.process_time() - self._cpu

    async def _watch(self) -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(0.005)
            self.late.append(time.perf_counter() - before - 0.005)

    def report(self, done: int, took: float) -> dict[str, float]:
        late = sorted(self.late) or [took]
        rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return {
            "rate": done / took,
            "cpu": self.cpu / max(done, 1),
            "p99": late[int(len(late) * 0.99)],
            "max": late[-1],
            "rss": rss,
        }


async def _plain(kind: str, port: int, limits: httpx.Limits = DEFAULT_LIMITS) -> dict[str, float]:
    """What a user would write: one client, a semaphore, feedparser in place."""
    import feedparser

    done = 0
    limit = asyncio.Semaphore(IN_FLIGHT)

    async with httpx.AsyncClient(timeout=60, limits=limits) as client:

        async def one(url: str) -> None:
            nonlocal done
            async with limit:
                answer = await client.get(url, headers={"If-None-Match": '"1"'} if kind == "304" else {})
                if answer.status_code == 200:
                    for entry in feedparser.parse(answer.content).entries:
                        hashlib.sha256(entry.id.encode()).hexdigest()
                done += 1

        async with _Lag() as lag:
            began = time.perf_counter()
            tasks = [asyncio.create_task(one(url)) for url in _urls(port)]
            await asyncio.wait(tasks, timeout=PATIENCE_S)
            took, finished = time.perf_counter() - began, done
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return lag.report(finished, took)


def _feeds(port: int) -> list[Subscription]:
    return [
        Subscription(id=f"f{n}", url=url, language="en", allow_private_network=True)
        for n, url in enumerate(_urls(port))
    ]


def _due(feed: Subscription, state: FeedState | None, segments: dict[int, bytes]) -> HeldFeed:
    """A feed that was polled before, and is due."""
    began = time.time() - 9000
    state = msgspec.structs.replace(
        state or begin(None, feed), etag='"1"', first_attempt=began, last_attempt=began, last_success=began,
        last_new=began, next_due=began, polls=9, entries=ENTRIES, health="OK",
    )  # fmt: skip
    return HeldFeed(0, feed, state, dict(segments))


async def _all_polled(store: MemoryPollStore, fetcher: Fetcher, reader: DocumentReader, held: list[HeldFeed]) -> float:
    """Poll each feed once; seconds that it took."""
    stop, began = asyncio.Event(), time.perf_counter()
    poller = Poller(store, fetcher, reader, draw=lambda: 0.0, gap_s=0.0, concurrency=IN_FLIGHT)
    poller.own(held)
    polled = asyncio.create_task(poller.run(stop))
    until = len(store.history) + 2 * len(held)  # a state before each poll, and one after it
    while len(store.history) < until and time.perf_counter() - began < 120:  # noqa: ASYNC110  # the store has no event
        await asyncio.sleep(0.02)
    took = time.perf_counter() - began
    stop.set()
    await polled
    return took


async def _ours(kind: str, port: int, *, few: bool = False) -> dict[str, float]:
    """The whole poller: schedule, fetch, guarded parsers, comparison, articles and states into a store in memory.

    `few`: all feeds are polled once before what is measured, then NEW entries of each document are new.
    """
    store, fetcher, feeds = MemoryPollStore(), Fetcher(AddressBook()), _feeds(port)
    workers = max(2, os.cpu_count() or 2)
    before = 0.0
    async with ParserPool(workers) as pool:
        if few:
            await _all_polled(store, fetcher, DocumentReader(pool), [_due(feed, None, {}) for feed in feeds])
            await pool.close()
            before = _of_children()
            async with httpx.AsyncClient() as client:
                await client.get(f"http://127.0.0.1:{port}/{ORIGINS}")  # the origins have newer documents from now on
    held = [_due(feed, store.states.get(feed.id), store.segments.get(feed.id, {})) for feed in feeds]
    store.articles.clear()
    async with ParserPool(workers) as pool:
        # They live for months; of the plain loop's parser, too, the work is measured and not how long it takes to load.
        if kind != "304":
            await asyncio.gather(*(pool.parse(document(), language="en") for _ in range(workers)))
        async with _Lag() as lag:
            took = await _all_polled(store, fetcher, DocumentReader(pool), held)
    await fetcher.aclose()
    finished = sum(1 for state in store.states.values() if time.time() - state.last_success < 5000)
    wanted = 0 if kind == "304" else finished * (NEW if few else ENTRIES)
    if len(store.articles) != wanted:
        raise SystemExit(f"{len(store.articles)} articles instead of {wanted}")
    lag.cpu += _of_children() - before
    return lag.report(finished, took)


def _of_children() -> float:
    """Processor time in seconds of child processes that have ended: the parsers'."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# ---- the day ----


def _entries(draw: random.Random, rate: float) -> array[float]:
    """Seconds of the day at which a feed of `rate` entries a day has new ones: more by day than by night."""
    times = array("d")
    at, most = 0.0, rate / DAY * 1.8
    while (at := at + draw.expovariate(most)) < DAY:
        if draw.random() * 1.8 < 1 + 0.8 * math.sin(2 * math.pi * (at / DAY - 0.25)):
            times.append(at)
    return times


def _made_up(count: int) -> list[tuple[float, array[float]]]:
    """Feeds with a log-normal number of entries a day, median 6, as news feeds have; at most 300."""
    draw = random.Random(1)
    rates = [min(300.0, max(0.05, draw.lognormvariate(math.log(6), 1.3))) for _ in range(count)]
    return [(rate, _entries(draw, rate)) for rate in rates]


class _Tally:
    """Polls in each second, and how old each entry was when it was first seen."""

    def __init__(self) -> None:
        self.seconds: Counter[int] = Counter()
        self.ages = array("d")
        self.entries = 0

    def report(self, began: float) -> dict[str, float]:
        ages = sorted(self.ages)
        peak = max(self.seconds.values())
        return {
            "polls": self.seconds.total() / FEEDS, "p50": ages[len(ages) // 2] / 60,
            "p95": ages[int(len(ages) * 0.95)] / 60, "peak": peak, "seen": len(ages) / self.entries,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024, "took": time.perf_counter() - began,
        }  # fmt: skip


def _day_of_summitry() -> dict[str, float]:
    """The real agenda and schedule. Three feeds in ten share a host with others; an answer takes 0.3 s."""
    began, tally, rules, draw = time.perf_counter(), _Tally(), ScheduleRules(), random.Random(2)
    start = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    agenda = Agenda(1.0)
    feeds: list[Subscription] = []
    states: list[FeedState] = []
    made = _made_up(FEEDS)
    taken = array("l", bytes(8 * FEEDS))
    for n, (rate, times) in enumerate(made):
        tally.entries += len(times)
        host = f"h{n % (FEEDS // 20)}.example" if n % 10 < 3 else f"n{n}.example"
        feed = Subscription(id=str(n), url=f"https://{host}/{n}", host_group=host)
        feeds.append(feed)
        # As if the feed had been watched for long: its rate is known, and its last poll lies within one interval.
        usual = min(max(DAY / rate, rules.floor_s), rules.ceiling_s)
        states.append(
            msgspec.structs.replace(
                begin(None, feed), rate_short=rate / DAY, rate_long=rate / DAY, rate_at=start, last_new=start, polls=9,
                last_attempt=start - usual, last_success=start - usual, first_attempt=start - DAY,
                next_due=start + draw.random() * usual,
            )
        )  # fmt: skip
        agenda.put(feed.id, host, states[n].next_due)
    busy: list[tuple[float, str]] = []
    end = start + DAY
    while (turn := agenda.next_turn()) is not None or busy:
        # Answers come in the order in which requests were made, since each takes as long.
        if busy and (turn is None or busy[-1][0] <= turn):
            at, group = busy.pop()
            agenda.release(group, at)
            continue
        assert turn is not None
        if turn >= end:
            break
        name = agenda.take(turn)
        if name is None:
            continue
        n, now = int(name), turn
        times = made[n][1]
        until = bisect_right(times, now - start)
        new = tuple(start + times[k] for k in range(taken[n], until))
        taken[n] = until
        tally.seconds[int(now)] += 1
        tally.ages.extend(now - moment for moment in new)
        answer = PollAnswer(
            outcome="changed" if new else "not_modified", status=200 if new else 304, new=len(new), new_times=new
        )
        states[n] = after(states[n], feeds[n], answer, now=now, draw=draw.random(), rules=rules)
        busy.insert(0, (now + 0.3, feeds[n].group))
        agenda.put(name, feeds[n].group, states[n].next_due)
    return tally.report(began)


def _day_of(interval: str) -> dict[str, float]:
    """The others' rules: every 15 minutes; or miniflux's, 7 days by the entries of the last 7, from 5 min to a day."""
    began, tally, draw = time.perf_counter(), _Tally(), random.Random(2)
    for rate, times in _made_up(FEEDS):
        gap = 900.0 if interval.startswith("fixed") else min(max(DAY / rate, 300.0), DAY)
        tally.entries += len(times)
        at, known = draw.random() * gap, 0
        while at < DAY:
            until = bisect_right(times, at)
            tally.ages.extend(at - times[k] for k in range(known, until))
            known = until
            tally.seconds[int(at)] += 1
            at += gap
    return tally.report(began)


def _main(arguments: list[str]) -> None:
    what, kind, number = arguments
    if what == "serve":
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(kind, int(number)))
        return
    if what == "day":
        found = _day_of_summitry() if kind == "summitry" else _day_of(kind)
    else:
        pollers = {"plain": _plain, "unlimited": functools.partial(_plain, limits=httpx.Limits()), "ours": _ours,
                   "ours-few": functools.partial(_ours, few=True)}  # fmt: skip
        ours = None
        if what.startswith("ours"):  # as in service
            collect_rarely()
            ours = loop_factory()
        with asyncio.Runner(loop_factory=ours) as runner:
            found = runner.run(pollers[what](kind, int(number)))
    print(json.dumps(found))


if __name__ == "__main__":
    _main(sys.argv[1:])
