"""The board's process: it runs the archive, the follower and the web server until it is asked to stop."""

from __future__ import annotations

import asyncio
import secrets
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import structlog

from agents.board.access import Access
from agents.board.context import BoardContext, Progress
from agents.board.follower import Follower, watch_flow
from agents.board.pages.rendering import BROADCASTER
from agents.board.site import make_site
from agents.process.config_names import with_ids
from agents.process.web import serving
from agents.stream.outbox import KafkaOutbox
from agents.stream.topic_check import check_rights
from agents.stream.topics import TopicNames
from monitor.archive import Archive, LeaderNames
from monitor.clock import service_clock
from monitor.config import Config
from monitor.kafka import BrokerSettings, producer, wait_for_broker
from monitor.watchlist import load_or_bundled

logger = structlog.get_logger()

_PROGRESS_EVERY = 5.0


async def run_board(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Serve until `stop` is set.

    Raises BrokerError when there is no broker or this user lacks a right, StateError when the archive can't be written,
    ConfigError when the port is in use or the file of passwords or of tokens is invalid.
    """
    names, clock = TopicNames(config.topics.prefix), service_clock()
    await wait_for_broker(broker, config.broker.connect_timeout.total_seconds())
    await check_rights(broker, config, "board")
    watchlist = load_or_bundled(config.watchlist)
    config = with_ids(config, watchlist, clock().date())
    async with AsyncExitStack() as stack:
        path = config.board.archive
        if path is None:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="summitry-board-"))
            path = Path(folder) / "archive.sqlite"
        archive = Archive(path, f"{broker} {names.prefix}")
        stack.callback(archive.close)
        access = Access.of(config.board, secret_of(archive))
        outbox = KafkaOutbox(await stack.enter_async_context(producer(broker, linger_ms=0)))
        context = BoardContext(config, names, archive, LeaderNames(watchlist), watchlist, clock, outbox)
        stack.callback(context.pool.shutdown, wait=False, cancel_futures=True)
        site = make_site(context, access)
        port = await stack.enter_async_context(serving(site, config.board.host, config.board.port))
        logger.info("serving", url=f"http://{config.board.host}:{port}", archive=str(path))
        follower = Follower(context, broker, site[BROADCASTER].publish)
        await _until_stopped(stop, follower.run(), watch_flow(context, broker), _show(context.progress))


def secret_of(archive: Archive) -> bytes:
    """Return the secret that signs sessions and forms; it is made once and stored in the archive."""
    if not archive.meta("secret"):
        archive.set_meta("secret", secrets.token_hex(32))
    return bytes.fromhex(archive.meta("secret"))


async def _show(progress: Progress) -> None:
    """Log every `_PROGRESS_EVERY` seconds how much of the topics was read, until all was."""
    while not progress.done:
        await asyncio.sleep(_PROGRESS_EVERY)
        if not progress.done:
            logger.warning("reading_topics", percent=progress.percent, records=progress.read, of=progress.total)


async def _until_stopped(stop: asyncio.Event, *jobs: object) -> None:
    """Run the jobs until `stop` is set. An exception of a job is raised here."""
    tasks = [asyncio.ensure_future(job) for job in jobs]  # type: ignore[call-overload]
    stopped = asyncio.create_task(stop.wait())
    waiting = {stopped, *tasks}
    try:
        while not stopped.done():
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
    finally:
        for task in (stopped, *tasks):
            task.cancel()
        await asyncio.gather(stopped, *tasks, return_exceptions=True)
