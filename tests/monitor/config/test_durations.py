"""Test that durations have one grammar, in the configuration and on the command line."""

from __future__ import annotations

from datetime import timedelta

import pytest

from monitor.config.durations import duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("30m", 1800), ("12h", 43200), ("7d", 604800), ("2w", 1209600), ("1h30m", 5400), ("1.5h", 5400),
     ("250ms", 0.25), ("45", 45), (" 2 H ", 7200)],
)  # fmt: skip
def test_what_users_write_is_read(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "soon", "-5m", "5 years", "m5", "5m later", "99999d"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match=r"write|longer"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["5m", "36h", "7d", "90s"])
def test_what_is_written_reads_back(text: str) -> None:
    assert duration_text(parse_duration(text)) == text
