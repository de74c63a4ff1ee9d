"""Property tests: order within a day, repetition, interruption and serialisation do not change the events."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.assemble import Assembly
from monitor.assemble.brief.sentences import sentence, sentences
from monitor.assemble.claims.kept_mention import keep
from monitor.assemble.stored import EventState, unpack
from monitor.records import Event, Mention, Place, When
from tests.monitor.assemble.samples import WEDNESDAY, last, mention

pytestmark = pytest.mark.slow

_START = WEDNESDAY.date()
_WHO = (
    "putin xi", "putin xi", "putin modi", "macron starmer merz zelensky", "macron starmer merz", "putin modi murmu",
    "starmer zelensky",
)  # fmt: skip
_HOW = (("call", "video"), ("call", "phone"), ("meeting", "in_person"), ("talks", "unknown"), ("visit", "in_person"))
_STATUS = (
    "held", "held", "ongoing", "planned", "planned", "proposed", "postponed", "cancelled", "denied", "past",
)  # fmt: skip
_PLACES = (None, None, Place(name="Beijing", country="CN"), Place(name="Moscow", country="RU"))
_TEXTS = ("one text that several outlets carry word for word", "", "another text of some length")


@st.composite
def mentions(draw: st.DrawFn, max_days: int = 6) -> Mention:
    days = draw(st.integers(0, max_days - 1))
    published = WEDNESDAY + timedelta(days=days, hours=draw(st.sampled_from([-3, 0, 0, 4])))
    kind, medium = draw(st.sampled_from(_HOW))
    when = None
    if draw(st.booleans()):
        start = _START + timedelta(days=days + draw(st.integers(-2, 9)))
        when = When(start=start, end=start + timedelta(days=draw(st.sampled_from([0, 0, 0, 6]))))
    return mention(
        draw(st.sampled_from(_WHO)),
        draw(st.sampled_from(_STATUS)),
        published,
        kind=kind,
        medium=medium,
        when=when,
        place=draw(st.sampled_from(_PLACES)),
        forum=draw(st.sampled_from([None, None, None, "G20", "SCO"])),
        official=draw(st.booleans()),
        speaks_for=draw(st.sampled_from(["", "RU", "CN"])),
        article=f"a{draw(st.integers(0, 60))}-{days}",
        excerpt=draw(st.sampled_from(_TEXTS)),
    )


def unique(found: list[Mention]) -> list[Mention]:
    """One article for each id, which may tell of several contacts but of each one only once."""
    sources = {m.article_id: m.source for m in reversed(found)}
    told = [msgspec.structs.replace(m, source=sources[m.article_id]) for m in found]
    return list({(m.article_id, m.key, keep(m).contact): m for m in told}.values())


def seen_in_the_end(revisions: list[Event]) -> set[bytes]:
    """What a reader would see of each event in the end: everything but its name and how it came about."""
    return {
        msgspec.json.encode(msgspec.structs.replace(e, event_id="", revision=0, history=(), redirects=()))
        for e in last(revisions).values()
    }


def feed(assembly: Assembly, found: list[Mention]) -> list[Event]:
    told: list[Event] = []
    for m in found:
        assert m.source is not None
        assert m.source.published is not None
        told += assembly.advance(m.source.published).events
        told += assembly.apply(m).events
    return told


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique), st.randoms(use_true_random=False))
def test_the_order_within_a_day_does_not_matter(found, random):
    by_day = sorted(found, key=lambda m: m.source.published.date())
    shuffled = sorted(random.sample(found, len(found)), key=lambda m: m.source.published.date())
    assert seen_in_the_end(feed(Assembly(), by_day)) == seen_in_the_end(feed(Assembly(), shuffled))


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique), st.randoms(use_true_random=False))
def test_no_order_matters_while_nothing_closes(found, random):
    def told(ordered: list[Mention]) -> set[bytes]:
        assembly = Assembly()
        return seen_in_the_end([event for m in ordered for event in assembly.apply(m).events])

    assert told(found) == told(random.sample(found, len(found)))


@settings(max_examples=100, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=12).map(unique))
def test_a_mention_twice_is_a_mention_once(found):
    assembly = Assembly()
    feed(assembly, found)
    before = dict(assembly.states())
    for m in found:
        assert not assembly.apply(m)
    assert dict(assembly.states()) == before


@settings(max_examples=100, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=12).map(unique), st.integers(0, 12))
def test_stopping_and_going_on_from_the_stored_state_changes_nothing(found, cut):
    found.sort(key=lambda m: m.source.published)
    straight = Assembly()
    expected = feed(straight, found)

    first = Assembly()
    told = feed(first, found[:cut])
    second = Assembly.restore([data for _, data in first.states()])
    told += feed(second, found[cut:])

    assert told == expected
    assert dict(second.states()) == dict(straight.states())


@settings(max_examples=60, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=10).map(unique))
def test_the_stored_keys_are_all_that_a_table_needs(found):
    """The agent writes what an outcome names; what the table then holds is the whole state."""
    assembly, table = Assembly(), {}
    for m in sorted(found, key=lambda m: m.source.published):
        for outcome in (assembly.advance(m.source.published), assembly.apply(m)):
            for key in outcome.stored:
                table[key] = assembly.state(key)
            for key in outcome.removed:
                del table[key]
    assert table == dict(assembly.states())


#: The statuses of mentions that say what an event's status says.
_ALIKE = {
    "held": {"held", "ongoing"},
    "unconfirmed": {"planned", "proposed", "rescheduled"},
    "rescheduled": {"rescheduled", "postponed", "planned"},
}


def makes(m: Mention, fact: str, value: Any) -> bool:
    """Whether a mention makes a claim; `value` is in the JSON form of the fact."""
    match fact:
        case "status":
            return m.status in _ALIKE.get(value, {value})
        case "when":
            return m.source.published.date().isoformat() == value["end"] if value["granularity"] == "reported" else (
                m.when is not None
                and m.when.start.isoformat() <= value["end"]
                and value["start"] <= m.when.end.isoformat()
            )  # fmt: skip
        case "place":
            return m.place is not None and m.place.name == value["name"]
        case "participants":
            return sorted(p.leader for p in m.participants) == sorted(value)
        case _:
            return getattr(m, fact) == value


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique))
def test_each_source_of_a_sentence_makes_a_claim_that_the_sentence_states(found):
    for event in last(feed(Assembly(), found)).values():
        told = {s.n: [m for m in found if m.article_id == s.article_id] for s in event.sources}
        stated = sentences(event)
        assert 1 <= len(stated) <= 3
        assert event.brief == " ".join(sentence(pieces) for pieces in stated)
        for pieces in stated:
            for piece in pieces:
                for n in piece.sources:
                    assert any(_states(m, name, event) for m in told[n] for name in piece.facts), (piece, event.brief)


def _states(m: Mention, name: str, event: Event) -> bool:
    """Whether a mention claims the value of a fact, or the other one that is told beside it."""
    if name == "quote":
        return any(s.title == m.source.title for s in event.sources)
    if name == "confirmed":
        return m.source.official and any(p.country == m.source.speaks_for for p in event.participants)
    others = event.alternatives.get(name, ())
    return any(makes(m, name, fact.value) for fact in (event.facts[name], *others[:1]))


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique))
def test_each_source_of_a_fact_makes_that_claim(found):
    for event in last(feed(Assembly(), found)).values():
        told = {s.n: [m for m in found if m.article_id == s.article_id] for s in event.sources}
        for name, fact in event.facts.items():
            assert fact.sources
            for n in fact.sources:
                assert any(makes(m, name, fact.value) for m in told[n]), (name, fact, event)


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=12).map(unique), st.data())
def test_a_source_that_is_dropped_is_never_cited(found, data):
    """What stands after an article took everything back is what would stand without it."""
    found.sort(key=lambda m: m.source.published)
    dropped = data.draw(st.sampled_from(found))
    source = msgspec.structs.replace(dropped.source, revision=1)
    withdrawal = msgspec.structs.replace(dropped, participants=(), withdraws="older", source=source)
    assembly = Assembly()
    told = feed(assembly, found)
    told += assembly.apply(withdrawal).events
    rest = [m for m in found if m.article_id != dropped.article_id]
    left = [e for e in last(told).values() if e.status != "retracted"]
    for event in left:
        assert dropped.article_id not in {s.article_id for s in event.sources}
        cited = {int(n) for group in re.findall(r"\[([\d, ]+)\]", event.brief) for n in group.split(", ")}
        assert cited <= {s.n for s in event.sources}
    without = last(feed(Assembly(), rest)).values()
    assert {(e.status, e.brief) for e in left} == {(e.status, e.brief) for e in without}
    assert not assembly.apply(withdrawal)


@settings(max_examples=100, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique))
def test_revisions_count_from_one_and_each_says_what_changed(found):
    seen: dict[str, int] = {}
    for event in feed(Assembly(), found):
        assert event.revision == seen.get(event.event_id, 0) + 1
        assert event.history[-1].revision == event.revision
        seen[event.event_id] = event.revision


@settings(max_examples=100, deadline=None)
@given(st.lists(mentions(max_days=3), min_size=1, max_size=14))
def test_every_standing_event_is_told_and_every_merged_one_leads_to_it(found):
    """Also with several contacts in one article and with articles that are corrected."""
    assembly = Assembly()
    told = {}
    for number, m in enumerate(found):
        assert m.source is not None
        revised = msgspec.structs.replace(m, source=msgspec.structs.replace(m.source, revision=number % 3))
        for event in assembly.apply(revised).events:
            told[event.event_id] = event
        states = {key: unpack(data) for key, data in assembly.states()}
        states = {key: state for key, state in states.items() if isinstance(state, EventState)}
        assert {state.into for state in states.values()} <= {i for i, state in states.items() if not state.into} | {""}
        # What is known from background alone is kept, and not told.
        standing_ids = {key for key, state in states.items() if not state.into and state.revision}
        assert {i for i, event in told.items() if event.merged_into is None} == standing_ids
        for event in told.values():
            target = event
            for _ in range(len(told)):
                if target.merged_into is None:
                    break
                target = told[target.merged_into]
            assert target.merged_into is None
