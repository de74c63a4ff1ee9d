"""Test whole scenarios: corrections withdraw, denials count, and each claim cites its sources."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from monitor.articles import read_article
from monitor.assemble.replay import final_events, replay
from monitor.detect import Detector
from tests.quality.scenarios import scenarios, why_not

OWN = scenarios()
_FOLDER = os.environ.get("SUMMITRY_EVAL", "")
_FILE = Path(_FOLDER) / "scenarios" / "dev.json"
GIVEN = json.loads(_FILE.read_text("utf-8")) if _FOLDER and _FILE.exists() else []
DETECTOR = Detector()


def check(story) -> None:
    articles = [read_article(json.dumps(line).encode()) for line in story["articles"]]
    events = list(final_events(replay(articles, DETECTOR.detect)))
    for want in story["expect"]:
        assert why_not(want | {"leaders": sorted(want["leaders"])}, events) == ""


@pytest.mark.parametrize("story", OWN, ids=[story["name"] for story in OWN])
def test_a_story_is_told_as_it_is(story):
    check(story)


@pytest.mark.skipif(not GIVEN, reason="needs SUMMITRY_EVAL")
def test_the_given_stories_are_told_as_they_are():
    told = []
    for story in GIVEN:
        try:
            check(story)
        except AssertionError:
            continue
        told.append(story["name"])
    assert len(told) >= 21


def test_a_story_that_is_told_wrongly_fails():
    (story,) = [one for one in OWN if one["name"] == "put off without a day"]
    wrong = story | {"expect": [story["expect"][0] | {"status": "held"}]}
    with pytest.raises(AssertionError):
        check(wrong)
