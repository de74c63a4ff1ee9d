"""Test the behaviour table of docs/polling.md, rows 119, 122-124 and 139: long documents, sitemaps, links."""

# ruff: noqa: E501  # documents are kept on one line
from __future__ import annotations

import base64
import json
from datetime import UTC, datetime

import pytest

from monitor.errors import FeedError
from monitor.feeds.formats import entries
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.fields.redirect_links import publishers_address
from monitor.feeds.formats.newest import newest
from monitor.feeds.formats.parse import parse

# Each document has thousands of entries.
pytestmark = pytest.mark.slow


def rss(items: str) -> bytes:
    return f"<rss version='2.0'><channel><title>G</title>{items}</channel></rss>".encode()


def release(number: int, date: str = "") -> str:
    when = f"<pubDate>{date}</pubDate>" if date else ""
    return f"<item><title>Release {number}</title><guid isPermaLink='false'>r{number}</guid>{when}</item>"


def day(number: int) -> str:
    return f"2020-01-01T{number // 3600:02}:{number // 60 % 60:02}:{number % 60:02}Z"


def titles(feed: ParsedFeed) -> set[str]:
    return {entry.title for entry in feed.entries}


@pytest.mark.parametrize("dated", [False, True])
def test_row_119_what_is_added_at_the_end_of_a_long_document_is_read(dated: bool) -> None:
    before, after = (
        parse(rss("".join(release(n, day(n) if dated else "") for n in range(count)))) for count in (2100, 2101)
    )
    assert len(before.entries) == len(after.entries) == 2000
    assert titles(after) - titles(before) == {"Release 2100"}
    assert before.truncated


@pytest.mark.parametrize("dated", [False, True])
def test_row_119_so_is_what_is_added_at_the_beginning(dated: bool) -> None:
    numbers = list(range(2500, 0, -1))
    before = parse(rss("".join(release(n, day(n) if dated else "") for n in numbers)))
    after = parse(rss("".join(release(n, day(n) if dated else "") for n in [2501, *numbers])))
    assert titles(after) - titles(before) == {"Release 2501"}


def test_row_119_and_what_is_new_by_date_in_the_middle() -> None:
    numbers = list(range(3000))
    middle = [*numbers[:1500], 3000, *numbers[1500:]]
    found = parse(rss("".join(release(n, day(n)) for n in middle)))
    assert "Release 3000" in titles(found)
    assert len(found.entries) == 2000


def test_row_119_in_json_and_atom_as_well() -> None:
    items = [{"id": str(n), "title": f"Story {n}"} for n in range(2300)]
    feed = parse(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items}).encode())
    assert {"Story 0", "Story 2299"} <= titles(feed)
    assert len(feed.entries) == 2000
    assert feed.truncated
    listed = "".join(f"<a:entry><a:id>{n}</a:id><a:title>Story {n}</a:title></a:entry>" for n in range(2300))
    atom = parse(f"<a:feed xmlns:a='http://www.w3.org/2005/Atom'>{listed}</a:feed>".encode())
    assert {"Story 0", "Story 2299"} <= titles(atom)


def test_row_119_a_document_whose_entries_cannot_be_told_apart_is_read_from_its_beginning() -> None:
    odd = "<item><description><![CDATA[<item>]]></description></item>"
    feed = parse(rss("".join(map(release, range(2100))) + odd))
    assert len(feed.entries) == 2000
    assert feed.truncated
    assert newest([None] * 5, 5) == [0, 1, 2, 3, 4]
    assert newest([None] * 7, 4) == [0, 1, 5, 6]


NEWS = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1"'


def news(path: str, title: str, more: str = "") -> str:
    return (
        f"<url><loc>https://a.example/{path}</loc><news:news><news:publication><news:name>Port Post</news:name>"
        f"<news:language>de</news:language></news:publication><news:publication_date>2026-03-02T08:00:00+01:00"
        f"</news:publication_date><news:title>{title}</news:title>{more}</news:news></url>"
    )


