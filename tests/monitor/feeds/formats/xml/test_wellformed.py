"""Test that our XML reader gives the same result as feedparser for every document, or passes it to feedparser."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import feedparser
import feedparser.html
import feedparser.urls
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.errors import FeedError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ENTRIES
from monitor.feeds.formats.parse import parse
from monitor.feeds.formats.xml import adapter, feedparser_driver, from_feedparser, tree
from monitor.feeds.formats.xml.elements import _CP1252, HANDLED, OF_ENTRY, joined
from monitor.feeds.formats.xml.found import SIDE_TEXTS
from monitor.feeds.formats.xml.tree import NAMESPACES, STRANGE, Tree, UnusualError
from monitor.feeds.formats.xml.wellformed import PlainDocument
from tests.monitor.feeds.formats.test_parse import RSS, item
from tests.monitor.feeds.samples import SAMPLES, changed

pytestmark = pytest.mark.slow

SHARED = Path(os.environ.get("SUMMITRY_EVAL", Path(__file__).parents[6] / "shared")) / "feeds"
URL = "https://example.org/a/feed"


class Never:
    """Stands for the plain reader where feedparser is to read everything."""

    def __init__(self, document: str, url: str) -> None:
        raise UnusualError("never")


def outcome(body: bytes, url: str) -> ParsedFeed | tuple[str, str]:
    try:
        return parse(body, url=url)
    except FeedError as error:
        return error.reason, str(error)


def both(body: bytes, url: str = URL) -> tuple[object, object]:
    """What comes of a document with the plain reader, and without it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(adapter, "PlainDocument", Never)
        oracle = outcome(body, url)
    return outcome(body, url), oracle


def is_plain(document: str) -> bool:
    try:
        PlainDocument(document[document.index("<", document.startswith("<?") and 1) :], URL)
    except UnusualError:
        return False
    return True


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("url", [URL, "", "http://example.org"])
def test_common_feeds_are_read_plainly_and_as_by_feedparser(name: str, url: str) -> None:
    assert is_plain(SAMPLES[name])
    ours, oracle = both(SAMPLES[name].encode(), url)
    assert ours == oracle
    assert isinstance(ours, ParsedFeed)
    assert ours.entries


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no feed documents in {SHARED} (SUMMITRY_EVAL)")
@pytest.mark.parametrize("folder", ["suites/feedparser", "suites/gofeed", "suites/feed-rs", "snapshots"])
def test_every_document_of_suites_and_snapshots_is_read_as_by_feedparser(folder: str) -> None:
    paths = sorted((SHARED / folder).rglob("*.xml"))
    different = [str(path) for path in paths for ours, oracle in [both(path.read_bytes())] if ours != oracle]
    assert paths
    assert different == []


@settings(max_examples=400)
@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32))
def test_changed_feeds_are_read_as_by_feedparser(name: str, number: int) -> None:
    ours, oracle = both(changed(SAMPLES[name], number).encode())
    assert ours == oracle


def test_changed_feeds_are_often_plain() -> None:
    assert sum(is_plain(changed(document, n)) for document in SAMPLES.values() for n in range(50)) > 60


@settings(max_examples=200)
@given(
    st.sampled_from(sorted(SAMPLES)),
    st.integers(0, 2**32),
    st.sampled_from(["<", "&", "]]>", "<!--", "\x01", "&#0;", "<item>", "\ud83d", ""]),
)
def test_broken_feeds_are_left_to_feedparser(name: str, at: int, piece: str) -> None:
    text = SAMPLES[name]
    at %= len(text)
    ours, oracle = both((text[:at] + piece + text[at + 1 :]).encode("utf-8", "surrogatepass"))
    assert ours == oracle


ODD = {
    "channel after entries": "<rss><item><title>A</title></item><channel><title>B</title></channel></rss>",
    "authors in words and elements": item("<author>x</author><author><name>y</name></author>"),
    "a title twice": item("<title>a</title><title>b</title>"),
    "a description twice": item("<description>a</description><description>b</description>"),
    "markup in a title": item("<title>a <b>b</b></title>"),
    "a base": item("<link xml:base='https://b.example/'>x</link>"),
    "a guessed type": item("<content>&lt;b>x&lt;/b></content>"),
    "a base64 text": item("<title mode='base64'>dGl0bGU=</title>"),
    "a source with elements": item("<source><title>S</title></source><title>T</title>"),
    "a name of ours": item("<side_dc_title>x</side_dc_title>"),
    "a prefix for something else": item("<title>x</title><media:title xmlns:media='urn:else'>y</media:title>"),
    "two prefixes for one": "<rss xmlns:a='urn:x' xmlns:b='urn:x'><channel><a:title>A</a:title></channel></rss>",
    "Atom and RSS 1.0": "<feed xmlns='http://www.w3.org/2005/Atom' xmlns:r='http://purl.org/rss/1.0/'><title>T</title></feed>",
    "an element in an image": item("").replace("<item>", "<image><x/><title>I</title></image><item>"),
    "xhtml": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml">'
    '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div></content></entry></feed>',
}  # fmt: skip


@pytest.mark.parametrize("name", ODD)
def test_what_feedparser_has_rules_of_its_own_for_is_left_to_it(name: str) -> None:
    assert not is_plain(ODD[name])
    ours, oracle = both(ODD[name].encode())
    assert ours == oracle


