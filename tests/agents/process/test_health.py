"""Test lag, progress, the heartbeat, and the health pages."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from aiohttp import web
from aiokafka import TopicPartition
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from agents.process.health import Lag, Watchdog, watch_lag
from agents.process.web import make_web, serving
from agents.stream.guard import EX_TEMPFAIL, TopicRecord
from monitor.errors import ConfigError
from monitor.metrics import REGISTRY

NOW = datetime(2026, 2, 4, 18, tzinfo=UTC)


class Offsets:
    """What a broker says: end and committed offsets by partition."""

    def __init__(self) -> None:
        self.ends: dict[tuple[str, int], int] = {}
        self.commits: dict[tuple[str, int], int] = {}
        self.begins: dict[tuple[str, int], int] = {}
        #: Partitions behind whose committed offsets are only marks.
        self.marks: set[tuple[str, int]] = set()
        self._looked_at: list[TopicPartition] = []

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.ends.get(tuple(partition), 0) for partition in partitions}

    async def beginning_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        return {partition: self.begins.get(tuple(partition), 0) for partition in partitions}

    def assign(self, partitions: list[TopicPartition]) -> None:
        self._looked_at = partitions

    def unsubscribe(self) -> None:
        self._looked_at = []

    def seek(self, partition: TopicPartition, offset: int) -> None:
        assert partition in self._looked_at

    async def getmany(self, **_: int) -> dict[TopicPartition, list[object]]:
        return {partition: [object()] for partition in self._looked_at if tuple(partition) not in self.marks}

    async def position(self, partition: TopicPartition) -> int:
        return self.ends[tuple(partition)]

    async def topics(self) -> set[str]:
        return set()

    async def committed(self, partition: TopicPartition) -> int | None:
        return self.commits.get(tuple(partition))


class Watch:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def lag_of(watch: Watch) -> Lag:
    return Lag(["in", "out"], lambda: NOW, watch, stuck_after=60)


def gauge(name: str, topic: str) -> float | None:
    return REGISTRY.get_sample_value(f"summitry_consumer_lag_{name}", {"topic": topic})


async def test_not_ready_before_the_first_assignment_even_of_nothing() -> None:
    lag = lag_of(Watch())
    assert list(lag.not_ready()) == ["no partitions assigned yet"]
    lag.assign([])
    assert list(lag.not_ready()) == []
    await lag.measure(Offsets())
    assert list(lag.not_live()) == []


async def test_what_retention_deleted_is_no_lag() -> None:
    """A worker that was away for longer than records are kept has nothing to read, and is not stuck."""
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.commits["in", 0], offsets.begins["in", 0], offsets.ends["in", 0] = 100, 500, 500
    for _ in range(3):
        await lag.measure(offsets)
        watch.now += 61
        assert list(lag.not_live()) == []
    assert gauge("messages", "in") == 0


async def test_the_marks_of_transactions_do_not_make_a_worker_stuck() -> None:
    """The last offset of a transaction is never given to a consumer, and so never committed."""
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0), ("in", 1)])
    offsets.commits["in", 0], offsets.ends["in", 0] = 7, 8
    offsets.commits["in", 1], offsets.ends["in", 1] = 7, 8
    offsets.marks = {("in", 0), ("in", 1)}
    for _ in range(100):
        await lag.measure(offsets)
        watch.now += 2
        assert list(lag.not_live()) == []
    offsets.marks = {("in", 0)}
    for _ in range(40):
        await lag.measure(offsets)
        watch.now += 2
    assert list(lag.not_live()) == ["1 records of in:1 wait and none was committed"]


async def test_lag_is_counted_over_partitions_and_as_time() -> None:
    lag, offsets = lag_of(Watch()), Offsets()
    lag.assign([("in", 0), ("in", 1), ("out", 0), ("elsewhere", 0)])
    offsets.ends = {("in", 0): 10, ("in", 1): 5, ("out", 0): 3}
    offsets.commits = {("in", 0): 8, ("out", 0): 3}
    lag.handled(TopicRecord("in", 0, 7, None, None, NOW - timedelta(seconds=90)))
    lag.handled(TopicRecord("out", 0, 2, None, None, NOW - timedelta(seconds=90)))
    await lag.measure(offsets)
    assert gauge("messages", "in") == 7
    assert gauge("seconds", "in") == 90
    assert gauge("messages", "out") == 0
    assert gauge("seconds", "out") == 0


async def test_a_process_that_commits_nothing_while_records_wait_is_not_live() -> None:
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.ends = {("in", 0): 10}
    await lag.measure(offsets)
    watch.now += 59
    await lag.measure(offsets)
    assert list(lag.not_live()) == []
    watch.now += 2
    await lag.measure(offsets)
    assert list(lag.not_live()) == ["10 records of in:0 wait and none was committed"]
    offsets.commits = {("in", 0): 1}
    await lag.measure(offsets)
    assert list(lag.not_live()) == []


async def test_a_process_without_work_is_live_for_ever() -> None:
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.ends, offsets.commits = {("in", 0): 10}, {("in", 0): 10}
    for _ in range(3):
        watch.now += 1000
        await lag.measure(offsets)
        assert list(lag.not_live()) == []
    offsets.ends = {("in", 0): 11}
    watch.now += 1
    await lag.measure(offsets)
    assert list(lag.not_live()) == []


async def test_an_assignment_keeps_what_is_known_of_partitions_that_stay() -> None:
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.ends = {("in", 0): 10, ("in", 1): 10}
    watch.now += 61
    lag.assign([("in", 0), ("in", 1)])
    await lag.measure(offsets)
    assert [problem.split()[3] for problem in lag.not_live()] == ["in:0"]
    watch.now += 61
    assert [problem.split()[3] for problem in lag.not_live()] == ["in:0", "in:1"]


async def test_a_worker_that_slowly_dies_ends_itself() -> None:
    watch, offsets, codes = Watch(), Offsets(), []
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.ends = {("in", 0): 10}
    watch.now += 61
    watching = asyncio.create_task(watch_lag(lag, offsets, die=codes.append))
    async with asyncio.timeout(5):
        while not codes:  # noqa: ASYNC110  # the watch has no event of its own
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    assert codes[0] == EX_TEMPFAIL


class Condition:
    def __init__(self, *problems: str) -> None:
        self.problems = problems

    def not_ready(self) -> Iterable[str]:
        return self.problems

    def not_live(self) -> Iterable[str]:
        return ()


async def test_the_pages_say_what_is_wrong() -> None:
    async def extra(_: web.Request) -> web.Response:
        return web.Response(text="extra")

    application = make_web([Condition(), Condition("no partitions")], [web.get("/extra", extra)])
    async with serving(application, "127.0.0.1", 0) as port, httpx.AsyncClient(trust_env=False) as client:
        base = f"http://127.0.0.1:{port}"
        ready = await client.get(f"{base}/ready")
        assert (ready.status_code, ready.json()) == (503, {"ok": False, "problems": ["no partitions"]})
        assert (await client.get(f"{base}/live")).status_code == 200
        assert (await client.get(f"{base}/extra")).text == "extra"
        assert (await client.get(f"{base}/tables")).status_code == 404
        metrics = await client.get(f"{base}/metrics")
        assert metrics.headers["content-type"].startswith("text/plain")
        assert "summitry_stage_events_total" in metrics.text


async def test_a_port_in_use_is_a_mistake_with_a_name() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ConfigError, match="can't listen there"):
            async with serving(make_web([]), "127.0.0.1", taken.getsockname()[1]):
                pass


async def test_a_loop_that_hangs_ends_the_process() -> None:
    codes: list[int] = []
    watchdog = Watchdog(hung_after=1.0, die=codes.append)
    watchdog.start()
    beating = asyncio.create_task(watchdog.beat())
    await asyncio.sleep(1.2)
    assert codes == []
    time.sleep(2)  # noqa: ASYNC251  # the very fault
    watchdog.stop()
    beating.cancel()
    await asyncio.gather(beating, return_exceptions=True)
    assert EX_TEMPFAIL in codes


def test_a_process_that_was_stopped_for_long_ends_before_it_does_anything() -> None:
    """SIGSTOP and SIGCONT: another worker has its partitions by now."""
    program = textwrap.dedent("""
        import asyncio
        from agents.process.health import Watchdog

        async def main():
            watchdog = Watchdog(stopped_after=1.0)
            watchdog.start()
            beating = asyncio.create_task(watchdog.beat())
            await asyncio.sleep(0.1)
            print("up", flush=True)
            await asyncio.sleep(30)

        asyncio.run(main())
    """)
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(2)
        os.kill(process.pid, signal.SIGCONT)
        assert process.wait(5) == EX_TEMPFAIL


class Silent(Offsets):
    """A broker that does not answer."""

    async def topics(self) -> set[str]:
        raise KafkaConnectionError("no broker")

    async def end_offsets(self, partitions: list[TopicPartition]) -> dict[TopicPartition, int]:
        raise KafkaConnectionError("no broker")


@pytest.mark.parametrize("partitions", [[], [("in", 0)]])
async def test_a_broker_that_does_not_answer_is_said_and_ends_the_process_at_last(
    partitions: list[tuple[str, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    watch, codes = Watch(), []
    lag = lag_of(watch)
    lag.assign(partitions)

    async def pass_time(seconds: float) -> None:
        watch.now += seconds
        if codes:
            raise asyncio.CancelledError

    monkeypatch.setattr("agents.process.health.asyncio.sleep", pass_time)
    with capture_logs() as log, pytest.raises(asyncio.CancelledError):
        await watch_lag(lag, Silent(), die=codes.append)
    said = [line["seconds"] for line in log if line["event"] == "waiting_for_broker"]
    assert said[0] <= 5
    assert all(55 <= later - earlier <= 65 for earlier, later in itertools.pairwise(said))
    assert len(said) >= 5
    (problem,) = lag.not_ready()
    assert problem.endswith(": KafkaConnectionError: no broker")
    assert codes == [EX_TEMPFAIL]


async def test_what_could_not_be_committed_while_the_broker_was_away_is_not_held_against_the_process() -> None:
    watch, offsets = Watch(), Offsets()
    lag = lag_of(watch)
    lag.assign([("in", 0)])
    offsets.ends = {("in", 0): 10}
    await lag.measure(offsets)
    lag.not_measured("no broker")
    watch.now += 120
    assert list(lag.not_live()) == []
    await lag.measure(offsets)
    assert list(lag.not_live()) == []
    watch.now += 61
    assert list(lag.not_live()) == ["10 records of in:0 wait and none was committed"]
