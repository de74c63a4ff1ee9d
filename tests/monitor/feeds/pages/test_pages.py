"""Test finding the feeds of a site and the text of pages, with a real server on loopback."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator

import msgspec
import pytest

from agents.pollers.group import with_defaults
from monitor.config import PollerSettings
from monitor.errors import FeedError, HttpError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.page.feed_links import PageLinks, page_links
from monitor.feeds.formats.page.main_text import PageText, extract
from monitor.feeds.formats.parse import parse
from monitor.feeds.pages.discover import discover
from monitor.feeds.pages.full_text import FullText
from monitor.feeds.polling.fetch import Fetcher
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from monitor.http.link_header import link_header
from monitor.records import Article
from tests.feedserver import FeedServer, Reply, rss

FEED = rss("one story", "two story")
SENTENCE = "The two ministers spoke by phone on Tuesday about trade and the visit that is planned for the spring. "


class Inline:
    """The parser pool's work, done in the test's own process."""

    async def parse(self, body: bytes, **options: str) -> ParsedFeed:
        return parse(body, **options)

    async def page_links(self, body: bytes, **options: str) -> PageLinks:
        return page_links(body, **options)

    async def extract(self, body: bytes, **options: str) -> PageText:
        return extract(body, **options)


class Pauses:
    """Notes how long was waited, and waits not at all."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waited: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now += seconds


@pytest.fixture
async def fetcher() -> AsyncIterator[Fetcher]:
    made = Fetcher(AddressBook())
    yield made
    await made.aclose()


def page(body: str, head: str = "", **headers: str) -> Reply:
    return Reply(
        200, f"<html><head>{head}</head><body>{body}</body></html>".encode(), {"Content-Type": "text/html", **headers}
    )


async def found(server: FeedServer, fetcher: Fetcher, path: str = "/") -> list[tuple[str, str]]:
    pauses = Pauses()
    feeds = await discover(server.url(path), fetcher, Inline(), allow_private=True, sleep=pauses.sleep)
    assert all(pause >= 1 for pause in pauses.waited)
    assert len(pauses.waited) == len(server.requests) - 1
    return [(feed.url.removeprefix(server.url("")), feed.how) for feed in feeds]


async def test_an_address_that_is_a_feed_costs_one_request(server: FeedServer, fetcher: Fetcher) -> None:
    server.on("/feed.xml", Reply(200, FEED))
    assert await found(server, fetcher, "/feed.xml") == [("/feed.xml", "is a feed itself")]
    assert len(server.requests) == 1


async def test_header_then_link_then_anchor_and_only_what_is_a_feed(server: FeedServer, fetcher: Fetcher) -> None:
    links = """<link rel="alternate" type="application/rss+xml" href="/b.xml">
        <link rel="alternate" hreflang="fr" href="/fr">
        <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts/1">
        <link rel="alternate" type="application/atom+xml" href="/dead.xml">"""
    body = "<a href='/c/rss'>RSS</a><a href='/news'>News</a><a href='/b.xml'>again</a>"
    server.on(
        "/",
        page(
            body,
            links,
            Link='</a.xml>; rel="alternate"; type="application/atom+xml", </x>; rel=next, '
            '</wp-json/wp/v2/pages/2>; rel="alternate"; type="application/json"',
        ),
    )
    for path in ("/a.xml", "/b.xml", "/c/rss"):
        server.on(path, Reply(200, FEED))
    server.on("/dead.xml", page("moved"))
    assert await found(server, fetcher) == [
        ("/a.xml", "HTTP Link header"),
        ("/b.xml", "<link rel=alternate>"),
        ("/c/rss", "a link on the page"),
    ]
    assert not any("wp-json" in request.path for request in server.requests)
    assert not server.hits("/fr")


async def test_usual_addresses_are_tried_last_and_at_most_six_of_them(server: FeedServer, fetcher: Fetcher) -> None:
    server.on("/", page("nothing"))
    assert await found(server, fetcher) == []
    assert len(server.requests) == 7
    server.on("/atom.xml", Reply(200, FEED))
    server.requests.clear()
    assert await found(server, fetcher) == [("/atom.xml", "a usual address")]


async def test_an_address_that_does_not_answer_is_an_error(server: FeedServer, fetcher: Fetcher) -> None:
    with pytest.raises((FeedError, HttpError)):
        await discover("http://127.0.0.1:9/", fetcher, Inline())


@pytest.mark.parametrize(
    ("value", "links"),
    [
        ("", []),
        ('<a>; rel="alternate foo"; type=text/xml', [("a", "alternate foo", "text/xml")]),
        ('<a,b>; title="x, <y>; rel=no \\" z"; rel=self', [("a,b", "self", "")]),
        ("<a>;rel=hub , <b>; REL=self; rel=other", [("a", "hub", ""), ("b", "self", "")]),
        ("<unclosed", []),
        ("; rel=x", []),
    ],
)
def test_link_headers_are_read_by_the_rfc(value: str, links: list[tuple[str, str, str]]) -> None:
    assert link_header(value) == links


def test_links_of_a_hostile_page_are_bounded() -> None:
    many = b"".join(b"<link rel=alternate type=application/rss+xml href=/%d>" % n for n in range(5_000))
    assert len(page_links(many + b"<a href='http://[/rss'>", url="https://example.org/").alternate) == 50


ARTICLE = f"<html lang='en'><head><title>T</title></head><body><nav>Menu</nav><article><h1>T</h1>{''.join(f'<p>{SENTENCE}{n}</p>' for n in range(5))}</article></body></html>"  # noqa: E501
SUMMARY = Article(id="1", title="T", url="", summary="Short.")


def reader(fetcher: Fetcher, pauses: Pauses) -> FullText:
    return FullText(fetcher, Inline(), now=lambda: pauses.now, sleep=pauses.sleep)


