"""Test what stays in memory after a document was read."""

from __future__ import annotations

import asyncio
import threading

from monitor.feeds.novelty.seen import KnownStory, SeenStories
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.subscriptions.subscription import Subscription
from tests.monitor.feeds.world import START, InlineParser

FEED = (
    b'<rss version="2.0"><channel><title>Sample</title><item><title>Rain helps the fields</title>'
    b"<link>https://paper.example/rain</link><guid>rain</guid></item></channel></rss>"
)


async def test_remembered_stories_are_packed_once_they_were_compared():
    feed = Subscription(id="a", url="https://paper.example/feed.xml")
    fetched = FetchResult(status=200, url=feed.url, headers={"content-type": "application/rss+xml"}, body=FEED)
    reading = await DocumentReader(InlineParser()).read(feed, FeedState(feed="a"), {}, fetched, START)
    assert [one.title for one in reading.entries.new] == ["Rain helps the fields"]
    assert (len(reading.entries.seen), len(SeenStories(reading.segments))) == (0, 1)


async def test_feeds_of_many_stories_are_compared_one_after_the_other():
    # Each thread would keep memory of its own: six of them made a poller grow by 19 MiB once feeds had told a thousand.
    seen = SeenStories()
    for number in range(1_500):
        seen.put(KnownStory(b"%016d" % number, bytes(16), int(START // 86_400), guid=b"guid!"))
    fetched = FetchResult(status=200, url="", headers={"content-type": "application/rss+xml"}, body=FEED)
    reader, before = DocumentReader(InlineParser()), threading.active_count()
    feeds = [Subscription(id=f"feed-{number}", url="https://paper.example/feed.xml") for number in range(8)]
    states = [FeedState(feed=feed.id, last_success=1.0) for feed in feeds]
    reading = [
        reader.read(feed, state, seen.segments(), fetched, START) for feed, state in zip(feeds, states, strict=True)
    ]
    found = await asyncio.gather(*reading)
    assert [len(one.entries.new) for one in found] == [1] * 8
    assert threading.active_count() <= before + 1
