"""Entries that were read before: leaving out their texts changes nothing of what is published and remembered."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.errors import FeedError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.parse import parse
from monitor.feeds.formats.xml.pieces import Pieces, cut
from monitor.feeds.novelty.entry_keys import NamedEntry, named
from monitor.feeds.novelty.known_entries import FamiliarEntries
from monitor.feeds.novelty.reconcile import Reconciled, TextsLeftOutError, reconcile
from monitor.feeds.novelty.seen import Seen
from monitor.feeds.polling.document_reader import Reader
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import Fetched
from monitor.feeds.subscriptions.subscription import Filter, Rewrite, Subscription
from tests.monitor.feeds.samples import SAMPLES, changed

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC).timestamp()
FEED = Subscription(id="a", url="https://example.org/feed")


class Counting:
    """Parses in the test's own process; counts documents, and entries that were read with their texts."""

    def __init__(self) -> None:
        self.documents = self.entries = 0

    async def parse(self, body: bytes, **options: Any) -> ParsedFeed:
        self.documents += 1
        document = parse(body, **options)
        self.entries += sum(not entry.stands_for for entry in document.entries)
        return document


class Follower:
    """One feed as a poller follows it; `warm` keeps its reader from poll to poll."""

    def __init__(self, *, warm: bool, feed: Subscription = FEED) -> None:
        self.feed, self.warm = feed, warm
        self.parser = Counting()
        self.reader = Reader(self.parser)
        self.state = FeedState(feed=feed.id)
        self.segments: dict[int, bytes] = {}

    async def poll(self, body: str, *, published: bool = True, day: int = 0) -> Reconciled | str:
        """What a document brings; it is forgotten again where the broker does not take it."""
        reader = self.reader if self.warm else Reader(self.parser)
        fetched = Fetched(200, "https://example.org/feed", {}, body.encode("utf-8", "surrogatepass"))
        now = NOW + 86400 * day
        try:
            reading = await reader.read(self.feed, self.state, self.segments, fetched, now)
        except FeedError as error:
            return error.reason
        if published:
            self.segments = reading.segments
            self.state = FeedState(feed=self.feed.id, last_success=now, identity=reading.entries.identity)
        return reading.entries


def item(number: int, text: str = "words", **fields: str) -> str:
    inner = {"title": f"Story {number}", "link": f"https://example.org/{number}", "guid": f"urn:{number}",
             "description": f"&lt;p>{text} {number}&lt;/p>", "author": "Ann"} | fields  # fmt: skip
    return "<item>" + "".join(f"<{name}>{value}</{name}>" for name, value in inner.items()) + "</item>"


def rss(items: Sequence[str], language: str = "en") -> str:
    return (
        f"<rss version='2.0'><channel><title>S</title><language>{language}</language>{''.join(items)}</channel></rss>"
    )


async def test_only_what_is_new_is_read() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(n) for n in range(10)]))
    assert follower.parser.entries == 10
    found = await follower.poll(rss([item(n) for n in (10, 11, *range(8))]))
    assert isinstance(found, Reconciled)
    assert [article.title for article in found.new] == ["Story 11", "Story 10"]
    assert found.new[1].summary == "words 10"
    assert (found.unchanged, follower.parser.documents, follower.parser.entries) == (8, 2, 12)


async def test_an_edit_is_read_and_published() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(n) for n in range(5)]))
    found = await follower.poll(rss([item(n, "other words" if n == 3 else "words") for n in range(5)]))
    assert isinstance(found, Reconciled)
    assert [(article.title, article.summary, article.revision) for article in found.changed] == [
        ("Story 3", "other words 3", 1)
    ]


async def test_what_was_not_published_is_read_again() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(1)]), published=False)
    found = await follower.poll(rss([item(1)]))
    assert isinstance(found, Reconciled)
    assert [article.summary for article in found.new] == ["words 1"]
    assert follower.parser.documents == 3


@pytest.mark.parametrize(
    "options",
    [
        {"block": (Filter(field="content", match="words"),)},
        {"keep": (Filter(field="author", match="Ann"),)},
        {"url_rewrite": (Rewrite(match="example", to="other"),)},
    ],
)
async def test_texts_are_not_left_out_where_the_subscription_looks_into_them(options: dict[str, Any]) -> None:
    plain, looking = Follower(warm=True), Follower(warm=True)
    looking.feed = Subscription(id="a", url=FEED.url, **options)
    for follower in (plain, looking):
        await follower.poll(rss([item(1)]))
        await follower.poll(rss([item(1), item(2)]))
    assert (plain.parser.entries, looking.parser.entries) == (2, 3)
    # Nor where it has begun to.
    plain.feed = looking.feed
    await plain.poll(rss([item(1), item(2), item(3)]))
    assert plain.parser.entries == 5


