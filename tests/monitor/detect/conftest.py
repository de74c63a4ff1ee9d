"""Provide one detector for all tests of detection: it is immutable, and building it takes a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from monitor.detect import Detector
from monitor.records import Article, Mention

MONDAY = datetime(2026, 3, 9, 9, tzinfo=UTC)
#: The mentions of a headline, in English unless a language is named.
Told = Callable[..., tuple[Mention, ...]]


@pytest.fixture(scope="session")
def built() -> Detector:
    """Return the detector of the bundled watchlist and languages: the one that is built."""
    return Detector()


@pytest.fixture(scope="session")
def detector(built: Detector) -> Detector:
    """Return the detector of the bundled watchlist and languages; some rooms take the rules alone instead."""
    return built


@pytest.fixture(scope="session")
def rules(built: Detector) -> Detector:
    """Return the same detector without its reader."""
    return built.with_reader(None)


@pytest.fixture
def told(detector: Detector) -> Told:
    """Return what makes the mentions of a headline of Monday, 9 March 2026."""

    def mentions(title: str, language: str = "en") -> tuple[Mention, ...]:
        return detector.detect(Article(id="1", title=title, published=MONDAY, language=language))

    return mentions
