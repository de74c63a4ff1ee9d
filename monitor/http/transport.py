"""One connection for one request, to an address that was checked: httpx's transport without its pool.

A poller asks thousands of hosts once in a while, so there is nothing to keep alive, and httpx's pool costs a look at
every open connection for each request (encode/httpx#3215, encode/httpcore#1035). Instead each request opens its own
connection and speaks HTTP/1.1 with h11, as httpx does inside; what is plain is written and read in the same way without
it. TLS names and the Host header stay those of the URL; only the address is ours.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from functools import partial
from typing import NamedTuple, cast

import h11
import httpx

from monitor.errors import HttpError
from monitor.http.addresses import AddressBook
from monitor.http.connection import Connection
from monitor.http.wire import Head, Headers, Place, place_of, plain_head, plain_request

CONNECT_TIMEOUT_S = 5.0
#: Addresses of one name that are tried, one after the other.
_TRIES = 3
#: Bytes of headers that an answer may have.
_MAX_HEAD = 100 * 1024


class Asked(NamedTuple):
    """A request; its headers go over the wire as they are. `private` lets it reach the own network."""

    method: str
    place: Place
    headers: Headers
    body: bytes = b""
    private: bool = False


class Reply(NamedTuple):
    """An answer, whose body is still to be read. Reading raises HttpError; it has to be closed."""

    status: int
    headers: Headers
    stream: httpx.AsyncByteStream


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to checked addresses. For httpx, a request's extension `private` is that of `Asked`."""

    def __init__(self, book: AddressBook, tls: ssl.SSLContext) -> None:
        self._book = book
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request of httpx's. Raises HttpError as `ask` does."""
        private = bool(request.extensions.get("private"))
        reply = await self.ask(
            Asked(request.method, place_of(request.url), request.headers.raw, await request.aread(), private)
        )
        return httpx.Response(reply.status, headers=reply.headers, stream=reply.stream)

    async def ask(self, asked: Asked) -> Reply:
        """Send one request. Raises HttpError when there is no such address, no connection, or no HTTP."""
        place = asked.place
        addresses = await self._book.addresses(place.host, place.port, private=asked.private)
        sent = plain_request(asked.method, place.target, asked.headers, asked.body) or spoken(asked)[1]
        connection = await self._connect(addresses, place, sent)
        try:
            return await _answer(asked, connection)
        except BaseException:
            connection.abort()
            raise

    async def _connect(self, addresses: tuple[str, ...], place: Place, sent: bytes) -> Connection:
        loop = asyncio.get_running_loop()
        tls, name = (self._tls, place.host) if place.scheme == "https" else (None, None)
        problem = HttpError("no address", reason="dns")
        for address in addresses[:_TRIES]:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    _, connection = await loop.create_connection(
                        partial(Connection, sent), address, place.port, ssl=tls, server_hostname=name
                    )
                    return connection
            except TimeoutError:
                problem = HttpError(f"{address} does not answer in {CONNECT_TIMEOUT_S:g} s", reason="connect_timeout")
            except ssl.SSLError as error:
                problem = HttpError(f"TLS: {error}"[:200], reason="tls")
            except OSError as error:
                problem = HttpError(f"no connection to {address}: {error.strerror or error}", reason="connect")
        raise problem


async def _answer(asked: Asked, connection: Connection) -> Reply:
    """Read the head of the answer."""
    data = await connection.read()
    if asked.method != "HEAD" and (head := plain_head(data)) is not None:
        return Reply(head.status, head.headers, _PlainBody(connection, head))
    body = _SpokenBody(connection, asked, data)
    while True:
        event = await body.next()
        if isinstance(event, h11.Response):
            return Reply(event.status_code, list(event.headers.raw_items()), body)


class _PlainBody(httpx.AsyncByteStream):
    """A body of known length."""

    def __init__(self, connection: Connection, head: Head) -> None:
        self._connection, self._head = connection, head

    async def __aiter__(self) -> AsyncIterator[bytes]:
        data, left = self._head.rest, self._head.length
        while left:
            if data := data[:left]:
                left -= len(data)
                yield data
            data = await self._connection.read() if left else b""
            if left and not data:
                raise HttpError("the body ends in the middle", reason="truncated")

    async def aclose(self) -> None:
        self._connection.abort()


class _SpokenBody(httpx.AsyncByteStream):
    """A body that h11 finds the end of."""

    def __init__(self, connection: Connection, asked: Asked, data: bytes) -> None:
        self._connection = connection
        self._http, _ = spoken(asked)
        self._receive(data)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self.next(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        self._connection.abort()

    async def next(self) -> h11.Event:
        """What comes next in the answer."""
        while True:
            try:
                event = self._http.next_event()
            except h11.RemoteProtocolError as error:
                raise _named(error) from error
            if event is not h11.NEED_DATA:
                return cast("h11.Event", event)
            self._receive(await self._connection.read())

    def _receive(self, data: bytes) -> None:
        if not data and self._http.their_state is h11.SEND_RESPONSE:
            raise HttpError("the connection was closed without an answer", reason="bad_response")
        try:
            self._http.receive_data(data)
        except h11.RemoteProtocolError as error:
            raise _named(error) from error


def spoken(asked: Asked) -> tuple[h11.Connection, bytes]:
    """A connection of h11 on which the request was sent, and what went over the wire."""
    http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)
    head = h11.Request(method=asked.method, target=asked.place.target, headers=asked.headers)
    parts = [
        http.send(head),
        http.send(h11.Data(data=asked.body)) if asked.body else b"",
        http.send(h11.EndOfMessage()),
    ]
    return http, b"".join(part for part in parts if part)


def _named(error: h11.RemoteProtocolError) -> HttpError:
    text = str(error)[:200]
    if error.error_status_hint == 431:
        return HttpError(f"the answer's headers are longer than {_MAX_HEAD} bytes", reason="headers_too_large")
    if "without sending complete message body" in text or "incomplete chunked read" in text:
        return HttpError("the body ends in the middle", reason="truncated")
    return HttpError(f"not HTTP: {text}", reason="bad_response")