def test_row_122_a_news_sitemap_is_read_as_a_feed() -> None:
    more = "<news:keywords>Hafen, Brücke</news:keywords>"
    body = f'<?xml version="1.0"?><urlset {NEWS}>{news("1", "Brücke &amp; Hafen", more)}{news("2", "Zweite")}<url><loc>https://a.example/about</loc></url></urlset>'
    feed = parse(body.encode())
    assert (feed.mode, feed.title, feed.language) == ("sitemap", "Port Post", "de")
    first, second = feed.entries
    assert (first.title, first.link, first.guid) == ("Brücke & Hafen", "https://a.example/1", "https://a.example/1")
    assert first.published is not None
    assert first.published.isoformat() == "2026-03-02T07:00:00+00:00"
    assert first.tags == ("Hafen", "Brücke")
    assert second.title == "Zweite"


def test_row_122_other_prefixes_repairs_and_sitemaps_without_news() -> None:
    other = (
        f"<n:urlset {NEWS.replace('xmlns=', 'xmlns:n=').replace('xmlns:news', 'xmlns:x')}>"
        + news("1", "A & B")
        .replace("news:", "x:")
        .replace("<url>", "<n:url>")
        .replace("</url>", "</n:url>")
        .replace("loc>", "n:loc>")
        + "</n:urlset>"
    )
    feed = parse(other.encode())
    assert feed.mode == "sitemap-repaired"
    assert [entry.title for entry in feed.entries] == ["A & B"]
    for body in (
        f"<urlset {NEWS}><url><loc>https://a.example/</loc></url></urlset>",
        f"<sitemapindex {NEWS}><sitemap><loc>https://a.example/s.xml</loc></sitemap></sitemapindex>",
        f"<urlset {NEWS}><url><loc",
    ):
        with pytest.raises(FeedError) as caught:
            parse(body.encode())
        assert caught.value.reason in {"not_a_feed", "truncated"}
    assert parse(f"<urlset {NEWS}></urlset>".encode()).entries == ()


def packed(url: str, more: bytes = b"\xd2\x01\x00") -> str:
    size = bytes([len(url)]) if len(url) < 128 else bytes([len(url) & 0x7F | 0x80, len(url) >> 7])
    return base64.urlsafe_b64encode(b"\x08\x13\x22" + size + url.encode() + more).decode().rstrip("=")


TARGET = "https://www.port-post.example/world/bridge-opens-1?id=7"
LONG = "https://www.port-post.example/" + "a" * 150


@pytest.mark.parametrize(
    ("link", "address"),
    [
        (f"https://news.google.com/rss/articles/{packed(TARGET)}?oc=5", TARGET),
        (f"https://news.google.com/rss/articles/{packed(LONG)}?oc=5", LONG),
        (f"https://news.google.com/articles/{packed(TARGET, b'')}", TARGET),
        (f"https://news.google.com/read/{packed(TARGET, bytes([0xD2, 1, 25]) + b'https://amp.example/x/y/z')}", TARGET),
        ("https://www.google.com/url?rct=j&sa=t&url=https://www.port-post.example/a%3Fb%3D1&ct=ga", "https://www.port-post.example/a?b=1"),
        ("http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fwww.port-post.example%2fa&c=1", "https://www.port-post.example/a"),
        ("http://us.rd.yahoo.com/dailynews/rss/world/*http://www.port-post.example/a", "http://www.port-post.example/a"),
        ("https://r.search.yahoo.com/_ylt=A/RV=2/RE=1/RO=10/RU=https%3a%2f%2fwww.port-post.example%2fa/RK=2/RS=x", "https://www.port-post.example/a"),
        ("https://l.facebook.com/l.php?u=https%3A%2F%2Fwww.port-post.example%2Fa&h=x", "https://www.port-post.example/a"),
        ("https://www.google.com/url?q=https%3A%2F%2Fl.facebook.com%2Fl.php%3Fu%3Dhttps%253A%252F%252Fwww.port-post.example%252Fa", "https://www.port-post.example/a"),
        ("https://www.google.co.uk/url?q=https%3A%2F%2Fa.example%2F1", "https://a.example/1"),
        ("https://news.url.google.com/url?url=https://a.example/1", "https://a.example/1"),
        ("https://a-example.cdn.ampproject.org/c/s/a.example/1", "https://a.example/1"),
        ("https://www.google.com/amp/s/a.example/1", "https://a.example/1"),
        ("https://www.google.de/amp/a.example/1", "http://a.example/1"),
        ("https://yandex.ru/turbo?text=https%3A%2F%2Fa.example%2F1", "https://a.example/1"),
        ("https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fa.example%2F1&data=x", "https://a.example/1"),
        ("https://urldefense.com/v3/__https://a.example/1__;!!abc", "https://a.example/1"),
    ],
)  # fmt: skip
def test_row_123_a_link_that_tells_the_publishers_address_is_that_address(link: str, address: str) -> None:
    assert publishers_address(link) == address
    feed = parse(rss(f"<item><title>T</title><link>{link.replace('&', '&amp;')}</link></item>"))
    assert feed.entries[0].link == address


