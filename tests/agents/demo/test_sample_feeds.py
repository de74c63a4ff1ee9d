"""Test that the parser can read the demonstration's sample feeds, in every format."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from agents.demo.sample_feeds import DemoItem, document
from agents.demo.story import load_story
from monitor.feeds.formats.parse import parse

STORY = load_story()
ITEM = DemoItem(
    id="x1",
    title="Tea & talks: 1 < 2",
    summary="Two leaders, one pot.",
    published=datetime(2026, 2, 4, 9, 30, tzinfo=UTC),
    updated=datetime(2026, 2, 4, 9, 45, tzinfo=UTC),
)


@pytest.mark.parametrize("outlet", STORY.outlets, ids=lambda outlet: outlet.id)
def test_a_feed_says_what_was_published(outlet) -> None:
    content_type, body = document(outlet, [ITEM], "http://127.0.0.1:1")
    parsed = parse(body, content_type=content_type, url=f"http://127.0.0.1:1/feeds/{outlet.id}")
    (entry,) = parsed.entries
    assert entry.title == "Tea & talks: 1 < 2"
    assert entry.summary == "Two leaders, one pot."
    assert entry.link == f"http://127.0.0.1:1/{outlet.id}/x1"
    assert entry.published == ITEM.published
    assert "(sample)" in parsed.title


def test_the_story_has_the_feeds_that_a_demonstration_needs() -> None:
    assert {outlet.format for outlet in STORY.outlets} == {"rss", "rdf", "atom", "json"}
    assert {"en", "ru", "zh", "es"} <= {outlet.language for outlet in STORY.outlets}
    assert any(outlet.moved for outlet in STORY.outlets)
    assert any(act.fail for act in STORY.acts)
    assert any(act.break_ for act in STORY.acts)
    assert any(act.corrections for act in STORY.acts)
