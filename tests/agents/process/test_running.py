"""Test that a process ends within ten seconds of any failure, with its reason in the log and the right exit code."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from agents.process.running import STOP_TIMEOUT
from agents.stream.guard import EX_TEMPFAIL

PRELUDE = """
import asyncio, ctypes, threading, time
from agents.process import running
from agents.process.running import run_service
from monitor.config import Config, Log
from monitor.errors import BrokerError, ConfigError
from monitor.jobs import start_job

async def never():
    '''Like a task of Faust that waits for another one: cancelling it changes nothing.'''
    while True:
        try:
            await asyncio.sleep(3600)
        except asyncio.CancelledError:
            pass

async def crash():
    await asyncio.sleep(0.1)
    raise BrokerError("not allowed to read the topic", reason="denied")
"""


def run(program: str, within: float, *, ask: signal.Signals | None = None) -> tuple[int, list[dict[str, object]]]:
    """Run a program that calls run_service; gives its exit code and its log."""
    code = PRELUDE + textwrap.dedent(program) + "\nrun_service('test', Config(log=Log(format='json')), main)\n"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        began = time.monotonic()
        if ask is not None:
            os.kill(process.pid, ask)
        try:
            _, err = process.communicate(timeout=within)
        finally:
            process.kill()
        assert time.monotonic() - began < within
    return process.returncode, [json.loads(line) for line in err.splitlines() if line.startswith(b"{")]


def events(log: list[dict[str, object]]) -> list[object]:
    return [line["event"] for line in log]


def test_a_job_that_fails_ends_a_process_whose_tasks_never_end() -> None:
    code, log = run(
        """
        async def main(stop):
            start_job(crash(), "faust")
            print("up", flush=True)
            await never()
        """,
        STOP_TIMEOUT + 2,
    )
    assert code == EX_TEMPFAIL
    assert [(line["job"], line["reason"], line["error"]) for line in log if line["event"] == "failed"] == [
        ("faust", "denied", "not allowed to read the topic")
    ]
    assert "does_not_stop" in events(log)


def test_a_job_that_fails_ends_a_process_at_once_where_nothing_hangs() -> None:
    code, log = run(
        """
        async def main(stop):
            threading.Thread(target=time.sleep, args=[60]).start()
            asyncio.get_running_loop().run_in_executor(None, time.sleep, 60)
            start_job(crash(), "faust")
            print("up", flush=True)
            await stop.wait()
        """,
        5,
    )
    assert (code, events(log)) == (EX_TEMPFAIL, ["failed", "stopped"])


def test_a_main_that_fails_and_then_hangs_in_its_clean_up() -> None:
    code, log = run(
        """
        async def main(stop):
            print("up", flush=True)
            try:
                raise ValueError("a bug")
            finally:
                await asyncio.shield(asyncio.ensure_future(clean_up()))

        async def clean_up():
            running.end_within(1)  # as a failing job does
            await never()
        """,
        5,
    )
    assert code == EX_TEMPFAIL
    assert "does_not_stop" in events(log)


def test_c_code_that_holds_the_interpreter_ends_too() -> None:
    code, _ = run(
        """
        async def main(stop):
            running.end_within(0.5)
            print("up", flush=True)
            ctypes.PyDLL(None).sleep(60)
        """,
        6,
    )
    assert code == 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_that_is_asked_to_stop_ends_with_zero(number: signal.Signals) -> None:
    code, log = run(
        """
        async def main(stop):
            print("up", flush=True)
            await stop.wait()
        """,
        5,
        ask=number,
    )
    assert (code, events(log)) == (0, ["stopping", "stopped"])


def test_a_main_that_returns_unasked_is_to_be_started_again() -> None:
    code, _ = run(
        """
        async def main(stop):
            print("up", flush=True)
        """,
        5,
    )
    assert code == EX_TEMPFAIL
