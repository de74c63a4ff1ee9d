"""Test the behaviour table of docs/polling.md, rows 47-58 and 62: how entries are read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from monitor.feeds.subscriptions.opml import read_opml
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article
from tests.feedserver import Reply
from tests.monitor.feeds.world import DAY, HOUR, START, World


def rss(*items: str, head: str = "") -> Reply:
    names = 'xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"'
    text = f'<rss version="2.0" {names}><channel><title>Sample</title>{head}{"".join(items)}</channel></rss>'
    return Reply(200, text.encode())


def item(title: str = "", link: str = "", guid: str = "", date: str = "", more: str = "") -> str:
    parts = (("title", title), ("link", link), ("guid", guid), ("pubDate", date))
    return "<item>" + "".join(f"<{name}>{text}</{name}>" for name, text in parts if text) + more + "</item>"


async def polled(world: World, *replies: Reply, gap: float = HOUR, **options: object) -> list[Article]:
    """What is published when the replies are given one after the other."""
    world.server.on("/feed.xml", replies)
    if "a" not in world.poller.held:
        world.add(**options)
    for number in range(len(replies)):
        await world.poll(after=gap if number else 0)
    return world.store.articles


async def test_row_47_an_entry_without_a_guid_is_known_by_its_link_then_by_title_and_date(world: World) -> None:
    bare = item(title="No link, no guid", date="Mon, 2 Mar 2026 08:00:00 GMT")
    first = rss(item(title="One", link="https://example.org/1"), bare)
    second = rss(item(title="One", link="https://example.org/1?utm_source=rss"), bare, item(title="Another"))
    articles = await polled(world, first, second)
    assert sorted(article.title for article in articles) == ["Another", "No link, no guid", "One"]
    assert len({article.id for article in articles}) == 3


async def test_row_47_a_permalink_guid_stands_in_for_the_link(world: World) -> None:
    opaque = '<guid isPermaLink="false">https://example.org/2</guid>'
    articles = await polled(world, rss(item("One", guid="https://example.org/1"), item("Two", more=opaque)))
    assert {a.title: a.url for a in articles} == {"One": "https://example.org/1", "Two": ""}


async def test_row_48_ten_entries_with_one_guid_are_ten_articles_for_ever(world: World) -> None:
    def document(start: int) -> Reply:
        return rss(*(item(f"Story {n}", f"https://example.org/{n}", "same") for n in range(start + 9, start - 1, -1)))

    articles = await polled(world, document(0), document(1), document(1))
    assert len(articles) == 11
    assert len({article.id for article in articles}) == 11
    assert all(article.revision == 0 for article in articles)
    assert world.state().choice.kind == "link"


async def test_row_48_a_repeated_guid_among_many_keeps_the_first_and_tells_the_others_by_link(world: World) -> None:
    good = [item(f"Good {n}", f"https://example.org/good/{n}", f"g{n}") for n in range(8)]
    twins = [item(f"Twin {n}", f"https://example.org/twin/{n}", "twin") for n in range(2)]
    newest = item("Twin 2", "https://example.org/twin/2", "twin")
    articles = await polled(world, rss(*good, *twins), rss(newest, *reversed(twins), *good))
    assert sorted(a.title for a in articles if a.title.startswith("Twin")) == ["Twin 0", "Twin 1", "Twin 2"]
    assert len(articles) == len({a.id for a in articles}) == 11
    assert world.state().choice.kind == "guid"


async def test_row_49_a_guid_whose_counter_rises_is_one_entry_with_revisions(world: World) -> None:
    page = "https://www.bbc.co.uk/news/articles/sample1"
    replies = [rss(item(f"Talks, edit {n}", f"{page}?at_medium=RSS", f"{page}#{n}")) for n in range(3)]
    articles = await polled(world, *replies)
    assert [article.revision for article in articles] == [0, 1, 2]
    assert len({article.id for article in articles}) == 1
    assert articles[0].url == page


async def test_row_49_new_guids_for_the_same_pages_switch_the_feed_to_links(world: World) -> None:
    def document(turn: int, edit: str = "") -> Reply:
        return rss(*(item(f"Story {n}{edit}", f"https://example.org/{n}", f"{turn}-{n}") for n in range(6)))

    articles = await polled(world, document(1), document(2), document(3), document(4, edit=", corrected"))
    assert len([a for a in articles if a.revision == 0]) == 6
    assert len([a for a in articles if a.revision == 1]) == 6
    assert world.state().choice.kind == "link"


async def test_row_50_a_correction_is_a_revision_and_says_whether_it_matters(world: World) -> None:
    def document(title: str, text: str) -> Reply:
        return rss(item(title, "https://example.org/1", "1", more=f"<content:encoded>{text}</content:encoded>"))

    body = "The two presidents spoke by phone on Monday. " * 5
    articles = await polled(
        world,
        document("Presidents speak", body),
        document("Presidents speak", body + "It was short."),
        document("Presidents speak", body + "It was short. " + "They agreed to meet again within the month. " * 3),
        document("Presidents did not speak", body),
    )
    assert [(a.revision, a.significant) for a in articles] == [(0, True), (1, False), (2, True), (3, True)]
    assert len({a.id for a in articles}) == 1


async def test_row_50_an_entry_that_never_stops_changing_is_given_up_after_24_revisions(world: World) -> None:
    replies = [rss(item(f"Counter at {n}", "https://example.org/1", "1")) for n in range(30)]
    articles = await polled(world, *replies)
    assert articles[-1].revision == 24
    assert len(articles) == 25


async def test_row_51_a_new_date_alone_is_no_revision(world: World) -> None:
    replies = [
        rss(item("One", "https://example.org/1", "1", f"Mon, 2 Mar 2026 0{n}:00:00 GMT"), head=f"<ttl>{n + 5}</ttl>")
        for n in range(4)
    ]
    assert len(await polled(world, *replies)) == 1


async def test_row_52_an_old_entry_that_comes_back_is_not_new(world: World) -> None:
    old = item("Old", "https://example.org/old", "old")
    others = [item(f"Day {n}", f"https://example.org/{n}", str(n)) for n in range(4)]
    articles = await polled(world, rss(old), *(rss(other) for other in others), rss(old, others[-1]), gap=15 * DAY)
    assert [article.title for article in articles].count("Old") == 1


async def test_row_52_what_is_remembered_is_purged_after_ninety_days_but_never_to_less_than_ten_documents(
    world: World,
) -> None:
    def day(number: int, *more: str) -> Reply:
        return rss(
            *(item(f"{number} {n}", f"https://example.org/{number}/{n}", f"{number}-{n}") for n in range(4)), *more
        )

    back = item("0 0", "https://example.org/0/0", "0-0")
    recent = item("30 0", "https://example.org/30/0", "30-0")
    articles = await polled(world, *(day(number) for number in range(110)), day(110, recent, back), gap=DAY)
    titles = [article.title for article in articles]
    assert titles.count("30 0") == 1, "gone from the feed for 80 days"
    assert titles.count("0 0") == 2, "forgotten: first seen 110 days ago, over ten documents back"
    weeks = world.store.segments["a"]
    assert min(weeks) >= (START // DAY + 110 - 91) // 7, "the segments of older weeks are deleted on the topic as well"
    # A small feed that is asked once in a while remembers ten documents, however old they are.
    world.server.on("/slow.xml", [day(number) for number in range(5)] + [day(5, back)])
    world.add("slow", "/slow.xml")
    for _ in range(6):
        await world.poll("slow", after=60 * DAY)
    assert [article.title for article in world.store.articles[len(titles) :]].count("0 0") == 1


ZONES = [
    ("Mon, 02 Mar 2026 08:00:00 GMT", "08:00"),
    ("Mon, 02 Mar 2026 08:00:00 +0300", "05:00"),
    ("Mon, 02 Mar 2026 03:00 EST", "08:00"),
    ("Mon, 02 Mar 2026 04:00:00 EDT", "08:00"),
    ("Mon, 02 Mar 2026 16:00:00 JST", "07:00"),
    ("Mon, 02 Mar 2026 16:00:00 KST", "07:00"),
    ("Mon, 02 Mar 2026 11:00:00 MSK", "08:00"),
    ("Mon, 02 Mar 2026 09:00:00 CET", "08:00"),
    ("Mon, 02 Mar 2026 09:00:00 CEST", "07:00"),
    ("Mon, 02 Mar 2026 09:00:00 EET", "07:00"),
    ("Mon, 02 Mar 2026 13:30:00 IST", "08:00"),
    ("Mon, 02 Mar 2026 15:00:00 HKT", "07:00"),
    ("Mon, 02 Mar 2026 18:00:00 AEST", "08:00"),
    ("Mon, 02 Mar 2026 08:00:00 GMT+1", "07:00"),
    ("Monday, 02-Mar-26 08:00:00 UTC", "08:00"),
    ("Mon Mar  2 08:00:00 2026", "08:00"),
    ("2026-03-02T08:00:00Z", "08:00"),
    ("2026-03-02T08:00:00.123+0100", "07:00"),
    ("2026-03-02 08:00:00", "08:00"),
    ("2026-03-02 08:00:00 UTC+03:00", "05:00"),
    ("02.03.2026 08:00", "08:00"),
    ("02/03/2026 08:00", "08:00"),
    ("March 2, 2026 3:05 a.m. ET", "08:05"),
    ("Pzt, 02 Mar 2026 11:00:00 +0300", "08:00"),
    ("lun. 2 mars 2026 09:00 CET", "08:00"),
    ("понедельник, 2 марта 2026 г., 11:00 МСК", "08:00"),
    ("2026年3月2日 08:00", "08:00"),
    ("2026년 3월 2일 오전 8:00", "08:00"),
    ("1772438400", "08:00"),
]


@pytest.mark.parametrize(("written", "utc"), ZONES, ids=[date for date, _ in ZONES])
async def test_row_53_dates_are_read_in_their_own_zone(world: World, written: str, utc: str) -> None:
    (article,) = await polled(world, rss(item("One", "https://example.org/1", "1", written)))
    assert article.published == datetime.fromisoformat(f"2026-03-02T{utc}+00:00")


async def test_row_53_a_date_without_a_zone_is_in_the_feeds(world: World) -> None:
    document = rss(item("One", "https://example.org/1", "1", "Mon, 02 Mar 2026 17:00:00"))
    (article,) = await polled(world, document, timezone="Asia/Tokyo")
    assert article.published == datetime(2026, 3, 2, 8, tzinfo=UTC)


async def test_row_53_one_name_means_another_zone_in_another_country(world: World) -> None:
    document = rss(item("One", "https://example.org/1", "1", "Mon, 02 Mar 2026 10:00:00 IST"))
    (article,) = await polled(world, document, country="IL")
    assert article.published == datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize("date", ["", "soon", "Thu, 01 Jan 1970 00:00:00 GMT", "Wed, 02 Mar 2033 08:00:00 GMT"])
async def test_row_54_no_believable_date_is_never_now(world: World, date: str) -> None:
    (article,) = await polled(world, rss(item("One", "https://example.org/1", "1", date)))
    assert article.published is None
    assert article.seen == datetime.fromtimestamp(START, UTC)


async def test_row_55_relative_addresses_follow_xml_base_then_the_feed(world: World) -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom" xml:base="/news/"><title>Sample</title>
        <entry xml:base="https://example.org/a/b/"><id>1</id><title>One</title><link href="../one"/></entry>
        <entry><id>2</id><title>Two</title><link href="two"/></entry>
        <entry><id>3</id><title>Three</title><link href="//example.net/three"/></entry></feed>"""
    articles = await polled(world, Reply(200, atom.encode()))
    assert {a.title: a.url for a in articles} == {
        "One": "https://example.org/a/one",
        "Two": world.server.url("/news/two"),
        "Three": "http://example.net/three",
    }


