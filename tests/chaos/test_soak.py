"""Test which measurements the soak test accepts as flat."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tests.chaos.soak import Sample, grown

#: Samples of half an hour, and MiB of a poller at its start.
MANY, START = 360, 165.0


def found(memory: Callable[[int], float], handles: Callable[[int], int] = lambda _: 42) -> list[str]:
    draw = random.Random(1)
    noise = [draw.uniform(-6, 6) for _ in range(MANY)]
    return grown({"poller 1": [Sample(memory(n) + noise[n], handles(n)) for n in range(MANY)]})


@pytest.mark.parametrize(
    "memory",
    [
        lambda n: START,
        lambda n: START + 7 * n / MANY,  # what is remembered of 90,000 articles
        lambda n: START - 80 * max(0, 1 - n / 100),  # warming up
        lambda n: START + 60 * (n == 300),  # one sample
    ],
    ids=["even", "remembered", "warming up", "a moment"],
)
def test_flat_is_flat(memory: Callable[[int], float]) -> None:
    assert found(memory) == []


@pytest.mark.parametrize(
    "memory",
    [
        lambda n: START + 85 * n / MANY,
        lambda n: START + 20 * n / MANY,
        lambda n: START + 20 * (n > 190),
        lambda n: START + 12 * (n > 300),
        lambda n: START + 12 * (200 < n < 260),
    ],
    ids=["161 to 246", "a slope", "a step", "a late step", "a hill"],
)
def test_what_grows_is_said(memory: Callable[[int], float]) -> None:
    assert "poller 1 grew" in found(memory)[0]


def test_handles_and_new_processes_are_said() -> None:
    assert found(lambda _: START, lambda n: n // 10) == ["poller 1 grew from 23 to 35 handles"]
    even = [Sample(START, 42)] * MANY
    assert grown({"worker 1": even[:8]}) == ["too short to tell"]
    assert grown({"worker 1": even[:100], "worker 2": even}) == ["worker 1 was not there all the time"]
