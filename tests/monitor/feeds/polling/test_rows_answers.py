"""Test the behaviour table of docs/polling.md, rows 107-113: servers with slightly wrong answers."""

# answers are kept on one line
from __future__ import annotations

import asyncio
import gzip

import pytest

from monitor import metrics
from monitor.feeds.polling.feed_report import statuses, table
from monitor.http.answers import mended
from monitor.http.chain_cookies import ChainCookies
from tests.feedserver import FeedServer, Reply, Request, rss
from tests.monitor.feeds.world import DAY, HOUR, World

BODY = rss("one story", "two story", "three story")
ALL = {"one story", "two story", "three story"}


def raw(answer: bytes) -> Reply:
    """An answer byte for byte, after which the connection is closed."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return Reply(raw=write)


def head(*lines: bytes, status: bytes = b"HTTP/1.1 200 OK", body: bytes = BODY) -> Reply:
    length = b"Content-Length: %d" % len(body)
    return raw(b"\r\n".join([status, b"Content-Type: application/rss+xml", *lines, length, b"", body]))


async def polled(world: World, reply: Reply, **options: object) -> set[str]:
    world.server.on("/feed.xml", reply)
    world.add(**options)
    state = await world.poll()
    assert state.last_error == ""
    return set(world.titles)


# ---- 107: bodies that end in the middle ----


@pytest.mark.parametrize("at", [-8, -20, -45, -60, -150, -170])
@pytest.mark.parametrize("how", ["closed", "length", "chunks"])
async def test_row_107_the_last_entry_of_a_cut_body_waits_for_the_next_poll(
    server: FeedServer, world: World, how: str, at: int
) -> None:
    cut = {
        "closed": raw(b'HTTP/1.1 200 OK\r\nETag: "1"\r\n\r\n' + BODY[:at]),
        "length": raw(b'HTTP/1.1 200 OK\r\nETag: "1"\r\nContent-Length: %d\r\n\r\n' % len(BODY) + BODY[:at]),
        "chunks": raw(
            b'HTTP/1.1 200 OK\r\nETag: "1"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n' % len(BODY) + BODY[:at]
        ),
    }[how]
    server.on("/feed.xml", [cut, Reply(200, BODY, {"ETag": '"1"'})])
    world.add()
    state = await world.poll()
    assert set(world.titles) <= ALL
    assert len(world.titles) >= 2
    assert (state.etag, state.body_hash) == ("", "")
    await world.poll(after=HOUR)
    assert server.requests[-1].header("if-none-match") is None
    assert set(world.titles) == ALL
    assert len(world.store.articles) == 3
    assert all(article.revision == 0 for article in world.store.articles)


@pytest.mark.parametrize("share", [0.5, 0.75, 0.98])
async def test_row_107_of_a_packed_body_that_is_cut_the_whole_entries_are_read(
    server: FeedServer, world: World, share: float
) -> None:
    titles = [f"w{n} bridge {n * 7919:x} reopens" for n in range(60)]
    body = rss(*titles)
    packed = gzip.compress(body, 1)
    headers = {"Content-Encoding": "gzip", "ETag": '"1"'}
    server.on("/feed.xml", [Reply(200, packed[: int(len(packed) * share)], headers), Reply(200, packed, headers)])
    world.add()
    state = await world.poll()
    assert 0 < len(world.titles) < 60
    assert (state.etag, state.last_error) == ("", "")
    await world.poll(after=HOUR)
    assert sorted(world.titles) == sorted(titles)


async def test_row_107_a_wrong_length_of_a_whole_document_costs_nothing(server: FeedServer, world: World) -> None:
    answer = raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (len(BODY) + 400) + BODY)
    assert await polled(world, answer) == ALL


# ---- 108: header lines ----


@pytest.mark.parametrize(
    "line",
    [
        b'"X-XSS-Protection: 0"',
        b"no colon at all",
        b"Bad Name: x",
        b": no name",
        b"Header\x01: x",
        "Überschrift: x".encode(),
        b"X-Control: a\x1bb\x07",
        b"X-Latin: caf\xe9",
        b"X-Folded: one\r\n  two\r\n\tthree",
        b"Content-Length: none",
        b"Content-Length:",
        b"X-Space : value",
        b"<html>",
        b"X-Nul: a\0b",
        b"X-Long: " + b"a" * 60_000,
    ],
)
async def test_row_108_an_odd_header_line_is_passed_over(server: FeedServer, world: World, line: bytes) -> None:
    before = metrics.feed_oddities.labels("header")._value.get()
    assert await polled(world, head(line, b'ETag: "kept"')) == ALL
    # A long line and letters of another encoding are unusual, but nothing was left out for them.
    usual = line.startswith((b"X-Long", b"X-Latin", b"X-Space", b"X-Folded", b"X-Control"))
    assert metrics.feed_oddities.labels("header")._value.get() >= before + (not usual)
    assert world.state().etag == '"kept"'


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 200 \xd0\x9e\xd0\x9a\r\n\r\n",
        b"HTTP/2 200\r\n\r\n",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP 200 OK\r\n\r\n",
        b"ICY 200 OK\r\n\r\n",
        b"HTTP/1.1 200OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",  # and the body comes as it is
        b"HTTP/1.1 200 OK\nContent-Type: text/xml\n\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\nX\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nContent-Length: %d\r\n\r\n" % (len(BODY), len(BODY)),
    ],
)
async def test_row_108_odd_status_lines_and_ends_of_lines_are_read(
    server: FeedServer, world: World, answer: bytes
) -> None:
    assert await polled(world, raw(answer + BODY)) == ALL


async def test_row_146_of_a_header_that_a_proxy_repeats_the_first_counts(server: FeedServer, world: World) -> None:
    day = b"Mon, 02 Mar 2026 09:00:00 GMT"
    twice = b"".join(b"%b: %b\r\n" % pair for pair in [(b"Last-Modified", day), (b"ETag", b'"1"')] * 2)
    refused = b"HTTP/1.1 429 Slow down\r\nRetry-After: 7200\r\nRetry-After: 7200\r\nContent-Length: 0\r\n\r\n"
    server.on("/feed.xml", [raw(b"HTTP/1.1 200 OK\r\n" + twice + b"\r\n" + BODY), raw(refused)])
    world.add()
    await world.poll()
    await world.poll(after=HOUR)
    request = server.requests[-1]
    assert (request.header("If-Modified-Since"), request.header("If-None-Match")) == (day.decode(), '"1"')
    assert world.state().due_reason == "Retry-After 2.0 h (429)"


async def test_row_146_a_wait_of_ages_is_the_longest_that_is_obeyed(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(429, b"", {"Retry-After": "9" * 40}))
    world.add()
    await world.poll()
    assert world.wait() == 2 * DAY


async def test_row_108_feeds_list_tells_of_odd_lines_and_cut_bodies_until_they_end(
    server: FeedServer, world: World
) -> None:
    odd = b"HTTP/1.1 200 OK\r\nno colon\r\nnor here\r\nContent-Length: 5000\r\n\r\n"
    server.on("/feed.xml", [raw(odd + BODY[:-20]), Reply(200, BODY)])
    feed = world.add()
    told = []
    for _ in range(2):
        state = await world.poll(after=HOUR)
        (status,) = statuses([feed], {"a": state}, world.now)
        told.append(status.oddity)
        assert status.oddity in table([status], world.now)
    assert told == ["2 bad header lines were ignored; the body was cut off", ""]


@pytest.mark.parametrize("what", ["new", "a correction"])
async def test_row_78_a_feed_that_churns_is_told_after_three_polls_and_no_more_when_it_ends(
    server: FeedServer, world: World, what: str
) -> None:
    polls = iter(range(100))

    def turned(_: Request) -> Reply:
        poll = next(polls)
        return Reply(200, rss(*(f"w{n}{'' if what != 'new' else f'p{poll}'} story {poll}" for n in range(3))))

    server.on("/feed.xml", turned)
    feed = world.add()
    healths = [(await world.poll(after=HOUR)).health for _ in range(5)]
    assert healths[:2] == ["OK", "OK"]
    assert healths[3:] == ["CHURNING", "CHURNING"]
    (status,) = statuses([feed], {"a": world.state()}, world.now)
    assert status.state == "CHURNING"
    assert f"every entry was {what}" in table([status], world.now)
    server.on("/feed.xml", Reply(200, rss("steady story", "other story")))
    both_are_new = (await world.poll(after=HOUR)).health
    assert both_are_new == ("CHURNING" if what == "new" else "OK")
    server.on("/feed.xml", Reply(200, rss("late story", "steady story", "other story")))
    state = await world.poll(after=HOUR)
    assert (state.health, state.only_new, state.only_changed) == ("OK", 0, 0)


def test_row_108_what_was_passed_over_is_counted() -> None:
    text, odd = mended(b"HTTP/1.1 200 OK\r\nA: 1\r\nno colon\r\nB : 2\r\nC: x\r\n y\r\n\r\n")
    assert text == b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: x y\r\n\r\n"
    assert odd == 1
    assert mended(b"hello\r\n\r\n") == (b"hello\r\n\r\n", 0)
    assert mended(b"HTTP/1.1 200 OK\r\nA: b\0c\r\n\r\n") == (b"HTTP/1.1 200 OK\r\n\r\n", 1)
    two = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\nx\r\n\r\n"
    assert mended(two) == (two, 0)


# ---- 109 and 110: labels of the body, and status 203 ----


@pytest.mark.parametrize(
    "label",
    [
        "UTF-8",
        "utf8",
        "none",
        "binary",
        "8bit",
        "identity",
        "aws-chunked",
        "ISO-8859-1",
        "text/xml",
        "",
        "null",
        "gzip",
        "deflate",
        "br",
        "zstd, gzip",
    ],
)
async def test_row_109_a_needless_content_encoding_on_a_plain_body_changes_nothing(
    server: FeedServer, world: World, label: str
) -> None:
    assert await polled(world, head(b"Content-Encoding: " + label.encode())) == ALL


@pytest.mark.parametrize("label", ["gzip, UTF-8", "aws-chunked,gzip", "X-GZIP", "utf-8, gzip", "deflate", "br"])
async def test_row_109_beside_gzip_as_well(server: FeedServer, world: World, label: str) -> None:
    packed = gzip.compress(BODY)
    assert await polled(world, head(b"Content-Encoding: " + label.encode(), body=packed)) == ALL


@pytest.mark.parametrize("label", ["", "gzip", "br"])
async def test_row_109_a_list_of_json_is_a_plain_body_too(server: FeedServer, world: World, label: str) -> None:
    items = b'[{"id": "1", "title": "one story", "content_text": "Words of the one story, and more."}]'
    assert await polled(world, head(b"Content-Encoding: " + label.encode(), body=items)) == {"one story"}


async def test_row_109_a_packed_file_without_a_label_is_unpacked(server: FeedServer, world: World) -> None:
    assert await polled(world, head(b"Content-Type: application/gzip", body=gzip.compress(BODY))) == ALL


@pytest.mark.parametrize("status", [b"201 Created", b"202 Accepted", b"203 Non-Authoritative Information", b"299 Fine"])
async def test_row_110_a_feed_under_another_number_of_success_is_read(
    server: FeedServer, world: World, status: bytes
) -> None:
    assert await polled(world, head(status=b"HTTP/1.1 " + status)) == ALL


@pytest.mark.parametrize(("status", "reason"), [(204, "http_status"), (202, "empty_body"), (206, "html")])
async def test_row_110_success_without_a_feed_is_named(
    server: FeedServer, world: World, status: int, reason: str
) -> None:
    page = b"<!doctype html><title>Wait</title>" + b"We look at your browser. " * 9
    server.on("/feed.xml", Reply(status, page if reason == "html" else b""))
    world.add()
    assert (await world.poll()).last_error == reason


# ---- 111: where redirects lead ----


@pytest.mark.parametrize(
    ("location", "path"),
    [
        ("/новости/rss".encode(), "/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8/rss"),
        ("/新闻?分类=要闻".encode(), "/%E6%96%B0%E9%97%BB?%E5%88%86%E7%B1%BB=%E8%A6%81%E9%97%BB"),
        ("/caf\xe9/feed".encode("latin-1"), "/caf%E9/feed"),
        ("/été/feed".encode(), "/%C3%A9t%C3%A9/feed"),
        (b"/%D0%BD/already", "/%D0%BD/already"),
        (b"/with space/feed", "/with%20space/feed"),
        (b"  /padded\t", "/padded"),
        (b"//127.0.0.1:%PORT%/scheme-relative", "/scheme-relative"),
        (b"relative?x=1", "/relative?x=1"),
        (b"/a/../b/./c", "/b/c"),
    ],
)
async def test_row_111_a_location_is_percent_encoded_once(
    server: FeedServer, world: World, location: bytes, path: str
) -> None:
    location = location.replace(b"%PORT%", str(server.port).encode())
    server.on(path.partition("?")[0], Reply(200, BODY))
    moved = raw(b"HTTP/1.1 301 Moved\r\nLocation: " + location + b"\r\nContent-Length: 0\r\n\r\n")
    assert await polled(world, moved) == ALL
    assert server.requests[-1].path == path


async def test_row_111_of_two_locations_the_first_counts(server: FeedServer, world: World) -> None:
    server.on("/one.xml", Reply(200, BODY))
    two = raw(b"HTTP/1.1 302 Found\r\nLocation: /one.xml\r\nLocation: /two.xml\r\nContent-Length: 0\r\n\r\n")
    assert await polled(world, two) == ALL


# ---- 112: cookies of a chain ----


async def test_row_112_a_cookie_that_the_chain_needs_is_kept_for_the_chain(server: FeedServer, world: World) -> None:
    def answer(request: Request) -> Reply:
        if request.header("cookie") == "seen=1":
            return Reply(200, BODY)
        return Reply(302, headers={"Location": "/feed.xml", "Set-Cookie": "seen=1; Path=/; HttpOnly"})

    server.on("/feed.xml", answer)
    world.add()
    for _ in range(2):
        state = await world.poll(after=HOUR)
        assert state.last_error == ""
    assert [request.header("cookie") for request in server.requests] == [None, "seen=1", None, "seen=1"]
    assert set(world.titles) == ALL


async def test_row_112_a_chain_by_way_of_another_page_and_two_cookies(server: FeedServer, world: World) -> None:
    def feed(request: Request) -> Reply:
        if (request.header("cookie") or "") == "a=1; b=2":
            return Reply(200, BODY)
        return Reply(307, headers={"Location": "/check?to=feed", "Set-Cookie": "a=1"})

    server.on("/feed.xml", feed)
    server.on("/check", Reply(302, headers={"Location": "/feed.xml", "Set-Cookie": "b=2; Max-Age=60"}))
    world.add()
    assert (await world.poll()).last_error == ""
    assert set(world.titles) == ALL


async def test_row_112_a_circle_is_a_circle_with_a_cookie_too(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(302, headers={"Location": "/feed.xml", "Set-Cookie": "x=1"}))
    world.add()
    assert (await world.poll()).last_error == "redirect_loop"
    count = iter(range(100))
    server.on("/feed.xml", lambda _: Reply(302, headers={"Location": "/feed.xml", "Set-Cookie": f"x={next(count)}"}))
    assert (await world.poll(after=HOUR)).last_error == "too_many_redirects"


def test_row_112_cookies_go_to_the_hosts_they_are_for() -> None:
    cookies = ChainCookies()
    cookies.note("https://www.a.example/x", "own=1")
    cookies.note("https://www.a.example/x", "site=2; Domain=.a.example; Secure")
    cookies.note("https://www.a.example/x", "evil=3; Domain=b.example")
    cookies.note("https://www.a.example/x", "broad=4; Domain=example")
    cookies.note("https://www.a.example/x", "broken")
    cookies.note("https://www.a.example/x", "bad=\x01")
    assert cookies.header("https://www.a.example/y", "mine=0") == "mine=0; own=1; site=2"
    assert cookies.header("https://feeds.a.example/") == "site=2"
    assert cookies.header("http://feeds.a.example/") == ""
    assert cookies.header("https://b.example/") == ""
    before = cookies.version
    cookies.note("https://www.a.example/x", "own=1")
    assert cookies.version == before
    cookies.note("https://www.a.example/x", "own=deleted; Expires=Thu, 01-Jan-1970 00:00:01 GMT")
    assert cookies.header("https://www.a.example/y") == "site=2"
    assert cookies.version == before + 1


# ---- 113: max_body ----


def long_feed(count: int) -> bytes:
    items = "".join(
        f"<item><title>Story {n}</title><guid>g{n}</guid><description>{'word ' * 600}</description></item>"
        for n in range(count)
    )
    return f"<rss version='2.0'><channel><title>G</title>{items}</channel></rss>".encode()


@pytest.mark.slow
async def test_row_113_max_body_raises_every_limit_in_its_way(server: FeedServer, world: World) -> None:
    body = long_feed(1700)
    assert len(body) > 5_000_000
    server.on("/feed.xml", Reply(200, body))
    world.add("small")
    assert (await world.poll("small")).last_error == "body_too_large"
    world.add("large", max_body=20_000_000)
    assert (await world.poll("large")).last_error == ""
    assert len(world.titles) == 1700


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "limit", "reason"),
    [
        (1000, 0, ""), (1000, 50_000, "body_too_large"), (1000, 5_000_000, ""), (1700, 0, "body_too_large"),
        (1700, 4_300_000, "body_too_large"), (1700, 6_000_000, ""),
    ],
)  # fmt: skip
async def test_row_113_max_body_is_the_limit_wherever_it_lies(
    server: FeedServer, world: World, size: int, limit: int, reason: str
) -> None:
    server.on("/feed.xml", Reply(200, long_feed(size)))
    world.add(max_body=limit)
    assert (await world.poll()).last_error == reason


@pytest.mark.slow
async def test_row_113_also_those_of_the_parser_and_it_lowers_them(server: FeedServer, world: World) -> None:
    body = long_feed(1990).replace(b"word ", b"words and ")
    assert len(body) > 10_000_000
    server.on("/feed.xml", Reply(200, body))
    world.add("large", max_body=len(body))
    assert (await world.poll("large")).last_error == ""
    world.add("less", max_body=1_000_000)
    assert (await world.poll("less")).last_error == "body_too_large"


# ---- 136: what was packed twice, or put into a page ----


async def test_row_136_a_document_that_was_packed_twice_is_unpacked_twice(server: FeedServer, world: World) -> None:
    packed = gzip.compress(gzip.compress(BODY))
    assert await polled(world, Reply(200, packed, {"Content-Encoding": "gzip"})) == ALL


@pytest.mark.slow
async def test_row_136_a_bomb_within_gzip_is_a_bomb(server: FeedServer, world: World) -> None:
    bomb = gzip.compress(gzip.compress(b" " * 60_000_000))
    server.on("/feed.xml", Reply(200, bomb, {"Content-Encoding": "gzip"}))
    world.add()
    assert (await world.poll()).last_error == "decoded_too_large"


async def test_row_136_utf_16_under_a_label_of_a_compression_is_a_document(server: FeedServer, world: World) -> None:
    body = BODY.decode().replace('encoding="utf-8"', 'encoding="utf-16"').encode("utf-16")
    assert await polled(world, Reply(200, body, {"Content-Encoding": "gzip"})) == ALL


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html>" + BODY,
        b"<html><head></head><body>" + BODY.partition(b"?>")[2] + b"</body></html>",
        b"<!doctype html><html><body><pre>" + BODY.replace(b"<", b"&lt;") + b"</pre></body></html>",
        b"<br />\n<b>Warning</b>: undefined index in <b>/feed.php</b> on line <b>3</b><br />\n" + BODY,
    ],
)
async def test_row_136_a_feed_in_a_page_around_it_is_read(server: FeedServer, world: World, page: bytes) -> None:
    assert await polled(world, Reply(200, page, {"Content-Type": "text/html"})) == ALL


@pytest.mark.parametrize(
    "page",
    [
        b"<!DOCTYPE html><html><body>" + b"<p>No such page.</p>" * 9 + b"</body></html>",
        b"<script>document.cookie = 'seen=1'; location.reload();</script><noscript>Enable JavaScript.</noscript>",
        b"<h1>Error</h1><p>" + b"The database can't be reached. " * 4 + b"</p>",
        b"<!DOCTYPE html><html><body><pre>" + b"a &lt;b&gt; of code " * 9 + b"</pre></body></html>",
    ],
)
async def test_row_136_a_page_and_a_piece_of_one_are_no_feed(server: FeedServer, world: World, page: bytes) -> None:
    server.on("/feed.xml", Reply(200, page, {"Content-Type": "application/rss+xml"}))
    world.add()
    state = await world.poll()
    assert (state.last_error, state.health) == ("html", "BLOCKED")


@pytest.mark.parametrize(
    ("cookie", "sent"),
    [("k=1; Max-Age=0600", "k=1"), ('k="a=b=="; Path=/', 'k="a=b=="'), ("k=1; Max-Age=0", None)],
)
def test_row_112_cookies_go_back_as_browsers_send_them(cookie: str, sent: str | None) -> None:
    cookies = ChainCookies()
    cookies.note("https://a.example/feed", cookie)
    assert cookies.header("https://a.example/feed") == (sent or "")
