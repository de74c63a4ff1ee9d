"""One detector for all tests of detection: it can't be changed, and building it takes a second."""

from __future__ import annotations

import pytest

from monitor.detect import Detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """Return the detector of the bundled watchlist and languages."""
    return Detector()
