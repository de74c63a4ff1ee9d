"""What is done in a shorter way where that is safe, beside the long way: dates, texts, addresses, HTTP heads."""

from __future__ import annotations

import re
import time
import unicodedata
from urllib.parse import urlsplit

import ada_url
import h11
import httpx
import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from monitor.feeds.formats.fields import article_urls, date_words, dates, entry_language, html_text
from monitor.http.transport import Asked, spoken
from monitor.http.wire import place, place_of, plain_head, plain_place, plain_request

prose = st.text(st.characters() | st.sampled_from(" \t\n\r\x0b\x85\u00a0\u2028\u200b\u3000\ufeff<>&;"), max_size=60)


def test_no_unwanted_character_is_printable() -> None:
    assert not [c for c in map(chr, range(0x110000)) if html_text._UNWANTED.match(c) and c.isprintable()]
    assert not any(c.isprintable() for c in "\r\n\x85\t")
    assert [c for c in map(chr, range(0x110000)) if c.isspace() and c.isprintable()] == [" "]


@given(prose)
def test_folding_is_what_two_expressions_did(text: str) -> None:
    spaces, breaks = re.compile(r"[^\S\n]+"), re.compile(r"\s*\n\s*")
    assert html_text.fold(text) == breaks.sub("\n", spaces.sub(" ", html_text.clean_text(text))).strip()


@given(prose)
def test_texts_without_control_characters_are_clean_as_they_are(text: str) -> None:
    even = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x85", "\n")
    assert html_text.clean_text(text) == html_text._UNWANTED.sub("", even)
    assert html_text.line(text) == " ".join(html_text.clean_text(text).split())
    if words := html_text.words(text):
        assert words == html_text.text_of(html_text.safe_html(text, "")) == html_text.fold(text)


@given(prose)
def test_words_without_markup_are_what_nh3_makes_of_them(text: str) -> None:
    clean = html_text.clean_text(text)
    assert html_text.safe_html(text, "") == html_text.clean_text(nh3.clean(clean, tags=set(html_text.TAGS))).strip()


@given(prose, st.integers(0, 130))
def test_what_is_short_enough_is_not_cut(text: str, limit: int) -> None:
    data = text.encode("utf-8", "ignore")
    assert (
        html_text.cap(text, limit) == text if len(data) <= limit else len(html_text.cap(text, limit).encode()) <= limit
    )


day_names = st.sampled_from(["Mon, ", "mon, ", "Lun, ", "", "Mar, ", "Monday, "])
english = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
month_names = st.sampled_from([*english, "mai", "maj", "mar", "Mär", "ene", "avr", "Foo", "tam", "hel"])
zones = st.sampled_from(
    ["GMT", "UTC", "Z", "+0000", "+0530", "-0800", "+1500", "-0060", "EST", "+05:30", "-14:00", "+1400"]
)
number = st.integers(0, 61).map(lambda n: f"{n:02}")


@settings(max_examples=600)
@given(
    st.tuples(day_names, st.integers(0, 40), month_names, st.integers(0, 2100)),
    st.tuples(number, number, number),
    zones,
    st.sampled_from(["en", "fr", "fi", "tr", "cs", "id", "xx", ""]),
)
@example(("Mon, ", 2, "Mar", 2026), ("08", "15", "00"), "GMT", "fr")
def test_usual_dates_are_read_as_by_the_long_way(
    date: tuple[str, int, str, int], clock: tuple[str, str, str], zone: str, language: str
) -> None:
    day, of_month, month, year = date
    raw = f"{day}{of_month} {month} {year:04} {':'.join(clock)} {zone}"
    short = dates.read_date(raw, language=language)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "_USUAL", re.compile(r"(?!)"))
        assert dates.read_date(raw, language=language) == short


@settings(max_examples=600)
@given(
    st.tuples(st.integers(0, 2100), st.integers(0, 13), st.integers(0, 32)),
    st.tuples(number, number, number),
    st.sampled_from(["", ".5", ".123456789", "."]),
    st.sampled_from(["Z", "+00:00", "-00:00", "+05:30", "-14:59", "+15:00", "+01:60", "", "+0100"]),
    st.sampled_from(["", "+03:00"]),
)
@example((1, 1, 1), ("00", "00", "00"), "", "+14:00", "")
@example((2026, 3, 2), ("24", "00", "00"), "", "Z", "")
def test_usual_iso_dates_are_read_as_by_the_long_way(
    date: tuple[int, int, int], clock: tuple[str, str, str], fraction: str, offset: str, zone: str
) -> None:
    raw = f"{date[0]:04}-{date[1]:02}-{date[2]:02}T{':'.join(clock)}{fraction}{offset}"
    short = dates.read_date(raw, zone=zone)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dates, "_USUAL_ISO", re.compile(r"(?!)"))
        assert dates.read_date(raw, zone=zone) == short


