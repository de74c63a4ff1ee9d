"""One connection for one request, to an address that was checked: httpx's transport without its pool.

A poller asks thousands of hosts once in a while, so there is nothing to keep alive, and httpx's pool costs a look at
every open connection for each request (encode/httpx#3215, encode/httpcore#1035). Instead each request opens its own
connection and speaks HTTP/1.1 with h11, as httpx does inside; what is plain is written and read in the same way without
it. TLS names and the Host header stay those of the URL; only the address is ours.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple, cast

import h11
import httpx

from monitor.errors import FeedError
from monitor.feeds.address import AddressBook

CONNECT_TIMEOUT_S = 5.0
#: Addresses of one name that are tried, one after the other.
_TRIES = 3
#: Bytes of headers that an answer may have, and bytes that are read at once.
_MAX_HEAD, _CHUNK = 100 * 1024, 64 * 1024
#: RFC 9112, sections 4 and 5, without what is allowed but unusual: no status 1xx, nothing but printable ASCII.
_STATUS = re.compile(rb"HTTP/1\.[01] ([2-5][0-9]{2})(?: [ -~]*)?\r\n")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*((?:[!-~](?:[ -~]*[!-~])?)?)[ \t]*")
_SENT = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:(?:[!-~](?:[ -~]*[!-~])?)?")
_LENGTH = re.compile(rb"[0-9]{1,12}")
#: Answers that have no body whatever they say (RFC 9110, section 6.4.1), as those to HEAD.
_BODILESS = frozenset({b"204", b"304"})
_TARGET = re.compile(rb"[!-~]+")


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to checked addresses. A request's extension `private` lets it reach the own network."""

    def __init__(self, book: AddressBook, tls: ssl.SSLContext) -> None:
        self._book = book
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises FeedError when there is no such address, no connection, or no HTTP."""
        url = request.url
        secure = url.scheme == "https"
        port = url.port or (443 if secure else 80)
        # `raw_host` is the name as it goes to the wire: IDNA-encoded, without the brackets of IPv6.
        host = url.raw_host.decode("ascii")
        addresses = await self._book.addresses(host, port, private=bool(request.extensions.get("private")))
        reader, writer = await self._connect(addresses, port, host if secure else "")
        exchange = _Exchange(reader, writer)
        try:
            return await exchange.ask(request)
        except BaseException:
            await exchange.aclose()
            raise

    async def _connect(
        self, addresses: tuple[str, ...], port: int, tls_name: str
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        problem = FeedError("no address", reason="dns")
        for address in addresses[:_TRIES]:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    if tls_name:
                        return await asyncio.open_connection(
                            address, port, limit=_CHUNK, ssl=self._tls, server_hostname=tls_name
                        )
                    return await asyncio.open_connection(address, port, limit=_CHUNK)
            except TimeoutError:
                problem = FeedError(f"{address} does not answer in {CONNECT_TIMEOUT_S:g} s", reason="connect_timeout")
            except ssl.SSLError as error:
                problem = FeedError(f"TLS: {error}"[:200], reason="tls")
            except OSError as error:
                problem = FeedError(f"no connection to {address}: {error.strerror or error}", reason="connect")
        raise problem


class _Exchange(httpx.AsyncByteStream):
    """A request and its answer, whose body ends with the connection. Raises FeedError while it is read."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._http: h11.Connection | None = None
        self._rest, self._length = b"", 0

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the head of the answer."""
        body = await request.aread()
        try:
            self._writer.write(plain_request(request, body) or _spoken(request, body)[1])
            await self._writer.drain()
        except OSError as error:
            raise FeedError(f"the connection broke: {error}", reason="reset") from error
        data = await self._read(_CHUNK)
        if request.method != "HEAD" and (head := plain_head(data)) is not None:
            self._rest, self._length = head.rest[: head.length], head.length
            return httpx.Response(head.status, headers=head.headers, stream=self)
        self._http, _ = _spoken(request, body)
        self._receive(self._http, data)
        while True:
            event = await self._next(self._http)
            if isinstance(event, h11.Response):
                return httpx.Response(event.status_code, headers=list(event.headers.raw_items()), stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._http is not None:
            while isinstance(event := await self._next(self._http), h11.Data):
                yield bytes(event.data)
            return
        data, left = self._rest, self._length
        while left:
            if data:
                left -= len(data)
                yield data
            data = await self._read(min(left, _CHUNK)) if left else b""
            if left and not data:
                raise FeedError("the body ends in the middle", reason="truncated")

    async def aclose(self) -> None:
        """Close the connection without waiting for the other side."""
        self._writer.transport.abort()

    async def _next(self, http: h11.Connection) -> h11.Event:
        while True:
            try:
                event = http.next_event()
            except h11.RemoteProtocolError as error:
                raise _named(error) from error
            if event is not h11.NEED_DATA:
                return cast("h11.Event", event)
            self._receive(http, await self._read(_CHUNK))

    @staticmethod
    def _receive(http: h11.Connection, data: bytes) -> None:
        if not data and http.their_state is h11.SEND_RESPONSE:
            raise FeedError("the connection was closed without an answer", reason="bad_response")
        try:
            http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise _named(error) from error

    async def _read(self, most: int) -> bytes:
        try:
            return await self._reader.read(most)
        except ssl.SSLError as error:
            raise FeedError(f"TLS: {error}"[:200], reason="tls") from error
        except OSError as error:
            raise FeedError(f"the connection broke: {error}", reason="reset") from error


class Head(NamedTuple):
    """The head of an answer, the bytes after it, and the length of the body that begins there."""

    status: int
    headers: list[tuple[bytes, bytes]]
    rest: bytes
    length: int


def plain_head(data: bytes) -> Head | None:
    """The head of an answer as nearly all servers send it; None for h11 to make sense of.

    Plain is a whole head of printable ASCII with CRLF, without transfer coding, that says how long the body is where
    there may be one. h11 reads the same in it, in many times the time.
    """
    end = data.find(b"\r\n\r\n")
    status = _STATUS.match(data)
    if end < 0 or status is None:
        return None
    headers: list[tuple[bytes, bytes]] = []
    length = -1
    for line in data[status.end() : end].split(b"\r\n") if status.end() <= end else ():
        header = _HEADER.fullmatch(line)
        if header is None:
            return None
        name, value = header.groups()
        low = name.lower()
        if low == b"transfer-encoding":
            return None
        if low == b"content-length":
            if length >= 0 or not _LENGTH.fullmatch(value):
                return None
            length = int(value)
        headers.append((name, value))
    if status[1] in _BODILESS:
        length = 0
    return Head(int(status[1]), headers, data[end + 4 :], length) if length >= 0 else None


def plain_request(request: httpx.Request, body: bytes) -> bytes:
    """The request as it goes over the wire, b"" where h11 has to say whether that may be."""
    headers = request.headers.raw
    target = request.url.raw_path
    if not _TARGET.fullmatch(target) or not all(_SENT.fullmatch(b"%b:%b" % header) for header in headers):
        return b""
    lines = b"".join(b"%b: %b\r\n" % header for header in headers)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (request.method.encode("ascii"), target, lines, body)


def _spoken(request: httpx.Request, body: bytes) -> tuple[h11.Connection, bytes]:
    """A connection of h11 on which the request was sent, and what went over the wire."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
    parts = [http.send(head), http.send(h11.Data(data=body)) if body else b"", http.send(h11.EndOfMessage())]
    return http, b"".join(part for part in parts if part)


def _named(error: h11.RemoteProtocolError) -> FeedError:
    text = str(error)[:200]
    if error.error_status_hint == 431:
        return FeedError(f"the answer's headers are longer than {_MAX_HEAD} bytes", reason="headers_too_large")
    if "without sending complete message body" in text or "incomplete chunked read" in text:
        return FeedError("the body ends in the middle", reason="truncated")
    return FeedError(f"not HTTP: {text}", reason="bad_response")