@pytest.mark.parametrize(
    "link",
    [
        "https://news.google.com/rss/articles/" + base64.urlsafe_b64encode(b"\x08\x13\x22\x20AU_yqLNoaddressinhere").decode(),
        "https://news.google.com/rss/articles/!!!",
        "https://news.google.com/rss/articles/" + base64.urlsafe_b64encode(b"\x08\x13\x22\xffhttps://short.example/").decode(),
        "https://www.google.com/url?url=javascript:alert(1)",
        "https://www.google.com/search?q=https://a.example/",
        "https://a.example/share?url=https://b.example/",
        "https://notgoogle.com/url?url=https://b.example/",
    ],
)  # fmt: skip
def test_row_123_other_links_stay(link: str) -> None:
    assert publishers_address(link) == link


@pytest.mark.parametrize(
    "bad",
    [
        "<item><title>Bad</title><link>http://[::1</link></item>",
        "<item><title>Bad</title><link>http://a.example:99999/</link></item>",
        "<item><title>Bad</title><pubDate>99 Foo 99999999999</pubDate></item>",
        "<item><title>Bad &#xFFFF; &#0; &bogus;</title></item>",
        "<item><title>Bad</title><enclosure length='x' url='::'/><guid></guid></item>",
        "<item><title>Bad</title><media:thumbnail url='x' width='a'/></item>",
        "<item></item>",
        "<item/>",
        "<item><title>Bad</title><link>" + "https://a.example/" + "x" * 9000 + "</link></item>",
        "<item><title>Bad <b>unclosed</title></item>",
        "<item><title>Bad</title><category/><author><name/></author><source/></item>",
        "<item><title>Bad\x01\x02\ufffe</title></item>",
    ],
)
def test_row_124_one_bad_thing_costs_itself(bad: str) -> None:
    good = [
        f"<item><title>Good {n}</title><link>https://a.example/{n}</link><pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate></item>"
        for n in range(4)
    ]
    feed = parse(rss(good[0] + good[1] + bad + good[2] + good[3]))
    found = [entry for entry in feed.entries if entry.title.startswith("Good")]
    assert [(entry.title, entry.link, entry.published is not None) for entry in found] == [
        (f"Good {n}", f"https://a.example/{n}", True) for n in range(4)
    ]


def test_row_124_an_entry_over_which_our_code_fails_costs_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = entries.safe_entry

    def failing(raw, setting):
        if raw.title == "Bad":
            raise ValueError("a mistake of ours")
        return whole(raw, setting)

    monkeypatch.setattr(entries, "safe_entry", failing)
    feed = parse(
        rss("<item><title>Good</title></item><item><title>Bad</title></item><item><title>Better</title></item>")
    )
    assert [entry.title for entry in feed.entries] == ["Good", "Better"]
    assert [(each.reason, each.count) for each in feed.unread] == [("unreadable", 1)]


# ---- 139: addresses that are not quite right ----


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("www.a.example/1", "https://www.a.example/1"),
        ("&lt;https://a.example/1&gt;", "https://a.example/1"),
        ('"https://a.example/1"', "https://a.example/1"),
        ("&lt;a href=\"https://a.example/1\"&gt;more&lt;/a&gt;", "https://a.example/1"),
        ("[more](https://a.example/1)", "https://a.example/1"),
        ("https://https://a.example/1", "https://a.example/1"),
        ("http:/a.example/1", "http://a.example/1"),
        ("feed:https://a.example/1", "https://a.example/1"),
        ("https://a.example/bridge_(east)", "https://a.example/bridge_(east)"),
        ("https://a.example/archive/https://b.example/1", "https://a.example/archive/https://b.example/1"),
        ("https://a.example/https://cdn.example/1.txt", "https://cdn.example/1.txt"),
        ("/www.html", "https://a.example/www.html"),
        ("https://a.example/\n      long-story", "https://a.example/long-story"),
        ("https://a.example/long-\n\t  story?page=2", "https://a.example/long-story?page=2"),
        ("https://a.example/a b", "https://a.example/a%20b"),
    ],
)  # fmt: skip
def test_row_139_an_address_is_found_in_what_stands_around_it(link: str, address: str) -> None:
    body = f"<rss version='2.0'><channel><item><title>T</title><link>{link}</link></item></channel></rss>"
    assert [entry.link for entry in parse(body.encode(), url="https://a.example/feeds/rss.xml").entries] == [address]


