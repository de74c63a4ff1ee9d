"""One connection for one request, to an address that was checked: httpx's transport without its pool.

A poller asks thousands of hosts once in a while, so there is nothing to keep alive, and httpx's pool costs a look at
every open connection for each request (encode/httpx#3215, encode/httpcore#1035). Instead each request opens its own
connection and speaks HTTP/1.1 with h11, as httpx does inside. TLS names and the Host header stay those of the URL; only
the address is ours.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import cast

import h11
import httpx

from monitor.errors import FeedError
from monitor.feeds.address import AddressBook

CONNECT_TIMEOUT_S = 5.0
#: Addresses of one name that are tried, one after the other.
_TRIES = 3
#: Bytes of headers that an answer may have, and bytes that are read at once.
_MAX_HEAD, _CHUNK = 100 * 1024, 64 * 1024


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
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MAX_HEAD)

    async def ask(self, request: httpx.Request) -> httpx.Response:
        """Send the request and read the head of the answer."""
        head = h11.Request(method=request.method, target=request.url.raw_path, headers=request.headers.raw)
        body = await request.aread()
        wire = [self._http.send(head), self._http.send(h11.Data(data=body)) if body else b""]
        wire.append(self._http.send(h11.EndOfMessage()))
        try:
            self._writer.write(b"".join(part for part in wire if part))
            await self._writer.drain()
        except OSError as error:
            raise FeedError(f"the connection broke: {error}", reason="reset") from error
        while True:
            event = await self._next()
            if isinstance(event, h11.Response):
                return httpx.Response(event.status_code, headers=list(event.headers.raw_items()), stream=self)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while isinstance(event := await self._next(), h11.Data):
            yield bytes(event.data)

    async def aclose(self) -> None:
        """Close the connection without waiting for the other side."""
        self._writer.transport.abort()

    async def _next(self) -> h11.Event:
        while True:
            try:
                event = self._http.next_event()
                if event is not h11.NEED_DATA:
                    return cast("h11.Event", event)
                data = await self._reader.read(_CHUNK)
                if not data and self._http.their_state is h11.SEND_RESPONSE:
                    raise FeedError("the connection was closed without an answer", reason="bad_response")
                self._http.receive_data(data)
            except h11.RemoteProtocolError as error:
                raise _named(error) from error
            except ssl.SSLError as error:
                raise FeedError(f"TLS: {error}"[:200], reason="tls") from error
            except OSError as error:
                raise FeedError(f"the connection broke: {error}", reason="reset") from error


def _named(error: h11.RemoteProtocolError) -> FeedError:
    text = str(error)[:200]
    if error.error_status_hint == 431:
        return FeedError(f"the answer's headers are longer than {_MAX_HEAD} bytes", reason="headers_too_large")
    if "without sending complete message body" in text or "incomplete chunked read" in text:
        return FeedError("the body ends in the middle", reason="truncated")
    return FeedError(f"not HTTP: {text}", reason="bad_response")
