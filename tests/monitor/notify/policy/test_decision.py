"""Test which events are sent to a receiver and which are not, case by case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config import Digest, Match, QuietHours, Route, SilenceRule, Threshold
from monitor.notify.messages.compose import why_fired
from monitor.notify.messages.wording import wording
from monitor.notify.policy.article_flow import ArticleFlow, observed
from monitor.notify.policy.changes import changes
from monitor.notify.policy.decision import EXPLAINED, WHY_NOT, Policy, decide
from monitor.notify.policy.hours import next_digest, quiet_until
from monitor.notify.policy.matching import matches
from monitor.notify.policy.silences import Silence, configured
from monitor.records import EVENT_STATUSES, KINDS, Change, Place, When
from tests.monitor.notify.samples import BEIJING, NOW, PUTIN, event, policy

OLD = NOW - timedelta(hours=25)
PLANNED_BEFORE = Change(revision=1, at=NOW, changed={"status": ("planned", "denied")})


def route(**changes):
    return Route(**{"name": "r", "receivers": ("desk",), **changes})


@pytest.mark.parametrize(
    ("about", "rules", "tell", "reason"),
    [
        ({}, route(), "first", "first"),
        ({"backfill": True}, route(), None, "backfill"),
        ({"status": "past"}, route(), None, "background"),
        ({"status": "unconfirmed"}, route(), None, "background"),
        ({"when": When(start=date(2026, 1, 20), end=date(2026, 1, 20))}, route(), None, "background"),
        ({"when": When(start=date(2026, 5, 1), end=date(2026, 5, 3)), "status": "planned"}, route(), "first", "first"),
        ({"merged_into": "other"}, route(), None, "merged"),
        ({"last_seen": OLD}, route(), None, "too_old"),
        ({"last_seen": OLD}, route(max_age=timedelta(days=3)), "first", "first"),
        ({"first_seen": NOW - timedelta(days=9), "last_seen": NOW}, route(), "first", "first"),
        ({"status": "proposed"}, route(), None, "status"),
        ({"status": "proposed"}, route(statuses=("proposed",)), "first", "first"),
        ({"confidence": 0.4}, route(), None, "confidence"),
        ({"confidence": 0.4}, route(min_confidence=0.3), "first", "first"),
        ({}, route(receivers=("other",)), None, "no_route"),
        ({}, route(match=Match(kinds=("visit",))), None, "no_route"),
        ({}, route(exclude=Match(countries=("RU",))), None, "no_route"),
        ({"publishers": 1}, route(threshold=Threshold(publishers=2)), None, "publishers"),
        ({"publishers": 1, "official": True}, route(threshold=Threshold(publishers=2)), "first", "first"),
        (
            {"publishers": 1, "official": True},
            route(threshold=Threshold(publishers=2, official=False)),
            None,
            "publishers",
        ),
        ({"publishers": 3, "reports": 1}, route(threshold=Threshold(reports=2)), None, "reports"),
        ({"status": "denied"}, route(), None, "nothing_stood"),
        ({"status": "denied", "history": (PLANNED_BEFORE,)}, route(), "first", "first"),
    ],
)
def test_the_first_message(about, rules, tell, reason):
    decision = decide(policy(rules), "desk", event(**about), None, NOW)
    assert (decision.tell, decision.reason) == (tell, reason)


@pytest.mark.parametrize(
    ("told", "now_is", "tell", "reason"),
    [
        ({}, {}, None, "unchanged"),
        ({}, {"place": BEIJING}, "loud", "place"),
        ({}, {"medium": "phone"}, "loud", "medium"),
        ({}, {"when": None}, "loud", "time"),
        ({"status": "planned"}, {"status": "held"}, "loud", "status"),
        ({"status": "planned"}, {"status": "postponed"}, "loud", "status"),
        ({"status": "planned"}, {"status": "rescheduled"}, "loud", "status"),
        ({"status": "planned"}, {"status": "unconfirmed"}, "quiet", "status"),
        ({}, {"status": "past"}, "quiet", "status"),
        ({}, {"participants": (PUTIN,)}, "loud", "participants"),
        ({}, {"publishers": 9}, "quiet", "coverage"),
        ({"publishers": 1}, {"publishers": 2}, "loud", "threshold"),
        ({"publishers": 1}, {"publishers": 1, "official": True}, "loud", "threshold"),
        ({}, {"brief": "Said anew [1]."}, "quiet", "text"),
        ({}, {"kind": "talks"}, "quiet", "text"),
        ({}, {"status": "denied"}, "retract", "retracted"),
        ({"status": "planned"}, {"status": "cancelled", "place": BEIJING}, "retract", "retracted"),
        ({}, {"status": "retracted", "sources": (), "publishers": 0, "reports": 0}, "retract", "retracted"),
        ({"status": "planned"}, {"status": "retracted", "last_seen": OLD, "confidence": 0.0}, "retract", "retracted"),
        ({"status": "denied"}, {"status": "held"}, "loud", "status"),
        ({"status": "retracted"}, {"status": "held"}, "loud", "status"),
        ({}, {"merged_into": "other"}, "merged", "merged"),
        ({"merged_into": "other"}, {"merged_into": "other"}, None, "unchanged"),
        ({}, {"place": BEIJING, "last_seen": OLD}, "quiet", "place"),
        ({}, {"status": "denied", "last_seen": OLD}, "retract", "retracted"),
        # what would no longer be told first is still corrected
        ({}, {"place": BEIJING, "confidence": 0.1}, "loud", "place"),
    ],
)
def test_updates(told, now_is, tell, reason):
    decision = decide(policy(), "desk", event(2, **{**told, **now_is}), event(1, **told), NOW, told_route="all")
    assert (decision.tell, decision.reason) == (tell, reason)


def test_a_receiver_that_can_not_edit_gets_no_quiet_updates():
    decision = decide(policy(), "desk", event(2, publishers=9), event(1), NOW, told_route="all", edits=False)
    assert (decision.tell, decision.reason) == (None, "no_edits")
    loud = decide(policy(), "desk", event(2, place=BEIJING), event(1), NOW, told_route="all", edits=False)
    assert loud.tell == "loud"


def test_the_first_route_that_matches_decides():
    strict = route(name="putin", match=Match(leaders=("vladimir-putin",)), threshold=Threshold(publishers=5))
    rules = policy(strict, route(name="all"))
    assert decide(rules, "desk", event(), None, NOW).reason == "publishers"
    other = event(participants=(PUTIN,))
    assert (
        decide(
            policy(route(name="x", match=Match(leaders=("nobody",))), route(name="all")), "desk", other, None, NOW
        ).route
        == "all"
    )


def test_updates_are_gathered_for_a_moment_and_wait_for_the_end_of_quiet_hours():
    assert decide(policy(), "desk", event(2, place=BEIJING), event(1), NOW).due == NOW + timedelta(seconds=5)
    hours = QuietHours(start="11:00", end="13:30", bypass=Match(kinds=("summit",)))
    rules = policy(route(quiet_hours=hours))
    held_back = decide(rules, "desk", event(2, place=BEIJING), event(1), NOW, told_route="r")
    assert held_back.due == datetime(2026, 2, 4, 13, 30, tzinfo=UTC)
    assert decide(rules, "desk", event(2, publishers=9), event(1), NOW, told_route="r").due == NOW + timedelta(
        seconds=5
    )
    assert decide(rules, "desk", event(kind="summit"), None, NOW).due is None


def test_a_silence_stops_first_messages_and_updates_of_its_receivers_until_it_ends():
    silence = Silence(
        id="s", match=Match(media=("video",)), until=NOW + timedelta(hours=1), reason="x", receivers=("desk",)
    )
    for told in (None, event(0)):
        decision = decide(policy(), "desk", event(place=BEIJING), told, NOW, silences=[silence])
        assert (decision.tell, decision.reason) == (None, "silenced")
    later = decide(policy(), "desk", event(), None, NOW + timedelta(hours=2), silences=[silence])
    assert later.tell == "first"
    assert decide(policy(receivers=("other",)), "other", event(), None, NOW, silences=[silence]).tell == "first"


def test_silences_of_the_configuration():
    rule = SilenceRule(match=Match(kinds=("call",)), until="2026-02-05T00:00:00+01:00", reason="known")
    (silence,) = configured([rule])
    assert silence.until == datetime(2026, 2, 4, 23, 0, tzinfo=UTC)
    assert decide(policy(silences=(silence,)), "desk", event(), None, NOW).reason == "silenced"


def test_every_reason_is_explained():
    assert set(EXPLAINED) == set(WHY_NOT)


def test_why_it_fired_names_route_and_grounds():
    text = why_fired(wording(), policy(), "all", event(publishers=1, official=True))
    assert "route “all”" in text
    assert "an official source, 1 publisher" in text
    assert "not yet confirmed by a second publisher" in why_fired(wording(), policy(), "all", event(publishers=1))


MATCHERS = {
    "leaders": (("xi-jinping", "x"), ("narendra-modi",)),
    "pairs": (("xi-jinping+vladimir-putin",), ("xi-jinping+narendra-modi",)),
    "countries": (("CN",), ("FR",)),
    "kinds": (("call", "visit"), ("visit",)),
    "media": (("video",), ("phone",)),
    "statuses": (("held",), ("planned",)),
    "forums": (("G20",), ("BRICS",)),
    "topics": (("energy",), ("ukraine",)),
    "min_confidence": (0.9, 0.95),
    "min_publishers": (2, 3),
    "min_reports": (2, 3),
    "min_participants": (2, 3),
    "official": (False, True),
}


@pytest.mark.parametrize("key", MATCHERS)
def test_each_matcher(key):
    about = event(forum="G20", topics=("energy", "trade"))
    yes, no = MATCHERS[key]
    assert matches(Match(**{key: yes}), about)
    assert not matches(Match(**{key: no}), about)


def test_every_key_of_a_matcher_is_tested():
    assert set(MATCHERS) == set(Match.__struct_fields__)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-02-04T20:59:00+00:00", None),
        ("2026-02-04T21:00:00+00:00", "2026-02-05T05:30:00+00:00"),
        ("2026-02-05T05:29:59+00:00", "2026-02-05T05:30:00+00:00"),
        ("2026-02-05T05:30:00+00:00", None),
        # summer time begins on 29 March 2026 at 02:00: this night is an hour shorter
        ("2026-03-28T21:30:00+00:00", "2026-03-29T04:30:00+00:00"),
        # the night of Saturday does not belong to the days below
        ("2026-02-07T22:00:00+00:00", None),
    ],
)
def test_quiet_hours_over_midnight_in_a_zone_with_summer_time(now, ends):
    days = ("mon", "tue", "wed", "thu", "fri", "sat") if "03-28" in now else ("mon", "tue", "wed", "thu", "fri")
    hours = QuietHours(start="22:00", end="06:30", zone="Europe/Berlin", days=days)
    expected = datetime.fromisoformat(ends) if ends else None
    assert quiet_until(hours, datetime.fromisoformat(now)) == expected


def test_the_next_digest_is_the_next_of_its_times():
    digest = Digest(at=("08:00", "18:00"), zone="Asia/Tokyo")
    assert next_digest(digest, NOW) == datetime(2026, 2, 4, 23, 0, tzinfo=UTC)
    assert next_digest(digest, datetime(2026, 2, 4, 23, 0, tzinfo=UTC)) == datetime(2026, 2, 5, 9, 0, tzinfo=UTC)


@given(
    st.floats(0, 365 * 86400).map(lambda s: NOW + timedelta(seconds=s)), st.sampled_from(["UTC", "America/New_York"])
)
def test_quiet_hours_always_end_and_the_end_is_not_quiet(moment, zone):
    hours = QuietHours(start="23:00", end="07:00", zone=zone)
    end = quiet_until(hours, moment)
    if end is not None:
        assert moment < end <= moment + timedelta(hours=9)
        assert quiet_until(hours, end) is None


STATUS = st.sampled_from(EVENT_STATUSES)
FACTS = st.fixed_dictionaries(
    {
        "status": STATUS,
        "kind": st.sampled_from(KINDS),
        "place": st.sampled_from([None, BEIJING, Place(name="Moscow", country="RU")]),
        "publishers": st.integers(1, 4),
        "official": st.booleans(),
    }
)


@given(FACTS, FACTS)
def test_a_decision_is_idempotent_and_quiet_only_without_material_news(before, after):
    told, new = event(1, **before), event(2, **after)
    decision = decide(policy(), "desk", new, told, NOW, told_route="all")
    assert decide(policy(), "desk", new, new, NOW, told_route="all").tell is None
    assert (decision.tell is None) == (not changes(told, new))
    if decision.tell == "quiet":
        assert set(changes(told, new).material) <= {"status", "place", "medium", "threshold"}


def test_policy_is_read_from_the_configuration():
    from monitor.config import Config

    rules = Policy.of(Config())
    assert rules.routes[0].receivers == ("console",)
    assert rules.max_age == timedelta(hours=24)


def test_the_heartbeat_speaks_once_when_articles_stop_and_once_when_they_are_back():
    after = timedelta(minutes=30)
    flow, said = ArticleFlow(10, NOW), []
    for minute, end in ((10, 10), (29, 10), (30, 10), (60, 10), (61, 11), (62, 12), (91, 12), (92, 12)):
        flow, news = observed(flow, end, after, NOW + timedelta(minutes=minute))
        said.append((minute, news))
    assert [item for item in said if item[1]] == [(30, "silent"), (61, "back"), (92, "silent")]