def feed(server: FeedServer, full_text: str = "auto") -> Subscription:
    return Subscription(id="a", url=server.url("/feed.xml"), full_text=full_text, allow_private_network=True)


def articles(server: FeedServer, count: int = 1) -> list[Article]:
    return [msgspec.structs.replace(SUMMARY, id=str(n), url=server.url(f"/{n}")) for n in range(count)]


async def test_a_page_gives_its_text_where_the_feed_gives_a_summary(server: FeedServer, fetcher: Fetcher) -> None:
    server.on("/0", Reply(200, ARTICLE.encode(), {"Content-Type": "text/html"}))
    (article,) = await reader(fetcher, Pauses()).enrich(feed(server), articles(server))
    assert SENTENCE.strip() in article.text
    assert "Menu" not in article.text
    assert server.requests[0].path == "/robots.txt"
    assert server.requests[-1].header("authorization") is None


@pytest.mark.parametrize(
    ("canonical", "url"),
    [
        ("/news/0?utm_source=amp", "/news/0"),
        ("/story?id=7", "/0"),
        ("https://evil.example/story", "/0"),
        ("javascript:x", "/0"),
    ],
)
async def test_a_pages_canonical_address_is_taken_within_its_site(
    server: FeedServer, fetcher: Fetcher, canonical: str, url: str
) -> None:
    body = ARTICLE.replace("<title>", f'<link rel="canonical" href="{canonical}"><title>')
    server.on("/0", Reply(200, body.encode(), {"Content-Type": "text/html"}))
    (article,) = await reader(fetcher, Pauses()).enrich(feed(server), articles(server))
    assert article.text
    assert article.url == server.url(url)


async def test_a_selector_chooses_the_text(server: FeedServer, fetcher: Fetcher) -> None:
    body = f"<div class=x>Other</div><div class=story><p>{SENTENCE * 3}</p><script>no()</script></div>"
    server.on("/0", page(body))
    (article,) = await reader(fetcher, Pauses()).enrich(feed(server, "div.story"), articles(server))
    assert article.text == (SENTENCE * 3).strip()


async def test_robots_decide_and_are_asked_once_a_day(server: FeedServer, fetcher: Fetcher) -> None:
    server.on("/robots.txt", Reply(200, b"User-agent: Summitry\nDisallow: /1\nCrawl-delay: 3\n"))
    for path in ("/0", "/1", "/2"):
        server.on(path, Reply(200, ARTICLE.encode()))
    pauses = Pauses()
    text = reader(fetcher, pauses)
    done = await text.enrich(feed(server), articles(server, 3))
    assert [bool(article.text) for article in done] == [True, False, True]
    assert pauses.waited == [3.0]
    assert len(server.hits("/robots.txt")) == 1
    assert not server.hits("/1")
    pauses.now += 25 * 3600
    await text.enrich(feed(server), articles(server))
    assert len(server.hits("/robots.txt")) == 2


@pytest.mark.parametrize(("status", "allowed"), [(404, True), (403, True), (500, False)])
async def test_no_robots_allow_and_unreachable_ones_forbid(
    server: FeedServer, fetcher: Fetcher, status: int, allowed: bool
) -> None:
    server.on("/robots.txt", Reply(status))
    server.on("/0", Reply(200, ARTICLE.encode()))
    (article,) = await reader(fetcher, Pauses()).enrich(feed(server), articles(server))
    assert bool(article.text) is allowed


async def test_old_news_texts_that_are_there_and_short_pages_are_left_alone(
    server: FeedServer, fetcher: Fetcher
) -> None:
    server.on("/0", page("<p>Accept our cookies.</p>"))
    (one,) = articles(server)
    text = reader(fetcher, Pauses())
    for left in (msgspec.structs.replace(one, backfill=True), msgspec.structs.replace(one, text="has one"), one):
        assert await text.enrich(feed(server), [left]) == (left,)
    assert await text.enrich(feed(server, ""), [one]) == (one,)
    assert len(server.hits("/0")) == 1


@pytest.mark.parametrize(
    ("everybody", "feed_says", "texts"),
    [(False, "", ""), (True, "", "auto"), (True, "off", ""), (False, "auto", "auto"), (True, "div.story", "div.story")],
)
def test_the_configuration_asks_for_texts_and_a_feed_may_say_otherwise(
    everybody: bool, feed_says: str, texts: str
) -> None:
    feed = Subscription(id="a", url="https://a.example/", full_text=feed_says)
    assert with_defaults(feed, config=PollerSettings(full_text=everybody)).full_text == texts


async def test_a_very_slow_crawl_delay_means_no_pages(server: FeedServer, fetcher: Fetcher) -> None:
    server.on("/robots.txt", Reply(200, b"User-agent: *\nCrawl-delay: 600\n"))
    with pytest.raises((FeedError, HttpError)) as caught:
        await reader(fetcher, Pauses()).fetch(feed(server), server.url("/0"))
    assert caught.value.reason == "robots_refused"


@pytest.mark.parametrize(
    ("body", "selector", "reason"),
    [(b"", "", "no_text"), (b"<p>x</p>", "div[", "bad_selector"), (b"<p>x</p>", "h7", "no_text")],
)
def test_a_page_without_the_text_is_refused_by_name(body: bytes, selector: str, reason: str) -> None:
    with pytest.raises((FeedError, HttpError)) as caught:
        extract(body, url="https://example.org/", selector=selector)
    assert caught.value.reason == reason


def test_a_missing_extra_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    with pytest.raises((FeedError, HttpError), match=r"pip install 'summitry\[fulltext\]'") as caught:
        extract(ARTICLE.encode())
    assert caught.value.reason == "fulltext_extra"