@pytest.mark.parametrize(
    ("declared", "header"),
    [("iso-8859-1", "application/rss+xml"), ("utf-8", "text/xml; charset=us-ascii"), ("utf-16", "text/xml")],
)
async def test_row_56_valid_utf8_is_utf8_whatever_the_labels_say(world: World, declared: str, header: str) -> None:
    text = f'<?xml version="1.0" encoding="{declared}"?><rss version="2.0"><channel><title>S</title>'
    text += item("Élysée – Кремль", "https://example.org/1", "1") + "</channel></rss>"
    (article,) = await polled(world, Reply(200, text.encode(), {"Content-Type": header}))
    assert article.title == "Élysée – Кремль"


@pytest.mark.parametrize(
    ("encoding", "label", "title"),
    [
        ("windows-1251", "windows-1251", "Переговоры в Москве"),
        ("windows-1252", "iso-8859-1", "“Gipfel” – €uro"),
        ("gb18030", "gb2312", "主席会见总统镕"),
        ("cp932", "shift_jis", "①首相が電話会談"),
        ("cp949", "euc-kr", "대통령 통화 똠"),
        ("utf-16", "utf-16", "Élysée"),
    ],
)
async def test_row_56_other_encodings_by_the_label_that_is_meant(
    world: World, encoding: str, label: str, title: str
) -> None:
    text = f'<?xml version="1.0" encoding="{label}"?><rss version="2.0"><channel><title>S</title>'
    text += item(title, "https://example.org/1", "1") + "</channel></rss>"
    (article,) = await polled(world, Reply(200, text.encode(encoding), {"Content-Type": "text/xml"}))
    assert article.title == title


