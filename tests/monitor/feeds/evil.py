"""Hostile feeds: what each of them answers, and the reason with which its poll must fail."""

from __future__ import annotations

import asyncio
import gzip
import struct
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache

from tests.feedserver import Reply, rss

Raw = Callable[[asyncio.StreamWriter], Awaitable[None]]

#: Names that an own network has: every spelling of loopback and of clouds' metadata services.
SPELLINGS = [
    "127.0.0.1", "localhost", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "[::1]", "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:7f00:0001]", "[::127.0.0.1]", "[2002:7f00:1::]", "[64:ff9b::127.0.0.1]",
    "169.254.169.254", "[fd00:ec2::254]", "[fe80::1]", "user@127.0.0.1", "127.0.0.1.", "2852039166", "0xa9fea9fe",
    "[::ffff:169.254.169.254]", "[64:ff9b::a9fe:a9fe]", "metadata.example",
]  # fmt: skip
#: Those that some resolvers read as addresses, and others do not.
UNUSUAL = {"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "0", "127.0.0.1.", "2852039166", "0xa9fea9fe"}


@dataclass(frozen=True)
class Evil:
    """One hostile feed: its reply, the reasons it may end with ('' for a document that is read), its options."""

    reply: Reply
    ends: frozenset[str]
    options: dict[str, object] = field(default_factory=dict)


@cache
def bomb(size: int, times: int = 1) -> bytes:
    """Return so many zeros, packed so many times over: a mebibyte is packed once and its bytes repeated."""
    packer = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)
    block = bytes(1 << 20)
    first = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(size >> 20):
        checksum = zlib.crc32(block, checksum)
    end = b"\x03\x00" + struct.pack("<LL", checksum, size)
    data = b"\x1f\x8b\x08" + bytes(7) + first * (size >> 20) + end
    for _ in range(times - 1):
        data = gzip.compress(data, 9)
    return data


def drip(head: bytes, byte: bytes) -> Raw:
    """A head, then a byte every 20 ms for ever."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        while True:
            writer.write(byte)
            await writer.drain()
            await asyncio.sleep(0.02)

    return write


def wire(head: bytes) -> Raw:
    """These bytes, then the end."""

    async def write(writer: asyncio.StreamWriter) -> None:
        writer.write(head)
        await writer.drain()

    return write


async def pour(writer: asyncio.StreamWriter) -> None:
    """A body without end, as fast as it is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>")
    while True:
        writer.write(b"<item><title>more</title></item>" * 4096)
        await writer.drain()


def item(inner: bytes) -> bytes:
    """A feed of one entry."""
    return b'<rss version="2.0"><channel><title>t</title><item>' + inner + b"</item></channel></rss>"


QUAD = (
    b'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "'
    + b"x" * 60_000
    + b'">]>'
    + item(b"<title>" + b"&a;" * 60_000 + b"</title>")
)
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY l0 "lol">'
    + b"".join(b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10) for n in range(1, 10))
    + b"]>" + item(b"<title>&l9;</title>")
)  # fmt: skip
NESTED_HTML = item(b"<description><![CDATA[" + b"<div>" * 200_000 + b"]]></description>")


def entries() -> bytes:
    """Return a feed of more entries than are read."""
    many = b"".join(b"<item><guid>g%d</guid><title>t</title></item>" % n for n in range(100_000))
    return b'<rss version="2.0"><channel><title>x</title>' + many + b"</channel></rss>"


def large() -> bytes:
    """Return megabytes that are a feed: Cyrillic words, one character of the four-byte kind, no language named."""
    words = "слово " * 170
    told = (
        f"<item><guid>{n}</guid><title>речь {n}</title><description>{words}</description></item>" for n in range(1_200)
    )
    return f'<rss version="2.0"><channel><title>\U0001f600</title>{"".join(told)}</channel></rss>'.encode()


def documents() -> dict[str, Evil]:
    """What can be wrong with an answer that comes in time."""
    packed = {"Content-Encoding": "gzip"}
    ok = b"HTTP/1.1 200 OK\r\n"
    attributes = item(b"<x " + b" ".join(b'a%d="1"' % n for n in range(50_000)) + b"/>")
    deep = item(b"<title>a" + b"<b>" * 100_000 + b"</b>" * 100_000 + b"</title>")
    tags = item(b"".join(b"<a%d/>" % n for n in range(700_000)))
    objects = b'{"version":"https://jsonfeed.org/version/1","items":[' + b"{}," * 2_700_000 + b"{}]}"
    found = {
        "gzip-bomb": (Reply(200, bomb(100 << 20), packed), "decoded_too_large"),
        "gzip-members": (Reply(200, gzip.compress(b"x" * 100) + bomb(100 << 20), packed), "decoded_too_large"),
        "nested-codings": (Reply(200, bomb(100 << 20, 2), {"Content-Encoding": "gzip, gzip"}), "encoding_refused"),
        "nested-gzip": (Reply(200, bomb(100 << 20, 2), packed), "decoded_too_large"),
        "brotli": (Reply(200, b"\x1b\x0e\x00\xf8\xa5", {"Content-Encoding": "br"}), "encoding_refused"),
        "entities": (Reply(200, LAUGHS), ""),
        "quadratic": (Reply(200, QUAD), ""),
        "attributes": (Reply(200, attributes), "too_many_attributes"),
        "deep": (Reply(200, deep), "too_deep"),
        "nested-html": (Reply(200, NESTED_HTML), "parse_timeout"),
        "tags": (Reply(200, gzip.compress(tags, 1), packed), "parse_timeout parse_memory"),
        "entries": (Reply(200, gzip.compress(entries(), 1), packed), ""),
        "json": (Reply(200, gzip.compress(objects, 1), packed), "too_many_objects"),
        "large": (Reply(200, gzip.compress(large(), 1), packed), ""),
        "headers-5mb": (Reply(raw=wire(ok + b"X-Pad: " + b"a" * (5 << 20))), "headers_too_large"),
        "headers-many": (Reply(raw=wire(ok + b"X-Pad: aaaaaaaa\r\n" * 300_000)), "headers_too_large"),
        "header-nul": (Reply(raw=wire(ok + b"X-Nul: a\x00b\r\n\r\n")), "empty_body"),
        "nul": (Reply(200, rss("nul\x00 story")), ""),
        "surrogates": (Reply(200, rss("s &#xD83D; &#0; story").replace(b"&amp;#", b"&#")), ""),
        "endless": (Reply(raw=pour), "body_too_large"),
        "loop": (Reply(302, headers={"Location": "/loop.xml"}), "redirect_loop"),
    }
    return {name: Evil(reply, frozenset(ends.split(" "))) for name, (reply, ends) in found.items()}


def hosts(port: int) -> dict[str, Evil]:
    """Redirects into the own network. Only the first hop is on the operator's list of networks."""
    return {
        f"redirect-{n}": Evil(
            Reply(302, headers={"Location": f"http://{host}:{port}/secret"}),
            # What the system's resolver does not take for an address is a name that is not found.
            frozenset({"address_refused", "dns", "bad_redirect"} if host in UNUSUAL else {"address_refused"}),
            {"allow_private_network": False},
        )
        for n, host in enumerate(SPELLINGS)
    }
