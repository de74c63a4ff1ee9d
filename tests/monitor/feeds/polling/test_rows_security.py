"""Test the behaviour table of docs/polling.md, rows 39-46 and 59: hostile servers fail with a named reason."""

from __future__ import annotations

import asyncio
import gzip
import ipaddress
import logging
import ssl
import time
import tracemalloc

import pytest
import structlog
import trustme

from monitor.errors import FeedError, HttpError
from monitor.feeds.polling.fetch import redacted
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.feeds.subscriptions.subscription import Auth, SecretRef, Subscription
from monitor.http.addresses import AddressBook, is_public, parse_networks
from monitor.records import decode
from tests.feedserver import FeedServer, Reply, rss
from tests.monitor.feeds.evil import LAUGHS, NESTED_HTML, QUAD, SPELLINGS, bomb, drip
from tests.monitor.feeds.world import HOUR, World

pytestmark = pytest.mark.slow

BODY = rss("one story", "two story")


async def reason(world: World, feed_id: str = "a", path: str = "/feed.xml", **options: object) -> str:
    """How one poll of a new feed ends."""
    world.add(feed_id, path, **options)
    return (await world.poll(feed_id)).last_error


REFUSED = [
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254",
    "192.0.2.1", "198.18.0.1", "198.51.100.7", "203.0.113.9", "192.88.99.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "2001:db8::1",
    "3fff::1", "5f00::1",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_row_39_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "151.101.1.1", "2606:4700::1111", "2a00:1450:4001::1"])
def test_row_39_public_addresses_pass(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("host", SPELLINGS)
async def test_row_39_a_redirect_to_the_own_network_is_refused_in_every_spelling(host: str) -> None:
    """The first hop is allowed by the operator's list; the redirect's target is not."""
    async with FeedServer("127.0.0.2") as first, FeedServer("127.0.0.1") as inner:
        world = World(first, book=AddressBook(parse_networks(["127.0.0.2"])))
        inner.on("/", Reply(200, BODY))
        first.on("/feed.xml", Reply(302, headers={"Location": f"http://{host}:{inner.port}/"}))
        found = await reason(world, allow_private_network=False, ports=(inner.port,))
        assert found in {"address_refused", "dns", "bad_redirect"}
        assert inner.requests == []
        await world.fetcher.aclose()


async def test_row_39_a_name_with_one_private_address_is_refused(server: FeedServer) -> None:
    book = AddressBook(lookup=lambda host, port: ["8.8.8.8", "10.0.0.7"])
    world = World(server, book=book)
    found = await reason(world, url="http://news.example/feed", allow_private_network=False)
    assert found == "address_refused"
    assert "10.0.0.7" in world.state().last_error_text
    await world.fetcher.aclose()


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("file:///etc/passwd", "bad_redirect"),
        ("gopher://127.0.0.1/", "bad_redirect"),
        ("http://127.0.0.2:22/", "port_refused"),
        ("http://a.example:0/", "bad_redirect"),
        ("http://[::1", "bad_redirect"),
        ("http://a.example:99999/", "bad_redirect"),
        ("/" + "x" * 9000, "bad_redirect"),
    ],
)
async def test_row_39_other_schemes_ports_and_nonsense_are_refused(
    server: FeedServer, world: World, location: str, why: str
) -> None:
    server.on("/feed.xml", Reply(302, headers={"Location": location}))
    assert await reason(world) == why


async def test_row_39_a_private_network_never_includes_the_metadata_service(server: FeedServer, world: World) -> None:
    assert await reason(world, url="http://169.254.169.254/latest/meta-data") == "address_refused"


async def test_row_39_an_allow_list_lets_an_intranet_pass(server: FeedServer) -> None:
    server.on("/feed.xml", Reply(200, BODY))
    world = World(server, book=AddressBook(parse_networks(["127.0.0.0/30"])))
    assert await reason(world, allow_private_network=False) == ""
    await world.fetcher.aclose()