@pytest.mark.parametrize(
    "tracking",
    ["utm_source=rss&utm_medium=x", "at_medium=RSS&at_campaign=rss", "CMP=share", "smid=tw", "maca=en-rss", "wt_mc=rss",
     "traffic_source=rss", "ocid=x", "ns_mchannel=rss", "xtor=RSS-1", "fbclid=1", "ref=rss", "__readwiseLocation="],
)  # fmt: skip
async def test_row_57_tracking_parameters_are_removed_and_the_rest_stays(world: World, tracking: str) -> None:
    link = f"https://Example.org:443/story?id=7&amp;{tracking.replace('&', '&amp;')}&amp;ref=desk#top"
    (article,) = await polled(world, rss(item("One", link, "1")))
    assert article.url == "https://example.org/story?id=7&ref=desk"


ATTACKS = [
    "<script>alert(1)</script>talks",
    "<img src=x onerror=alert(1)>talks",
    "<a href='javascript:alert(1)'>talks</a>",
    "<a href='java&#10;script:alert(1)'>talks</a>",
    "<svg/onload=alert(1)></svg>talks",
    "<iframe src='https://evil.example'></iframe>talks",
    "<style>@import 'https://evil.example';</style>talks",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>talks",
    "&lt;script&gt;alert(1)&lt;/script&gt;talks",
    "talks\u202egnp.exe\u2066\x9b31m",
    "<b title='\"><script>alert(1)</script>'>talks</b>",
]


