"""Provide fixtures for all tests: a real broker, and topics of its own for each test."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import settings

if TYPE_CHECKING:  # importing the client takes a third of a second, and most sessions need no broker
    from tests.brokers import ApacheKafka, Embedded

#: Garbage is collected rarely: by default it is looked for 300 times while modules are imported and tests collected.
gc.set_threshold(100_000)

_numbers = itertools.count(1)
_SLOW_MODULE = re.compile(r"^pytestmark = .*\bpytest\.mark\.slow\b", re.MULTILINE)

# Randomness is seeded: the same examples at each run, and no limit of time on a shared machine.
settings.register_profile("seeded", derandomize=True, deadline=None)
settings.load_profile("seeded")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--broker", choices=["embedded", "kafka"], default="embedded", help="the broker for tests marked `broker`"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave a module that is slow as a whole unread when slow tests are left out: importing it takes time, too."""
    if collection_path.suffix != ".py" or "not slow" not in config.option.markexpr:
        return None
    return _SLOW_MODULE.search(collection_path.read_text(encoding="utf-8")) is not None or None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Draw a tenth of a property test's examples when slow tests are left out."""
    if "not slow" not in config.option.markexpr:
        return
    for item in items:
        # Hypothesis refuses a second `@settings`; this is where the first one stands, and where it looks it up.
        test = getattr(item, "obj", None)
        if getattr(test, "is_hypothesis_test", False):
            test = getattr(test, "__func__", test)
            given = getattr(test, "_hypothesis_internal_use_settings", settings())
            test._hypothesis_internal_use_settings = settings(given, max_examples=max(1, given.max_examples // 10))


def pytest_collection_finish() -> None:
    """Let the collector leave alone what was imported and collected: it lives as long as the session."""
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _loggers_follow_their_configuration() -> Iterator[None]:
    """Keep structlog from remembering a logger's first configuration: `capture_logs` could not see it afterwards."""
    configure = structlog.configure
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", lambda **given: configure(**given | {"cache_logger_on_first_use": False}))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Undo what a test changes about logging, which later tests would feel. A fixture would take longer than this.

    aiokafka at DEBUG, left on, logs each byte that later tests send; a command that quiets its logs by
    `structlog.configure` would quiet those of later tests, too.
    """
    levels = {one: one.level for one in _loggers()}
    processors = structlog.get_config()
    result = yield
    for one in _loggers():
        if one.level != (level := levels.get(one, logging.NOTSET)):
            one.setLevel(level)
    structlog.configure(**processors)
    return result


def _loggers() -> list[logging.Logger]:
    return [logging.root, *(one for one in logging.root.manager.loggerDict.values() if isinstance(one, logging.Logger))]


@pytest.fixture(scope="session")
def broker_process(request: pytest.FixtureRequest) -> Iterator[ApacheKafka | Embedded]:
    """The broker of this session, for tests that pause it or look at its kind."""
    from tests.brokers import BROKERS

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
