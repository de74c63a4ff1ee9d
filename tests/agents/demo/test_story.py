"""Test that detection, assembly and policy turn the demonstration's story into the expected alerts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec

from agents.demo.outcome import messages_by_event, problems
from agents.demo.story import load_story
from monitor.assemble import Assembly
from monitor.config import Config
from monitor.detect import Detector
from monitor.notify.policy.decision import Policy, decide
from monitor.records import Article, Event

STORY = load_story()


def articles() -> list[Article]:
    """What the poller makes of the story: the first act was there before, corrections are revisions."""
    outlets = {outlet.id: outlet for outlet in STORY.outlets}
    made = []
    for number, act in enumerate(STORY.acts):
        now = STORY.clock + timedelta(minutes=number)
        for revision, entries in enumerate((act.entries, act.corrections)):
            for entry in entries:
                outlet = outlets[entry.outlet]
                published = entry.at or now
                made.append(
                    Article(
                        id=f"{outlet.id}-{entry.id}",
                        title=entry.title,
                        summary=entry.summary,
                        url=f"http://127.0.0.1/{outlet.id}/{entry.id}",
                        outlet=outlet.name,
                        publisher=outlet.publisher,
                        language=outlet.language,
                        country=outlet.country,
                        published=published,
                        seen=now,
                        revision=revision,
                        backfill=number == 0,
                    )
                )
    return made


def test_the_story_comes_out_as_expected() -> None:
    detector, assembly, policy = Detector(), Assembly(), Policy.of(Config())
    known: dict[str, Event] = {}
    deliveries: list[dict[str, Any]] = []
    for article in articles():
        for mention in detector.detect(article):
            for event in assembly.apply(mention).events:
                decision = decide(policy, "console", event, known.get(event.event_id), STORY.clock)
                if decision.tell is not None:
                    known[event.event_id] = event
                    data = {"tell": decision.tell, "event": msgspec.to_builtins(event)}
                    deliveries.append({"id": f"{event.event_id}-{event.revision}", "data": data})
    assert problems(STORY.expected, messages_by_event(deliveries)) == []
