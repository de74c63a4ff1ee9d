"""Provide a detector that uses only the rules."""

from __future__ import annotations

import pytest

from monitor.detect import Detector


@pytest.fixture(scope="session")
def detector(rules: Detector) -> Detector:
    """Return a detector that does not ask the reader."""
    return rules
