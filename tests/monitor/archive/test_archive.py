"""Test that the archive returns what was stored, after repetitions, restarts, merges and a change of its format."""

from __future__ import annotations

import random
import sqlite3
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from monitor.archive import (
    Archive,
    Batch,
    EventFilters,
    KeptRecord,
    LeaderNames,
    SelectionError,
    archive_queries,
    archive_writer,
    pair_contacts,
    write,
)
from monitor.errors import StateError
from monitor.records import Change, Event, Place, When
from monitor.watchlist import bundled
from tests.monitor.archive.samples import NOW, PEOPLE, TODAY, archive, batch, event, planned

NAMES = LeaderNames(bundled())


def ids(found: Archive, **query: str) -> list[str]:
    selection = EventFilters.parse(query.items())
    return [entry.event.event_id for entry in archive_queries.events(found, NAMES, selection).entries]


def test_events_come_by_their_last_change(tmp_path):
    found = archive(tmp_path, event("old", days_ago=3), event("new"), event("middle", days_ago=1))
    assert ids(found) == ["new", "middle", "old"]
    changed = replace(
        event("old", days_ago=3), revision=2, status="denied",
        history=(Change(revision=2, at=NOW + timedelta(hours=1), changed={"status": ("held", "denied")}),),
    )  # fmt: skip
    assert write(found, batch(changed)) == ["old"]
    assert ids(found) == ["old", "new", "middle"]


def test_that_an_event_was_closed_is_no_change(tmp_path):
    closed = replace(
        event("old", days_ago=3),
        history=(*event("old", days_ago=3).history, Change(revision=2, at=NOW, changed={"closed": (None, True)})),
    )
    assert ids(archive(tmp_path, closed, event("new", days_ago=1))) == ["new", "old"]


def test_a_batch_that_comes_again_or_late_changes_nothing(tmp_path):
    found = archive(tmp_path, replace(event(), revision=3))
    version = found.version()
    assert write(found, batch(replace(event(), revision=3))) == []
    assert write(found, batch(replace(event(), revision=2, status="denied"))) == []
    assert found.version() == version
    assert ids(found, status="held") == ["ev-1"]


def test_the_state_is_what_was_committed(tmp_path):
    found = archive(tmp_path, event("a"))
    with pytest.raises(sqlite3.Error), found.writing() as connection:  # noqa: PT012  # the block is the transaction
        connection.execute("DELETE FROM events")
        connection.execute("not SQL")
    found.close()
    again = Archive(tmp_path / "board.sqlite", "test")
    assert ids(again) == ["a"]
    assert again.offsets() == {("events", 0): 1}
    assert again.identity == found.identity


@pytest.mark.parametrize("spoil", ["origin", "form", "garbage"])
def test_a_file_of_another_form_or_origin_is_made_anew(tmp_path, spoil):
    found = archive(tmp_path, event())
    if spoil == "form":
        found.set_meta("form", "0")
    found.close()
    if spoil == "garbage":
        (tmp_path / "board.sqlite").write_bytes(b"no database" * 1000)
    again = Archive(tmp_path / "board.sqlite", "other" if spoil == "origin" else "test")
    assert ids(again) == []
    assert again.offsets() == {}


def test_a_place_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="can't be opened"):
        Archive(tmp_path / "file" / "board.sqlite", "test")


def test_a_merged_event_leads_to_the_other_one(tmp_path):
    found = archive(tmp_path, event("a"), event("b"))
    write(
        found,
        batch(replace(event("a"), revision=2, merged_into="b"), replace(event("b"), revision=2, redirects=("a",))),
    )
    assert ids(found) == ["b"]
    assert ids(found, q="video call") == ["b"]
    assert archive_queries.redirect(found, "a") == "b"
    assert archive_queries.redirect(found, "b") == ""
    write(found, batch(replace(event("b"), revision=3, merged_into="c"), event("c")))
    assert archive_queries.redirect(found, "a") == "c"
    assert [pair.total for pair in pair_contacts.pairs(found, NAMES, EventFilters(), TODAY)] == [1]


