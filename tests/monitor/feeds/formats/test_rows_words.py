"""Test the behaviour table of docs/polling.md, rows 100-104, 130 and 131: no words of an entry are lost or added."""

# ruff: noqa: E501  # documents are kept on one line, as they came
from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from html import escape
from typing import Any

import pytest

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields.html_text import plain
from monitor.feeds.formats.parse import parse

MEDIA = 'xmlns:media="http://search.yahoo.com/mrss/"'


def one(body: str) -> Entry:
    (entry,) = parse(body.encode()).entries
    return entry


def rss(inside: str, channel: str = "") -> Entry:
    return one(f'<rss version="2.0" {MEDIA}><channel><title>G</title>{channel}<item>{inside}</item></channel></rss>')


def atom(inside: str) -> Entry:
    return one(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>G</title><entry><id>u</id>{inside}</entry></feed>')


@pytest.mark.parametrize(
    "title",
    [
        "&lt;![CDATA[Bridge opens]]&gt;",
        "<![CDATA[<![CDATA[Bridge opens]]]]><![CDATA[>]]>",
        "<![CDATA[&lt;![CDATA[Bridge opens]]&gt;]]>",
        "&lt;![CDATA[ <![CDATA[Bridge]]> opens ]]&gt;",
        "&lt;![cdata[Bridge opens]]",
        "&amp;lt;![CDATA[Bridge opens]]&amp;gt;",
    ],
)
def test_row_100_escaped_and_doubled_cdata_is_its_text(title: str) -> None:
    assert rss(f"<title>{title}</title>").title == "Bridge opens"


def test_row_100_in_bodies_links_ids_names_and_dates_as_well() -> None:
    entry = rss(
        "<description>&lt;![CDATA[&lt;p&gt;All the words&lt;/p&gt;]]&gt;</description>"
        "<link>&lt;![CDATA[https://a.example/1]]&gt;</link><guid isPermaLink='false'>&lt;![CDATA[g1]]&gt;</guid>"
        "<pubDate>&lt;![CDATA[Mon, 02 Mar 2026 08:00:00 GMT]]&gt;</pubDate><category>&lt;![CDATA[World]]&gt;</category>"
    )
    assert (entry.summary, entry.link, entry.guid) == ("All the words", "https://a.example/1", "g1")
    assert entry.published is not None
    assert entry.tags == ("World",)
    assert rss("<title>Array [[1, 2]] and ]] stay</title>").title == "Array [[1, 2]] and ]] stay"


@pytest.mark.parametrize(
    "title",
    [
        "A free guide to <head> elements",
        "Use <em> for stress",
        "Why List<String> is not List<Object>",
        "if a<b and c>d then",
        "<video> or <audio>?",
        "The <title> of a page, and its <body>",
        "Fans wave <3 at 5 > 4",
    ],
)
def test_row_101_tags_that_are_words_in_a_headline_stay(title: str) -> None:
    assert rss(f"<title>{escape(title)}</title>").title == title
    assert rss(f"<title>{escape(escape(title))}</title>").title == title
    assert rss(f"<title><![CDATA[{title}]]></title>").title == title
    assert rss(f"<title>Other</title><description>{escape(title)}</description>").summary == title
    assert plain("The </b> that nobody opened") == "The </b> that nobody opened"


@pytest.mark.parametrize(
    "title", ["What the <img> tag does", "Why <p> matters", "Use <div> or <span>?", "All of <table>"]
)
def test_row_101_a_bare_tag_among_words_is_one_of_them(title: str) -> None:
    assert rss(f"<title>{escape(title)}</title>").title == title
    assert rss(f"<title><![CDATA[{title}]]></title>").title == title


@pytest.mark.parametrize(
    ("markup", "title"),
    [
        ("<b>Breaking</b> news", "Breaking news"),
        ("One<br>two", "One two"),
        ("<p>A title", "A title"),
        ("One <br> two", "One two"),
        ("One <p> two </p>", "One two"),
        ("One <img src=x> two", "One two"),
        ('<a href="x">Linked</a> words', "Linked words"),
        ('<custom-tag class="x">Odd</custom-tag>', "Odd</custom-tag>"),
        ("<!-- note -->Words", "Words"),
        ("Before<script>alert(1)</script> after", "Before after"),
        ("<i>A <b>nested</b> title</i>", "A nested title"),
        ("H<sub>2</sub>O and <I>Upper</I>", "H2O and Upper"),
    ],
)
def test_row_101_markup_that_formats_a_title_goes(markup: str, title: str) -> None:
    assert plain(markup) == title.replace("</custom-tag>", "")
    assert rss(f"<title>{escape(markup)}</title>").title == plain(markup)


def test_row_102_what_a_format_calls_text_is_text() -> None:
    entry = atom(
        '<title type="text">How &lt;b&gt;bold&lt;/b&gt; works &amp;amp; why</title>'
        '<summary type="text">if a&lt;b and c&gt;d &lt;i&gt;then&lt;/i&gt;</summary>'
        '<content type="text">&lt;p&gt;is a tag&lt;/p&gt;</content>'
    )
    assert entry.title == "How <b>bold</b> works &amp; why"
    assert (entry.summary, entry.content) == ("if a<b and c>d <i>then</i>", "<p>is a tag</p>")
    loose = atom('<title type="text">How &lt;b&gt;bold&lt;/b&gt;</title><unclosed>')
    assert loose.title == "How <b>bold</b>"
    html = atom(
        '<title type="html">How &lt;b&gt;bold&lt;/b&gt;</title><summary type="html">&lt;p&gt;W&lt;/p&gt;</summary>'
    )
    assert (html.title, html.summary) == ("How bold", "W")
    unsaid = atom("<title>How &lt;b&gt;bold&lt;/b&gt;</title><summary>&lt;p&gt;W&lt;/p&gt;</summary>")
    assert (unsaid.title, unsaid.summary) == ("How bold", "W")


@pytest.mark.parametrize(
    "words",
    ["if a<b and c>d then", "<b>bold</b> &amp; more", "x &lt; y", "A free <head>", "5 > 3 < 4", "<p>is a tag</p>"],
)
def test_row_102_letters_of_a_text_stay_in_atom_and_json(words: str) -> None:
    escaped = words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    kinds = ('type="text"', 'type="TEXT"', "type=' text '")
    assert {atom(f"<title>T</title><content {kind}>{escaped}</content>").content for kind in kinds} == {words}
    fields = {"id": "1", "title": "T", "content_text": words}
    assert one(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [fields]})).content == words


