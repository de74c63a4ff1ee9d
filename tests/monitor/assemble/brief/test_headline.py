"""Test the headline: the facts that a reader needs, in one line that fits a locked phone."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.assemble import headline
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, Event, Participant, Place, When
from tests.monitor.assemble.samples import MACRON, MERZ, MODI, MURMU, PUTIN, STARMER, WEDNESDAY, XI, ZELENSKY


def role(participant: Participant, name: str) -> Participant:
    return Participant(
        leader=participant.leader, name=participant.name, country=participant.country, office=participant.office,
        role=name,
    )  # fmt: skip


def event(*participants: Participant, **over: Any) -> Event:
    fields: dict[str, Any] = {
        "event_id": "e", "revision": 1, "kind": "call", "medium": "phone", "status": "held", "reports": 2,
        "first_seen": WEDNESDAY, "last_seen": WEDNESDAY,
    } | over  # fmt: skip
    return Event(participants=participants or (PUTIN, XI), **fields)


def on(month: int, day: int, year: int = 2026) -> When:
    return When(start=date(year, month, day), end=date(year, month, day))


def test_a_call():
    assert headline(event(when=on(2, 4))) == "Putin and Xi spoke by phone, Wed 4 Feb · 2 sources"


def test_a_visit_names_guest_country_and_host():
    visit = event(
        role(MACRON, "visitor"), role(MERZ, "host"), kind="visit", medium="in_person", status="planned",
        when=on(2, 12), place=Place(name="Berlin", country="DE"),
    )  # fmt: skip
    assert headline(visit) == "Macron to visit Germany for talks with Merz, Thu 12 Feb, Berlin · 2 sources"


def test_the_caller_acts():
    assert headline(event(role(XI, "caller"), PUTIN, reports=1)) == "Xi phoned Putin · 1 source"


def test_what_is_refused_names_both_sides():
    assert headline(event(MACRON, MERZ, kind="meeting", medium="in_person", status="denied")) == (
        "Macron–Merz meeting denied · 2 sources"
    )


def test_what_no_source_stands_behind_is_withdrawn():
    assert headline(event(MACRON, MERZ, status="retracted", reports=0)) == "Withdrawn: Macron–Merz phone call"


def test_another_year_is_told():
    assert ", Fri 8 Jan 2027 " in headline(event(when=on(1, 8, 2027), status="planned"))


@pytest.mark.parametrize(
    ("granularity", "first", "last", "told"),
    [
        ("half", date(2026, 2, 4), date(2026, 6, 30), "in the first half of 2026"),
        ("quarter", date(2026, 4, 1), date(2026, 6, 30), "in the second quarter of 2026"),
        ("until", date(2026, 2, 4), date(2026, 3, 31), "by Tue 31 Mar"),
        ("reported", date(2026, 1, 29), date(2026, 2, 4), "reported Wed 4 Feb"),
        ("mid", date(2026, 3, 11), date(2026, 3, 20), "in mid-March 2026"),
        ("weekend", date(2026, 2, 7), date(2026, 2, 8), "weekend of Sat 7 Feb"),
    ],
)
def test_a_time_keeps_its_shape(granularity: Any, first: date, last: date, told: str):
    when = When(start=first, end=last, granularity=granularity)
    assert f", {told} · " in headline(event(when=when))


@pytest.mark.parametrize(
    ("granularity", "first", "last", "told"),
    [
        ("until", date(2026, 2, 4), date(2026, 3, 31), "by Tue 31 Mar"),
        ("from", date(2026, 3, 1), date(2026, 3, 31), "not before Sun 1 Mar"),
        ("around", date(2026, 3, 10), date(2026, 3, 14), "around Thu 12 Mar"),
    ],
)
def test_a_bound_of_a_plan_needs_no_comma(granularity: Any, first: date, last: date, told: str):
    when = When(start=first, end=last, granularity=granularity)
    assert f"to speak by phone {told} · " in headline(event(when=when, status="planned"))
    assert "called off, " in headline(event(when=when, status="cancelled"))


def test_a_call_has_no_place():
    assert "Moscow" not in headline(event(place=Place(name="Moscow", country="RU")))


MANY = (PUTIN, XI, MODI, MURMU, MACRON, MERZ, STARMER, ZELENSKY)


@given(
    kind=st.sampled_from(KINDS), medium=st.sampled_from(MEDIA), status=st.sampled_from(EVENT_STATUSES),
    who=st.lists(st.sampled_from(MANY), min_size=2, unique_by=lambda p: p.leader), limit=st.integers(20, 140),
    roles=st.lists(st.sampled_from(["", "host", "visitor", "caller"]), min_size=8, max_size=8),
    place=st.sampled_from([None, Place(name="Berlin", country="DE"), Place(name="", country="US")]),
)  # fmt: skip
def test_it_fits_whatever_the_event(*, kind, medium, status, who, limit, roles, place):
    told = [role(p, name) for p, name in zip(who, roles, strict=False)]
    line = headline(event(*told, kind=kind, medium=medium, status=status, place=place, when=on(2, 4)), limit=limit)
    assert 0 < len(line) <= limit
    assert "{" not in line
    assert "\n" not in line
