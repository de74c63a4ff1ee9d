"""Test how entries are identified in cases that the behaviour table does not have, and properties of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.feeds.formats.content_hash import revision_of, significant
from monitor.feeds.formats.document import Entry, EntrySource, ParsedFeed
from monitor.feeds.novelty import filters
from monitor.feeds.novelty.entry_keys import entry_digest
from monitor.feeds.novelty.reconcile import Reconciled, reconcile
from monitor.feeds.novelty.seen import SeenStories
from monitor.feeds.subscriptions.subscription import Filter, Rewrite, Subscription

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
FEED = Subscription(id="sample", url="https://example.org/feed", outlet="Sample", country="GB", language="en")


def entry(number: int, **fields: object) -> Entry:
    usual = {"guid": f"g{number}", "link": f"https://example.org/{number}", "title": f"Story {number}"}
    return Entry(**{**usual, **fields})  # type: ignore[arg-type]


def turn(seen: SeenStories, *entries: Entry, feed: Subscription = FEED, **options: object) -> Reconciled:
    return reconcile(seen, ParsedFeed(entries=entries), feed, NOW, **options)  # type: ignore[arg-type]


def test_the_first_document_is_backfill_and_the_second_is_not() -> None:
    first = turn(SeenStories(), entry(1))
    second = turn(first.seen, entry(2), entry(1))
    assert [a.backfill for a in (*first.new, *second.new)] == [True, False]


def test_an_empty_first_document_does_not_make_the_second_one_backfill() -> None:
    assert [a.backfill for a in turn(SeenStories(), entry(1), first=False).new] == [False]


def test_articles_come_oldest_first_and_carry_what_the_subscription_says() -> None:
    official = msgspec.structs.replace(FEED, official=True, speaks_for="FR", publisher="Owner")
    new = turn(SeenStories(), entry(2), entry(1), feed=official).new
    assert [a.title for a in new] == ["Story 1", "Story 2"]
    one = new[0]
    assert (one.outlet, one.publisher, one.country, one.speaks_for, one.feed) == (
        "Sample",
        "Owner",
        "GB",
        "FR",
        FEED.url,
    )
    assert one.official
    assert one.seen == NOW
    assert one.id == entry_digest("sample", "g1").hex()


def test_the_same_entry_twice_in_a_document_is_one_article() -> None:
    result = turn(SeenStories(), entry(1), entry(1, tags=("World",)), entry(2))
    assert len(result.new) == 2
    assert result.duplicates == 1


def test_other_words_under_a_guid_and_address_that_stand_in_the_document_twice_are_never_dropped() -> None:
    result = turn(SeenStories(), entry(1), entry(1, title="Another story"), entry(2))
    assert len({article.id for article in result.new}) == 3


def test_parts_of_a_live_blog_that_differ_in_the_fragment_alone_stay_apart() -> None:
    live = "https://example.org/live"
    parts = [entry(n, guid=f"{live}#{n}", link=f"{live}#{n}") for n in range(5)]
    first = turn(SeenStories(), *parts)
    assert len(first.new) == 5
    assert turn(first.seen, *parts).new == ()


def test_a_new_guid_under_the_same_address_and_title_is_the_same_story() -> None:
    first = turn(SeenStories(), entry(1), entry(2), entry(3), entry(4))
    again = turn(first.seen, entry(1, guid="other"), entry(2), entry(3), entry(4))
    assert again.new == ()
    assert again.choice.kind == "guid"


def test_another_story_under_a_used_address_is_new() -> None:
    home = "https://example.org/"
    first = turn(SeenStories(), *(entry(n, link=home) for n in range(5)))
    again = turn(first.seen, entry(9, link=home))
    assert len(first.new) == 5
    assert len(again.new) == 1
    assert again.choice.kind == "guid"


def test_an_aggregators_opaque_links_are_told_apart_by_source_and_title() -> None:
    def found(token: str) -> Entry:
        link = f"https://news.google.com/rss/articles/CBMi{token}?oc=5"
        return Entry(
            guid=token, link=link, title="Leaders meet", source=EntrySource(title="Example", url="https://example.org")
        )

    plain = msgspec.structs.replace(FEED, outlet="")
    first = turn(SeenStories(), found("aaa"), feed=plain)
    again = turn(first.seen, found("bbb"), feed=plain)
    assert (first.new[0].outlet, first.new[0].publisher) == ("Example", "Example")
    assert again.new == ()


def test_an_aggregators_entry_belongs_to_the_owner_of_its_source() -> None:
    plain = Subscription(id="agg", url="https://news.example/rss")
    (one,) = turn(
        SeenStories(), entry(1, source=EntrySource(title="BBC", url="https://www.bbc.co.uk/news")), feed=plain
    ).new
    assert (one.outlet, one.publisher, one.country) == ("BBC News", "BBC", "GB")


def test_the_users_choice_of_identity_counts() -> None:
    by_title = msgspec.structs.replace(FEED, identity="link+title")
    first = turn(SeenStories(), entry(1), feed=by_title)
    again = turn(first.seen, entry(1, title="Another"), feed=by_title)
    assert len(again.new) == 1
    assert again.choice.kind == "link+title"


def test_a_part_of_the_guid_can_be_stripped_and_updates_ignored() -> None:
    quiet = msgspec.structs.replace(FEED, guid_strip_regex=r"\?v=\d+$", ignore_updates=True)
    first = turn(SeenStories(), entry(1, guid="story?v=1"), feed=quiet)
    again = turn(first.seen, entry(1, guid="story?v=2", title="Edited"), feed=quiet)
    assert (again.new, again.changed, again.unchanged) == ((), (), 1)


def test_filters_and_rewriting_work_and_a_slow_pattern_matches_nothing() -> None:
    feed = msgspec.structs.replace(
        FEED,
        url_rewrite=(Rewrite(match="^https://example.org/", to="https://mirror.example/"),),
        keep=(Filter(field="title", match="summit"), Filter(field="tag", match="^world$")),
        block=(Filter(field="content", match="(a+)+$"),),
        max_age_days=2,
    )
    old = NOW - timedelta(days=3)
    kept = turn(
        SeenStories(),
        entry(1, title="A Summit ends", summary="a" * 5000 + "!"),
        entry(2, tags=("World",)),
        entry(3),
        entry(4, title="Summit", published=old),
        feed=feed,
    )
    assert sorted(a.url for a in kept.new) == ["https://mirror.example/1", "https://mirror.example/2"]
    assert [each.reason for each in kept.left_out] == ["filtered", "too_old"]


def test_a_pattern_gets_a_second_chance_and_is_given_up_after_some(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may stand still during a search; and one document must not hold up all others."""
    tries: list[str] = []

    class Busy:
        def search(self, text: str, timeout: float) -> bool:
            tries.append(text)
            if text == "slow" or len(tries) == 1:
                raise TimeoutError
            return True

    pattern = filters.Pattern("a")
    monkeypatch.setattr(pattern, "_compiled", Busy())
    assert pattern.matches("quick")
    assert not pattern.slow
    assert [pattern.matches("slow") for _ in range(100)] == [False] * 100
    assert pattern.slow
    assert len(tries) < 10


