"""Run `summitry up`: broker, topics, feeds, then poller, worker and board, in words that a person can follow."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import msgspec
import structlog

from agents.pollers.feed_topics import put_feeds
from agents.process.logs import set_up_logs
from agents.process.parent import PARENT, bind
from agents.process.supervisor import Supervisor, python
from agents.stream.topics import TopicNames, create
from monitor.config import Config, Log
from monitor.errors import BrokerError
from monitor.feeds.subscriptions.catalogue import load_feeds
from monitor.kafka import BrokerSettings, wait_for_broker

logger = structlog.get_logger()

_LOG_LEVEL = "SUMMITRY_LOG__LEVEL"
#: The most seconds that a child's new start waits for its topics to be made again.
_MEND_WITHIN = 10.0


async def run_up(config: Config, config_file: Path | None, broker_url: str | None, *, verbose: bool) -> int:
    """Run the service until SIGINT or SIGTERM; returns the exit code. Raises SummitryError when it can't start."""
    if (parent := os.environ.get(PARENT)) and not bind(int(parent)):
        return 75
    log = _quieter(config.log, verbose=verbose)
    set_up_logs(log, "supervisor")
    embedded = broker_url is None and config.broker.url == "embedded"
    environment = {**os.environ, _LOG_LEVEL: log.level}

    def settings(url: str) -> BrokerSettings:
        return BrokerSettings.from_url(url) if url else BrokerSettings.from_config(config.broker)

    async def prepare(url: str) -> None:
        broker = settings(url)
        await wait_for_broker(broker, config.broker.connect_timeout.total_seconds())
        await create(broker, config.topics)
        feeds = load_feeds(config.feeds)
        await put_feeds(broker, TopicNames(config.topics.prefix).feeds, feeds)
        where = f"an embedded broker (in memory, --broker {url})" if embedded else f"the broker {broker}"
        click.echo(f"summitry: {len(feeds)} feeds on {where}; alerts follow, Ctrl-C ends", err=True)
        if config.board.port:
            address = config.board.url or f"http://{config.board.host}:{config.board.port}"
            click.echo(f"summitry: the board is at {address}", err=True)

    async def mend(url: str) -> None:
        """Make topics again that were deleted, with their feeds. What fails is tried at the next start of a child."""
        broker = settings(url)
        try:
            async with asyncio.timeout(_MEND_WITHIN):
                if made := await create(broker, config.topics):
                    logger.warning("topics_made_again", topics=made)
                await put_feeds(broker, TopicNames(config.topics.prefix).feeds, load_feeds(config.feeds))
        except (BrokerError, TimeoutError) as error:
            logger.warning("topics_not_mended", error=str(error) or type(error).__name__)

    def commands(url: str) -> Mapping[str, Sequence[str]]:
        options = [*(["--config", str(config_file)] if config_file else []), *(["--broker", url] if url else [])]
        return {role: python(role, *options) for role in ("poller", "worker", "board")}

    # A broker of the configuration stays in the configuration: its password must not be seen on a command line.
    supervisor = Supervisor(
        prepare, commands, broker_url=None if embedded else broker_url or "", environment=environment, mend=mend
    )
    running = asyncio.create_task(supervisor.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, running.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await running
    click.echo("summitry: stopped", err=True)
    return 0


def _quieter(log: Log, *, verbose: bool) -> Log:
    """Log warnings only, unless another level than the default one was asked for."""
    return log if verbose or log.level != Log().level else msgspec.structs.replace(log, level="warning")
