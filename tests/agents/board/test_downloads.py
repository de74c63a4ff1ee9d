"""Test feeds, calendars and exports by reading them with other libraries and with our own feed parser."""

from __future__ import annotations

import json
from datetime import date

import feedparser
import icalendar
import pytest
from msgspec.structs import replace

from monitor.archive.exports import FORMATS
from monitor.records import Change
from tests.agents.board.boards import board, browser
from tests.agents.board.test_pages import hostile, story
from tests.feedserver import FeedServer
from tests.monitor.archive.samples import NOW, event, planned
from tests.monitor.feeds.world import World


async def test_the_feed_has_the_filters_of_its_address(tmp_path):
    async with board(tmp_path, *story()) as place, browser(place) as reader:
        feed = feedparser.parse((await reader.get("/events.atom?country=FR")).content)
        assert [entry.link for entry in feed.entries] == [
            f"{place.base}/events/{each}" for each in ("plan", "missed", "older")
        ]
        document = (await reader.get("/events.json?country=FR")).json()
        assert [item["url"] for item in document["items"]] == [entry.link for entry in feed.entries]
        assert document["feed_url"] == f"{place.base}/events.json?country=FR"
        assert (await reader.get("/events.atom?country=Paris")).status_code == 400


async def test_the_calendar_follows_a_plan_through_its_life(tmp_path):
    plan = planned("plan", "macron xi", date(2026, 2, 10))
    async with board(tmp_path, plan, event("never-planned")) as place, browser(place) as reader:

        async def entries() -> dict[str, tuple[str, int, date]]:
            calendar = icalendar.Calendar.from_ical((await reader.get("/planned.ics")).content)
            return {
                str(each["UID"]): (str(each["STATUS"]), int(each["SEQUENCE"]), each.decoded("DTSTART"))
                for each in calendar.walk("VEVENT")
            }

        assert await entries() == {"plan": ("TENTATIVE", 1, date(2026, 2, 10))}
        moved = planned("plan", "macron xi", date(2026, 2, 12), status="rescheduled", revision=2)
        await place.bring(moved)
        assert await entries() == {"plan": ("TENTATIVE", 2, date(2026, 2, 12))}
        held = Change(revision=3, at=NOW, changed={"status": ("rescheduled", "held")})
        await place.bring(replace(moved, status="held", revision=3, history=(*moved.history, held)))
        assert await entries() == {"plan": ("CONFIRMED", 3, date(2026, 2, 12))}
        await place.bring(replace(moved, status="cancelled", revision=4))
        assert (await entries())["plan"][0] == "CANCELLED"


@pytest.mark.parametrize("path", ["/events.atom", "/events.json"])
async def test_our_own_poller_sees_an_entry_and_then_its_update(tmp_path, path):
    async with board(tmp_path, event("a"), event("b", "macron merz")) as place:
        reading = World(FeedServer())
        try:
            reading.add("board", url=f"{place.base}{path}")
            assert (await reading.poll("board")).health == "OK"
            assert len(reading.titles) == 2
            assert (await reading.poll("board", after=3600)).health == "OK"
            assert (len(reading.titles), reading.parser.calls) == (2, 1), "who has it is told so: nothing is read again"
            change = Change(revision=2, at=NOW.replace(hour=18), changed={"status": ("held", "denied")})
            denied = replace(event("a"), revision=2, status="denied", history=(*event("a").history, change))
            await place.bring(replace(denied, brief="The video call is denied [1]."))
            await reading.poll("board", after=3600)
            *first, last = reading.store.articles
            assert "denied" in last.title
            (before,) = (article for article in first if article.id == last.id)
            assert last.revision > before.revision, "an update of an entry, no new one"
        finally:
            await reading.fetcher.aclose()


@pytest.mark.parametrize("name", FORMATS)
async def test_every_format_is_a_download(tmp_path, name):
    async with board(tmp_path, *story(), hostile()) as place, browser(place) as reader:
        answer = await reader.get(f"/export/{name}?country=FR&kind=visit")
        assert answer.status_code == 200
        assert answer.headers["Content-Disposition"] == f'attachment; filename="summitry.{FORMATS[name].extension}"'
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        if name == "jsonl":
            assert {json.loads(line)["event_id"] for line in answer.text.splitlines()} == {"plan", "missed"}
        assert (await reader.get("/export/pdf")).status_code == 404


async def test_a_download_has_more_than_a_page(tmp_path):
    many = [event(f"e{n}", days_ago=n / 100) for n in range(1200)]
    async with board(tmp_path, *many) as place, browser(place) as reader:
        assert len((await reader.get("/export/jsonl")).text.splitlines()) == 1200
