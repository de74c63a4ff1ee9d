"""Run `summitry up`: prepare broker, topics and feeds, then run poller, worker and board under the supervisor."""

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
#: The most seconds that the restart of a child waits until missing topics are created.
_MEND_WITHIN = 10.0


async def run_up(config: Config, config_file: Path | None, broker_url: str | None, *, verbose: bool) -> int:
    """Run the service until SIGINT or SIGTERM. Returns the exit code. Raises SummitryError when it can't start."""
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
        """Create topics that were deleted, and write the feeds again. After a failure the next restart tries again."""
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

    # The URL of a configured broker is not passed on, since its password would be visible on the command line.
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
    """Return the settings with the level `warning`, unless `verbose` or another level than the default is set."""
    return log if verbose or log.level != Log().level else msgspec.structs.replace(log, level="warning")