@pytest.mark.parametrize(
    "document",
    [
        "<rss><channel>" + "<x>" * 5_000 + "</x>" * 5_000 + "</channel></rss>",
        "<rss><channel>" + "<x>" * (MAX_DEPTH - 10) + "</x>" * (MAX_DEPTH - 10) + "</channel></rss>",
        item("<x " + " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES + 1)) + "/>"),
        item("<x " + " ".join(f"a{n}='1'" for n in range(MAX_ATTRIBUTES)) + "/>"),
        "<rss><channel><title>T</title>"
        + "<item><title>x</title></item>" * (MAX_ENTRIES + 1)
        + "<ttl>5</ttl></channel></rss>",
        "<rss><channel>" + "<item><title>x</title></item>" * MAX_ENTRIES + "<ttl>5</ttl></channel></rss>",
        "<rss><channel>" + "<item/>" * MAX_ENTRIES + "<item/><broken></channel></rss>",
    ],
)
def test_the_limits_are_those_of_the_other_reader(document: str) -> None:
    ours, oracle = both(document.encode())
    assert ours == oracle


def test_a_doctype_is_left_to_the_other_reader() -> None:
    with pytest.raises(UnusualError):
        Tree("<!DOCTYPE rss [<!ENTITY e 'ha'>]><rss><channel><title>&e;</title></channel></rss>")


def test_a_long_document_is_read_in_pieces_and_not_beyond_its_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_PIECE", 7)
    ours, oracle = both(SAMPLES["wordpress"].encode())
    assert ours == oracle
    monkeypatch.setattr(tree, "MAX_ENTRIES", 3)
    document = Tree(
        "<rss><channel><x>a<item/>b</x><item/>" + "c<q>d<item/>e<item><title>f</title></item>g" + "<broken></rss>"
    )
    assert document.truncated
    assert [element.tag for element in document.root.iter()] == ["rss", "channel", "x", "item", "item", "q", "item"]
    # An element that did not end has no text, as if it had been read up to there.
    assert [element.text for element in document.root.iter("q")] == [None]


def test_a_namespace_with_spaces_is_left_to_the_other_reader() -> None:
    for uri in ("urn:x y", " urn:x", "urn:x\u00a0"):
        with pytest.raises(UnusualError):
            Tree(f"<rss xmlns:a='{uri}'/>")


def test_a_document_of_very_many_elements_is_left_to_the_other_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_ELEMENTS", 10)
    with pytest.raises(UnusualError):
        Tree(item("<x/>" * 20))


def test_plain_documents_need_no_feedparser(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(document: str, url: str) -> tuple[object, str, str]:
        raise AssertionError

    monkeypatch.setattr(from_feedparser, "parse_xml", refuse)
    assert parse(RSS, url=URL).entries[0].guid == "tag:1"


# What is copied from feedparser is held to it: a release that knows more makes these fail.


def handlers() -> Iterator[str]:
    for name in dir(feedparser_driver._Strict):
        if name.startswith(("_start_", "_end_")):
            yield name.split("_", 2)[2].lower()


def test_all_of_feedparsers_handlers_are_known() -> None:
    assert set(handlers()) == HANDLED
    assert OF_ENTRY.keys() < HANDLED
    assert SIDE_TEXTS < HANDLED


def test_all_of_feedparsers_namespaces_are_known() -> None:
    prefixes = {name.partition("_")[0] for name in HANDLED if "_" in name}
    for uri, prefix in feedparser.mixin._FeedParserMixin.namespaces.items():
        low = uri.lower()
        if low in NAMESPACES:
            assert NAMESPACES[low] == prefix.lower()
        elif low and (not prefix or prefix.lower() in prefixes):
            assert low in STRANGE
    assert not STRANGE & NAMESPACES.keys()


def test_windows_1252_is_feedparsers() -> None:
    assert feedparser.html._cp1252 == _CP1252


addresses = st.text(st.sampled_from("abz09:/?#;.@%&=[]~ \t!$'()*+,-_<>\"\\é|^{}"), max_size=20)


@settings(max_examples=500)
@given(
    st.sampled_from(["", "http://a.example/b/c?d", "https://a.example"]),
    st.sampled_from(["http://", "https://", "HTTP://x", "//", ""]),
    addresses,
)
@example("http://a.example/b", "https://", "x.example/p;?q#")
@example("http://a.example/b", "https://", "x.example/a/../b?")
def test_addresses_are_joined_as_by_feedparser(base: str, start: str, rest: str) -> None:
    assert joined(base, start + rest) == feedparser.urls._urljoin(base, start + rest)


def test_the_samples_stay_what_they_are() -> None:
    """Numbers of entries and images, so that a sample that lost its point is noticed."""
    counts = {}
    for name, text in SAMPLES.items():
        feed = parse(text.encode(), url=URL)
        counts[name] = [len(feed.entries), sum(entry.image is not None for entry in feed.entries)]
    assert json.dumps(counts) == json.dumps(
        {"wordpress": [2, 0], "broadcaster": [2, 2], "atom": [2, 0], "videos": [1, 1], "rdf": [2, 0], "podcast": [1, 1]}
    )
