"""Test the demonstration's check: it accepts the expected alerts, and names each difference."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest

from agents.demo.outcome import messages_by_event, problems
from agents.demo.story import Expected, ExpectedEvent
from monitor.records import Event, EventSource, Fact, Participant, When

DAY = date(2026, 2, 4)
WANTED = ExpectedEvent(
    name="the call",
    leaders=("a", "b"),
    medium="video",
    status="held",
    date=DAY,
    sources=2,
    most_reports=1,
    place="Oslo",
    corrected=True,
)
EVENT = Event(
    event_id="e1",
    revision=2,
    participants=(Participant(leader="a", name="A"), Participant(leader="b", name="B")),
    kind="call",
    medium="video",
    status="held",
    when=When(start=DAY, end=DAY),
    facts={"place": Fact(value={"name": "Oslo", "country": "NO"}, sources=(1,))},
    sources=(EventSource(n=1, article_id="1"), EventSource(n=2, article_id="2")),
    reports=1,
    last_seen=datetime(2026, 2, 4, tzinfo=UTC),
)


def delivery(number: int, tell: str, event: Event) -> dict[str, Any]:
    return {"id": f"m{number}", "data": {"tell": tell, "event": msgspec.to_builtins(event)}}


def verdict(*deliveries: dict[str, Any], wanted: tuple[ExpectedEvent, ...] = (WANTED,)) -> list[str]:
    return problems(Expected(events=wanted), messages_by_event(deliveries))


GOOD = (delivery(1, "first", EVENT), delivery(2, "quiet", EVENT))


def test_what_is_as_expected_passes() -> None:
    assert verdict(*GOOD) == []


def test_a_repeat_of_the_same_message_is_no_second_one() -> None:
    assert verdict(GOOD[0], *GOOD) == []


def test_a_second_first_message_is_named() -> None:
    assert any("2 first messages" in problem for problem in verdict(*GOOD, delivery(3, "first", EVENT)))


def test_a_missing_event_is_named() -> None:
    assert verdict() == ["the call was not alerted"]


def test_an_event_too_many_is_named() -> None:
    other = msgspec.structs.replace(EVENT, event_id="e2", status="planned", brief="Something else.")
    assert verdict(*GOOD, delivery(3, "first", other)) == ["another alert was sent: 'Something else.'"]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"when": When(start=date(2026, 2, 3), end=DAY)}, "dated 2026-02-03"),
        ({"when": None}, "dated never"),
        ({"sources": EVENT.sources[:1]}, "1 sources"),
        ({"reports": 2}, "2 independent reports"),
        ({"facts": {}}, "nobody places it in Oslo"),
    ],
)
def test_a_wrong_fact_is_named(change: dict[str, Any], problem: str) -> None:
    wrong = msgspec.structs.replace(EVENT, **change)
    (found,) = verdict(delivery(1, "first", wrong), delivery(2, "quiet", wrong))
    assert problem in found


def test_an_event_that_was_never_updated_is_named() -> None:
    assert verdict(GOOD[0]) == ["the call: never updated"]
