"""Test the way from feeds to a webhook: one alert for one contact, and its updates."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from tests.e2e.harness import Entry, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(240)]

WIRE = (
    "The Russian and the Chinese president spoke for an hour and a half, the Kremlin said. They discussed energy, "
    "trade and the talks that go on elsewhere, and agreed to stay in touch over the coming months."
)
CALL = "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday"
#: Nothing of this is a contact of today between two tracked leaders.
FALSE_FRIENDS = (
    Entry("f1", "Putin calls for calm as markets slide"),
    Entry("f2", "Xi Jinping's speech was met with criticism from Donald Trump's party"),
    Entry("f3", "Russian and Chinese foreign ministers met in Moscow on Wednesday"),
    Entry("f4", "A look back: Vladimir Putin and Xi Jinping met in Moscow in June 2019"),
    Entry("f5", "Local baker wins a prize for rye bread"),
)


async def test_the_sample_story(broker: str, prefix: str, tmp_path: Path) -> None:
    """A video call in two outlets, then in more; wire text, an odd place, an invitation, and false friends."""
    outlets = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf"]
    async with world(broker, prefix, tmp_path, outlets) as now:
        pair = ("vladimir-putin", "xi-jinping")

        now.newsroom.print("golf", *FALSE_FRIENDS)
        now.newsroom.print("alpha", Entry("a1", CALL, WIRE))
        first = (await until("the first alert", lambda: now.desk.of(*pair)))[0]
        assert (first["tell"], first["event"]["kind"], first["event"]["medium"]) == ("first", "call", "video")
        assert first["event"]["status"] == "held"
        assert first["event"]["when"]["start"] == "2026-02-04"
        call_id = first["event"]["event_id"]

        for outlet in ("bravo", "charlie", "delta"):
            now.newsroom.print(outlet, Entry(f"{outlet}-1", CALL, WIRE))
        beijing = (
            "BEIJING - Chinese President Xi Jinping held a video call with Russian President Vladimir Putin in Beijing"
        )
        now.newsroom.print("echo", Entry("e1", beijing, "Xi spoke from the capital on Wednesday."))
        now.newsroom.print("foxtrot", Entry("x1", "Putin and Xi hold video call", "They spoke on Wednesday."))

        def newest() -> dict[str, object]:
            return next(item["event"] for item in reversed(now.desk.of(*pair)) if item["event"]["event_id"] == call_id)

        await until("the coverage is told", lambda: newest()["publishers"] == 6)
        assert newest()["reports"] == 3, "a wire story in four outlets is one report"

        invitation = (
            "Russian President Vladimir Putin accepted an invitation from Chinese President Xi Jinping "
            "to visit China in May"
        )
        now.newsroom.print("alpha", Entry("a2", invitation))
        await until("the visit is told", lambda: len(now.desk.firsts()) == 2)
        (visit,) = (item for item in now.desk.of(*pair) if item["event"]["event_id"] != call_id)
        assert (visit["tell"], visit["event"]["status"]) == ("first", "planned")
        assert visit["event"]["kind"] in {"visit", "meeting"}

        assert set(now.desk.firsts().values()) == {1}
        assert {item["event"]["event_id"] for item in now.desk.items()} == {call_id, visit["event"]["event_id"]}
        told = [item for item in now.desk.of(*pair) if item["event"]["event_id"] == call_id]
        revisions = [item["event"]["revision"] for item in told]
        assert revisions == sorted(set(revisions))
        assert [item["tell"] for item in told].count("first") == 1


async def test_a_correction_retracts_and_health_pages_tell_of_it(broker: str, prefix: str, tmp_path: Path) -> None:
    """An outlet turns a planned visit into a cancelled one; the pages and metrics of both processes answer."""
    async with world(broker, prefix, tmp_path, ["alpha", "bravo"]) as now:
        leaders = ("emmanuel-macron", "narendra-modi")
        plan = "Emmanuel Macron will visit India on 20 February to meet Narendra Modi"
        now.newsroom.print("alpha", Entry("a1", plan))
        first = (await until("the plan is told", lambda: now.desk.of(*leaders)))[0]
        assert (first["tell"], first["event"]["status"]) == ("first", "planned")

        cancelled = (
            "Emmanuel Macron has cancelled his visit to India on 20 February, where he was to meet Narendra Modi"
        )
        now.newsroom.correct("alpha", Entry("a1", cancelled))
        now.newsroom.print("bravo", Entry("b1", cancelled))
        await until("it is retracted", lambda: now.desk.of(*leaders)[-1]["event"]["status"] == "cancelled")
        assert now.desk.of(*leaders)[-1]["tell"] == "retract"
        assert list(now.desk.firsts().values()) == [1]

        for role in ("poller", "worker"):
            await until(f"the {role} is ready", partial(now.service.ready, role))
            assert (await now.service.page(role, "/live")).status_code == 200
        detected = 'summitry_stage_events_total{outcome="ok",stage="detect"}'

        async def all_detected() -> bool:
            return (await now.service.metrics("worker")).get(detected, 0) >= 5

        await until("all articles are detected", all_detected)
        poller, worker = await now.service.metrics("poller"), await now.service.metrics("worker")
        assert poller['summitry_articles_total{result="changed"}'] == 1
        assert poller['summitry_articles_total{result="new"}'] == 4
        assert worker[detected] == 5
        assert worker["summitry_events_open"] == 1
        assert worker['summitry_notifications_total{receiver="desk"}'] >= 2
        assert worker['summitry_events_total{kind="visit",status="planned"}'] == 1
