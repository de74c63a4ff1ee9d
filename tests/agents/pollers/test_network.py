"""Test that a poller which can reach no feed reports that each minute, and does not for a single failing feed."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from agents.pollers.network import NetworkCondition


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("outcome", ["dns", "dns_timeout", "connect", "connect_timeout"])
def test_no_network_is_said_at_once_and_each_minute_and_so_is_its_return(outcome: str) -> None:
    time = Time()
    network = NetworkCondition(time)
    with capture_logs() as log:
        network.look({})
        assert list(network.not_ready()) == []
        network.look({outcome: 1})
        for _ in range(130):
            time.now += 1
            network.look({outcome: 2})
        assert list(network.not_ready()) == ["no feed can be reached for 130 s: network or DNS?"]
        network.look({outcome: 2, "changed": 1})
    assert [(line["event"], line["seconds"]) for line in log] == [
        ("waiting_for_network", 0), ("waiting_for_network", 60), ("waiting_for_network", 120), ("network_is_back", 130),
    ]  # fmt: skip
    assert list(network.not_ready()) == []


def test_a_feed_that_can_not_be_reached_among_others_that_can() -> None:
    network = NetworkCondition(Time())
    network.look({"dns": 3, "unchanged": 5})
    network.look({"dns": 4, "http_500": 1, "unchanged": 5})
    assert list(network.not_ready()) == []
    assert list(network.not_live()) == []


def test_one_dead_feed_that_is_polled_alone_is_no_lost_network_and_five_in_a_row_are() -> None:
    time = Time()
    network = NetworkCondition(time)
    network.look({"unchanged": 5})
    with capture_logs() as log:
        for number in range(1, 6):
            assert log == []
            time.now += 1
            network.look({"dns": number, "unchanged": 5})
    assert [line["why"] for line in log] == ["no feed can be reached: network or DNS?"]
