"""Test traces: parents across topics, no secrets in them, no cost when off, and no delay for the process."""

from __future__ import annotations

import io
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest
import structlog

from agents.process.logs import set_up_logs
from monitor import tracing
from monitor.config import Log
from monitor.errors import ConfigError, DeliveryError
from tests.spans import taken


def test_nothing_is_traced_without_a_collector() -> None:
    assert tracing.headers() is None
    with tracing.step("poll", "", feed="a") as first, tracing.step("detect", topic="t") as second:
        assert first is second, "one object for all steps: nothing is made"
        tracing.note(article="a1")
        tracing.mark("read")
        tracing.failed("timeout")
        first.forget()
        assert tracing.headers() is None
        assert (
            tracing.here() == tracing.carried([("traceparent", b"00-" + b"1" * 32 + b"-" + b"2" * 16 + b"-01")]) == ""
        )
        assert tracing.with_trace(None, "", {"event": "x"}) == {"event": "x"}
    tracing.stop()


@pytest.mark.slow
def test_the_service_does_not_load_opentelemetry_while_it_is_off() -> None:
    code = (
        "import sys, agents.worker, agents.pollers.run_poller; sys.exit(any('opentelemetry' in m for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_step_is_the_child_of_the_one_whose_headers_it_got() -> None:
    with taken() as memory:
        with tracing.step("poll", "", feed="kremlin"):
            tracing.mark("fetched", status=200)
            carried = tracing.headers()
        assert carried is not None
        with tracing.step("detect", tracing.carried([("other", b"x"), *carried]), topic="articles"):
            tracing.note(mentions=2)
        poll, detect = memory.get_finished_spans()
    assert poll.parent is None
    assert detect.parent
    assert (detect.parent.span_id, detect.context.trace_id) == (poll.context.span_id, poll.context.trace_id)
    assert dict(detect.attributes or {}) == {"summitry.topic": "articles", "summitry.mentions": 2}
    assert [event.name for event in poll.events] == ["fetched"]
    assert poll.resource.attributes["service.name"] == "summitry-test"


@pytest.mark.parametrize(
    "damaged", [b"", b"no", b"\xff\x00", b"00-" + b"0" * 32 + b"-" + b"0" * 16 + b"-01", b"9" * 5000]
)
def test_a_header_that_can_not_be_read_begins_a_trace(damaged: bytes) -> None:
    with taken() as memory:
        with tracing.step("outer"), tracing.step("detect", tracing.carried([("traceparent", damaged)])):
            pass
        detect, outer = memory.get_finished_spans()
    assert detect.parent is None
    assert detect.context.trace_id != outer.context.trace_id


def test_a_step_that_is_forgotten_is_not_sent() -> None:
    with taken() as memory:
        with tracing.step("poll", "") as step:
            step.forget()
        assert memory.get_finished_spans() == ()


def test_an_error_is_told_by_its_reason_and_never_by_its_text() -> None:
    with taken() as memory:
        with pytest.raises(DeliveryError), tracing.step("send", ""):
            raise DeliveryError("https://hooks.example/geheim took too long", reason="timeout", retryable=True)
        with pytest.raises(ValueError, match="geheim"), tracing.step("detect", ""):
            raise ValueError("geheim")
        with tracing.step("notify", ""):
            tracing.failed("broker")
        spans = memory.get_finished_spans()
    assert [span.status.description for span in spans] == ["timeout", "ValueError", "broker"]
    assert "geheim" not in "".join(span.to_json() for span in spans)


def test_a_message_about_several_events_is_linked_to_the_traces_of_all() -> None:
    with taken() as memory:
        with tracing.step("notify", ""):
            one = tracing.here()
        with tracing.step("notify", ""):
            other = tracing.here()
        with tracing.step("send", one, [other, ""], receiver="desk"):
            pass
        first, second, send = memory.get_finished_spans()
    assert send.parent
    assert send.parent.span_id == first.context.span_id
    assert [link.context.trace_id for link in send.links] == [second.context.trace_id]


def test_only_a_share_of_the_traces_is_taken_and_whoever_follows_does_as_the_first_step() -> None:
    with taken(share=0.3) as memory:
        for _ in range(300):
            with tracing.step("poll", ""):
                carried = tracing.headers()
            assert carried
            with tracing.step("detect", tracing.carried(carried)):
                pass
        spans = memory.get_finished_spans()
    polls, detects = ({span.context.trace_id for span in spans if span.name == name} for name in ("poll", "detect"))
    assert polls == detects
    assert 40 < len(polls) < 150


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    stream = io.StringIO()
    with pytest.MonkeyPatch.context():
        set_up_logs(Log(format="json"), "worker", stream)
        yield stream


def test_a_line_of_the_log_names_its_trace(log: io.StringIO) -> None:
    logger = structlog.get_logger()
    with taken() as memory:
        logger.info("before")
        with tracing.step("detect", ""):
            logger.info("within")
        (span,) = memory.get_finished_spans()
    with taken(share=0.0), tracing.step("detect", ""):
        logger.info("not taken")
    before, within, not_taken = (json.loads(line) for line in log.getvalue().splitlines())
    assert within["trace_id"] == f"{span.context.trace_id:032x}"
    assert within["span_id"] == f"{span.context.span_id:016x}"
    assert not {"trace_id", "span_id"} & {*before, *not_taken}


def test_without_the_extra_the_setting_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    with pytest.raises(ConfigError, match=r"tracing\.endpoint: OpenTelemetry is not installed.*summitry\[tracing\]"):
        tracing.start("worker", endpoint="http://127.0.0.1:4318/v1/traces")
    assert tracing.headers() is None


@pytest.mark.slow
def test_a_collector_that_does_not_answer_holds_up_neither_the_work_nor_the_end() -> None:
    others = set(threading.enumerate())
    with socket.create_server(("127.0.0.1", 0)) as silent:
        tracing.start("worker", endpoint=f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces")
        begun = time.thread_time()
        for _ in range(5_000):  # more than the queue holds
            with tracing.step("detect", ""):
                pass
        worked, ending = time.thread_time() - begun, time.monotonic()
        tracing.stop()
        ended = time.monotonic() - ending
    for thread in set(threading.enumerate()) - others:
        thread.join(30)  # it tries again at random times: Hypothesis would find that in the next test
    assert worked < 2
    assert ended < 4.5, "the library alone would wait for its own time limits"
