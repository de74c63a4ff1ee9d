"""Test that a process which can't work yet says what it waits for, in its log and on its pages."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from datetime import timedelta

import httpx
import pytest
from structlog.testing import capture_logs

from agents.process.embedded import free_port
from agents.process.startup import start_up
from agents.stream.topics import create
from monitor.config import Broker, Config, TopicSettings
from monitor.errors import BrokerError
from monitor.kafka import BrokerSettings


def config(prefix: str = "summitry", timeout: float = 60.0) -> Config:
    broker = Broker(connect_timeout=timedelta(seconds=timeout))
    return Config(topics=TopicSettings(prefix=prefix, partitions=1), broker=broker)


@pytest.mark.parametrize("silent", [False, True], ids=["refuses", "accepts-and-says-nothing"])
async def test_a_process_without_a_broker_says_what_it_waits_for(
    silent: bool, caplog: pytest.LogCaptureFixture
) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if silent:
            listener.listen()
        port, server = free_port(), f"127.0.0.1:{listener.getsockname()[1]}"
        settings, stop, began = BrokerSettings.from_url(f"kafka://{server}"), asyncio.Event(), time.monotonic()
        starting = asyncio.create_task(start_up(config(), settings, port, stop))
        with caplog.at_level(logging.WARNING, "monitor.kafka"):
            while "waiting for the broker" not in caplog.text:
                await asyncio.sleep(0.1)
                assert time.monotonic() - began < 5
        assert f"waiting for the broker at plaintext://{server}" in caplog.text
        async with httpx.AsyncClient(trust_env=False) as client:
            ready = await client.get(f"http://127.0.0.1:{port}/ready")
            assert ready.status_code == 503
            assert f"waiting for the broker at plaintext://{server}" in ready.text
            assert "\n" not in ready.text
            assert (await client.get(f"http://127.0.0.1:{port}/live")).status_code == 200
        stop.set()
        assert await asyncio.wait_for(starting, 5) == port


async def test_a_broker_that_stays_away_is_an_error_in_the_end() -> None:
    settings = BrokerSettings.from_url(f"kafka://127.0.0.1:{free_port()}")
    with pytest.raises(BrokerError, match=r"no broker at .* within 0\.5 s"):
        await start_up(config(timeout=0.5), settings, 0, asyncio.Event())


@pytest.mark.broker
async def test_the_pages_come_before_the_topics_are_looked_at(broker: str, prefix: str) -> None:
    settings = BrokerSettings.from_url(broker)
    with capture_logs() as log, pytest.raises(BrokerError, match="run `summitry topics create` first"):
        await start_up(config(prefix), settings, 0, asyncio.Event())
    assert next(line["event"] for line in log) == "serving"
    await create(settings, config(prefix).topics)
    assert await start_up(config(prefix), settings, 0, asyncio.Event())
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        if task.get_name() == "topics":
            task.cancel()
