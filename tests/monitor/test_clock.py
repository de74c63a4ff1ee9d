"""Test the service's clock, and the environment variable that moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from monitor.clock import service_clock
from monitor.errors import ConfigError

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


class Hands:
    """A machine's clock that a test moves."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def test_without_the_variable_it_is_the_machines_time() -> None:
    assert service_clock({}, Hands())() == NOON


def test_a_moment_is_where_the_process_starts_and_time_goes_on_from_there() -> None:
    machine = Hands()
    clock = service_clock({"SUMMITRY_CLOCK": "2026-02-04T08:00:00Z"}, machine)
    machine.now += timedelta(seconds=90)
    assert clock() == datetime(2026, 2, 4, 8, 1, 30, tzinfo=UTC)


def test_with_an_anchor_two_processes_that_start_apart_agree() -> None:
    setting = {"SUMMITRY_CLOCK": "2026-02-04T08:00:00Z@2026-11-01T12:00:00Z"}
    machine = Hands()
    first = service_clock(setting, machine)
    machine.now += timedelta(minutes=5)
    second = service_clock(setting, machine)
    assert first() == second() == datetime(2026, 2, 4, 8, 5, tzinfo=UTC)


@pytest.mark.parametrize("setting", ["yesterday", "2026-02-04T08:00:00", "@2026-02-04T08:00:00Z"])
def test_what_is_not_a_time_is_said_in_one_line(setting: str) -> None:
    with pytest.raises(ConfigError, match="SUMMITRY_CLOCK"):
        service_clock({"SUMMITRY_CLOCK": setting}, Hands())
