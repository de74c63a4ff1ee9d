"""What a worker makes before it takes part in its group."""

from __future__ import annotations

import pytest

from agents.worker import ready_detector
from monitor.config import Detection
from monitor.errors import ConfigError
from monitor.watchlist import bundled


def test_a_language_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ConfigError, match=r"detection\.languages: there is no language 'xx' here; known: ar, .*en"):
        ready_detector(bundled(), Detection(languages=("en", "xx")))
