"""Provide a detector that finds the named leaders; the reader's answers do not matter here."""

from __future__ import annotations

import pytest

from monitor.detect import Detector


@pytest.fixture(scope="session")
def detector() -> Detector:
    """Return the rules alone."""
    return Detector(rules_only=True)