def test_pages_follow_each_other_without_gap_or_repeat(tmp_path):
    found = archive(tmp_path, *(event(f"ev-{n:02}", days_ago=n // 3) for n in range(20)))
    seen, after = [], ""
    while True:
        page = archive_queries.events(found, NAMES, EventFilters(), after=after, limit=3)
        seen += [entry.event.event_id for entry in page.entries]
        # What comes while somebody turns pages is no reason to show anything twice.
        write(found, batch(event(f"later-{len(seen)}", days_ago=-1)))
        if not page.after:
            break
        after = page.after
    assert sorted(seen) == [f"ev-{n:02}" for n in range(20)]
    with pytest.raises(SelectionError, match="after"):
        archive_queries.events(found, NAMES, EventFilters(), after="nonsense!")


FILTERED = (
    ({"leader": "xi-jinping"}, {"call", "plan"}),
    ({"leader": "xi-jinping,emmanuel-macron"}, {"call", "plan", "paris"}),
    ({"pair": "xi-jinping+vladimir-putin"}, {"call"}),
    ({"pair": "emmanuel-macron xi-jinping"}, {"plan"}),
    ({"country": "fr"}, {"plan", "paris"}),
    ({"kind": "visit"}, {"plan"}),
    ({"medium": "in_person"}, {"plan", "paris"}),
    ({"status": "planned,held", "country": "CN"}, {"call", "plan"}),
    ({"confidence": "0.7"}, {"call", "plan"}),
    ({"confirmed": "yes"}, {"call"}),
    ({"confirmed": "no"}, {"plan", "paris"}),
    ({"since": "2026-02-05"}, {"plan"}),
    ({"until": "2026-02-03"}, {"paris"}),
    ({"q": "ukraine"}, {"paris"}),
)


@pytest.mark.parametrize(("query", "wanted"), FILTERED, ids=[str(query) for query, _ in FILTERED])
def test_each_filter_lets_pass_what_it_says(tmp_path, query, wanted):
    found = archive(
        tmp_path,
        event("call", confirmed_by=("xi-jinping",)),
        planned("plan", "macron xi", date(2026, 2, 20)),
        event(
            "paris",
            "macron merz",
            2,
            kind="meeting",
            medium="in_person",
            confidence=0.5,
            brief="They spoke of Ukraine.",
        ),
    )
    selection = EventFilters.parse(query.items())
    assert set(ids(found, **query)) == wanted
    assert archive_queries.count(found, NAMES, selection) == len(wanted)
    everything = ["call", "plan", "paris"]
    assert {entry.event.event_id for entry in archive_queries.matching(found, NAMES, selection, everything)} == wanted
    assert {entry.event.event_id for entry in archive_queries.since(found, NAMES, selection, 0)} == wanted


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("leader", "Xi Jinping"), ("pair", "xi-jinping"), ("country", "China"), ("kind", "party"), ("medium", "fax"),
        ("status", "done"), ("confidence", "2"), ("confidence", "nan"), ("confirmed", "perhaps"),
        ("since", "yesterday"), ("leaders", "xi-jinping"),
    ],
)  # fmt: skip
def test_a_filter_with_a_slip_is_an_error(key, value):
    with pytest.raises(SelectionError) as caught:
        EventFilters.parse([(key, value)])
    assert caught.value.key == key


@given(
    st.builds(
        EventFilters,
        leader=st.lists(st.sampled_from(["xi-jinping", "vladimir-putin"]), unique=True).map(tuple),
        pair=st.sampled_from([(), (("narendra-modi", "xi-jinping"),)]),
        country=st.sampled_from([(), ("FR",), ("FR", "EU")]),
        status=st.sampled_from([(), ("held", "planned")]),
        confidence=st.sampled_from([0.0, 0.25, 1.0]),
        confirmed=st.sampled_from([None, True, False]),
        since=st.sampled_from([None, date(2026, 1, 1)]),
        q=st.sampled_from(["", "gas deal", "普京", "a&b=c+d"]),
    )
)
@pytest.mark.slow
def test_a_view_can_be_shared_by_its_address(selection):
    from urllib.parse import parse_qsl

    assert EventFilters.parse(parse_qsl(selection.query())) == selection


def test_what_is_kept_beside_events_is_replaced_and_removed(tmp_path):
    found = archive(tmp_path, event("a"), event("b"))

    def put(key: str, body: bytes) -> list[str]:
        return write(found, Batch(kept=[KeptRecord("ack", key, body, key, NOW)]))

    assert put("a", b"1") == ["a"]
    assert put("a", b"1") == []
    assert put("a", b"2") == ["a"]
    assert [kept.body for kept in archive_queries.kept(found, "ack", event_id="a")] == [b"2"]
    assert put("a", b"") == ["a"]
    assert archive_queries.kept(found, "ack") == []


def test_pairs_count_what_took_place(tmp_path):
    found = archive(
        tmp_path,
        event("a"), event("b", days_ago=10, kind="meeting"), event("c", days_ago=30), event("d", days_ago=900),
        event("e", days_ago=5, status="denied"), planned("f", "putin xi", date(2026, 3, 1)),
        event("g", "macron merz", 400),
    )  # fmt: skip
    first, second = pair_contacts.pairs(found, NAMES, EventFilters(), TODAY)
    assert first.leaders == ("vladimir-putin", "xi-jinping")
    assert (first.last, first.total, first.in_year, first.year) == (TODAY, 4, 3, {"call": 2, "meeting": 1})
    assert (second.total, second.in_year) == (1, 0)
    assert pair_contacts.pairs(found, NAMES, EventFilters(leader=("emmanuel-macron",)), TODAY) == [second]
    rhythm = pair_contacts.cadence(found, first.leaders, TODAY)
    assert rhythm is not None
    assert (rhythm.contacts, rhythm.median, rhythm.longest, rhythm.since_last) == (4, 20, 870, 0)
    assert pair_contacts.cadence(found, ("a", "b"), TODAY) is None
    months = dict(pair_contacts.by_month(found, first.leaders, TODAY))
    assert (months[date(2026, 2, 1)], months[date(2026, 1, 1)], months[date(2025, 12, 1)]) == (1, 2, 0)
    assert pair_contacts.busiest(found, TODAY, 5) == ["vladimir-putin", "xi-jinping"]
    assert pair_contacts.matrix(found, first.leaders) == {first.leaders: (TODAY, 4)}


def test_a_large_gathering_is_no_contact_of_each_with_each(tmp_path):
    from tests.monitor.archive.samples import PEOPLE

    crowd = tuple(replace(PEOPLE["xi"], leader=f"leader-{n}") for n in range(20))
    found = archive(tmp_path, replace(event("summit"), participants=crowd))
    assert pair_contacts.pairs(found, NAMES, EventFilters(), TODAY) == []
    assert len(pair_contacts.leaders(found, NAMES, EventFilters())) == 20


def test_the_calendar_has_what_touches_its_days(tmp_path):
    week = When(start=date(2026, 2, 27), end=date(2026, 3, 5), granularity="week")
    found = archive(
        tmp_path,
        planned("on", "putin xi", date(2026, 3, 1)),
        replace(planned("over", "macron xi", TODAY), when=week),
        planned("after", "macron merz", date(2026, 4, 1)),
        replace(event("undated"), when=None),
    )
    march = (date(2026, 3, 1), date(2026, 3, 31))
    entries = archive_queries.between(found, NAMES, EventFilters(), march)
    assert [entry.event.event_id for entry in entries] == ["over", "on"]


def test_places_lie_where_they_are():
    from monitor.archive import atlas

    assert atlas.position(Place(name="Beijing", country="CN")) == pytest.approx((39.9, 116.4), abs=0.1)
    assert atlas.position(Place(name="", country="FR")) == atlas.position(Place(name="Paris", country="FR"))
    assert atlas.position(Place(name="Nowhere at all", country="FR")) is None
    assert atlas.position(Place(name="Oslo", country="NO")) is not None, "NO is no false"
    assert atlas.project(0, 0) == (atlas.WIDTH / 2, atlas.HEIGHT / 2)
    west, east = atlas.project(40, -100), atlas.project(40, 100)
    assert west[0] + east[0] == pytest.approx(atlas.WIDTH)
    assert west[1] == east[1] < atlas.HEIGHT / 2
    corners = [atlas.project(*corner) for corner in ((90, 180), (-90, -180), (0, 180), (0, -180))]
    assert all(-1 <= x <= atlas.WIDTH + 1 and -1 <= y <= atlas.HEIGHT + 1 for x, y in corners)
    assert atlas.land().startswith("M")


def test_every_city_of_detection_has_its_position():
    from monitor.archive import atlas
    from monitor.yaml_text import parse_data_file
    from tests.test_project import ROOT

    cities = parse_data_file(ROOT / "monitor" / "detect" / "data" / "places.yaml")["cities"]
    missing = [
        (country, city)
        for country, names in cities.items()
        for city in names
        if atlas.position(Place(name=city, country=country)) is None
    ]
    assert missing == []


@pytest.mark.slow
def test_one_large_batch_makes_what_many_small_ones_make(tmp_path):
    """The rows of a batch are written table by table; no order of arrival may show in them."""
    chance = random.Random(5)
    told: list[Event] = []
    for n in range(300):
        who = " ".join(chance.sample(list(PEOPLE), chance.choice((2, 3))))
        made = event(
            f"e{chance.randrange(80)}", who, chance.randrange(90), revision=chance.randrange(1, 5),
            status=chance.choice(("held", "planned", "denied")), brief=f"No. {n % 7} на 普京 [1].",
            merged_into=chance.choice((None, None, None, "e1")), redirects=chance.choice(((), (f"old{n}",))),
        )  # fmt: skip
        told.append(made)
    (tmp_path / "one").mkdir()
    (tmp_path / "many").mkdir()
    one, many = archive(tmp_path / "one", *told), archive(tmp_path / "many")
    for number, each in enumerate(told):
        write(many, batch(each, offset=number))
    tables = {
        "events": "id, revision, changed, day, status, merged_into",
        "participants": "leader, changed, country, name, (SELECT id FROM events AS e WHERE e.n = participants.n)",
        "contacts": "a, b, day, kind, (SELECT id FROM events AS e WHERE e.n = contacts.n)",
        "words": "text, (SELECT id FROM events AS e WHERE e.n = words.rowid)",
        "shorts": "text, (SELECT id FROM events AS e WHERE e.n = shorts.rowid)",
        "bodies": "body, (SELECT id FROM events AS e WHERE e.n = bodies.n)",
    }
    for table, columns in tables.items():
        left, right = (
            sorted(map(tuple, each.reader.execute(f"SELECT {columns} FROM {table}")), key=repr) for each in (one, many)
        )
        assert left == right, table
    one.close()
    many.close()


def test_a_revision_that_says_something_else_counts_and_one_that_says_the_same_does_not(tmp_path):
    found = archive(tmp_path, event("a"))
    version = found.version()
    assert write(found, batch(event("a"))) == []
    assert found.version() == version
    assert write(found, batch(event("a", brief="Another word for it [1]."))) == ["a"]
    assert write(found, batch(replace(event("a"), revision=0))) == []
    found.close()


def test_leaders_are_filtered_by_any_of_their_names():
    def pair(text: str) -> tuple[tuple[str, str], ...]:
        return EventFilters.parse([("pair", text)], people=NAMES).pair

    for text in ("vladimir-putin", "Vladimir Putin", "Путин", "普京", "putin"):
        assert EventFilters.parse([("leader", text)], people=NAMES).leader == ("vladimir-putin",)
    for text in ("vladimir-putin xi-jinping", "Xi Jinping + Путин", "xi putin", "Vladimir Putin and Xi Jinping"):
        assert pair(text) == (("vladimir-putin", "xi-jinping"),)
    # Somebody whom only the coverage names, by their id.
    assert EventFilters.parse([("leader", "a-new-one")], people=NAMES).leader == ("a-new-one",)
    for key, text in (("leader", "Nobody Ever"), ("pair", "Putin + Putin"), ("pair", "Putin + Xi + Modi")):
        with pytest.raises(SelectionError):
            EventFilters.parse([(key, text)], people=NAMES)


@pytest.mark.slow
@pytest.mark.parametrize("bad", [{"revision": 2**64}, {"publishers": 2**70}, {"revision": -1}])
def test_an_event_that_the_tables_can_not_hold_costs_itself_only(tmp_path, bad):
    """Else the board would stop at it for ever: what is not taken in comes again at each start."""
    found = archive(tmp_path)
    taken = batch(event("before"), replace(event("bad"), **bad), event("after", days_ago=1))
    taken.kept.append(KeptRecord("ack", "k", b"{}", "after"))
    taken.offsets["events", 0] = 4
    assert set(write(found, taken)) == {"before", "after"}
    assert ids(found) == ["before", "after"]
    assert found.offsets() == {("events", 0): 4}


def test_a_file_that_can_not_be_written_is_no_records_fault(tmp_path, monkeypatch):
    def full(*_):
        raise sqlite3.OperationalError("database or disk is full")

    found = archive(tmp_path)
    before = found.offsets()
    monkeypatch.setattr(archive_writer, "_put_events", full)
    taken = batch(event("one"))
    taken.offsets["events", 0] = 99
    with pytest.raises(sqlite3.OperationalError):
        write(found, taken)
    assert found.offsets() == before
