"""Test detection and assembly on stories of our own: other months, outlets and languages than the labelled sets."""

from __future__ import annotations

import pytest

from monitor.assemble.replay import final_events, replay
from monitor.detect import Detector
from tests.quality.contacts import bcubed
from tests.quality.stories import Story, stories

STORIES = stories()
#: B-cubed precision and F1 that each story keeps.
FLOORS = {
    "alaska": (0.91, 0.75),
    "geneva": (0.97, 0.86),
    "gulf": (0.95, 0.90),
    "oval": (0.97, 0.84),
    "texas": (0.96, 0.88),
    "tianjin": (0.95, 0.89),
}
#: Told as contacts by the reader, though guests of one parade need not meet.
TAKEN_FOR_CONTACTS = {"Kim Jong Un and Putin to attend military parade in Beijing"}


def events_of(story: Story) -> dict[str, set[str]]:
    events = final_events(replay(story.articles, Detector().detect))
    return {event.event_id: {source.article_id for source in event.sources} for event in events}


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_a_story_keeps_its_scores(story: Story):
    precision, _, f1 = bcubed(events_of(story), story.links)
    assert precision >= FLOORS[story.name][0]
    assert f1 >= FLOORS[story.name][1]


@pytest.mark.parametrize("story", STORIES, ids=[story.name for story in STORIES])
def test_what_speaks_of_no_contact_is_in_no_event(story: Story):
    told = set().union(*events_of(story).values())
    wrong = {one.title for one in story.articles if not story.links[one.id] and one.id in told}
    assert wrong <= TAKEN_FOR_CONTACTS


class TestBcubed:
    LINKS = {"a": {"x"}, "b": {"x"}, "c": {"y"}, "d": set()}  # noqa: RUF012  # read only

    def test_the_same_clusters(self):
        assert bcubed({"1": {"a", "b"}, "2": {"c"}}, self.LINKS) == (1, 1, 1)

    def test_a_merge_costs_precision_and_a_split_recall(self):
        precision, recall, _ = bcubed({"1": {"a", "b", "c"}}, self.LINKS)
        assert (precision, recall) == (pytest.approx(5 / 9), 1)
        precision, recall, _ = bcubed({"1": {"a"}, "2": {"b"}, "3": {"c"}}, self.LINKS)
        assert (precision, recall) == (1, pytest.approx(2 / 3))

    def test_what_is_missed_or_false(self):
        assert bcubed({}, self.LINKS) == (0, 0, 0)
        assert bcubed({"1": {"a", "b"}, "2": {"c"}, "3": {"d"}}, self.LINKS)[0] == pytest.approx(3 / 4)
