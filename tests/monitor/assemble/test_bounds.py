"""Test that the state of assembly does not grow with the amount of past news."""

from __future__ import annotations

import pytest

from monitor.assemble import Assembly
from tests.monitor.assemble.samples import at, mention

STORIES = (
    {"status": "held"},
    {"status": "planned", "kind": "meeting", "medium": "in_person"},
    {"status": "proposed", "kind": "visit", "medium": "in_person"},
    {"status": "past", "kind": "talks", "medium": "unknown"},
)


@pytest.mark.slow
def test_a_year_of_news_of_one_pair_takes_no_more_room_than_half_of_it():
    assembly = Assembly()
    events: list[int] = []
    size: list[int] = []
    for day in range(365):
        assembly.advance(at(day))
        for number in range(6):
            assembly.apply(mention(published=at(day, number), **STORIES[(day + number) % len(STORIES)]))
        events.append(assembly.open_events)
        size.append(sum(len(state) for _, state in assembly.states()))
    # Talk that never ends keeps its event open; what it keeps of its coverage has a bound, which half a year reaches.
    assert min(events) > 0
    assert max(events[180:]) <= max(events[:180])
    assert max(size[180:]) <= 1.1 * max(size[:180])
