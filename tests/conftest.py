"""Fixtures that every part of the suite shares: a real broker, and topics of one's own on it."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

from tests.brokers import BROKERS, ApacheKafka, Embedded

_numbers = itertools.count(1)
_SLOW_MODULE = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)

# Randomness is seeded: the same examples at each run, and no limit of time on a shared machine.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker", choices=sorted(BROKERS), default="embedded", help="the broker for tests marked `broker`"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a module that is slow as a whole unread when slow tests are left out: importing it takes time, too."""
    if collection_path.suffix != ".py" or "not slow" not in config.option.markexpr:
        return None
    return _SLOW_MODULE.search(collection_path.read_text(encoding="utf-8")) is not None or None


def pytest_collection_finish() -> None:
    """Let the collector leave alone what was imported and collected: it lives as long as the session."""
    gc.freeze()
    gc.set_threshold(10_000)


@pytest.fixture(autouse=True, scope="session")
def _loggers_follow_their_configuration() -> Iterator[None]:
    """Keep structlog from remembering a logger's first configuration: `capture_logs` could not see it afterwards."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False}))
        yield


@pytest.fixture(autouse=True)
def _log_levels() -> Iterator[None]:
    """Undo what a test changes about levels: aiokafka at DEBUG, left on, logs each byte that later tests send."""
    loggers = [one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger)]
    before = {one: one.level for one in (logging.root, *loggers)}
    yield
    for one in (logging.root, *logging.root.manager.loggerDict.values()):
        if isinstance(one, logging.Logger) and one.level != before.get(one, logging.NOTSET):
            one.setLevel(before.get(one, logging.NOTSET))


@pytest.fixture(autouse=True)
def _same_structlog() -> Iterator[None]:
    """Undo a test's `structlog.configure`: a command that quiets its logs would quiet those of later tests, too."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def broker_process(request: pytest.FixtureRequest) -> Iterator[ApacheKafka | Embedded]:
    """The broker of this session, for tests that pause it or look at its kind."""
    broker = BROKERS[request.config.getoption("--broker")]()
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()


@pytest.fixture
def broker(broker_process: ApacheKafka | Embedded) -> str:
    """The URL of a running broker: embedded, or Apache Kafka with `--broker kafka`."""
    return broker_process.url


@pytest.fixture
def prefix() -> str:
    """A topic prefix that no other test has."""
    return f"test-{os.getpid()}-{next(_numbers)}"
