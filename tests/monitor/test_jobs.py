"""Test that the end of a long-lived task is an error of its process, unless it was cancelled."""

from __future__ import annotations

import asyncio
from typing import Any

from monitor.jobs import JOB, JobEndedError, start_job


async def fails() -> None:
    raise ValueError("no")


async def returns() -> None:
    pass


async def runs() -> None:
    await asyncio.Event().wait()


async def test_what_ends_is_told_to_the_loop_and_what_is_cancelled_is_not() -> None:
    told: list[tuple[str, type[BaseException]]] = []

    def handler(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        told.append((context[JOB], type(context["exception"])))

    asyncio.get_running_loop().set_exception_handler(handler)
    running = start_job(runs(), "runs")
    jobs = [start_job(fails(), "fails"), start_job(returns(), "returns"), start_job(returns(), "once", forever=False)]
    await asyncio.wait(jobs)
    running.cancel()
    await asyncio.wait([running])
    await asyncio.sleep(0)
    assert told == [("fails", ValueError), ("returns", JobEndedError)]