@pytest.mark.parametrize("attack", ATTACKS)
async def test_row_58_hostile_markup_becomes_harmless_text(world: World, attack: str) -> None:
    wrapped = f"<![CDATA[{attack}]]>"
    body = f"<description>{wrapped}</description><content:encoded>{wrapped}</content:encoded>"
    (article,) = await polled(
        world, rss(item(f"<![CDATA[Leaders {attack}]]>", "https://example.org/1", "1", more=body))
    )
    for text in (article.title, article.summary, article.text):
        assert "<" not in text
        assert "alert" not in text
        assert "@import" not in text
        assert not any(char in text for char in "\u202e\u2066\x9b")
    assert "talks" in article.title
    assert "talks" in article.summary


async def test_row_58_a_photos_caption_is_not_the_story(world: World) -> None:
    media = """<media:content url="https://example.org/p.jpg" medium="image"><media:title>File photo</media:title>
        <media:description>The two presidents in 2019</media:description></media:content>"""
    (article,) = await polled(world, rss(item("Budget passed", "https://example.org/1", "1", more=media)))
    assert article.title == "Budget passed"
    assert "2019" not in article.summary + article.text


def test_row_62_one_bad_row_of_a_hundred_is_reported_and_the_rest_is_read() -> None:
    rows = [f'<outline type="rss" text="Feed {n}" xmlUrl="https://example{n}.org/rss"/>' for n in range(99)]
    rows.insert(50, '<outline type="rss" text="Broken" xmlUrl="gopher://example.org/rss"/>')
    outline = read_opml(("<opml version='2.0'><body>\n" + "\n".join(rows) + "\n</body></opml>").encode())
    assert len(outline.feeds) == 99
    (problem,) = outline.problems
    assert problem.line == 52
    assert "http" in problem.text


def test_row_62_rows_around_a_syntax_error_are_read() -> None:
    rows = (
        '<outline text="A & B" xmlUrl="https://a.example/rss?x=1&y=2"/><outline text="C" xmlUrl="https://c.example/"/'
    )
    outline = read_opml(
        f"<opml><body><outline text='Desk'>{rows}<outline text='D' xmlurl='https://d.example/f'>".encode()
    )
    assert [feed.url for feed in outline.feeds] == ["https://a.example/rss?x=1&y=2", "https://d.example/f"]
    assert isinstance(outline.feeds[0], Subscription)