def test_usual_dates_are_read_as_by_the_long_way_in_every_language() -> None:
    for language, months in date_words.names().months.items():
        for names in months:
            for name in names:
                if len(name) != 3 or not unicodedata.normalize("NFKC", name).casefold().isascii():
                    continue
                raw = f"Mon, 02 {name} 2026 08:15:00 +0100"
                short = dates.read_date(raw, language=language)
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(dates, "_USUAL", re.compile(r"(?!)"))
                    assert dates.read_date(raw, language=language) == short, (language, name)


@given(st.text(st.characters() | st.sampled_from("aZ1 .-_é漢\n\u024f\u0250²٣"), max_size=40))
def test_letters_are_counted_as_one_by_one(text: str) -> None:
    letters = [char for char in text if re.match(r"[^\W\d_]", char)]
    assert entry_language._letters(text) == (len(letters), sum(char < "\u0250" for char in letters))


@given(st.text(st.sampled_from("ab./?#&=!;:@%é[] "), max_size=25))
@example("a.example/?a#b?c#d")
@example("u:p@a.example:81")
def test_normalised_addresses_are_split_as_by_the_library(rest: str) -> None:
    if url := article_urls.absolute("", f"https://h{rest}"):
        assert article_urls._split(url) == tuple(urlsplit(url))


@settings(max_examples=500)
@given(
    st.sampled_from(["http://", "https://"]),
    st.text(st.sampled_from("abx019.-n"), max_size=12),
    st.text(st.sampled_from("aZ09/._~=:@!$&()*+,;-?"), max_size=14),
)
@example("https://", "xn--nxasmq6b.example", "/")
@example("https://", "1.2.3", "/")
@example("https://", "a.0x7f", "/")
@example("https://", "a.example", "/a/./b/../c")
def test_addresses_that_are_normal_as_they_stand_are(scheme: str, host: str, rest: str) -> None:
    url = f"{scheme}{host}{rest}"
    if article_urls._NORMAL.fullmatch(url):
        assert ada_url.normalize_url(url) == url
        assert ada_url.join_url("http://b.example/x/y?z", url) == url


@pytest.mark.parametrize("rest", ["a.example/", "www.news-desk.co.uk/2026/03/talks_open.html?at_medium=RSS&a=1"])
def test_usual_addresses_are_normal(rest: str) -> None:
    assert article_urls._NORMAL.fullmatch(f"https://{rest}")


@pytest.mark.parametrize(
    "rest",
    [
        "a.example",
        "A.example/",
        "a.example:443/",
        "a.example/%7e",
        "1.2.3/",
        "xn--a.example/",
        "a.example/./b",
        "u@a.ee/",
    ],
)
def test_other_addresses_are_left_to_ada(rest: str) -> None:
    assert not article_urls._NORMAL.fullmatch(f"https://{rest}")


@given(st.text(st.sampled_from("ab:/?#\t\n\r\x00\x0b \u00a0\u200b\ufeff."), max_size=25))
def test_what_stands_around_an_address_is_cut_as_before(rest: str) -> None:
    long_way = "".join(c for c in rest if c not in "\t\n\r").strip("\x00\x0b\x0c \u00a0\u200b\ufeff")
    assert article_urls.absolute("https://b.example/x/", rest) == article_urls.absolute(
        "https://b.example/x/", long_way
    )


# ---- HTTP ----

LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 304 Not Modified", b"HTTP/1.0 404", b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 204 No Content",
    b"HTTP/2 200", b"ETag: \"a\"", b"etag:W/\"b\"  ", b"Content-Length: 3", b"content-length: 3",
    b"Content-Length: 5", b"Content-Length: x",
    b"Content-Length: 3, 3", b"Content-Length: +3", b"Transfer-Encoding: chunked", b"X-A: \xe9", b"X-B:",
    b"X-C: a\tb", b"X D: e", b" folded", b"X-E: \x01",
    b"Connection: close", b":", b"", b"X-F: a\rb", b"Date: Mon, 02 Mar 2026 08:00:00 GMT", b"Last-Modified: \t x",
]  # fmt: skip