@pytest.mark.parametrize("kind", [" html", "HTML", "string", "plaintext", "markdown", "text/html; charset=utf-8", ""])
def test_row_102_a_type_that_is_none_costs_no_words(kind: str) -> None:
    body = f"<title type='{kind}'>The &lt;b&gt;talks&lt;/b&gt;</title><content type='{kind}'>Words &lt;i&gt;here&lt;/i&gt;</content>"
    assert (atom(body).title, atom(body).content) == ("The talks", "Words here")


def test_row_102_json_content_text_is_text() -> None:
    def item(**fields: str) -> Entry:
        return one(json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", **fields}]}))

    assert item(title="T", content_text="if a<b and c>d then").content == "if a<b and c>d then"
    assert item(content_text="write <em>this</em> &amp; that").content == "write <em>this</em> &amp; that"
    assert item(content_html="<p>write <em>this</em></p>").content == "write this"
    assert item(title="A free guide to <head>", summary="a<b").title == "A free guide to <head>"


@pytest.mark.parametrize(
    "inside",
    [
        '<media:content url="https://a.example/x.jpg" medium="image"><media:description>A ferry at pier 4</media:description></media:content>',
        '<media:group><media:content url="https://a.example/x.jpg"/><media:description>A ferry at pier 4</media:description></media:group>',
        '<media:content url="https://a.example/x.jpg"><media:title>A ferry at pier 4</media:title></media:content>',
        "<media:text>A ferry at pier 4</media:text>",
        "<t:abstract xmlns:t='http://purl.org/dc/terms/'>A ferry at pier 4</t:abstract>",
        '<description>&lt;img src="x.jpg" alt="A ferry at pier 4"&gt;</description>',
        "<description>&lt;a href='y'&gt;&lt;img title='A ferry at pier 4' src='x.jpg'/&gt;&lt;/a&gt;</description>",
    ],
)
def test_row_103_words_that_stand_by_a_picture_only_make_an_article(inside: str) -> None:
    assert rss(f"<title></title><guid>u</guid>{inside}").summary == "A ferry at pier 4"
    # Where the entry has words of its own, a caption is none of them.
    assert rss(f"<title>Own words</title>{inside}").title == "Own words"


def test_row_103_a_caption_never_joins_the_words_of_an_entry() -> None:
    caption = '<media:content url="x.jpg" medium="image"><media:description>Two men in 2019</media:description></media:content>'
    entry = rss(f"<title>Council meets</title><description>It met.</description>{caption}")
    assert (entry.title, entry.summary, entry.content) == ("Council meets", "It met.", "")


@pytest.mark.parametrize("name", ["details", "aside", "address", "dl", "ruby"])
def test_row_101_elements_around_a_text_are_no_words_of_it(name: str) -> None:
    assert rss(f"<title>T</title><description>&lt;{name}&gt;A ferry&lt;/{name}&gt;</description>").summary == "A ferry"
    assert rss(f"<title>How to use &lt;{name}&gt; well</title>").title == f"How to use <{name}> well"


def test_row_104_an_entry_in_two_languages_is_read_in_the_feeds() -> None:
    both = (
        '<title xml:lang="fr">Le port</title><title xml:lang="en">The harbour</title>'
        '<description xml:lang="en">Words of it</description><description xml:lang="fr">Des mots</description>'
    )
    assert (rss(both).title, rss(both).summary, rss(both).content) == ("Le port", "Des mots", "")
    english = rss(both, "<language>en-GB</language>")
    assert (english.title, english.summary, english.content) == ("The harbour", "Words of it", "")
    welsh = atom(
        '<title xml:lang="en">Hello</title><title xml:lang="cy">Helo</title>'
        '<content xml:lang="en">Words</content><content xml:lang="cy">Geiriau hirach</content>'
    )
    assert (welsh.title, welsh.content) == ("Hello", "Words")
    french = parse(f"<rss><channel><item>{both}</item></channel></rss>".encode(), language="en").entries[0]
    assert (french.title, french.summary) == ("The harbour", "Words of it"), (
        "the subscription's language counts as well"
    )
    same = rss('<title xml:lang="en">One</title><description xml:lang="en">Short</description>')
    assert (same.title, same.summary) == ("One", "Short")


@pytest.mark.parametrize(
    "unusual",
    [
        "",
        "<cc:license xmlns:cc='http://web.resource.org/cc/'/>",  # feedparser has to read it
        "<author>A & B</author>",  # it has to be mended first
        "<note>one <b>two</note>",  # only the forgiving parser reads it
    ],
)
@pytest.mark.parametrize(("feed", "title", "summary"), [("en", "Harbour", "Words <title>"), ("cy", "Porth", "Geiriau")])
def test_row_104_in_whatever_way_the_document_is_read(unusual: str, feed: str, title: str, summary: str) -> None:
    inside = (
        '<title xml:lang="cy">Porth</title><title xml:lang="en">Harbour</title>'
        '<summary type="text" xml:lang="en"><![CDATA[Words <title>]]></summary>'
        '<summary type="text" xml:lang="cy">Geiriau</summary>'
        '<link hreflang="cy" href="https://a.example/cy"/><link hreflang="en" href="https://a.example/en"/>'
    )
    document = (
        f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{feed}"><title>S</title>{unusual}'
        f"<entry><id>1</id>{inside}</entry><entry><id>2</id><title>Alone</title></entry></feed>"
    )
    first, second = parse(document.encode()).entries
    assert (first.title, first.summary, first.content) == (title, summary, "")
    assert first.link == f"https://a.example/{feed}"
    assert second.title == "Alone"


def test_row_104_words_without_a_language_are_in_the_feeds() -> None:
    both = '<title>The harbour</title><title xml:lang="fr">Le port</title>'
    assert rss(both, "<language>en</language>").title == "The harbour"
    assert rss(both, "<language>fr</language>").title == "The harbour", (
        "all of it is French, then: the first one counts"
    )


def test_row_101_what_only_begins_as_a_tag_is_words_in_a_text() -> None:
    assert rss("<title>T</title><description>Rates: May&lt;June, June &lt; July</description>").summary == (
        "Rates: May<June, June < July"
    )


def test_row_100_an_escaped_cdata_section_around_a_link_is_no_relative_address() -> None:
    for unusual in ("", "<cc:license xmlns:cc='http://web.resource.org/cc/'/>"):
        document = (
            f"<rss><channel>{unusual}<item><title>T</title><link>&lt;![CDATA[https://a.example/1]]&gt;</link></item>"
            "</channel></rss>"
        )
        assert parse(document.encode(), url="https://a.example/feed").entries[0].link == "https://a.example/1"


# ---- 130: words where other systems put them ----


@pytest.mark.parametrize(
    ("inside", "words"),
    [
        ("<googleplay:description>About the talks</googleplay:description>", "About the talks"),
        ("<yandex:full-text>All of the talks</yandex:full-text>", "All of the talks"),
        ("<turbo:content><![CDATA[<p>All of the talks</p>]]></turbo:content>", "All of the talks"),
        ("<title>&lt;img src='a.jpg' alt='Two ministers at a table'&gt;</title>", "Two ministers at a table"),
    ],
)
@pytest.mark.parametrize("unusual", ["", "<title><b>x</b></title>"])
def test_row_130_words_under_other_names_make_an_article(inside: str, words: str, unusual: str) -> None:
    names = " ".join(f"xmlns:{name}='urn:{name}'" for name in ("googleplay", "yandex", "turbo"))
    entry = parse(
        f"<rss version='2.0' {names}><channel><title>T</title><item>{inside}<link>https://a.example/1</link></item>"
        f"<item>{unusual}</item></channel></rss>".encode()
    ).entries[0]
    assert (entry.summary or entry.content) == words


@pytest.mark.parametrize(
    "item",
    [
        {"title": {"rendered": "The talks"}, "content": {"rendered": "<p>Words</p>"}, "date_gmt": "2026-02-04T15:15:00",
         "link": "https://a.example/1", "author": 7, "tags": [3]},
        {"title": "The talks", "description": "Words", "pubDate": "Wed, 04 Feb 2026 15:15:00 GMT",
         "link": "https://a.example/1"},
        {"title": {"#text": "The talks"}, "content": "<b>Words</b>", "published": "2026-02-04T15:15:00Z",
         "url": "https://a.example/1"},
    ],
)  # fmt: skip
@pytest.mark.parametrize("whole", [lambda item: {"items": [item]}, lambda item: {"items": {"1": item}}])
def test_row_130_json_of_other_systems_is_read(item: dict[str, Any], whole: Callable[[object], object]) -> None:
    (entry,) = parse(json.dumps(whole(item)).encode()).entries
    assert (entry.title, entry.summary or entry.content, entry.link) == ("The talks", "Words", "https://a.example/1")
    assert entry.published == datetime(2026, 2, 4, 15, 15, tzinfo=UTC)
    assert (entry.authors, entry.tags) == ((), ())


def test_row_130_a_list_of_posts_without_a_feed_is_read() -> None:
    post = {"id": 5, "date_gmt": "2026-02-04T15:15:00", "title": {"rendered": "The talks"}}
    assert [entry.title for entry in parse(json.dumps([post]).encode()).entries] == ["The talks"]


# ---- 131: signs that nobody sees ----


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("Donau\u00addampf\u00adschiff", "Donaudampfschiff"),
        ("&lt;ruby&gt;漢&lt;rp&gt;(&lt;/rp&gt;&lt;rt&gt;かん&lt;/rt&gt;&lt;rp&gt;)&lt;/rp&gt;&lt;/ruby&gt;字", "漢字"),
        ("How to use &lt;rt&gt; in a page", "How to use <rt> in a page"),
        (
            "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f wins",
            "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f wins",
        ),
        ("Hidden\U000e0041\U000e0042 signs", "Hidden signs"),
        ("\U0001f3f4\U000e0041\U000e0042 signs", "\U0001f3f4 signs"),
        ("It&amp;#8217s over, and &amp;#x201cwe know&amp;#x201d;", "It’s over, and “we know”"),
    ],
)
def test_row_131_what_nobody_sees_goes_and_what_all_see_stays(title: str, shown: str) -> None:
    document = f"<rss version='2.0'><channel><item><title>{title}</title></item></channel></rss>"
    assert [entry.title for entry in parse(document.encode()).entries] == [shown]
    body = document.replace("title>", "description>")
    assert [entry.summary for entry in parse(body.encode()).entries] == [shown]


