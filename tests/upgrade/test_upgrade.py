"""Test that topics and state written by version 0.1.0 are read, and that this version continues from them.

`topics-0.1.0.json` was written by that version's own code: a poll of a feed with three entries, what detection and
assembly made of them, and what a desk was told.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec

from agents.assemble import check_state
from agents.pollers.feed_topics import check_remembered, decoded_subscription
from monitor.assemble import Assembly
from monitor.detect import Detector
from monitor.feeds.polling.feed_state import FeedState, SeenSegment
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify.logbook import Delivery, MemoryLog
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Article, Event, Mention, decode
from monitor.watchlist import bundled
from tests.monitor.notify.samples import engine, policy, run_virtual

WRITTEN = json.loads(Path(__file__).with_name("topics-0.1.0.json").read_text())["topics"]


def values(topic: str) -> Iterator[bytes]:
    for record in WRITTEN[topic]:
        yield base64.b64decode(record["value"])


def told_events() -> list[Event]:
    return [decode(Event, value) for value in values("events")]


def follow_up(older: Article) -> Article:
    """The same story in another outlet, an hour later."""
    assert older.published is not None
    later = older.published + timedelta(hours=1)
    return msgspec.structs.replace(
        older, id="later", url="https://bravo.example/1", outlet="Bravo", publisher="Bravo",
        published=later, seen=later, summary="An aide said that they spoke about trade and energy.",
    )  # fmt: skip


def test_each_record_of_each_topic_is_read() -> None:
    assert {topic: len(records) for topic, records in WRITTEN.items()} == {
        "feeds": 1, "feed-state": 2, "articles": 3, "mentions": 2, "events": 2, "assembly": 3, "deliveries": 4,
    }  # fmt: skip
    (feed,) = (decoded_subscription(value) for value in values("feeds"))
    assert feed is not None
    assert (feed.id, feed.outlet, feed.important) == ("alpha", "Alpha", False)
    for value in values("feed-state"):
        check_remembered(value)
    for value in values("assembly"):
        check_state(value)
    articles = [decode(Article, value) for value in values("articles")]
    assert [article.backfill for article in articles].count(True) == 1
    assert {decode(Mention, value).article_id for value in values("mentions")} < {article.id for article in articles}
    assert [decode(Delivery, value).told is not None for value in values("deliveries")] == [False, True] * 2


def test_a_later_article_of_an_old_event_joins_it() -> None:
    assembly = Assembly.restore(values("assembly"))
    known = {frozenset(p.leader for p in event.participants): event for event in told_events()}
    call = known[frozenset({"vladimir-putin", "xi-jinping"})]
    (article,) = (a for a in (decode(Article, value) for value in values("articles")) if "video call" in a.title)
    (mention,) = Detector(bundled()).detect(follow_up(article))
    (event,) = assembly.apply(mention).events
    assert (event.event_id, event.revision) == (call.event_id, call.revision + 1)
    assert {source.outlet for source in event.sources} == {"Alpha", "Bravo"}


def test_what_was_told_by_the_old_version_is_not_told_again() -> None:
    log, desk, events = MemoryLog(), FakeReceiver(), told_events()

    async def restart() -> None:
        now = events[-1].last_seen + timedelta(hours=1)
        rules = policy(receivers=("desk",), max_age=timedelta(days=36500))
        notifier = engine({"desk": desk}, log, policy=rules, clock=lambda: now)
        notifier.start()
        await notifier.assign(0, list({one.key: one for one in map(_delivery, values("deliveries"))}.values()))
        for event in events:
            await notifier.accept(event)
        await notifier.stop()

    run_virtual(restart())
    assert desk.messages == []


def _delivery(value: bytes) -> Delivery:
    return decode(Delivery, value)


def test_records_that_both_versions_write_keep_their_number() -> None:
    """For a rollback: 0.1.0 reads schema 1 and leaves out what it does not know."""
    assert {kind.SCHEMA for kind in (Article, Mention, Event, Delivery, Subscription, FeedState, SeenSegment)} == {1}