def test_markup_dates_and_order_of_tags_are_no_revision() -> None:
    one = entry(1, tags=("a", "b"), published=NOW)
    assert revision_of(one) == revision_of(entry(1, tags=("b", "a"), html="<p>x</p>", updated=NOW))
    assert revision_of(one) != revision_of(entry(1, tags=("a",)))
    assert revision_of(one) == revision_of(entry(1, tags=("a", "b"), link="http://example.org/moved"))


def test_fifty_characters_more_or_another_summary_are_significant() -> None:
    before = revision_of(entry(1, content="x" * 500))
    assert not significant(before, revision_of(entry(1, content="y" * 500)))
    assert significant(before, revision_of(entry(1, content="x" * 576)))
    assert significant(before, revision_of(entry(1, content="x" * 400)))
    assert significant(before, revision_of(entry(1, content="x" * 500, summary="denied")))


words = st.text(st.sampled_from("abc #/?"), max_size=8)
entries = st.lists(
    st.builds(
        Entry,
        guid=words | st.sampled_from(["https://example.org/x#1", "https://example.org/x#2"]),
        link=st.sampled_from(["", "https://example.org/1", "https://example.org/2", "https://example.org/2#a"]),
        title=words,
        summary=words,
    ),
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(entries, min_size=1, max_size=4))
@pytest.mark.slow
def test_reading_the_same_document_again_publishes_nothing(documents: list[list[Entry]]) -> None:
    seen = SeenStories()
    choice = None
    for number, document in enumerate(documents):
        result = turn(seen, *document, choice=choice)
        articles = [*result.new, *result.changed]
        assert len({a.id for a in articles}) == len(articles)
        assert len(articles) + result.unchanged + result.duplicates + result.exhausted + len(
            result.left_out
        ) + result.returned == len(document)
        again = turn(SeenStories(result.seen.segments()), *document, choice=result.choice)
        if again.choice == result.choice:
            assert (again.new, again.changed) == ((), ()), number
        assert set(result.current) <= {story.id for story in result.seen}
        seen, choice = result.seen, result.choice


@settings(max_examples=100, deadline=None)
@given(entries, st.randoms(use_true_random=False))
def test_the_order_of_a_document_without_shared_guids_does_not_matter(document: list[Entry], random: Random) -> None:
    distinct = list({e.guid: e for e in document if e.guid.strip() and not set("#/ ") & set(e.guid)}.values())
    shuffled = random.sample(distinct, len(distinct))
    assert {a.id for a in turn(SeenStories(), *distinct).new} == {a.id for a in turn(SeenStories(), *shuffled).new}
