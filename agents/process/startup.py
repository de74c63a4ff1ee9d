"""Start a process: serve its pages, so that `/ready` can say what it waits for, then wait for broker and topics."""

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


class StartupCondition:
    """The condition of a process that is still starting."""

    def __init__(self) -> None:
        self.waiting_for = "starting"

    def wait_for(self, what: str) -> None:
        """Set what the process waits for."""
        self.waiting_for = what

    def not_ready(self) -> Iterable[str]:
        """Yield what the process waits for."""
        yield self.waiting_for

    def not_live(self) -> Iterable[str]:
        """Return nothing: a process that waits is live, and ends by itself when it has waited for too long."""
        return ()


async def start_up(
    config: Config, broker: BrokerSettings, port: int, stop: asyncio.Event, part: Part | None = None
) -> int:
    """Wait until the broker answers and the topics that `part` uses are as declared.

    Meanwhile `/ready` says what the process waits for. Returns the port of the pages, which is chosen if `port` is 0;
    the port is then free for the process's own pages, and a job watches the topics. Returns early when `stop` is set.
    Raises BrokerError when no broker answers within `broker.connect_timeout`, or a topic or right is missing, and
    ConfigError when a topic's partitions or the port can't be used.
    """
    starting = StartupCondition()
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


async def _prepare(config: Config, broker: BrokerSettings, starting: StartupCondition, part: Part | None) -> None:
    await wait_for_broker(broker, config.broker.connect_timeout.total_seconds(), waiting=starting.wait_for)
    starting.wait_for("checking the topics")
    found = await check_topics(broker, config, part)
    start_job(watch_topics(broker, config, found), "topics")
