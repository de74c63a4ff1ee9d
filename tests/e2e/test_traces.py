"""Test that one trace leads from the fetch of an article to its alert, in one process and in several."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from agents.pollers import run_poller
from agents.worker import run_worker
from monitor.config import load_config
from monitor.kafka import BrokerSettings
from tests.e2e.harness import Desk, Entry, Newsroom, Service, until, world
from tests.feedserver import FeedServer
from tests.spans import Collector, taken

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(240)]

CALL = Entry("a1", "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday")
THE_WAY = ["poll", "detect", "assemble", "notify", "send"]


async def test_each_step_is_the_child_of_the_one_before(
    broker: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Poller and worker in this process, on a real broker; what they would send to a collector is kept in memory."""
    settings, stop = BrokerSettings.from_url(broker), asyncio.Event()
    async with FeedServer() as server:
        newsroom, desk = Newsroom(server), Desk(server)
        newsroom.open("alpha")
        service = Service(broker, prefix, tmp_path, desk.open())
        monkeypatch.setenv("SUMMITRY_CLOCK", service.clock["SUMMITRY_CLOCK"])
        await service.prepare(newsroom.subscriptions)
        config = load_config(service.config, {})
        with taken() as memory:
            running = [asyncio.create_task(run(config, settings, stop)) for run in (run_poller.run, run_worker)]
            await newsroom.all_polled()
            newsroom.print("alpha", CALL)
            await until("the alert", lambda: desk.messages or any(task.done() for task in running))
            await until(
                "the alert is written down", lambda: "send" in [span.name for span in memory.get_finished_spans()]
            )
            stop.set()
            await asyncio.gather(*running)
        spans = memory.get_finished_spans()
    (send,) = (span for span in spans if span.name == "send")
    by_id = {span.context.span_id: span for span in spans}
    way = [send]
    while parent := way[0].parent:
        way.insert(0, by_id[parent.span_id])
    assert [span.name for span in way] == THE_WAY
    assert len({span.context.trace_id for span in way}) == 1
    facts = [dict(span.attributes or {}) for span in way]
    assert facts[0]["summitry.feed"] == "alpha"
    assert [event.name for event in way[0].events] == ["fetched", "read"]
    assert (facts[1]["summitry.topic"], facts[1]["summitry.mentions"]) == (f"{prefix}.articles", 1)
    assert [event.name for event in way[2].events] == ["event"]
    assert facts[3]["summitry.event_id"] == facts[4]["summitry.event_id"]
    assert (facts[4]["summitry.receiver"], facts[4]["summitry.tell"]) == ("desk", "first")
    polls = [span for span in spans if span.name == "poll"]
    assert len(polls) < len(server.hits("/alpha.xml")), "a poll that brought nothing leaves no trace"


def drawn(trace: dict[str, Any]) -> list[str]:
    """A trace as its picture: who did what, indented below what led to it."""
    lines = []

    def draw(parent: str, depth: int) -> None:
        for span in trace["spans"]:
            if (span["references"][0]["spanID"] if span["references"] else "") == parent:
                lines.append(f"{'  ' * depth}{span['processID']} {span['operationName']}")
                draw(span["spanID"], depth + 1)

    draw("", 0)
    return lines


async def test_a_collector_gets_the_story_and_the_logs_name_its_traces(
    broker: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Poller and worker are processes, and send what they did by OTLP; a replay of it in Jaeger's form is one tree."""
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "200")
    async with FeedServer() as place:
        collector = Collector(place)
        async with world(
            broker, prefix, tmp_path, ["alpha"], patience=120, tracing={"endpoint": collector.endpoint}
        ) as now:
            now.newsroom.print("alpha", CALL)
            await until("the alert", lambda: now.desk.messages)
            sent = await until(
                "the whole trace",
                lambda: [trace for trace in collector.traces() if len(trace["spans"]) >= len(THE_WAY)],
            )
            (told,) = await until("the line", lambda: now.service.logged("worker", "told"))
            log = now.service.log("worker")
    (trace,) = sent
    (tmp_path / "jaeger.json").write_text(json.dumps({"data": sent}, indent=1))
    assert drawn(trace) == [
        "summitry-poller poll",
        "  summitry-worker detect",
        "    summitry-worker assemble",
        "      summitry-worker notify",
        "        summitry-worker send",
    ]
    assert set(trace["processes"]) == {"summitry-poller", "summitry-worker"}
    starts = [span["startTime"] for span in trace["spans"]]
    assert starts == sorted(starts)
    send = trace["spans"][-1]
    assert (told["trace_id"], told["span_id"]) == (trace["traceID"], send["spanID"])
    event = next(line for line in log if line["event"] == "event")
    assert event["trace_id"] == trace["traceID"]
