"""Test how published stories are remembered in segments."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.novelty.entry_keys import entry_digest
from monitor.feeds.novelty.reconcile import reconcile
from monitor.feeds.novelty.seen import KEEP_DAYS, MAX_SEEN, SEGMENT_STORIES, STORY_BYTES, KnownStory, SeenStories
from tests.monitor.feeds.novelty.follower import FEED, START

names = st.binary(min_size=16, max_size=16)
keys = st.sampled_from([b"", b"key-1", b"key-2"])
stories = st.builds(
    KnownStory, id=names, content=st.binary(min_size=16, max_size=16), day=st.integers(20_000, 20_400),
    guid=keys, link=keys,
    path=keys, date=keys, parameters=st.sampled_from([b"", b"param1"]), n=st.integers(0, 24),
    editions=st.sampled_from([b"", b"once", b"onceoncemore"]), returned=st.booleans(),
)  # fmt: skip
contents = st.lists(stories, unique_by=lambda story: story.id).map(lambda found: {story.id: story for story in found})


def remembered(contents: Mapping[bytes, KnownStory], seen: SeenStories | None = None) -> SeenStories:
    seen = seen or SeenStories()
    for story in contents.values():
        seen.put(story)
    return seen


def told(seen: SeenStories) -> dict[bytes, KnownStory]:
    return {story.id: story for story in seen}


@given(contents)
def test_what_was_seen_comes_back_from_its_segments(contents: dict[bytes, KnownStory]) -> None:
    segments = remembered(contents).segments()
    assert told(SeenStories(segments)) == contents
    assert SeenStories(segments).segments() == segments


@given(contents, contents)
@pytest.mark.slow
def test_segments_do_not_tell_in_which_order_they_were_filled(
    first: dict[bytes, KnownStory], later: dict[bytes, KnownStory]
) -> None:
    later = {name: story for name, story in later.items() if name not in first}
    before = remembered(first).segments()
    seen = remembered(later, SeenStories(before))
    assert seen.segments() == remembered(later | first).segments()
    # What did not change is the same record, which nobody writes again.
    weeks = {story.day // 7 for story in later.values()}
    assert all(seen.segments()[week] is before[week] for week in before.keys() - weeks)


@given(contents, st.data())
@pytest.mark.slow
def test_pruning_forgets_only_what_is_old_and_gone(contents: dict[bytes, KnownStory], data: st.DataObject) -> None:
    today = 20_400
    current = data.draw(st.lists(st.sampled_from(sorted(contents)), unique=True)) if contents else []
    seen = SeenStories(remembered(contents).segments())
    seen.prune(current, today)
    kept = told(SeenStories(seen.segments()))
    assert kept == told(seen)
    assert set(current) <= set(kept)
    assert len(kept) >= min(len(contents), 10 * len(current))
    for name in set(contents) - set(kept):
        assert contents[name].day < today - KEEP_DAYS
    for name in current:
        assert kept[name].day >= today - KEEP_DAYS


@pytest.mark.slow
def test_pruning_keeps_a_flood_within_its_bound() -> None:
    seen = remembered({b"%08d" % n: KnownStory(b"%08d" % n, bytes(16), 20_000) for n in range(MAX_SEEN + 500)})
    seen.prune([b"%08d" % n for n in range(100)], 20_001)
    assert len(seen) == MAX_SEEN


def many(first: int, last: int) -> dict[bytes, KnownStory]:
    return {b"%08d" % n: KnownStory(b"%08d" % n, bytes(16), 20_000) for n in range(first, last)}


def test_a_new_story_of_a_busy_week_costs_one_short_record() -> None:
    before = remembered(many(0, 2 * SEGMENT_STORIES + 10)).segments()
    seen = remembered(many(2 * SEGMENT_STORIES + 10, 2 * SEGMENT_STORIES + 11), SeenStories(before))
    after = seen.segments()
    assert max(map(len, after.values())) <= SEGMENT_STORIES * STORY_BYTES
    assert sum(after[number] is not before.get(number) for number in after) == 1
    assert told(SeenStories(after)) == many(0, 2 * SEGMENT_STORIES + 11)


def test_a_story_of_a_busy_week_is_changed_and_dropped_where_it_lies() -> None:
    seen = SeenStories(remembered(many(0, 3 * SEGMENT_STORIES)).segments())
    changed = KnownStory(b"%08d" % 7, bytes(16), 20_000, n=1)
    seen.put(changed)
    seen.drop(KnownStory(b"%08d" % 8, bytes(16), 20_000))
    assert len(seen) == 3 * SEGMENT_STORIES - 1
    assert told(SeenStories(seen.segments()))[changed.id] == changed
    for story in many(0, 2 * SEGMENT_STORIES).values():
        seen.drop(story)
    assert told(SeenStories(seen.segments())) == many(2 * SEGMENT_STORIES, 3 * SEGMENT_STORIES)


def test_stories_of_busy_weeks_come_back_oldest_first() -> None:
    busy = [
        KnownStory(b"%08d%02d" % (n, week), bytes(16), 7 * (3000 + week))
        for week in (1, 0)
        for n in range(SEGMENT_STORIES + 1)
    ]
    days = [story.day for story in SeenStories(remembered({s.id: s for s in busy}).segments())]
    assert days == sorted(days)


def test_a_segment_that_can_not_be_read_is_forgotten() -> None:
    whole = remembered({b"%016d" % n: KnownStory(b"%016d" % n, bytes(16), 20_000) for n in range(3)}).segments()
    ((week, packed),) = whole.items()
    assert len(SeenStories({week: packed[:-1]})) == 0


def test_a_story_takes_as_much_as_the_docs_say() -> None:
    story = KnownStory(bytes(16), bytes(16), 20_000, b"guid-", b"link-", b"path-", b"date-")
    assert len(remembered({story.id: story}).segments()[20_000 // 7]) <= STORY_BYTES


def test_what_version_0_1_0_remembered_is_not_published_again() -> None:
    row = struct.Struct(">8s6sBI")
    old = Entry(guid="g1", link="https://example.org/1", title="One")
    own, page = entry_digest(FEED.id, "g1"), entry_digest(FEED.id, "//example.org/1")
    day = 20_500
    segments = {day // 7: row.pack(own[:8], bytes(6), 3, day) + row.pack(page[8:], bytes(6), 3, day)}
    seen = SeenStories(segments)
    document = ParsedFeed(entries=(old, Entry(guid="g2", link="https://example.org/2", title="Two")))
    found = reconcile(seen, document, FEED, START, first=False)
    assert [article.title for article in found.new] == ["Two"]
    edited = ParsedFeed(entries=(Entry(guid="g1", link="https://example.org/1", title="One, corrected"),))
    again = reconcile(SeenStories(found.seen.segments()), edited, FEED, START, choice=found.choice)
    assert [(article.id, article.revision) for article in again.changed] == [(own.hex(), 4)]
    assert len(again.seen) == 2
