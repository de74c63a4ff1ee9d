"""Documents cut into their entries."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.errors import FeedError
from monitor.feeds.formats.limits import MAX_ENTRIES
from monitor.feeds.formats.parse import parse
from monitor.feeds.formats.xml.pieces import STAND_IN, cut
from tests.monitor.feeds.samples import SAMPLES, changed

ENTRY = b"<item><title>x</title></item>"


def rss(inside: bytes, start: bytes = b"<rss version='2.0'><channel>") -> bytes:
    return start + inside + b"</channel></rss>"


def test_an_rss_document_is_its_head_its_items_and_its_tail() -> None:
    head = b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- made by hand -->\n<rss version='2.0'>\n <channel id=\"1\">"
    pieces = cut(rss(b"<title>S</title>" + ENTRY + b"\n" + ENTRY + b"<ttl>5</ttl>", head))
    assert pieces
    assert (pieces.tag, pieces.opening, pieces.entries) == (b"item", head, [ENTRY[:-7], ENTRY[:-7]])
    assert pieces.gaps == [head + b"<title>S</title>", b"\n", b"<ttl>5</ttl></channel></rss>"]
    assert pieces.without([1, 0], b"n") == rss(b"<title>S</title>" + b'<item n="1"/>\n' + ENTRY + b"<ttl>5</ttl>", head)
    assert pieces.without([2], b"n") == rss(b"<title>S</title>" + b'\n<item n="2"/>' + b"<ttl>5</ttl>", head)


def test_atom_and_rdf_are_cut_as_well() -> None:
    atom = cut(b"<feed xmlns='http://www.w3.org/2005/Atom'><title>S</title><entry a='1'><id>1</id></entry></feed>")
    assert atom
    assert (atom.tag, atom.entries) == (b"entry", [b"<entry a='1'><id>1</id>"])
    rdf = cut(
        b"<rdf:RDF xmlns:rdf='r'><channel rdf:about='x'><items><rdf:Seq/></items></channel>"
        b"<item rdf:about='y'></item></rdf:RDF>"
    )
    assert rdf
    assert rdf.entries == [b"<item rdf:about='y'>"]


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"{}",
        b"<html><body><item></item></body></html>",
        rss(b""),
        rss(ENTRY, b"<rss><title>x</title><channel>"),
        rss(ENTRY, b"<!DOCTYPE rss><rss><channel>"),
        rss(ENTRY, b"<rss a=b><channel>"),
        rss(ENTRY, b"<rss a='<'><channel>"),
        rss(b"<!-- " + ENTRY + b" -->"),
        rss(b"<!-->" + ENTRY + b"-->"),
        rss(ENTRY + b"<![CDATA[" + ENTRY + b"]]>"),
        rss(b"<item><title><![CDATA[</item><item>]]></title></item>"),
        rss(b"<item><!-- </item><item> --></item>"),
        rss(b"<item><?x </item><item> ?></item>"),
        rss(b"</item>" + ENTRY),
        rss(ENTRY * (MAX_ENTRIES + 1)),
        rss(ENTRY, b"<rss" + b" " * 10_000 + b"><channel>"),
        rss(ENTRY + b" " * 1024 * 1024),
    ],
)
def test_what_is_not_plain_is_left_whole(document: bytes) -> None:
    assert cut(document) is None


def test_comments_and_texts_that_end_where_they_began_do_no_harm() -> None:
    inside = b"<!-- a --><item><title><![CDATA[x]]></title><!-- b --></item><!-- <!-- c --><item><?d e?></item><!-- f"
    pieces = cut(rss(inside))
    assert pieces
    assert len(pieces.entries) == 2


@given(st.sampled_from(sorted(SAMPLES)), st.integers(0, 2**32), st.data())
def test_as_many_entries_as_pieces_are_the_pieces(name: str, number: int, data: st.DataObject) -> None:
    body = changed(SAMPLES[name], number).encode("utf-8", "surrogatepass")
    pieces = cut(body)
    if pieces is None:
        return
    assert pieces.without([0] * len(pieces.entries), b"n") == body
    try:
        document = parse(body)
    except FeedError:
        return
    if not document.plain or len(document.entries) != len(pieces.entries):
        return
    runs = [data.draw(st.sampled_from([0, 1])) for _ in pieces.entries]
    rest = parse(pieces.without(runs, STAND_IN.encode()), is_cut=True)
    assert [entry.stands_for for entry in rest.entries] == runs
    assert [entry for entry in rest.entries if not entry.stands_for] == [
        entry for entry, run in zip(document.entries, runs, strict=True) if not run
    ]