# ---- 141: names with addresses ----


@pytest.mark.parametrize("head", ["", "&bad; <b>"])  # the second one goes to the forgiving parser
@pytest.mark.parametrize(
    ("author", "names"),
    [
        ("desk@gazette.photography (Ann Sample)", ("Ann Sample",)),
        ("Ann Sample &lt;ann@news.international&gt;", ("Ann Sample",)),
        ("Ann Sample, ann@xn--80ak6aa92e.xn--p1ai", ("Ann Sample,",)),
        ("анна@пример.москва (Анна Пример)", ("Анна Пример",)),
        ("ann@gazette.co.uk (Ann Sample)", ("Ann Sample",)),
        ("desk@gazette.photography", ()),
        ("@annsample", ("@annsample",)),
        ("Ann @ the desk", ("Ann @ the desk",)),
    ],
)
def test_row_141_an_authors_address_goes_whole_and_the_name_stays(
    author: str, names: tuple[str, ...], head: str
) -> None:
    item = f"<item><title>Talks</title><author>{author}</author></item>"
    document = f"<rss version='2.0'><channel><title>{head}</title>{item}</channel></rss>"
    assert [entry.authors for entry in parse(document.encode()).entries] == [names]


def test_row_141_a_long_author_without_an_address_takes_no_time() -> None:
    long = "a" * 200_000 + "@"
    document = f"<rss version='2.0'><channel><item><title>Talks</title><author>{long}</author></item></channel></rss>"
    (entry,) = parse(document.encode()).entries
    assert len(entry.authors[0]) <= 200


@pytest.mark.parametrize(
    ("title", "text"),
    [
        ("Cup final &lt;img src='https://a.example/26bd.png' alt='⚽' class='smiley'/&gt; tonight", "Cup final ⚽ tonight"),
        ("<![CDATA[Snow <img alt='❄️' src='s.png'>]]>", "Snow ❄️"),
        ("Talks end &lt;img src='x.png' alt='Two men at a table'/&gt;", "Talks end"),
        ("Talks end &lt;img src='x.png' alt='—'/&gt; at noon", "Talks end — at noon"),
    ],
)  # fmt: skip
def test_row_101_an_emoji_that_is_a_picture_stays_in_the_headline(title: str, text: str) -> None:
    assert rss(f"<title>{title}</title>").title == text
