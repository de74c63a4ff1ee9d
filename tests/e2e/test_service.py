"""From feeds over HTTP to a webhook: one alert for one contact, and the updates that it deserves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Entry, until, world

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(180)]

WIRE = (
    "The Russian and the Chinese president spoke for an hour and a half, the Kremlin said. They discussed energy, "
    "trade and the talks that go on elsewhere, and agreed to stay in touch over the coming months."
)
CALL = "Russian President Vladimir Putin and Chinese President Xi Jinping held a video call on Wednesday"


async def test_one_call_in_many_outlets_is_one_alert_with_updates(broker: str, prefix: str, tmp_path: Path) -> None:
    async with world(broker, prefix, tmp_path, ["alpha", "bravo", "charlie", "delta", "echo"]) as now:
        now.newsroom.print("alpha", Entry("a1", CALL, WIRE))
        first = (await until("the first alert", lambda: now.desk.of("vladimir-putin", "xi-jinping")))[0]
        assert first["tell"] == "first"
        assert first["event"]["kind"] == "call"
        assert first["event"]["medium"] == "video"
        assert first["event"]["status"] == "held"
        assert first["event"]["when"]["start"] == "2026-02-04"
        event_id = first["event"]["event_id"]

        for outlet in ("bravo", "charlie", "delta"):
            now.newsroom.print(outlet, Entry(f"{outlet}-1", CALL, WIRE))
        now.newsroom.print(
            "echo", Entry("e1", "Putin and Xi hold video call, discuss trade", "They spoke on Wednesday.")
        )
        await until(
            "the coverage is told",
            lambda: now.desk.of("vladimir-putin", "xi-jinping")[-1]["event"]["publishers"] == 5,
        )

        told = now.desk.of("vladimir-putin", "xi-jinping")
        assert {item["event"]["event_id"] for item in told} == {event_id}
        assert [item["tell"] for item in told].count("first") == 1
        assert now.desk.firsts() == {event_id: 1}
        revisions = [item["event"]["revision"] for item in told]
        assert revisions == sorted(revisions)