@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ("<guid>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid isPermaLink='false'>https://a.example/1</guid>", "https://a.example/"),
        ("<guid isPermaLink='0'>https://a.example/1</guid>", "https://a.example/"),
        ("<guid ispermalink='False'>https://a.example/1</guid>", "https://a.example/"),
        ("<guid ISPERMALINK=' no '>https://a.example/1</guid>", "https://a.example/"),
        ("<guid IsPermalink='1'>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid isPermaLink=''>https://a.example/1</guid>", "https://a.example/1"),
        ("<guid isPermaLink=0>https://a.example/1</guid>", "https://a.example/"),
        ("<guid>one</guid>", "https://a.example/"),
    ],
)
def test_row_139_a_permalink_goes_before_a_link_to_the_home_page(guid: str, link: str) -> None:
    body = f"<rss version='2.0'><channel><item><title>T</title><link>https://a.example/</link>{guid}</item></channel></rss>"
    assert [entry.link for entry in parse(body.encode()).entries] == [link]


@pytest.mark.parametrize(
    ("guid", "link"),
    [
        ("<guid isPermaLink='true'>/news/1</guid>", "https://a.example/news/1"),
        ("<guid>/news/1</guid>", "https://a.example/news/1"),
        ("<guid isPermaLink='false'>/news/1</guid>", ""),
        ("<guid>news-1</guid>", ""),
    ],
)
def test_row_139_a_permalink_without_its_host_is_an_address(guid: str, link: str) -> None:
    body = f"<rss version='2.0'><channel><item><title>T</title>{guid}</item></channel></rss>"
    assert [entry.link for entry in parse(body.encode(), url="https://a.example/feeds/rss.xml").entries] == [link]


def test_row_139_a_relation_may_be_written_as_its_registered_address() -> None:
    links = "".join(
        f"<link rel='http://www.iana.org/assignments/relation/{name}' href='https://a.example/{name}'/>"
        for name in ("replies", "alternate")
    )
    body = f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>T</title>{links}</entry></feed>"
    assert [entry.link for entry in parse(body.encode()).entries] == ["https://a.example/alternate"]


@pytest.mark.parametrize("date", ["<dc:date>2026-02-04T15:15Z</dc:date>", "<date>4 Feb 2026 15:15</date>"])
@pytest.mark.parametrize("first", ["<pubDate>soon</pubDate>", "<pubDate>Thu, 01 Jan 1970 00:00:00 GMT</pubDate>", ""])
def test_row_139_a_date_that_cannot_be_read_gives_way_to_one_that_can(first: str, date: str) -> None:
    body = (
        "<rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><item><title>T</title>"
        f"{first}{date}</item></channel></rss>"
    )
    (entry,) = parse(body.encode()).entries
    assert entry.published == datetime(2026, 2, 4, 15, 15, tzinfo=UTC)


def test_row_122_a_sitemap_that_ends_in_the_middle_is_read_up_to_its_last_whole_entry() -> None:
    def url(n: int) -> str:
        return f"<url><loc>https://a.example/{n}</loc><news:news><news:title>Story {n}</news:title></news:news></url>"

    head = "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9' xmlns:news='http://www.google.com/schemas/sitemap-news/0.9'>"
    whole = head + url(1) + url(2) + url(3)
    feed = parse(whole[:-30].encode())
    assert [entry.title for entry in feed.entries] == ["Story 1", "Story 2"]
    assert feed.incomplete
    assert not parse(f"{whole}</urlset>".encode()).incomplete
