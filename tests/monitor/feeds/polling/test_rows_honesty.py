"""Test row 79 of the table in docs/polling.md: `feeds check` lists the entries that are not published, and why."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from monitor import metrics
from monitor.feeds.formats import entries
from monitor.feeds.formats.parse import parse
from monitor.feeds.novelty.reconcile import reconcile
from monitor.feeds.novelty.seen import SeenStories
from monitor.feeds.polling.feed_report import FeedCheck, as_json, explain
from monitor.feeds.subscriptions.subscription import Filter, Subscription
from tests.feedserver import FeedServer, Reply
from tests.monitor.feeds.novelty.follower import item, rss
from tests.monitor.feeds.world import World

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
GOOD = item("A good story", "https://a.example/1", "g1", "Words.", 9)


def said(document: str, **options: Any) -> dict[str, str]:
    """What `feeds check` says of a document, by the word at the beginning of the line; of several all."""
    feed = Subscription(id="a", url="https://a.example/feed", **options)
    parsed = parse(document.encode(), url=feed.url, language=feed.language)
    check = FeedCheck(feed=feed, now=NOW, document=parsed, found=reconcile(SeenStories(), parsed, feed, NOW))
    json.dumps(as_json(check), default=str)
    found: dict[str, str] = {}
    name = ""
    for line in explain(check, 0).splitlines():
        name = line[:12].strip() or name
        found[name] = f"{found[name]}\n{line[12:]}" if name in found else line[12:]
    return found


def test_row_79_entries_that_can_not_be_read_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = entries.safe_entry

    def failing(raw: entries.RawEntry, setting: entries.FeedContext) -> Any:
        if "bad" in raw.title:
            raise RecursionError
        return whole(raw, setting)

    monkeypatch.setattr(entries, "safe_entry", failing)
    assert said(rss(GOOD, item("bad one"), item("bad two")))["Left out"] == "2 entries, since it could not be read"


@pytest.mark.parametrize(
    ("items", "count"),
    [
        ('null, "words", {"id": "1", "title": "A"}', 2),
        ('{"id": "1", "title": "A"}, 5, []', 2),
        ('{"id": "1", "title": "A"}, {"id": "2", "title": nonsense!}', 1),
    ],
)
def test_row_79_items_that_are_none_are_counted(items: str, count: int) -> None:
    document = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{items}]}}'
    assert said(document)["Left out"].endswith("since it could not be read")
    assert said(document)["Left out"].startswith(f"{count} entr")
    assert said(document)["Entries"] == "1"


@pytest.mark.slow
def test_row_79_entries_beyond_the_limit_are_counted() -> None:
    items = "".join(f"<item><title>Release {n}</title><guid>r{n}</guid></item>" for n in range(2003))
    assert said(rss(items))["Left out"] == "3 entries, since only the 2000 newest are read"
    listed = ",".join(f'{{"id": "{n}", "title": "Release {n}"}}' for n in range(2004))
    document = f'{{"version": "https://jsonfeed.org/version/1.1", "items": [{listed}]}}'
    assert said(document)["Left out"] == "4 entries, since only the 2000 newest are read"


def test_row_79_the_entry_in_which_a_document_ends_is_told() -> None:
    document = rss(GOOD, item("Another story", "https://a.example/2", "g2", "Words."))
    waits = "1 entry, since the document ends within it, so that it waits for the next poll"
    assert said(document[:-60])["Left out"] == waits
    feed = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "A"}, {"id": "2", "ti'
    assert said(feed)["Left out"] == waits


def test_row_79_pages_of_a_sitemap_that_are_no_news_are_counted() -> None:
    news = "<news:news><news:title>Story</news:title></news:news>"
    urls = "".join(f"<url><loc>https://a.example/{n}</loc>{news if n == 1 else ''}</url>" for n in range(4))
    head = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>"
    assert said(f"{head}{urls}</urlset>")["Left out"] == "3 entries, since it has no news:news and is no article"


def test_row_79_entries_that_are_there_twice_are_named() -> None:
    assert said(rss(GOOD, GOOD, item("Two", "https://a.example/2", "g2")))["Twice"] == (
        "1 entry more than once in the document: A good story"
    )


def test_row_79_texts_of_another_language_are_told() -> None:
    both = "<item xml:lang='en'><title xml:lang='en'>Talks</title><title xml:lang='fr'>Pourparlers</title></item>"
    told = said(f"<rss version='2.0'><channel><language>en</language>{both}</channel></rss>")
    assert "texts in other languages were left out" in told["Document"]


def test_row_79_what_rules_of_the_user_stop_and_rules_that_take_too_long() -> None:
    advert = item("Advert: buy bridges", "https://a.example/9", "g9", "a" * 40 + "!")
    block = [Filter(field="title", match="^advert"), Filter(field="content", match="(a|a)*(b|c)(a|a)*$")]
    told = said(rss(GOOD, advert), block=block)
    assert told["Left out"] == (
        "1 entry, since the `block` rule '^advert' for its title matches it: Advert: buy bridges"
    )
    slow = said(
        rss(item("Slow", "https://a.example/9", "g9", "a" * 20_000)),
        block=[Filter(field="content", match="(a+)+(a+)+b")],
    )
    assert slow["Filters"] == "'(a+)+(a+)+b' takes too long and matches nothing"
    assert "Left out" not in slow
    assert said(rss(GOOD), keep=[Filter(field="title", match="summit")])["Left out"].endswith(
        "no `keep` rule matches it: A good story"
    )
    assert (
        "older than 3 days"
        in said(rss(item("Old", "", "o", "", datetime(2026, 1, 1, tzinfo=UTC))), max_age_days=3)["Left out"]
    )


@pytest.mark.parametrize(
    ("date", "line"),
    [
        ("32 Foo 2026", "1 entry with a date that can't be read (32 Foo 2026)"),
        ("1 Jan 1970 00:00 GMT", "1 entry with a date before 1990, which is ignored (1 Jan 1970 00:00 GMT)"),
        ("2 Mar 2027 09:00Z", "1 entry with a date over an hour in the future, which is ignored (2 Mar 2027 09:00Z)"),
        ("2 Mar 2026 09:00", "1 entry with a date without a zone: set `timezone` if it is not UTC (2 Mar 2026 09:00)"),
        ("", "1 entry without a date: the time when it was first seen is used"),
    ],
)  # fmt: skip
def test_row_79_dates_that_are_not_believed_are_shown(date: str, line: str) -> None:
    assert said(rss(item("Story", "https://a.example/1", "g1", "Words.", date)))["Dates"] == line


@pytest.mark.parametrize("link", ["javascript:alert(1)", "mailto:desk@a.example", ""])
def test_row_79_entries_without_an_address_are_named(link: str) -> None:
    assert said(rss(item("Story", link, "g1", "Words.")))["Links"] == ("1 entry without a valid link: Story")


def test_row_79_older_pages_and_feeds_that_are_switched_off_are_told() -> None:
    paged = rss("<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='next' href='/feed?page=2'/>", GOOD)
    assert said(paged)["Older"] == "https://a.example/feed?page=2 has more; only this document is read"
    assert said(rss(GOOD), enabled=False, notes="moved")["Enabled"] == "no, the poller never asks it: moved"


async def test_row_79_the_poller_counts_them_by_reason(server: FeedServer, world: World) -> None:
    items = 'null, {"id": "1", "title": "A good story of the day"}, {"id": "2", "title": "Cut'
    body = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "J", "items": [{items}'.encode()
    server.on("/feed.xml", Reply(200, body))
    world.add()
    counters = {reason: metrics.entries_left_out.labels(reason) for reason in ("unreadable", "cut")}
    before = {reason: counter._value.get() for reason, counter in counters.items()}
    await world.poll()
    assert world.titles == ["A good story of the day"]
    assert {r: c._value.get() - before[r] for r, c in counters.items()} == {"unreadable": 1, "cut": 1}
