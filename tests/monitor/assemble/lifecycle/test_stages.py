"""Test the status of an event: which claims change it, and which can't."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.records import Mention, Place
from tests.monitor.assemble.samples import assemble, at, day, mention

OWN = {"official": True, "speaks_for": "RU"}


def plan(status: str = "planned", hours: float = 0, **over: Any) -> Mention:
    fields: dict[str, Any] = {"kind": "meeting", "medium": "in_person", "place": Place(name="Beijing", country="CN")}
    return mention(status=status, published=at(0, hours), **(fields | over))


def status_of(*mentions: Mention) -> str:
    (event,) = assemble(*mentions)
    return event.status


@pytest.mark.parametrize("hours", [-1, 0, 1])
def test_a_side_that_refuses_is_believed_before_press_whatever_the_order(hours):
    assert status_of(plan(outlet="a"), plan(outlet="b"), plan("denied", hours, **OWN)) == "denied"


def test_press_that_tells_of_the_plan_half_a_day_after_a_refusal_needs_two_outlets():
    refusal = plan("denied", **OWN)
    assert status_of(refusal, plan(hours=13, outlet="a")) == "denied"
    assert status_of(refusal, plan(hours=13, outlet="a"), plan(hours=13, outlet="b")) == "planned"


def test_a_side_may_take_its_refusal_back():
    assert status_of(plan("denied", **OWN), plan(hours=1, **OWN)) == "planned"


def test_one_outlet_does_not_report_what_a_side_denies():
    held = {"when": day("2026-02-04"), "hours": 2}
    assert status_of(plan("denied", when=day("2026-02-04"), **OWN), plan("held", outlet="a", **held)) == "denied"


def test_a_refusal_confirms_nothing_and_takes_a_confirmation_back():
    (event,) = assemble(plan(**OWN), plan("cancelled", 2, **OWN))
    assert (event.status, event.confirmed_by) == ("cancelled", ())


def test_of_one_moment_more_outlets_count():
    assert status_of(plan(outlet="a"), plan("denied", outlet="b"), plan("denied", outlet="c")) == "denied"
    assert status_of(plan(outlet="a"), plan(outlet="d"), plan("denied", outlet="b")) == "planned"


def test_two_outlets_that_name_two_days_disagree():
    (event,) = assemble(plan(outlet="a", when=day("2026-02-10")), plan(outlet="b", when=day("2026-02-11")))
    assert event.status == "planned"
    assert len(event.alternatives["when"]) == 1


def test_an_outlet_that_names_another_day_later_moves_the_meeting():
    first, second = plan(outlet="a", when=day("2026-02-10")), plan(hours=30, outlet="a", when=day("2026-02-13"))
    (event,) = assemble(first, second)
    assert (event.status, event.when and event.when.start.isoformat()) == ("rescheduled", "2026-02-13")
    assert event.facts["status"].sources == (2,)


def test_put_off_to_a_day_has_that_day():
    (event,) = assemble(plan(when=day("2026-02-10")), plan("postponed", 3, when=day("2026-02-13")))
    assert (event.status, event.when and event.when.start.isoformat()) == ("rescheduled", "2026-02-13")
    assert "when" not in event.alternatives


def test_put_off_from_its_day_has_no_day_of_its_own():
    (event,) = assemble(plan(when=day("2026-02-10")), plan("postponed", 3, when=day("2026-02-10")))
    assert event.status == "postponed"


def test_an_unsure_refusal_needs_a_second_outlet():
    unsure = plan("cancelled", 1, statuses={"cancelled": 0.4, "planned": 0.35, "held": 0.25}, outlet="a")
    assert status_of(plan(), unsure) == "planned"
    assert status_of(plan(), unsure, plan("cancelled", 2, outlet="b")) == "cancelled"


def test_a_refusal_that_may_be_a_cancellation_is_sure_enough():
    refused = plan("denied", 1, statuses={"denied": 0.45, "cancelled": 0.2, "planned": 0.35}, outlet="a")
    assert status_of(plan(), refused) == "denied"


def test_a_mention_that_only_joins_opens_nothing():
    assert not assemble(plan(joins_only=True))
    (event,) = assemble(plan(), plan(hours=1, joins_only=True))
    assert len(event.sources) == 2
