"""Cases for the keys of `web`, `board`, `log` and `tracing`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import logging
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
import structlog
from msgspec import structs
from structlog.testing import capture_logs

from agents.board import run as board_process
from agents.pollers import run_poller
from agents.process.embedded import free_port
from agents.process.logs import set_up_logs
from agents.process.running import take_traces
from agents.worker import run_worker
from monitor import tracing
from monitor.config import Config
from monitor.kafka import BrokerSettings
from tests.agents.board.boards import board, browser
from tests.feedserver import FeedServer
from tests.monitor.archive.samples import event
from tests.monitor.config.settings.case import Case, case
from tests.spans import Collector

_NOBODY = BrokerSettings(servers=("127.0.0.1:1",))
_ONE, _OTHER = free_port(), free_port()


def served(run: Callable[..., Coroutine[Any, Any, None]], part: str) -> Callable[[Config], Coroutine[Any, Any, Any]]:
    """Make an outcome: the host or port at which a process serves, before it is stopped at once."""

    async def outcome(config: Config) -> Any:
        stop = asyncio.Event()
        stop.set()
        with capture_logs() as log:
            await run(config, _NOBODY, stop)
        url = next(line["url"] for line in log if line["event"] == "serving")
        return getattr(urlsplit(url), part)

    return outcome


async def _at_once(*_: object) -> None: ...


async def _for_ever(*_: object) -> None:
    await asyncio.Event().wait()


@asynccontextmanager
async def _no_producer(*_: object, **__: object) -> AsyncIterator[None]:
    yield None


async def run_board(config: Config, broker: BrokerSettings, stop: asyncio.Event) -> None:
    """Run the board's process as if its broker were there."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(board_process, "wait_for_broker", _at_once)
        patched.setattr(board_process, "check_rights", _at_once)
        patched.setattr(board_process, "producer", _no_producer)
        patched.setattr(board_process.Follower, "run", _for_ever)
        patched.setattr(board_process, "watch_flow", _for_ever)
        await board_process.run_board(config, broker, stop)


async def kept(config: Config) -> bool:
    """Say whether the archive is there after the board has ended."""
    stop = asyncio.Event()
    stop.set()
    with capture_logs() as log:
        await run_board(config, _NOBODY, stop)
    archive = next(Path(line["archive"]) for line in log if line["event"] == "serving")
    there = archive.exists()
    archive.unlink(missing_ok=True)
    return there


def answered(path: str = "/", times: int = 1, **headers: str) -> Callable[[Config], Coroutine[Any, Any, int]]:
    """Make an outcome: the status that the board's answer has, at the last of some requests."""

    async def outcome(config: Config) -> int:
        settings = structs.asdict(config.board)
        del settings["port"]
        with TemporaryDirectory() as folder:
            async with (
                board(Path(folder), event("a"), **settings) as place,
                browser(place, follow_redirects=False) as reader,
            ):
                for _ in range(times):
                    answer = await reader.get(path, headers=headers)
                return answer.status_code

    return outcome


@contextmanager
def _logs_as_before() -> Iterator[None]:
    """Put the logs of this process back as they were."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {name: logging.getLogger(name).level for name in list(root.manager.loggerDict)}
    try:
        yield
    finally:
        root.handlers[:], root.level = handlers, level
        for name in list(root.manager.loggerDict):
            logging.getLogger(name).setLevel(levels.get(name, logging.NOTSET))
        structlog.reset_defaults()


def logged(config: Config) -> str:
    """Give what is logged by three calls."""
    stream = io.StringIO()
    with _logs_as_before():
        set_up_logs(config.log, "worker", stream)
        logger = structlog.get_logger("sample")
        logger.debug("whispered")
        logger.info("said")
        logger.error("shouted")
    return stream.getvalue()


def heard(config: Config) -> list[str]:
    """Give which of three calls is logged."""
    text = logged(config)
    return [word for word in ("whispered", "said", "shouted") if word in text]


@asynccontextmanager
async def collector() -> AsyncIterator[SimpleNamespace]:
    """Run what a process may send its traces to."""
    async with FeedServer() as server:
        kept = Collector(server)
        yield SimpleNamespace(url=kept.endpoint, kept=kept)


async def traced(config: Config, server: SimpleNamespace) -> int:
    """Count the traces that arrive of ten that a process could take."""
    take_traces(config, "worker")
    for _ in range(10):
        with tracing.step("poll", ""):
            pass
    await asyncio.to_thread(tracing.stop)
    return len(server.kept.traces())


_HEADER = {"board.user_header": "X-User"}
_TOKEN = "a-token-of-the-test"
#: What the file tokens.yaml of tests/monitor/config/test_each_setting.py holds.
TOKEN_DIGEST = hashlib.sha256(_TOKEN.encode()).hexdigest()

ROWS: tuple[Case, ...] = (
    case("web.host", served(run_poller.run, "hostname"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"),
         given={"web.poller_port": 0}),
    case("web.poller_port", served(run_poller.run, "port"), (_ONE, _ONE), (_OTHER, _OTHER)),
    case("web.worker_port", served(run_worker, "port"), (_ONE, _ONE), (_OTHER, _OTHER)),
    case("board.host", served(run_board, "hostname"), ("127.0.0.1", "127.0.0.1"), ("127.0.0.2", "127.0.0.2"),
         given={"board.port": 0}),
    case("board.port", served(run_board, "port"), (_ONE, _ONE), (_OTHER, _OTHER)),
    case("board.archive", kept, (None, False), ("board.sqlite", True), given={"board.port": 0}),
    case("board.user_header", answered(**{"X-User": "Ada"}), ("X-User", 200), ("X-Other", 401)),
    case("board.trusted_proxies", answered(**{"X-User": "Ada"}), (["127.0.0.0/8"], 200), (["10.0.0.0/8"], 401),
         given=_HEADER),
    case("board.passwords", answered(), (None, 200), ("passwords", 303)),
    case("board.tokens", answered("/api/v1/events", Authorization=f"Bearer {_TOKEN}"), ("tokens.yaml", 200),
         ("no-tokens.yaml", 401)),
    case("board.rate", answered("/api/v1/events", times=3), (0, 200), (1, 429)),
    case("log.format", lambda config: logged(config).startswith("{"), ("console", False), ("json", True)),
    case("log.level", heard, ("debug", ["whispered", "said", "shouted"]), ("info", ["said", "shouted"]),
         ("error", ["shouted"])),
    case("tracing.endpoint", traced, ("", 0), ("$url", 10), server=collector),
    case("tracing.share", traced, (1.0, 10), (0.0, 0), server=collector, given={"tracing.endpoint": "$url"}),
)  # fmt: skip
