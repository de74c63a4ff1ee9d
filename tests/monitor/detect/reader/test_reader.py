"""Test the shipped reader on plain sentences, and that irrelevant changes do not alter its answers."""

from __future__ import annotations

import pytest

from monitor.detect import Detector
from monitor.detect.reader.opinion import Opinion
from monitor.detect.reader.passage import Passage, SeenLeader
from monitor.detect.reader.reader import Reader
from monitor.records import Article


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def opinion(reader: Reader, detector: Detector, title: str, language: str = "en") -> Opinion:
    shown, _ = detector.reader_input(Article(id="1", title=title, language=language))
    (found,) = reader.read(shown).values()
    return found


@pytest.mark.parametrize(
    "other",
    [
        "Xi met Putin in Astana on Tuesday, an official said",
        "French President Emmanuel Macron met Narendra Modi in Astana on Tuesday, an official said",
        "Erdogan met Lula in Astana on Tuesday, an official said",
    ],
)
def test_who_the_leaders_are_does_not_matter(reader: Reader, detector: Detector, other: str) -> None:
    assert opinion(reader, detector, "Putin met Xi in Astana on Tuesday, an official said") == opinion(
        reader, detector, other
    )


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("Putin and Xi spoke by phone on Tuesday, the Kremlin said", "held"),
        ("Macron will meet Trump in Paris next week, his office said", "planned"),
        ("Trump lashes out at Macron over tariffs in a post", "none"),
    ],
)
def test_plain_sentences(reader: Reader, detector: Detector, title: str, status: str) -> None:
    statuses = opinion(reader, detector, title).statuses
    assert max(statuses, key=lambda one: statuses[one]) == status


def test_medium_is_told_apart(reader: Reader, detector: Detector) -> None:
    media = opinion(reader, detector, "Putin and Xi spoke by phone on Tuesday, the Kremlin said").media
    assert max(media, key=lambda one: media[one]) == "phone"


def test_each_part_is_a_distribution(reader: Reader, detector: Detector) -> None:
    for part in opinion(reader, detector, "Putin met Xi in Astana"):
        assert sum(part.values()) == pytest.approx(1, abs=1e-5)


def test_one_leader_is_nobody_to_meet(reader: Reader) -> None:
    assert reader.read(Passage("en", (("title", "Putin met"),), (SeenLeader("title", 0, 5, ("putin",)),))) == {}


def test_a_language_that_it_never_learnt_is_left_to_the_rules(reader: Reader) -> None:
    seen = (SeenLeader("title", 0, 1, ("a",)), SeenLeader("title", 2, 3, ("b",)))
    assert reader.read(Passage("qq", (("title", "A B"),), seen)) == {}
    assert reader.read(Passage("en", (("title", "A B"),), seen))