async def test_another_language_of_the_feed_makes_other_entries() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(1)]))
    await follower.poll(rss([item(1)], language="fr"))
    assert follower.parser.entries == 2


# ---- the same as without ----


def story(dice: random.Random, entries: list[str]) -> list[str]:
    """The feed's next document: some new, some edited, some gone, some with another's guid, in another order."""
    after = list(entries)
    for _ in range(dice.randint(0, 4)):
        number = dice.randint(0, 30)
        match dice.randrange(7):
            case 0 | 1:
                after.insert(0, item(number, dice.choice(["words", "other", "more"])))
            case 2 if after:
                after.pop(dice.randrange(len(after)))
            case 3 if after:
                after[dice.randrange(len(after))] = item(number, guid=f"urn:{dice.randint(0, 5)}")
            case 4 if after:
                after.append(dice.choice(after))
            case 5:
                after = [entry.replace("<guid>urn:", f"<guid>urn:{number}:") for entry in after]  # all guids turn over
            case 6:
                after.insert(
                    0, item(number, pubDate=dice.choice(["Mon, 02 Mar 2026 13:30:00 GMT", "no date"]), link="")
                )
    return after[:40]


@settings(max_examples=150)
@given(st.integers(0, 2**32), st.sampled_from(["", "guid", "link", "link+title"]))
async def test_a_feeds_story_is_told_the_same_with_and_without(number: int, identity: Any) -> None:
    dice = random.Random(number)
    feed = Subscription(id="a", url=FEED.url, identity=identity, max_age_days=dice.choice([0, 0, 2]))
    warm, cold = Follower(warm=True, feed=feed), Follower(warm=False, feed=feed)
    entries = [item(n) for n in range(dice.randint(0, 12))]
    for day in range(6):
        published = dice.random() > 0.2
        document = rss(entries)
        assert await warm.poll(document, published=published, day=day) == await cold.poll(
            document, published=published, day=day
        )
        assert warm.segments == cold.segments
        entries = story(dice, entries)


@settings(max_examples=100)
@given(st.sampled_from(sorted(SAMPLES)), st.lists(st.integers(0, 2**32), min_size=2, max_size=4))
async def test_feeds_of_all_kinds_are_told_the_same_with_and_without(name: str, numbers: list[int]) -> None:
    warm, cold = Follower(warm=True), Follower(warm=False)
    for document in (SAMPLES[name], *(changed(SAMPLES[name], number) for number in numbers), SAMPLES[name]):
        assert await warm.poll(document) == await cold.poll(document)
        assert warm.segments == cold.segments


# ---- what is kept ----


def names_of(body: str) -> list[NamedEntry]:
    return [named(entry, FEED) for entry in parse(body.encode(), url=FEED.url).entries]


def test_an_entry_without_its_texts_is_never_published() -> None:
    body = rss(["<item summitry-known='1'/>"])
    document = parse(body.encode(), url=FEED.url, is_cut=True)
    familiar = names_of(rss([item(1)]))
    with pytest.raises(TextsLeftOutError):
        reconcile(Seen(), document, FEED, datetime.fromtimestamp(NOW, UTC), familiar=familiar)


async def test_a_document_that_says_it_was_cut_was_not() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(n) for n in range(3)]))
    forged = rss(["<item summitry-known='3'></item>", "<item summitry-known='1'/>", item(1), item(4)])
    found = await follower.poll(forged)
    assert isinstance(found, Reconciled)
    assert ([article.title for article in found.new], found.unchanged, found.dropped) == (["Story 4"], 1, 2)


def keep(familiar: FamiliarEntries, feed: Subscription, body: str) -> Pieces:
    """Let a document of that feed be the one read last."""
    pieces = cut(body.encode())
    assert pieces
    document = parse(body.encode(), url=feed.url)
    familiar.keep(feed, feed.url, pieces, document, [named(entry, feed) for entry in document.entries])
    return pieces


