"""Benchmark the processor time that tracing adds to a record, with tracing off and on."""

from __future__ import annotations

import asyncio
import time

from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from agents.stream.guard import Guard, TopicRecord
from agents.stream.outbox import MemoryOutbox
from monitor import tracing

RECORDS, ROUNDS = 5_000, 5


async def _handle(_: bytes) -> None:
    tracing.note(article="a1", mentions=1)
    tracing.headers()


async def _records() -> float:
    """Give the microseconds of processor time that the guard takes for a record that a stage does nothing with."""
    guard = Guard("detect", MemoryOutbox(), "dead-letters")
    records = [TopicRecord("articles", 0, number, None, b"x", None, ()) for number in range(RECORDS)]
    begun = time.process_time()
    for record in records:
        await guard.run(record, bytes, _handle)
    return (time.process_time() - begun) / RECORDS * 1e6


def _calls() -> float:
    """Give the nanoseconds of processor time of the calls that one record makes while tracing is off."""
    begun = time.process_time()
    for _ in range(RECORDS * 10):
        with tracing.step("detect", tracing.carried(()), topic="articles", partition=0, offset=1):
            tracing.note(article="a1", mentions=1)
            tracing.headers()
    return (time.process_time() - begun) / RECORDS / 10 * 1e9


def run() -> None:
    """Print what a record costs with tracing off and on."""
    off = min(asyncio.run(_records()) for _ in range(ROUNDS))
    calls = min(_calls() for _ in range(ROUNDS))
    tracing.start("bench", processor=BatchSpanProcessor(InMemorySpanExporter()))
    on = min(asyncio.run(_records()) for _ in range(ROUNDS))
    tracing.stop()
    print(f"guard, a record: off {off:.1f} µs, on {on:.1f} µs (+{on - off:.1f} µs)")
    print(f"calls of this module while off: {calls:.0f} ns a record, {calls / off / 10:.2f} % of the guard's time")
