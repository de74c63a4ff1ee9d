"""Run badly behaved receivers as a process: `python -m tests.receivers.rude FOLDER`.

The first folder of a request's path names the manner. The process listens on ports of loopback: plain HTTP, and TLS
with a certificate that is good, of another name or expired, or behind which only HTTP/2 is spoken. It prints them as
JSON, writes its authority's certificate to FOLDER/ca.pem, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
import struct
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

#: Answers a request that was read whole; what it leaves open is closed behind it.
Manner = Callable[[asyncio.StreamWriter], Awaitable[None]]

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
#: What Slack says when all is well.
_GOOD = b'{"ok":true,"channel":"C0123456789","ts":"1770000000.000001","messages":[]}'
_WHOLE = _HEAD + b"content-length: %d\r\n\r\n%b" % (len(_GOOD), _GOOD)
#: HTTP/2's SETTINGS and GOAWAY (RFC 9113, 6.5 and 6.8).
_FRAMES = b"\0\0\0\x04\0\0\0\0\0" + b"\0\0\x08\x07\0\0\0\0\0" + bytes(8)


def says(answer: bytes, *, then: bytes = b"", every: float = 0.0) -> Manner:
    """Make the manner that writes an answer; where there is more, it follows for ever, with a pause of `every` s."""

    async def answered(writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()
        while then:
            writer.write(then)
            await writer.drain()
            await asyncio.sleep(every)

    return answered


def drips(answer: bytes) -> Manner:
    """Make the manner that writes an answer a byte a second."""

    async def dripped(writer: asyncio.StreamWriter) -> None:
        for byte in answer:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)

    return dripped


async def resets(writer: asyncio.StreamWriter) -> None:
    """Close so that the other side gets RST."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def is_silent(_writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


MANNERS: dict[str, Manner] = {
    "good": says(_WHOLE),
    "silent": is_silent,
    "drips": drips(_WHOLE),
    "drips-body": says(_HEAD + b"content-length: 100\r\n\r\n", then=b" ", every=1),
    "endless-header": says(_HEAD + b"x: ", then=b"a" * 65536),
    "endless-headers": says(_HEAD, then=b"x-more: and more\r\n" * 1000),
    "endless-body": says(_HEAD + b'\r\n{"ok":true,"more":"', then=b"a" * 65536),
    "bomb": says(
        _HEAD + b"content-encoding: gzip\r\n\r\n" + gzip.compress(b" " * 300_000_000, 1) + gzip.compress(_GOOD)
    ),
    "half-a-head": says(_HEAD),
    "half-a-body": says(_HEAD + b"content-length: 100\r\n\r\n{"),
    "half-a-chunk": says(_HEAD + b"transfer-encoding: chunked\r\n\r\n4000\r\n{"),
    "no-chunk": says(_HEAD + b"transfer-encoding: chunked\r\n\r\nZZ\r\n{}\r\n0\r\n\r\n"),
    "two-lengths": says(_HEAD + b"content-length: 5\r\ncontent-length: 900\r\n\r\n{}"),
    "negative-length": says(_HEAD + b"content-length: -1\r\n\r\n{}"),
    "resets": resets,
    "closes": says(b""),
    "continues": says(b"HTTP/1.1 100 Continue\r\n\r\n" + _WHOLE),
    "hints": says(b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n" * 3 + _WHOLE),
    "continues-for-ever": says(b"", then=b"HTTP/1.1 100 Continue\r\n\r\n"),
    "hints-slowly-for-ever": says(b"", then=b"HTTP/1.1 103 Early Hints\r\n\r\n", every=0.05),
    "switches": says(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n" + _FRAMES),
    "frames": says(_FRAMES),
    "another-protocol": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "status-zero": says(b"HTTP/1.1 000 \r\n\r\n"),
    "status-huge": says(b"HTTP/1.1 99999999999 Yes\r\n\r\n"),
    "redirects": says(b"HTTP/1.1 307 Temporary Redirect\r\nlocation: chat.postMessage\r\ncontent-length: 0\r\n\r\n"),
    "redirects-elsewhere": says(
        b"HTTP/1.1 308 Permanent Redirect\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n"
    ),
    "a-list": says(_HEAD + b"content-length: 2\r\n\r\n[]"),
    "deep": says(_HEAD + b"content-length: 200000\r\n\r\n" + b"[" * 200_000),
    "not-a-number": says(_HEAD + b'content-length: 12\r\n\r\n{"ok": NaN }'),
    "half-characters": says(_HEAD + b'content-length: 27\r\n\r\n{"ok":false,"error":"\\ud83"}'),
    "no-text": says(_HEAD + b"content-type: application/json; charset=no-such\r\ncontent-length: 2\r\n\r\n\xff\xfe"),
}


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        lines = [line.partition(":") for line in head.lower().splitlines()]
        await reader.readexactly(next((int(value) for name, _, value in lines if name == "content-length"), 0))
        manner = head.split(" ")[1].split("/")[1]
        await MANNERS[manner](writer)
        writer.close()
        await writer.wait_closed()


def _contexts(folder: Path) -> dict[str, ssl.SSLContext]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    certificates = {
        "tls": authority.issue_cert("localhost"),
        "other-name": authority.issue_cert("elsewhere.example"),
        "expired": authority.issue_cert("localhost", not_before=yesterday - timedelta(days=9), not_after=yesterday),
        "http2": authority.issue_cert("localhost"),
        "self-signed": trustme.CA().issue_cert("localhost"),
    }
    contexts = {}
    for name, certificate in certificates.items():
        contexts[name] = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        certificate.configure_cert(contexts[name])
    contexts["http2"].set_alpn_protocols(["h2"])
    return contexts


async def main(folder: Path) -> None:
    servers = {"plain": await asyncio.start_server(_serve, "127.0.0.1", 0)}
    for name, context in _contexts(folder).items():
        servers[name] = await asyncio.start_server(_serve, "127.0.0.1", 0, ssl=context)
    # Nobody ever speaks TLS on this one: a handshake without an end.
    servers["no-tls"] = await asyncio.start_server(lambda _reader, _writer: asyncio.Event().wait(), "127.0.0.1", 0)
    ports = {name: server.sockets[0].getsockname()[1] for name, server in servers.items()}
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
