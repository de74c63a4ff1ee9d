"""Test the event loop and the memory of a poller."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from monitor import loop
from monitor.loop import loop_factory, return_unused_memory


def test_it_is_uvloops() -> None:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert type(runner.get_loop()).__module__.startswith("uvloop")


def test_it_is_asyncios_where_uvloop_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)
    assert loop_factory() is None
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert type(runner.get_loop()).__module__.startswith("asyncio")


async def test_free_memory_below_used_one_is_returned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "_TRIM_EVERY", 0.01)
    blocks = [b"x" * 40_000 for _ in range(2_000)]
    kept = blocks[::4]
    del blocks
    full = resident()
    job = asyncio.create_task(return_unused_memory())
    for _ in range(500):
        await asyncio.sleep(0.01)
        if resident() < full - 30:
            break
    job.cancel()
    assert resident() < full - 30
    assert len(kept) == 500


def resident() -> float:
    """The memory of this process in MiB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
