"""Test parsing: formats, repairs, limits, and that only FeedError is raised."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime
from xml.sax.saxutils import escape

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import FeedError
from monitor.feeds.formats.document import Entry, ParsedFeed
from monitor.feeds.formats.parse import MAX_DOCUMENT, parse

RSS = b"""<?xml version="1.0"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:media="http://search.yahoo.com/mrss/"
     xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"
     xmlns:atom="http://www.w3.org/2005/Atom">
<channel><title>Sample &amp; Sons</title><link>https://example.org/</link><language>en-GB</language><ttl>15</ttl>
<sy:updatePeriod>hourly</sy:updatePeriod><sy:updateFrequency>4</sy:updateFrequency>
<skipHours><hour>1</hour><hour>2</hour></skipHours><skipDays><day>Sunday</day></skipDays>
<atom:link rel="self" href="https://example.org/feed"/><atom:link rel="hub" href="https://hub.example/"/>
<item><title>Leaders &lt;b&gt;speak&lt;/b&gt;</title><link> https://example.org/1 </link>
<guid isPermaLink="false">tag:1</guid><pubDate>Mon, 02 Mar 2026 08:00:00 GMT</pubDate>
<dc:creator>Ann Sample</dc:creator><category>World</category><category>Politics</category>
<description>&lt;p&gt;They spoke.&lt;/p&gt;&lt;p&gt;By phone.&lt;/p&gt;</description>
<content:encoded><![CDATA[<p>They spoke <a href="/by">by</a> phone for an hour.</p>
<ul><li>trade</li><li>peace</li></ul>]]></content:encoded>
<media:group><media:content url="/s.jpg" width="100" medium="image"/>
<media:content url="/l.jpg" width="900" medium="image"/>
<media:credit>Photo: X</media:credit><media:description>A caption</media:description></media:group>
<source url="https://other.example/feed">Other</source></item></channel></rss>"""


def one(body: bytes | str, **options: str) -> Entry:
    (entry,) = read(body, **options).entries
    return entry


def read(body: bytes | str, **options: str) -> ParsedFeed:
    options.setdefault("url", "https://example.org/feed")
    return parse(body if isinstance(body, bytes) else body.encode("utf-8", "surrogatepass"), **options)


def item(inner: str) -> str:
    return f'<rss version="2.0"><channel><title>S</title><item>{inner}</item></channel></rss>'


def test_an_rss_document_gives_all_its_fields() -> None:
    feed = read(RSS)
    assert (feed.title, feed.link, feed.language, feed.mode) == (
        "Sample & Sons",
        "https://example.org/",
        "en-gb",
        "rss",
    )
    assert (feed.ttl_minutes, feed.update_period_seconds, feed.skip_hours, feed.skip_days) == (
        15,
        900,
        (1, 2),
        ("sunday",),
    )
    assert (feed.self_url, feed.hub, feed.problem) == ("https://example.org/feed", "https://hub.example/", "")
    (entry,) = feed.entries
    assert (entry.title, entry.link, entry.guid, entry.guid_is_permalink) == (
        "Leaders speak", "https://example.org/1", "tag:1", False)  # fmt: skip
    assert entry.summary == "They spoke.\nBy phone."
    assert entry.content == "They spoke by phone for an hour.\ntrade\npeace"
    assert '<a href="https://example.org/by" rel="noopener noreferrer">by</a>' in entry.html
    assert entry.published == datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert (entry.authors, entry.tags, entry.language) == (("Ann Sample",), ("World", "Politics"), "en-gb")
    assert entry.image is not None
    assert (entry.image.url, entry.image.credit, entry.image.caption) == (
        "https://example.org/l.jpg", "Photo: X", "A caption")  # fmt: skip
    assert entry.source is not None
    assert (entry.source.title, entry.source.url) == ("Other", "https://other.example/feed")


@pytest.mark.parametrize(
    ("namespace", "mode"),
    [("http://purl.org/rss/1.0/", "rdf"), ("http://my.netscape.com/rdf/simple/0.9/", "rdf")],
)
def test_rdf_of_both_namespaces_is_read(namespace: str, mode: str) -> None:
    feed = read(
        f'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="{namespace}" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><channel><title>S</title></channel>'
        '<item rdf:about="urn:1"><title>One</title><link>https://example.org/1</link>'
        "<dc:date>2026-03-02T08:00:00Z</dc:date></item></rdf:RDF>"
    )
    (entry,) = feed.entries
    assert (feed.mode, entry.guid, entry.title, entry.published) == (
        mode,
        "urn:1",
        "One",
        datetime(2026, 3, 2, 8, tzinfo=UTC),
    )


def test_atom_keeps_published_and_updated_apart_and_picks_the_page() -> None:
    entry = one(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="fr"><title>S</title><entry><id> urn:1 </id>'
        '<title type="html">L&amp;eacute;a &amp;amp; co</title><link rel="self" href="/self"/>'
        '<link rel="alternate" type="application/json" href="/j"/><link rel="alternate" type="text/html" href="/page"/>'
        "<updated>2026-03-02T09:00:00Z</updated><published>2026-03-02T08:00:00Z</published>"
        '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Un entretien.</p></div></content>'
        "</entry></feed>"
    )
    assert (entry.guid, entry.title, entry.link) == ("urn:1", "Léa & co", "https://example.org/page")
    assert (entry.published, entry.updated) == (
        datetime(2026, 3, 2, 8, tzinfo=UTC),
        datetime(2026, 3, 2, 9, tzinfo=UTC),
    )
    assert (entry.content, entry.summary, entry.language) == ("Un entretien.", "", "fr")


def test_json_feed_is_told_by_its_content_and_coerces_ids() -> None:
    feed = read(
        json.dumps(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": "S",
                "language": "en",
                "hubs": [{"type": "WebSub", "url": "https://hub.example/"}],
                "authors": [{"name": "Desk"}],
                "items": [
                    {
                        "id": 7,
                        "url": "/7",
                        "title": "Seven",
                        "content_html": "<p>A<br>B</p>",
                        "date_published": "2026-03-02T08:00:00Z",
                    },
                    {"id": 8.0, "content_text": "plain <not> markup", "tags": ["x", 3], "author": "nobody"},
                    "rubbish",
                ],
            }
        ),
        content_type="text/plain",
    )
    seven, eight = feed.entries
    assert (feed.mode, feed.hub) == ("json", "https://hub.example/")
    assert (seven.guid, seven.link, seven.content, seven.authors) == ("7", "https://example.org/7", "A\nB", ("Desk",))
    assert (eight.guid, eight.tags) == ("8", ("x",))


@pytest.mark.parametrize(
    ("broken", "title"),
    [
        ("<title>Tom & Jerry</title>", "Tom & Jerry"),
        ("<title>Caf&eacute; &nbsp; &ndash; &unknown; x</title>", "Café – &unknown; x"),
        ("<title>Null &#0; surrogate &#xD83D; x</title>", "Null surrogate x"),
        ("<title>Curly &#145;quotes&#146;</title>", "Curly ‘quotes’"),
        ("<title>A\x08B\x1fC</title>", "ABC"),
        ("<title>Lone \ud83d surrogate</title>", "Lone surrogate"),
        ("<title>5 < 6 and more</title>", "5 < 6 and more"),
        ("<title>Prefix</title><foo:bar>x</foo:bar>", "Prefix"),
        ("<title>Attribute</title><enclosure url='a?b=1&c=2'/>", "Attribute"),
        ("<title><![CDATA[In & CDATA &amp; all]]></title>", "In & CDATA & all"),
    ],
)
def test_what_is_nearly_xml_is_repaired(broken: str, title: str) -> None:
    assert one(item(broken)).title == title


@pytest.mark.parametrize(
    "junk",
    ["\n\n  ", "\ufeff", "<br>" * 5000, "PHP Warning: x\n", "<!-- a --><?php ?>", "<!DOCTYPE rss [<!ENTITY x 'y>'>]>"],
)
def test_what_stands_before_the_root_does_not_matter(junk: str) -> None:
    assert one(junk + item("<title>One</title>")).title == "One"


@pytest.mark.parametrize("tail", ["<!-- late --> junk", "\n</body></html>", "<script>x</script>"])
def test_what_stands_after_the_root_does_not_matter(tail: str) -> None:
    feed = read(item("<title>One</title>") + tail)
    assert feed.entries[0].title == "One"


def test_a_torn_document_gives_the_entries_it_has() -> None:
    feed = read(item("<title>One</title><link>https://example.org/1</link>")[:-30] + "<item><title>Tw")
    assert feed.mode == "rss-repaired"
    assert "One" in [entry.title for entry in feed.entries]
    assert feed.problem


def test_an_element_that_feedparser_stumbles_over_costs_nothing_else() -> None:
    cc = 'xmlns:cc="http://backend.userland.com/creativeCommonsRssModule"'
    outside = f"<cc:license {cc}>x</cc:license><channel>"
    feed = read(item("<title>One</title><link>https://example.org/1</link>").replace("<channel>", outside))
    assert (feed.entries[0].title, feed.entries[0].link) == ("One", "https://example.org/1")
    assert feed.problem == "<creativecommons:license> is not valid"


def test_odd_namespaces_and_bases_cost_nothing_else() -> None:
    odd = "<x:y xmlns:x='two words more'>z</x:y>"
    body = "<description xml:base='http://a.&lt;b&gt;c/'>&lt;a href='x'>B&lt;/a></description>"
    entry = one(item(f"<title>One</title>{odd}{body}"))
    assert (entry.title, entry.summary) == ("One", "B")


def test_text_that_was_escaped_twice_is_read_once_more() -> None:
    assert (
        one(item("<title>A</title><description>&amp;lt;p&amp;gt;Hello&amp;lt;/p&amp;gt;</description>")).summary
        == "Hello"
    )


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n ", "empty"),
        (b"<!DOCTYPE html><html><body>Not found</body></html>", "html"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'></html>", "html"),
        (b"<note>hello</note>", "not_a_feed"),
        (b"just words", "not_a_feed"),
        (b'{"error": "no"}', "not_a_feed"),
        (b"{", "truncated"),
        (b"<rss", "not_a_feed"),
        (b"\x00\x01\x02" * 100, "not_a_feed"),
        (b"x" * (MAX_DOCUMENT + 1), "too_large"),
    ],
)
def test_what_is_no_feed_is_refused_by_name(body: bytes, reason: str) -> None:
    with pytest.raises(FeedError) as caught:
        parse(body)
    assert caught.value.reason == reason


def test_a_path_or_an_address_as_a_body_is_never_opened() -> None:
    for body in (b"/etc/passwd", b"file:///etc/passwd", b"https://example.org/feed"):
        with pytest.raises(FeedError):
            parse(body)


def test_sizes_are_capped() -> None:
    long = "wörd " * 200_000
    entry = one(
        item(
            f"<title>{long}</title><guid>{'g' * 9000}</guid><description>{long}</description>"
            + "<category>t</category>" * 90
        )
    )
    assert len(entry.title.encode()) <= 1_000
    assert len(entry.summary.encode()) <= 16_000
    assert 16_000 < len(entry.content.encode()) <= 512_000
    assert len(entry.guid) <= 2_000


def test_the_language_is_what_the_text_allows() -> None:
    def language(title: str, declared: str, configured: str = "") -> str:
        text = item(f"<title>{title}</title>").replace("<item>", f"<language>{declared}</language><item>")
        return one(text, language=configured).language

    assert language("Президент провёл переговоры с канцлером", "en-US") == "ru"
    assert language("Los presidentes hablaron por teléfono este martes", "en-us", "es") == "es"
    assert language("The leaders met in the capital on Monday", "en-gb", "es") == "en"
    assert language("Le président a reçu la chancelière", "fr", "fr") == "fr"
    assert language("Xi", "", "zh") == "zh"


FUZZ_SEEDS = [
    RSS,
    item("<title>x</title>").encode(),
    b'{"version":"https://jsonfeed.org/version/1","items":[{"id":1}]}',
    b'<feed xmlns="http://www.w3.org/2005/Atom"><entry><title type="xhtml"><div/></title></entry></feed>',
]
PIECES = [
    b"<", b">", b"&", b"&#xD800;", b"&#99999999999;", b"<![CDATA[", b"]]>", b"<!--", b"<!DOCTYPE", b"\x00", b"\xff\xfe",
    b"\xed\xa0\x80", b"<item>", b"</item>", b"<entry>", b'xml:base="//["', b"http://[", b"<svg>", b"<title>", b"'",
    b'"', b"<?", b"xmlns:a='b'", b"<content type='application/octet-stream'>", b"<guid isPermaLink='true'>http://[</guid>",
]  # fmt: skip


def parsed_or_refused(body: bytes) -> ParsedFeed | None:
    """The document, None where it is refused for a reason that the parser itself gives."""
    try:
        return parse(body, content_type="text/xml", url="https://example.org/feed")
    except FeedError as error:
        if error.reason == "parse_failed":
            raise
        return None


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(b"<rss><channel><item><link>http://[</link></item></channel></rss>")
@example(b"<rss xml:base='http://[::1'><channel><item><link>x</link></item></channel></rss>")
@example(b"<feed><entry><content type='a' mode='base64'>!!!!</content></entry></feed>")
@pytest.mark.slow
def test_arbitrary_bytes_raise_nothing_but_feed_errors(body: bytes) -> None:
    for document in (body, b"<rss><channel><item><title>" + body, b"{" + body):
        if parsed := parsed_or_refused(document):
            msgspec.json.encode(parsed)


@settings(max_examples=250, deadline=None)
@given(st.sampled_from(FUZZ_SEEDS), st.integers(0, 2**32))
@pytest.mark.slow
def test_mutated_feeds_raise_nothing_but_feed_errors_and_stay_writable(seed: bytes, number: int) -> None:
    dice = random.Random(number)
    body = bytearray(seed)
    for _ in range(dice.randint(1, 8)):
        at = dice.randint(0, len(body))
        body[at : at + dice.choice([0, 0, 1, 5, 40])] = dice.choice(PIECES)
    if parsed := parsed_or_refused(bytes(body)):
        assert msgspec.json.decode(msgspec.json.encode(parsed), type=ParsedFeed) == parsed


def rss_of(feed: ParsedFeed) -> str:
    """The feed written down again as RSS."""
    rows = []
    for entry in feed.entries:
        fields = [("title", entry.title), ("link", entry.link), ("description", escape(entry.summary))]
        body = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in fields if text)
        body += f'<guid isPermaLink="false">{escape(entry.guid)}</guid>' if entry.guid else ""
        body += f"<content:encoded>{escape(entry.html)}</content:encoded>" if entry.content else ""
        body += "".join(f"<category>{escape(tag)}</category>" for tag in entry.tags)
        body += f"<pubDate>{entry.published:%a, %d %b %Y %H:%M:%S GMT}</pubDate>" if entry.published else ""
        rows.append(f"<item>{body}</item>")
    name = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'<rss version="2.0" {name}><channel><title>{escape(feed.title)}</title>{"".join(rows)}</channel></rss>'


texts = st.text(st.characters(blacklist_categories=["Cs", "Cc"]) | st.sampled_from("&<>;#\"'"), max_size=40)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(texts, texts, texts, st.lists(texts, max_size=3)), max_size=4))
@pytest.mark.slow
def test_parse_serialise_parse_is_stable(rows: list[tuple[str, str, str, list[str]]]) -> None:
    items = "".join(
        f"<item><title>{escape(title)}</title><guid isPermaLink='false'>{escape(guid)}</guid>"
        f"<description>{escape(body)}</description>"
        f"{''.join(f'<category>{escape(tag)}</category>' for tag in tags)}</item>"
        for title, guid, body, tags in rows
    )
    first = read(f"<rss version='2.0'><channel><title>S</title>{items}</channel></rss>")
    second = read(rss_of(first))
    third = read(rss_of(second))
    assert [stable(e) for e in third.entries] == [stable(e) for e in second.entries]


def stable(entry: Entry) -> tuple[object, ...]:
    return entry.guid, entry.title, entry.summary, entry.tags, entry.link