async def test_row_40_the_address_that_was_checked_is_the_one_connected_to() -> None:
    async with FeedServer("127.0.0.2") as good, FeedServer("127.0.0.1", good.port) as inner:
        good.on("/feed.xml", Reply(200, BODY))
        answers = iter(["127.0.0.2", "127.0.0.1"] * 10)
        clock = iter(range(0, 100_000, 100))  # each look finds the cached answer too old
        book = AddressBook(
            parse_networks(["127.0.0.2"]), lookup=lambda host, port: [next(answers)], monotonic=lambda: next(clock)
        )
        world = World(good, book=book)
        world.add(url=f"http://rebind.example:{good.port}/feed.xml", allow_private_network=False)
        ends = [(await world.poll(after=HOUR)).last_error for _ in range(6)]
        assert ends == ["", "address_refused"] * 3
        assert inner.requests == []
        assert good.requests[0].header("Host") == f"rebind.example:{good.port}", "the name stays in the request"
        await world.fetcher.aclose()


@pytest.mark.parametrize(
    "address",
    ["::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1", "2002:7f00:1::", "2002:808:808::", "64:ff9b::7f00:1",
     "64:ff9b::808:808", "64:ff9b:1::a00:1", "2001:0:7f00:1::", "::ffff:169.254.169.254"],
)  # fmt: skip
def test_row_41_ipv4_inside_of_ipv6_is_refused_in_every_form(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


async def test_row_41_an_allow_list_of_ipv4_holds_for_the_same_address_in_ipv6() -> None:
    book = AddressBook(parse_networks(["10.0.0.0/8"]))
    for host in ("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"):
        assert await book.addresses(host, 80) == (str(ipaddress.ip_address(host)),)
    with pytest.raises((FeedError, HttpError), match="not a public address"):
        await book.addresses("::ffff:127.0.0.1", 80)
    book.close()


@pytest.mark.parametrize(
    ("coding", "body", "why"),
    [
        ("gzip", bomb(100 << 20), "decoded_too_large"),
        ("gzip", gzip.compress(b"x" * 100) + bomb(100 << 20), "decoded_too_large"),
        ("gzip, gzip", bomb(100 << 20, 2), "encoding_refused"),
        ("br", b"\x1b\x0e\x00\xf8\xa5", "encoding_refused"),
        ("zstd", b"\x28\xb5\x2f\xfd", "encoding_refused"),
        ("gzip", b"this is not gzip at all, but says so", "bad_gzip"),
        ("", b"<rss>" + b" " * (9 << 20), "body_too_large"),
    ],
)
async def test_row_42_a_body_never_becomes_larger_than_allowed(
    server: FeedServer, world: World, coding: str, body: bytes, why: str
) -> None:
    server.on("/feed.xml", Reply(200, body, {"Content-Encoding": coding} if coding else {}))
    tracemalloc.start()
    try:
        assert await reason(world) == why
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 48 << 20


async def test_row_42_plain_and_several_gzip_members_are_read(server: FeedServer, world: World) -> None:
    half = len(BODY) // 2
    members = gzip.compress(BODY[:half]) + gzip.compress(BODY[half:]) + bytes(40)
    server.on("/feed.xml", Reply(200, members, {"Content-Encoding": "x-gzip"}))
    assert await reason(world) == ""
    assert len(world.titles) == 2


async def test_row_42_an_endless_body_ends(server: FeedServer, world: World) -> None:
    async def pour(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>")
        while True:
            writer.write(b"<item><title>more</title></item>" * 4096)
            await writer.drain()

    server.on("/feed.xml", Reply(raw=pour))
    assert await reason(world) == "body_too_large"


async def test_row_42_a_body_that_is_cut_before_its_first_entry_is_an_error(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(200, BODY[:200], {"Content-Length": str(len(BODY))}))
    assert await reason(world) == "truncated"
    assert world.state().etag == ""


async def test_row_43_a_body_that_drips_runs_into_the_deadline(server: FeedServer, world: World) -> None:
    server.on("/feed.xml", Reply(raw=drip(b"HTTP/1.1 200 OK\r\nContent-Length: 90000\r\n\r\n", b"<")))
    began = time.monotonic()
    assert await reason(world, timeout_s=0.3) == "timeout"
    assert time.monotonic() - began < 3


async def test_row_43_headers_that_drip_run_into_theirs(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("monitor.feeds.polling.fetch.FIRST_BYTE_S", 0.3)
    server.on("/feed.xml", Reply(raw=drip(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a")))
    assert await reason(world) == "first_byte_timeout"


async def test_row_43_a_chain_of_slow_redirects_has_one_deadline(server: FeedServer, world: World) -> None:
    for n in range(5):
        server.on(f"/{n}", Reply(302, headers={"Location": f"/{n + 1}"}, delay=0.2))
    assert await reason(world, path="/0", timeout_s=0.5) == "timeout"
    assert len(server.requests) <= 3


@pytest.mark.parametrize(
    ("head", "why"),
    [
        (b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"a" * (5 << 20), "headers_too_large"),
        (b"HTTP/1.1 200 OK\r\n" + b"X-Pad: aaaaaaaa\r\n" * 300_000, "headers_too_large"),
        (b"hello\r\n\r\n", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "bad_response"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "bad_response"),
        (b"", "bad_response"),
    ],
)
async def test_row_43_broken_and_oversized_answers_have_names(
    server: FeedServer, world: World, head: bytes, why: str
) -> None:
    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()

    server.on("/feed.xml", Reply(raw=write))
    assert await reason(world) == why


async def test_row_43_connections_that_are_refused_or_reset_have_names(server: FeedServer, world: World) -> None:
    async def reset(writer: asyncio.StreamWriter) -> None:
        writer.transport.abort()

    server.on("/feed.xml", Reply(raw=reset))
    assert await reason(world) in {"reset", "bad_response"}
    async with FeedServer() as gone:
        address = gone.url()
    assert await reason(world, "b", url=address) == "connect"


@pytest.mark.parametrize(
    ("body", "end"),
    [
        (QUAD, ""),
        (LAUGHS, ""),
        (
            b'<rss version="2.0"><channel>' + b"<item><title>a" + b"<b>" * 100_000 + b"</title></item></channel></rss>",
            "too_deep",
        ),
        (
            b'<rss version="2.0"><channel><item '
            + b" ".join(b'a%d="1"' % n for n in range(50_000))
            + b"></item></channel></rss>",
            "too_many_attributes",
        ),
        (NESTED_HTML, "parse_timeout"),
        (rss("nul\x00 story"), ""),
        (rss("one story").replace(b"one story", b"&#xD83D; &#0; &#x1F; story"), ""),
    ],
    ids=["quadratic", "laughs", "deep", "attributes", "nested html", "nul", "surrogate"],
)
async def test_row_44_documents_that_blow_up_cost_one_worker_at_most(
    server: FeedServer, world: World, body: bytes, end: str
) -> None:
    server.on("/bad.xml", Reply(200, body))
    server.on("/good.xml", Reply(200, BODY))
    async with ParserPool(2) as pool:
        world.parser = pool  # type: ignore[assignment]
        world.poller = world.restarted()
        world.add("bad", "/bad.xml", host_group="bad")
        world.add("good", "/good.xml", host_group="good")
        began = time.monotonic()
        bad, good = await asyncio.gather(world.poll("bad"), world.poll("good"))
    assert good.health == "OK"
    assert (bad.last_error, bad.health) == (end, "ERROR" if end else "OK")
    assert len(world.titles) == (2 if end else 3)
    assert all(len(title) <= 1000 and "lollol" not in title for title in world.titles)
    assert time.monotonic() - began < 30


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def server_tls(authority: trustme.CA, name: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    return context


async def test_row_45_certificates_are_verified(authority: trustme.CA) -> None:
    async with FeedServer(tls=server_tls(authority, "127.0.0.1")) as server:
        server.on("/feed.xml", Reply(200, BODY))
        world = World(server)
        assert await reason(world) == "tls"
        assert await reason(world, "b", tls_verify=False) == "", "one feed may opt out"
        await world.fetcher.aclose()


async def test_row_45_the_name_is_verified_although_the_address_is_connected_to(authority: trustme.CA) -> None:
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with FeedServer(tls=server_tls(authority, "news.example")) as server:
        server.on("/feed.xml", Reply(200, BODY))
        book = AddressBook(lookup=lambda host, port: ["127.0.0.1"])
        world = World(server, book=book, fetch={"tls": trust})
        assert await reason(world, url=server.url(host="news.example")) == ""
        assert await reason(world, "b", url=server.url(host="other.example")) == "tls"
        assert server.requests[0].header("Host") == f"news.example:{server.port}"
        await world.fetcher.aclose()


async def test_row_45_a_login_is_never_sent_on_from_https_to_http(
    authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEED_TOKEN", "t0ken")
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    async with FeedServer(tls=server_tls(authority, "127.0.0.1")) as server, FeedServer() as plain:
        server.on("/feed.xml", Reply(301, headers={"Location": plain.url()}))
        world = World(server, fetch={"tls": trust})
        found = await reason(world, auth=Auth(bearer=SecretRef(env="FEED_TOKEN")), ports=(plain.port,))
        assert (found, plain.requests) == ("downgrade_refused", [])
        await world.fetcher.aclose()


async def test_row_46_credentials_never_reach_logs_states_or_articles(
    server: FeedServer, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("FEED_PASSWORD", "hunter2-secret")
    caplog.set_level(logging.DEBUG)
    server.on(
        "/feed.xml", [Reply(200, BODY), Reply(401), Reply(302, headers={"Location": "http://u:hunter2-secret@[x/"})]
    )
    with structlog.testing.capture_logs() as logs:
        world.add(auth=Auth(user="desk", password=SecretRef(env="FEED_PASSWORD")))
        for _ in range(3):
            await world.poll(after=HOUR)
    assert server.requests[0].header("Authorization") == "Basic ZGVzazpodW50ZXIyLXNlY3JldA=="
    server.requests.clear()  # so that the failure of an assertion does not show them
    assert "ZGVzazpodW50ZXIy" not in caplog.text, "debug logs of libraries hold no Authorization"
    told = f"{logs} {world.store.states} {world.store.articles} {world.poller.held['a'].feed}"
    assert "hunter2" not in told
    assert "ZGVzazpodW50ZXIy" not in told


def test_row_46_an_address_with_a_password_is_refused_with_the_way_out() -> None:
    with pytest.raises(ValueError, match="auth") as caught:
        Subscription(id="a", url="https://user:hunter2@news.example/feed")
    assert "hunter2" not in str(caught.value)
    with pytest.raises(Exception, match="credentials") as wrapped:
        decode(Subscription, b'{"id":"a","url":"https://user:hunter2@news.example/feed"}')
    assert "hunter2" not in str(wrapped.value)
    assert redacted("https://user:hunter2@news.example/feed?x=1") == "https://news.example/feed?x=1"


async def test_row_59_a_document_of_a_hundred_thousand_entries_is_cut(server: FeedServer, world: World) -> None:
    items = b"".join(b"<item><guid>g%d</guid><title>t</title></item>" % n for n in range(100_000))
    body = b'<rss version="2.0"><channel><title>x</title>' + items + b"</channel></rss>"
    server.on("/feed.xml", Reply(200, gzip.compress(body), {"Content-Encoding": "gzip"}))
    async with ParserPool(1) as pool:
        world.parser = pool  # type: ignore[assignment]
        world.poller = world.restarted()
        assert await reason(world) == ""
    assert len(world.titles) == 2000