def by_h11(data: bytes) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
    """Status, headers and body as h11 reads them. Raises h11.RemoteProtocolError."""
    http, _ = spoken(Asked("GET", place("http://a.example/"), [(b"Host", b"a.example")]))
    http.receive_data(data)
    event = http.next_event()
    assert isinstance(event, h11.Response)
    body = b""
    while isinstance(more := http.next_event(), h11.Data):
        body += bytes(more.data)
    return event.status_code, list(event.headers.raw_items()), body


@settings(max_examples=800)
@given(
    st.sampled_from(LINES[:6]),
    st.lists(st.sampled_from(LINES), max_size=5),
    st.sampled_from([b"\r\n", b"\n"]),
    st.sampled_from([b"", b"a", b"abc", b"abcde"]),
)
def test_what_is_plain_is_read_as_by_h11(first: bytes, lines: list[bytes], end: bytes, body: bytes) -> None:
    data = end.join([first, *lines, b"", b""]) + body
    head = plain_head(data)
    if head is not None:
        status, headers, read = by_h11(data)
        assert (head.status, head.headers) == (status, headers)
        assert head.rest[: head.length] == read


@pytest.mark.parametrize(
    ("data", "length"),
    [
        (b'HTTP/1.1 304 Not Modified\r\nETag: "1"\r\nContent-Length: 9\r\n\r\n', 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\n\r\nab", 2),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 2\r\n\r\nab", 2),
        (b"HTTP/1.1 304\r\n\r\n", 0),
    ],
)
def test_what_servers_usually_send_is_plain(data: bytes, length: int) -> None:
    head = plain_head(data)
    assert head is not None
    assert head.length == length


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\n\r\nuntil the end",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Len",
        b"",
    ],
)
def test_everything_else_is_left_to_h11(data: bytes) -> None:
    assert plain_head(data) is None


@pytest.mark.parametrize(
    "line", [b"X:" + b" " * 60_000, b"X:" + b"a " * 30_000, b"X: a" + b" \t" * 30_000, b"X" * 60_000, b"X:\t" * 15_000]
)
def test_no_head_takes_long_to_be_found_not_plain(line: bytes) -> None:
    began = time.process_time()
    for first in (b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 "):
        plain_head(first + line + b"\x01\r\nContent-Length: 0\r\n\r\n")
    assert time.process_time() - began < 0.2  # it takes some milliseconds


@settings(max_examples=500)
@given(
    st.sampled_from(["http://", "https://", "HTTP://", "ftp://"]),
    st.text(st.sampled_from("abZ019._-@é"), max_size=8)
    | st.sampled_from(["127.0.0.1", "1.2.3.256", "[::1]", "a.example"]),
    st.sampled_from(["", ":80", ":443", ":0", ":8080", ":65535", ":65536", ":"]),
    st.text(st.sampled_from("aZ0/._~!$&'()*+,;=:@?#-% é\\"), max_size=12),
)
@example("https://", "a.example", "", "/a/.b")
@example("https://", "a.example", "", "/a/..")
@example("https://", "a.example", "", "/a?b/../c")
def test_plain_addresses_lead_where_httpx_and_the_library_say(scheme: str, host: str, port: str, rest: str) -> None:
    url = f"{scheme}{host}{port}{rest}"
    there = plain_place(url)
    if there is not None:
        assert there == place_of(httpx.URL(url))
        parts = urlsplit(url)
        assert there[:2] == (parts.scheme, parts.hostname)
        assert there.port == (parts.port or (443 if scheme == "https://" else 80))


@pytest.mark.parametrize("url", ["https://www.a-b.co.uk/rss/news.xml?edition=int&x=1", "http://192.0.2.7:8080/feed"])
def test_usual_addresses_of_feeds_are_plain(url: str) -> None:
    assert plain_place(url) is not None


values = st.sampled_from(['"a"', 'W/"b"', "é", " x", "x ", "", "a\tb", "a\r\nX-Evil: 1", "a\nb", "\x00", "x" * 50])


@given(
    st.dictionaries(st.sampled_from(["If-None-Match", "X-A", "Cookie", "bad name", "é"]), values, max_size=3),
    st.sampled_from(["/", "/a?b=c", "/é x"]),
    st.sampled_from([b"", b"a=1"]),
)
def test_plain_requests_are_written_as_by_h11(headers: dict[str, str], target: str, body: bytes) -> None:
    wire = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    request = httpx.Request("POST" if body else "GET", f"http://a.example{target}", headers=wire, content=body)
    asked = Asked(request.method, place_of(request.url), request.headers.raw, body)
    written = plain_request(asked.method, asked.place.target, asked.headers, body)
    assert not written or written == spoken(asked)[1]
    assert b"\r\nX-Evil" not in written
