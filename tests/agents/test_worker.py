"""Test what a worker prepares before it joins its group."""

from __future__ import annotations

import asyncio

import pytest

import agents.worker
from agents.worker import ready_detector, run_worker
from monitor.config import Config, Detection
from monitor.errors import ConfigError
from monitor.kafka import BrokerSettings
from monitor.watchlist import bundled


def test_a_language_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"detection\.languages: there is no language 'xx' here; known: ar, .*en"):
        ready_detector(bundled(), Detection(languages=("en", "xx")))


async def test_the_event_loop_goes_on_while_the_detector_is_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The watchdog would end a worker that takes a minute for it, on a machine with other work, again and again."""

    class MadeError(Exception):
        pass

    loop = asyncio.get_running_loop()

    async def started(*_: object) -> int:
        return 0

    def slow(*_: object) -> None:
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0), loop).result(5)
        raise MadeError

    monkeypatch.setattr(agents.worker, "start_up", started)
    monkeypatch.setattr(agents.worker, "ready_detector", slow)
    with pytest.raises(MadeError):
        await run_worker(Config(), BrokerSettings(servers=("127.0.0.1:1",)), asyncio.Event())
