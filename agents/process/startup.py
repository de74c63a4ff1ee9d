"""Start a process: its pages first, so that it can say what it waits for, then the broker and the topics."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

import structlog

from agents.process.web import make_web, serving
from agents.stream.rights import Part
from agents.stream.topic_check import check_topics, watch_topics
from monitor.config import Config
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings, wait_for_broker

logger = structlog.get_logger()


class Starting:
    """The condition of a process that can't work yet."""

    def __init__(self) -> None:
        self.waiting_for = "starting"

    def wait_for(self, what: str) -> None:
        """Say from now on that this is waited for."""
        self.waiting_for = what

    def not_ready(self) -> Iterable[str]:
        """Never ready."""
        yield self.waiting_for

    def not_live(self) -> Iterable[str]:
        """Return a process that waits is live: it ends by itself when it has waited for too long."""
        return ()


async def start_up(
    config: Config, broker: BrokerSettings, port: int, stop: asyncio.Event, part: Part | None = None
) -> int:
    """Wait until the broker answers and the topics that `part` uses are as declared.

    Gives the port of the pages, chosen if `port` is 0. `/ready` says meanwhile what is waited for. Afterwards the port
    is free for the process's real pages, and a job watches the topics. Returns early when `stop` is set. Raises
    BrokerError when no broker answers for `broker.connect_timeout`, or a topic or a right on it is missing, and
    ConfigError when a topic's partitions or the port can't be used.
    """
    starting = Starting()
    async with serving(make_web([starting]), config.web.host, port) as chosen:
        logger.info("serving", url=f"http://{config.web.host}:{chosen}")
        preparing = asyncio.create_task(_prepare(config, broker, starting, part), name="prepare")
        stopped = asyncio.create_task(stop.wait(), name="stop")
        try:
            await asyncio.wait({preparing, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                preparing.result()
        finally:
            preparing.cancel()
            stopped.cancel()
            await asyncio.gather(preparing, stopped, return_exceptions=True)
    return chosen


async def _prepare(config: Config, broker: BrokerSettings, starting: Starting, part: Part | None) -> None:
    await wait_for_broker(broker, config.broker.connect_timeout.total_seconds(), waiting=starting.wait_for)
    starting.wait_for("looking at the topics")
    found = await check_topics(broker, config, part)
    start_job(watch_topics(broker, config, found), "topics")