def test_the_feeds_read_last_are_kept_within_a_bound() -> None:
    familiar = FamiliarEntries(most=2_000)
    feeds = [Subscription(id=f"f{n}", url=f"https://example.org/{n}") for n in range(20)]
    for feed in feeds:
        keep(familiar, feed, rss([item(1, guid="g" * 300)]))
    known = [feed for feed in feeds if feed in familiar]
    assert known == feeds[-len(known) :]
    assert 2 < len(known) < 7
    keep(familiar, feeds[-1], rss([item(n, title="t" * 900) for n in range(5)]))
    assert not any(feed in familiar for feed in feeds)
    keep(familiar, feeds[0], rss([item(1)]))
    assert feeds[0] in familiar


@pytest.mark.parametrize(
    "items",
    [
        pytest.param([item(1), "<ITEM><title>Two</title></ITEM>"], id="another spelling"),
        pytest.param([item(1), "<!-- " + item(2) + " -->"], id="one in a comment"),
        pytest.param([item(1, description=f"<![CDATA[{item(2)}]]>")], id="one in a text"),
        pytest.param(
            [item(1), "<item><title>Two</title></item ><item><title>3</title></item>"], id="a space at its end"
        ),
        pytest.param([item(1), "<item/>"], id="an empty one"),
        pytest.param([item(1), "<item>"], id="one without an end"),
    ],
)
async def test_a_document_whose_entries_are_not_its_pieces_is_not_kept(items: list[str]) -> None:
    follower = Follower(warm=True)
    await follower.poll(rss(items))
    read = follower.parser.entries
    await follower.poll(rss([*items, item(9)]))
    assert follower.parser.entries >= 2 * read


async def test_where_a_known_entry_stands_for_nothing_any_more_the_whole_is_read() -> None:
    warm, cold = Follower(warm=True), Follower(warm=False)
    for follower in (warm, cold):
        await follower.poll(rss([item(n) for n in range(4)]))
    for hidden in (
        f"<!-- {item(1)} -->",
        f"<image><title>x</title>{item(1)}</image>",
        item(7, description=f"<![CDATA[{item(1)}]]>"),
        f"<description><![CDATA[ {item(1)} ]]></description>",
        f"<x xmlns='http://a.example/'>{item(1)}</x>",
    ):
        body = rss([item(0), hidden, item(3)])
        assert await warm.poll(body) == await cold.poll(body)
        assert warm.segments == cold.segments


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("<rss><channel>", "<rss xml:lang='fr'><channel>", id="language of the root"),
        pytest.param("<rss><channel>", "<rss><channel xml:lang='fr'>", id="language of the channel"),
        pytest.param("<rss><channel>", "<rss><channel><language>fr</language>", id="language in words"),
        pytest.param("<rss xmlns:d='http://purl.org/dc/elements/1.1/'><channel>",
                     "<rss xmlns:d='http://purl.org/rss/1.0/modules/content/'><channel>", id="a namespace"),
        pytest.param("<rss><channel>", "<?xml version='1.0' encoding='utf-7'?><rss><channel>", id="an encoding"),
    ],
)  # fmt: skip
async def test_what_stands_around_an_entry_changes_what_it_means(first: str, second: str) -> None:
    follower = Follower(warm=True)
    for start in (first, second, second):
        await follower.poll(f"{start}{item(1)}{item(2, category='news')}</channel></rss>")
    assert follower.parser.entries == 4


async def test_another_address_or_subscription_makes_other_entries() -> None:
    follower = Follower(warm=True)
    await follower.poll(rss([item(1)]))
    follower.feed = Subscription(id="a", url=FEED.url, timezone="Asia/Tokyo")
    await follower.poll(rss([item(1)]))
    assert follower.parser.entries == 2


def test_entries_with_a_namespace_of_their_own_and_those_without_words_are_read_each_time() -> None:
    familiar = FamiliarEntries()
    own = "<item><title>x</title><m:y xmlns:m='http://search.yahoo.com/mrss/'/></item>"
    body = rss([item(1), own, "<item><guid>1</guid></item>"])
    pieces = cut(body.encode())
    document = parse(body.encode(), url=FEED.url)
    found = reconcile(Seen(), document, FEED, datetime.fromtimestamp(NOW, UTC))
    assert [name is None for name in found.named] == [False, False, True]
    familiar.keep(FEED, FEED.url, pieces, document, found.named)
    known = familiar.shortened(FEED, FEED.url, pieces)
    assert known
    assert known.runs == [1, 0, 0]
