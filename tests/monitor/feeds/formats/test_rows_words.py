"""The behaviour table of docs/polling.md, rows 100-104: no words of an entry are lost, and none are added."""

# ruff: noqa: E501  # documents are kept on one line, as they came
from __future__ import annotations

from html import escape

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


def test_row_102_json_content_text_is_text() -> None:
    def item(**fields: str) -> Entry:
        import json

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
