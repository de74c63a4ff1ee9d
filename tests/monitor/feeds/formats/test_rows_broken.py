"""Test the behaviour table of docs/polling.md, rows 125-128: owners of elements, broken markup, wrapped documents."""

# ruff: noqa: E501  # documents are kept on one line
from __future__ import annotations

import html
import json

import pytest

from monitor.errors import FeedError
from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.parse import parse
from monitor.feeds.formats.xml.balance import balanced

OWN = "<title>Harbour opens</title><{id}>own</{id}><{words}>Words of our own.</{words}>{link}"
ATOM = OWN.format(id="id", words="summary", link="<link href='https://gazette.example/1'/>")
RSS = OWN.format(id="guid", words="description", link="<link>https://gazette.example/1</link>")

#: Elements of an entry that have a title, an id or words of their own.
OTHERS = {
    "a person": "<author><name>Ada Quill</name><id>99</id><title>Editor</title><link>https://other.example/</link></author>",
    "a category": "<category><id>99</id><title>Ports</title><link>https://other.example/</link></category>",
    "variants of a product": "<s:variant xmlns:s='urn:shop'><id>99</id><guid>99</guid><title>Default Title</title><s:price>3</s:price></s:variant>",
    "what the entry is about": "<a:object xmlns:a='http://activitystrea.ms/spec/1.0/'><id>99</id><title>Object</title><content>Its words</content></a:object>",
    "a gallery": "<gallery><picture><title>Picture</title><description>What it shows</description><link>https://other.example/</link></picture></gallery>",
    "other entries": "<related><item><title>Other</title><guid>99</guid></item><entry><title>Other</title><id>99</id></entry></related>",
    "a file": "<m:content xmlns:m='http://search.yahoo.com/mrss/' url='https://gazette.example/1.jpg'><title>Picture</title><description>What it shows</description></m:content>",
}


def rss(*items: str) -> str:
    return f"<rss version='2.0'><channel><title>Gazette</title>{''.join(items)}</channel></rss>"


def entries(document: str | bytes) -> tuple[Entry, ...]:
    return parse(
        document.encode() if isinstance(document, str) else document, url="https://gazette.example/feed"
    ).entries


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("form", ["atom", "rss"])
def test_row_125_what_an_element_of_an_entry_says_of_itself_is_not_the_entrys(
    form: str, place: str, other: str
) -> None:
    own = ATOM if form == "atom" else RSS
    inside = OTHERS[other] + own if place == "before" else own + OTHERS[other]
    document = (
        f"<feed xmlns='http://www.w3.org/2005/Atom'><title>G</title><entry>{inside}</entry></feed>"
        if form == "atom"
        else rss(f"<item>{inside}</item>")
    )
    (entry,) = entries(document)
    assert (entry.guid, entry.title, entry.link) == ("own", "Harbour opens", "https://gazette.example/1")
    assert (entry.summary, entry.content) == ("Words of our own.", "")


GOOD = [f"<item><title>Good {n}</title><guid>g{n}</guid><description>Words {n}</description></item>" for n in (1, 2)]
#: An item that is no XML, and the title and summary that it is read with.
BROKEN = {
    "an end tag of another name": ("<title>Broken</titel><description>words</decription>", "Broken", "words"),
    "no end tags": ("<title>Broken<description>words", "Broken", "words"),
    "markup that is not closed": ("<title>Broken</title><description><p>words<br><img src=a.jpg></description>", "Broken", "words"),
    "markup that overlaps": ("<title>Broken</title><description><b>some <i>more</b> words</i></description>", "Broken", "some more words"),
    "an end tag too many": ("<title>Broken</title><description>words</div></description></p>", "Broken", "words"),
    "a comment that never ends": ("<title>Broken</title><description>words<!-- </description>", "Broken", "words"),
    "a comment with hyphens": ("<!-- a -- b --><title>Broken</title><description>words</description>", "Broken", "words"),
    "attributes without quotes": ("<title>Broken</title><guid isPermaLink=false>5</guid><description>words</description>", "Broken", "words"),
    "an attribute twice": ("<title>Broken</title><guid isPermaLink='false' isPermaLink='true'>5</guid><description>words</description>", "Broken", "words"),
    "an attribute without a value": ("<title>Broken</title><guid isPermaLink>5</guid><description>words</description>", "Broken", "words"),
    "less than a word": ("<title>a <b Broken</title><description>words</description>", "a <b Broken", "words"),
    "a section without its end": ("<title><![CDATA[Broken</title><description><![CDATA[words]]></description>", "Broken", "words"),
    "a section at the end of all": ("<title>Broken</title><description><![CDATA[words</description>", "Broken", "words"),
    "a section that ends badly": ("<title><![CDATA[Broken]></title><description><![CDATA[words]] ></description>", "Broken", "words"),
    "a section that begins badly": ("<title><![cdata[Broken]]></title><description><! [CDATA[words]]></description>", "Broken", "words"),
    "a section that lacks a sign": ("<title><!CDATA[Broken]]></title><description><[CDATA[words]]></description>", "Broken", "words"),
    "a document type": ("<!DOCTYPE html><title>Broken</title><description>words</description>", "Broken", "words"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_row_126_a_broken_entry_is_read_and_costs_none_of_its_neighbours(what: str) -> None:
    inside, title, summary = BROKEN[what]
    end = "" if what == "no end tags" else "</item>"
    found = entries(rss(GOOD[0], f"<item>{inside}{end}", GOOD[1]))
    assert [(e.title, e.summary) for e in found] == [("Good 1", "Words 1"), (title, summary), ("Good 2", "Words 2")]


def test_row_126_what_is_balanced_already_or_no_feed_stays() -> None:
    plain = "<rss><channel><item><title>a</title></item></channel></rss>"
    assert balanced(plain) == plain
    deep = "<a>" * 200
    assert balanced(deep) == deep
    assert balanced(f"<rss><item><a b='{'x' * 70_000}'></item></rss>").startswith("<rss><item><a b='x")


def test_row_126_a_section_may_speak_of_its_own_element() -> None:
    (entry,) = entries(
        rss("<item><title>How</title><description><![CDATA[Write &lt;/description> last]]></description></item>")
    )
    assert entry.summary == "Write </description> last"


ENTRY = "<title>Alone</title><id>urn:1</id><summary>Its words.</summary>"


@pytest.mark.parametrize(
    "document",
    [
        f"<?xml version='1.0'?><entry xmlns='http://www.w3.org/2005/Atom'>{ENTRY}</entry>",
        "<a:entry xmlns:a='http://www.w3.org/2005/Atom'><a:title>Alone</a:title><a:id>urn:1</a:id><a:summary>Its words.</a:summary></a:entry>",
        "<item><title>Alone</title><guid>urn:1</guid><description>Its words.</description></item>",
    ],
)
def test_row_127_an_entry_that_is_a_document_by_itself_is_read(document: str) -> None:
    assert [(e.title, e.guid, e.summary) for e in entries(document)] == [("Alone", "urn:1", "Its words.")]


JSON = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1.1",
        "items": [{"id": "g1", "title": "Good 1", "content_text": "Words 1"}],
    }
)


