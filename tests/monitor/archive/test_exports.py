"""Test every export by reading it with another program's reader, with hostile texts too."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, date, datetime

import feedparser
import icalendar
import pytest
from msgspec.structs import replace

from monitor.archive.exports import FORMATS, ExportItem, ExportOrigin, was_planned, write_json_feed
from monitor.archive.exports.codings import codings
from monitor.archive.exports.schemaorg import STATUSES
from monitor.records import EVENT_STATUSES, Change, Event, Place, When, decode
from monitor.watchlist import bundled
from tests.monitor.archive.samples import HOSTILE, HOSTILE_URL, NOW, PEOPLE, event, planned, source

ORIGIN = ExportOrigin("https://board.example", "https://board.example/events.atom", "https://board.example/", "Desk")
EVENTS = (
    event("held"),
    planned("plan", "macron xi", date(2026, 2, 20)),
    replace(planned("off", "macron merz", date(2026, 2, 25)), status="cancelled", revision=4),
    replace(event("undated", "merz modi"), when=None, place=Place(name="", country="DE")),
)


def written(name: str, *events: Event) -> bytes:
    return b"".join(FORMATS[name].write((ExportItem(each) for each in events), ORIGIN))


def lines(name: str, *events: Event) -> list[dict]:
    return [json.loads(line) for line in written(name, *events).splitlines()]


@pytest.mark.parametrize("name", FORMATS)
def test_nothing_makes_a_valid_document_of_nothing(name):
    assert isinstance(written(name), bytes)


def test_lines_are_the_events_themselves():
    assert [decode(Event, line) for line in written("jsonl", *EVENTS).splitlines()] == list(EVENTS)


def test_csv_is_read_as_rows():
    rows = list(csv.DictReader(io.StringIO(written("csv", *EVENTS).decode(), newline="")))
    assert [row["event_id"] for row in rows] == [each.event_id for each in EVENTS]
    assert (rows[1]["leaders"], rows[1]["date_start"]) == ("emmanuel-macron;xi-jinping", "2026-02-20")
    assert (rows[1]["place"], rows[0]["url"]) == ("Paris", "https://board.example/events/held")


def test_a_cell_is_no_formula():
    rows = list(csv.DictReader(io.StringIO(written("csv", event(brief="=cmd|' /C calc'!A0")).decode(), newline="")))
    assert rows[0]["brief"].startswith("'=")


def test_atom_is_read_by_feedparser():
    feed = feedparser.parse(written("atom", *EVENTS))
    assert not feed.bozo
    assert [entry.id for entry in feed.entries] == [f"tag:summitry,2026:event:{each.event_id}" for each in EVENTS]
    assert feed.entries[0].link == "https://board.example/events/held"
    assert feed.entries[0].summary == EVENTS[0].brief
    assert feed.feed.links[0].href == ORIGIN.address


def test_an_updated_event_is_an_updated_entry():
    later = Change(revision=2, at=datetime(2026, 2, 5, tzinfo=UTC), changed={"status": ("held", "denied")})
    changed = replace(EVENTS[0], revision=2, status="denied", history=(*EVENTS[0].history, later))
    (old,), (new,) = (
        feedparser.parse(written("atom", EVENTS[0])).entries,
        feedparser.parse(written("atom", changed)).entries,
    )
    assert old.id == new.id
    assert (old.updated, new.updated) == ("2026-02-04T12:00:00Z", "2026-02-05T00:00:00Z")
    assert old.published == new.published


def test_json_feed_has_what_the_format_asks_for():
    feed = json.loads(b"".join(write_json_feed(map(ExportItem, EVENTS), ORIGIN)))
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["title"] == "Desk"
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert item["content_text"]
        assert item["date_modified"].endswith("Z")


def test_the_calendar_is_read_by_icalendar():
    calendar = icalendar.Calendar.from_ical(written("ics", *EVENTS))
    found = {str(each["UID"]): each for each in calendar.walk("VEVENT")}
    assert set(found) == {"held", "plan", "off"}, "without a date there is no place in a calendar"
    assert (str(found["plan"]["STATUS"]), str(found["off"]["STATUS"]), str(found["held"]["STATUS"])) == (
        "TENTATIVE", "CANCELLED", "CONFIRMED",
    )  # fmt: skip
    assert found["off"]["SEQUENCE"] == 4
    assert found["plan"].decoded("DTSTART") == date(2026, 2, 20)
    assert found["plan"].decoded("DTEND") == date(2026, 2, 21), "the end is the first day that is no part of it"
    assert str(found["plan"]["LOCATION"]) == "Paris, FR"


def test_calendar_lines_are_short_and_whole():
    text = written("ics", event(brief="Ж普" * 300))
    assert max(len(line) for line in text.split(b"\r\n")) <= 75
    text.replace(b"\r\n ", b"").decode()
    (found,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    assert str(found["DESCRIPTION"]) == "Ж普" * 300


def test_what_was_planned_stays_in_the_calendar_when_it_took_place():
    change = Change(revision=2, at=NOW, changed={"status": ("planned", "held")})
    assert was_planned(replace(event(), history=(change,)))
    assert was_planned(planned("p", "macron xi", NOW.date()))
    assert not was_planned(event())


def test_cameo_codes_both_sides_of_a_visit():
    rows = list(
        csv.DictReader(io.StringIO(written("cameo", replace(EVENTS[1], status="held")).decode()), delimiter="\t")
    )
    assert [(row["source"], row["code"], row["target"]) for row in rows] == [
        ("CHNGOV", "042", "FRAGOV"),
        ("FRAGOV", "043", "CHNGOV"),
    ]


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({}, ["041"]),
        ({"medium": "phone"}, ["041"]),
        ({"medium": "unknown"}, ["040"]),
        ({"medium": "in_person", "place": Place(name="Cairo", country="EG")}, ["044"]),
        ({"participants": (PEOPLE["putin"], PEOPLE["xi"], PEOPLE["modi"])}, ["040", "040", "040"]),
        ({"status": "planned"}, ["036"]),
        ({"status": "postponed"}, ["161"]),
        ({"status": "cancelled"}, ["164"]),
        ({"status": "denied"}, []),
    ],
)
def test_cameo_codes(changed, codes):
    rows = csv.DictReader(io.StringIO(written("cameo", replace(event(), **changed)).decode()), delimiter="\t")
    assert [row["code"] for row in rows] == codes


def test_plover_has_actor_recipient_and_mode():
    visit = replace(EVENTS[1], status="held")
    (line,) = lines("plover", visit)
    assert (line["event"], line["mode"]) == (["CONSULT"], ["visit"])
    assert (line["actor"][0]["code"], line["recipient"][0]["code"]) == ("CHN", "FRA")
    assert line["actor"][0]["identifier_id"] == bundled().leaders["xi-jinping"].wikidata
    (many,) = lines("plover", replace(event(), participants=(PEOPLE["putin"], PEOPLE["xi"], PEOPLE["modi"])))
    assert (len(many["actor"]), many["recipient"], many["mode"]) == (3, [], ["multilateral"])
    (plan,) = lines("plover", EVENTS[1])
    assert (plan["event"], plan["comment"]) == (["AGREE"], "future")


@pytest.mark.parametrize("status", EVENT_STATUSES)
def test_each_status_is_coded_or_left_out_on_purpose(status):
    each = replace(event(), status=status)
    assert len(lines("plover", each)) == (status in codings().plover_status)
    assert (len(lines("schemaorg", each)) == 1) is (status in STATUSES)
    assert len(written("cameo", each).splitlines()) - 1 == (status in {*codings().cameo_status, "held", "ongoing"})


def test_schemaorg_says_where_when_and_how():
    (line,) = lines("schemaorg", EVENTS[1])
    assert line["eventStatus"] == "https://schema.org/EventScheduled"
    assert line["location"]["geo"]["latitude"] == pytest.approx(48.85, abs=0.1)
    moved = replace(
        EVENTS[1], status="rescheduled",
        history=(Change(revision=2, at=NOW, changed={"when": ({"start": "2026-02-10", "end": "2026-02-10"}, None)}),),
    )  # fmt: skip
    (line,) = lines("schemaorg", moved)
    assert line["previousStartDate"] == "2026-02-10"
    (remote,) = lines("schemaorg", EVENTS[0])
    assert remote["location"] == {"@type": "VirtualLocation"}


def test_geojson_places_points():
    document = json.loads(written("geojson", *EVENTS))
    points = {feature["id"]: feature["geometry"] for feature in document["features"]}
    assert points["held"] is None
    assert points["plan"]["coordinates"] == pytest.approx([2.35, 48.85], abs=0.1), "longitude first"
    assert points["undated"] is not None, "of a country alone it is the capital"


def test_parquet_has_typed_columns():
    import pyarrow.parquet as pq

    table = pq.read_table(io.BytesIO(written("parquet", *EVENTS)))
    assert table.column("event_id").to_pylist() == [each.event_id for each in EVENTS]
    assert table.column("official").to_pylist() == [False] * len(EVENTS)
    assert str(table.schema.field("reports").type) == "int32"


def hostile() -> Event:
    bad = replace(PEOPLE["putin"], name=HOSTILE)
    return event(
        "ev-bad", brief=HOSTILE, participants=(bad, PEOPLE["xi"]), forum=HOSTILE[:300], topics=(HOSTILE[:100],),
        place=Place(name=HOSTILE[:200], country="FR"), when=When(start=date(1, 1, 1), end=date(1, 1, 1)),
        sources=(source(1, HOSTILE, url=HOSTILE_URL, outlet=HOSTILE), source(2, url="https://fine.example.org/1")),
    )  # fmt: skip


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in {"jsonl", "parquet"}])
def test_hostile_texts_stay_texts(name):
    text = written(name, hostile()).decode()
    assert "\u202e" not in text
    assert "\x07" not in text
    assert "javascript:" not in text
    if name == "atom":
        feed = feedparser.parse(text)
        assert not feed.bozo
        assert "alert(1)" in feed.entries[0].summary
        assert "<script>alert(1)" not in text
    if name == "ics":
        assert len(icalendar.Calendar.from_ical(text).walk("VEVENT")) == 1
    if name == "cameo":
        assert all(row.count("\t") == 9 for row in text.splitlines())
