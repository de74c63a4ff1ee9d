"""The detector that sees who is named; what the reader says does not matter here."""

from __future__ import annotations

import pytest

from monitor.detect import Detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """Return the rules alone."""
    return Detector(rules_only=True)