@pytest.mark.parametrize(
    "page",
    [
        f"<html><body>{rss(GOOD[0])}</body></html>",
        f"<!DOCTYPE html>\n<html><head><style>a {{}}</style></head><body><div id='source'>{rss(GOOD[0])}</div></body></html>",
        f"<html><head></head><body><pre style='white-space: pre-wrap;'>{html.escape(rss(GOOD[0]))}</pre></body></html>",
        f"<html><body><pre>{html.escape('<?xml version=' + chr(34) + '1.0' + chr(34) + '?>' + rss(GOOD[0]))}</pre></body></html>",
        f"<html><head></head><body><pre>{html.escape(JSON, quote=False)}</pre></body></html>",
        f"<![CDATA[{rss(GOOD[0])}]]>",
    ],
)
def test_row_127_a_document_in_a_browsers_page_is_read(page: str) -> None:
    assert [(e.title, e.guid) for e in entries(page)] == [("Good 1", "g1")]


@pytest.mark.parametrize(
    "page",
    [
        "<html><body><p>How to write a feed</p><pre>&lt;rss version='2.0'&gt;&lt;channel&gt;</pre><p>and so on</p></body></html>",
        f"<html><body>{'<p>A long page.</p>' * 2000}{rss(GOOD[0])}</body></html>",
        "<html><head><title>Just a moment</title></head><body></body></html>",
    ],
)
def test_row_127_a_web_page_is_none(page: str) -> None:
    with pytest.raises(FeedError) as error:
        entries(page)
    assert error.value.reason == "html"


V = '"version": "https://jsonfeed.org/version/1.1"'
ITEM = '{"id": "1", "url": "https://gazette.example/1", "content_text": "Words // no # comment /* at */ all"}'


@pytest.mark.parametrize(
    "document",
    [
        f"{{{V}, // written by hand\n /* with care */ \"items\": [{ITEM}]}}",
        f"{{{V}, # as well\n \"items\": [{ITEM}]}}",
        f"// made at noon\n/* by\n hand */ {{{V}, \"items\": [{ITEM}]}}",
        f"<br />\n<b>Warning</b>: something in <b>/feed.php</b> on line <b>3</b><br />\n{{{V}, \"items\": [{ITEM}]}}",
        f"[{ITEM}]",
        f"{{{V}, \"expired\": True, \"icon\": None, \"hub\": undefined, \"items\": [{ITEM}]}}",
    ],
)  # fmt: skip
def test_row_128_what_json_does_not_have_but_people_write_costs_nothing(document: str) -> None:
    assert [(e.guid, e.content) for e in entries(document)] == [("1", "Words // no # comment /* at */ all")]


@pytest.mark.parametrize(
    "bad",
    ['{"id": "x", "title": "He said "yes" to it"}', '{"id": "x", "title": }', '{"id": 1e999, "title": "T"}', '{"id": "x" "title": "T"}'],
)  # fmt: skip
def test_row_128_a_bad_item_costs_itself(bad: str) -> None:
    feed = parse(f'{{{V}, "title": "Gazette", "items": [{ITEM}, {bad}, {ITEM.replace("1", "2")}]}}'.encode())
    assert [entry.guid for entry in feed.entries] == ["1", "2"]
    assert feed.title == "Gazette"
    assert "could not be read" in feed.problem


def test_row_128_a_missing_comma_costs_nothing() -> None:
    assert len(entries(f'{{{V}, "items": [{ITEM} {ITEM.replace("1", "2")}]}}')) == 2


def test_row_128_json_in_utf_16_without_a_mark_is_read() -> None:
    assert len(entries(f'{{{V}, "items": [{ITEM}]}}'.encode("utf-16-le"))) == 1
    assert len(entries(f'{{{V}, "items": [{ITEM}]}}'.encode("utf-16-be"))) == 1


def test_row_128_names_and_tags_as_plain_texts() -> None:
    (entry,) = entries(f'{{{V}, "items": [{{"id": 1, "title": "T", "author": "Ada Quill", "tags": "ports, sea"}}]}}')
    assert (entry.authors, entry.tags) == (("Ada Quill",), ("ports", "sea"))


def test_row_128_a_list_of_something_else_is_no_feed() -> None:
    with pytest.raises(FeedError):
        entries('[{"name": "Ada"}]')
