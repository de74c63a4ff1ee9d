"""What holds for any mentions: the order within a day, repetition, interruption and serialisation change nothing."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.assemble import Assembly
from monitor.assemble.claims.sighting import sighting_of
from monitor.assemble.stored import EventState, unpack
from monitor.records import Event, Mention, Place, When
from tests.monitor.assemble.samples import WEDNESDAY, last, mention

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
    return list({(m.article_id, m.key, sighting_of(m).contact): m for m in told}.values())


def standing(revisions: list[Event]) -> set[bytes]:
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
    assert standing(feed(Assembly(), by_day)) == standing(feed(Assembly(), shuffled))


@settings(max_examples=150, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique), st.randoms(use_true_random=False))
def test_no_order_matters_while_nothing_closes(found, random):
    def told(ordered: list[Mention]) -> set[bytes]:
        assembly = Assembly()
        return standing([event for m in ordered for event in assembly.apply(m).events])

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


@settings(max_examples=100, deadline=None)
@given(st.lists(mentions(), min_size=1, max_size=14).map(unique))
def test_every_sentence_of_a_brief_ends_with_numbers_of_sources(found):
    for event in last(feed(Assembly(), found)).values():
        assert event.brief.endswith("].")
        numbers = {s.n for s in event.sources}
        for fact in event.facts.values():
            assert fact.sources
            assert set(fact.sources) <= numbers


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
        standing_ids = {key for key, state in states.items() if not state.into}
        assert {state.into for state in states.values()} <= {"", *standing_ids}
        assert {i for i, event in told.items() if event.merged_into is None} == standing_ids
        for event in told.values():
            target = event
            for _ in range(len(told)):
                if target.merged_into is None:
                    break
                target = told[target.merged_into]
            assert target.merged_into is None
