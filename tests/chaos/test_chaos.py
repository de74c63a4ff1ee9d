"""Kill processes and stop the broker during work: no event is lost, and no alert is sent twice."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from agents.stream.guard import EX_TEMPFAIL
from monitor.kafka import read_to_end, wait_for_broker
from monitor.watchlist import bundled
from tests.brokers import ApacheKafka, Embedded
from tests.chaos.driver.run import stories
from tests.e2e.harness import Entry, Service, World, until, world

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(600)]

OUTLETS = [f"outlet-{number}" for number in range(20)]
ARTICLES, EVENTS, COVERAGE, WAVES = 2000, 40, 5, 20


def waves(titles: list[str]) -> list[list[tuple[str, Entry]]]:
    """Two thousand articles in waves: each story in several outlets at different times, and background between them."""
    dice = random.Random(4)
    articles = [
        (outlet, Entry(f"{outlet}-story-{number}", story, f"{outlet} has learned that they spoke for some time."))
        for number, story in enumerate(titles)
        for outlet in dice.sample(OUTLETS, COVERAGE)
    ]
    for number in range(ARTICLES - len(articles)):
        outlet = OUTLETS[number % len(OUTLETS)]
        articles.append(
            (outlet, Entry(f"{outlet}-{number}", f"Harvest report {number}: rain helps the northern fields"))
        )
    dice.shuffle(articles)
    size = len(articles) // WAVES
    return [articles[start : start + size] for start in range(0, len(articles), size)]


async def strike(service: Service, *roles: str) -> None:
    """Kill processes and start them again, as a supervisor does."""
    for role in roles:
        await service.kill(role)
    for role in roles:
        await service.start(role)


async def count(service: Service, topic: str) -> int:
    return len({record.key async for record in read_to_end(service.settings, topic)})


async def test_kills_and_a_stopped_broker_lose_nothing_and_repeat_no_first_message(
    broker: str,
    broker_process: ApacheKafka | Embedded,
    prefix: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("only Apache Kafka keeps what it was given")
    told = list(islice(stories(bundled()), EVENTS))
    assert len(told) == EVENTS
    alerts = {"storm": None, "update_wait": "1s"}
    async with world(broker, prefix, tmp_path, OUTLETS, alerts=alerts) as now, asyncio.TaskGroup() as tasks:
        before = await count(now.service, now.service.names.articles)
        struck = asyncio.Event()
        printing = tasks.create_task(print_all(now, waves([title for title, _ in told]), struck))
        for enough in (EVENTS // 8, EVENTS // 3):
            await until("alerts flow", lambda enough=enough: len(now.desk.firsts()) >= enough)
            await strike(now.service, "poller", "worker")
        await until("alerts flow again", lambda: len(now.desk.firsts()) >= EVENTS // 2)
        broker_process.pause()
        struck.set()
        await asyncio.sleep(10)
        broker_process.resume()
        await printing

        await until("every event is told", lambda: len(now.desk.firsts()) >= EVENTS, within=120)
        await everything_handled(now.service, before + ARTICLES)

    expected = {leaders for _, leaders in told}
    items = now.desk.items()
    assert {frozenset(p["leader"] for p in item["event"]["participants"]) for item in items} == expected
    assert set(now.desk.firsts().values()) == {1}
    assert len(now.desk.firsts()) == EVENTS
    record_property("messages", len(now.desk.messages))
    record_property("repeated_with_the_same_id", now.desk.repeats())


async def test_a_standby_takes_over_from_a_worker_that_stops_and_wakes_up_too_late(
    broker: str, broker_process: ApacheKafka | Embedded, prefix: str, tmp_path: Path
) -> None:
    """The worker with the partitions stands still for longer than its session, as in a machine that was suspended."""
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("takes over, too, but so slowly that it would cost a minute")
    (first, second, third), told = zip(*islice(stories(bundled()), 3), strict=True)
    async with world(broker, prefix, tmp_path, OUTLETS[:2], alerts={"update_wait": "1s"}) as now:
        now.newsroom.print(OUTLETS[0], Entry("s1", first))
        await until("the first worker tells", lambda: len(now.desk.firsts()) == 1)
        (sleeper,) = now.service.running("worker")
        await now.service.start("worker")
        await until("the second worker joins", lambda: len(now.service.logged("worker", "started")) == 2)

        sleeper.send_signal(signal.SIGSTOP)
        now.newsroom.print(OUTLETS[0], Entry("s2", second))
        now.newsroom.print(OUTLETS[1], Entry("s1b", first))
        await until("the standby tells", lambda: len(now.desk.firsts()) == 2, within=60)

        sleeper.send_signal(signal.SIGCONT)
        assert await asyncio.wait_for(sleeper.wait(), 20) == EX_TEMPFAIL
        now.newsroom.print(OUTLETS[1], Entry("s3", third))
        await until("all is told", lambda: len(now.desk.firsts()) == 3, within=60)
        assert now.service.logged("worker", "process_was_stopped")
    assert set(now.desk.firsts().values()) == {1}
    assert {tuple(sorted(p["leader"] for p in item["event"]["participants"])) for item in now.desk.items()} == {
        tuple(sorted(leaders)) for leaders in told
    }


async def test_a_broker_that_is_killed_and_started_again_costs_time_only(
    broker: str, broker_process: ApacheKafka | Embedded, prefix: str, tmp_path: Path
) -> None:
    if not isinstance(broker_process, ApacheKafka):
        pytest.skip("the embedded broker forgets everything; see tests/e2e/test_up.py")
    (first, second), _ = zip(*islice(stories(bundled()), 2), strict=True)
    async with world(broker, prefix, tmp_path, OUTLETS[:2], alerts={"update_wait": "1s"}) as now:
        now.newsroom.print(OUTLETS[0], Entry("s1", first))
        await until("the first is told", lambda: len(now.desk.firsts()) == 1)
        broker_process.kill()
        now.newsroom.print(OUTLETS[0], Entry("s2", second))
        now.newsroom.print(OUTLETS[1], Entry("s1b", first))
        broker_process.spawn()
        await wait_for_broker(now.service.settings)
        await until("the second is told", lambda: len(now.desk.firsts()) == 2, within=90)
        await everything_handled(now.service, 2 + 3)
    assert set(now.desk.firsts().values()) == {1}


async def print_all(now: World, printed: list[list[tuple[str, Entry]]], struck: asyncio.Event) -> None:
    """A wave every two seconds, however the service fares; the second half of them once everything was struck."""
    for number, wave in enumerate(printed):
        if number == len(printed) // 2:
            await struck.wait()
        for outlet, entry in wave:
            now.newsroom.print(outlet, entry)
        await asyncio.sleep(2)


async def everything_handled(service: Service, articles: int) -> None:
    """Every article is on its topic and was handled: no lag, no dead letter."""

    async def published() -> bool:
        return await count(service, service.names.articles) >= articles

    async def no_lag() -> bool:
        metrics = await service.metrics("worker")
        waiting = [value for name, value in metrics.items() if name.startswith("summitry_consumer_lag_messages")]
        assert len(waiting) == 3
        return not any(waiting)

    await until("every article is published", published, within=90, every=0.5)
    await until("nothing waits", no_lag, within=90, every=0.5)
    assert await count(service, service.names.articles) == articles
    assert await count(service, service.names.dead_letters) == 0
