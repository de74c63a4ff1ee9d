"""Test how pairs become contacts: a summit is one contact, calls with several leaders are separate ones."""

from __future__ import annotations

from itertools import combinations

from monitor.detect.reader.groups import LikelyContact, contacts_of, gatherings

STATUSES = ("none", "held", "ongoing", "planned", "rescheduled", "proposed", "postponed", "cancelled", "denied", "past")


def told(status: str, share: float = 0.9) -> dict[str, float]:
    rest = (1 - share) / (len(STATUSES) - 1)
    return {one: share if one == status else rest for one in STATUSES}


def sets(pairs: dict[tuple[str, str], dict[str, float]], *rules: frozenset[str]) -> list[str]:
    return ["+".join(sorted(one.leaders)) for one in contacts_of(pairs, rules, 0.5)]


def test_a_pair_is_a_contact() -> None:
    assert sets({("a", "b"): told("held")}) == ["a+b"]
    assert sets({("a", "b"): told("none")}) == []


def test_three_who_are_each_with_each_are_one_contact() -> None:
    assert sets({pair: told("held") for pair in combinations("abc", 2)}) == ["a+b+c"]


def test_a_call_with_two_others_is_two_calls() -> None:
    pairs = {("a", "b"): told("held"), ("a", "c"): told("held"), ("b", "c"): told("none")}
    assert sets(pairs) == ["a+b", "a+c"]


def test_a_contact_held_and_another_planned_stay_apart() -> None:
    pairs = {("a", "b"): told("held"), ("a", "c"): told("planned"), ("b", "c"): told("planned")}
    assert sets(pairs) == ["a+b", "a+c", "b+c"]


def test_a_set_of_the_rules_is_kept_whole_when_its_pairs_agree_on_the_whole() -> None:
    pairs = {("a", "b"): told("held"), ("a", "c"): told("held"), ("b", "c"): told("held", 0.45)}
    assert sets(pairs, frozenset("abc")) == ["a+b+c"]


def test_a_set_of_the_rules_is_broken_up_by_a_pair_that_speaks_against_it() -> None:
    pairs = {("a", "b"): told("held"), ("a", "c"): told("held"), ("b", "c"): told("none", 0.95)}
    assert sets(pairs, frozenset("abc")) == ["a+b", "a+c"]


def test_a_meeting_of_two_on_the_sidelines_is_one_of_its_own() -> None:
    pairs = {pair: told("held") for pair in combinations("abc", 2)}
    assert sets(pairs, frozenset("abc"), frozenset("ab")) == ["a+b", "a+b+c"]


def test_two_of_one_body_need_no_opinion_of_each_other() -> None:
    pairs = {("a", "x"): told("held"), ("b", "x"): told("held")}
    assert sets(pairs, frozenset("abx")) == ["a+b+x"]


def test_a_host_with_each_of_the_guests_of_a_summit_is_one_contact() -> None:
    pairs = [LikelyContact(frozenset(pair), told("held")) for pair in ("ab", "ac", "cd")]
    assert ["".join(sorted(one.leaders)) for one in gatherings(pairs)] == ["abcd"]


def test_summits_without_a_leader_in_common_or_of_another_status_stay_apart() -> None:
    summits = [LikelyContact(frozenset("ab"), told("held")), LikelyContact(frozenset("ac"), told("planned"))]
    assert gatherings([*summits, LikelyContact(frozenset("xy"), told("held"))]) == [
        *summits,
        LikelyContact(frozenset("xy"), told("held")),
    ]
