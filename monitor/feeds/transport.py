"""One connection for one request, to an address that was checked: httpx's transport without its pool.

A poller asks thousands of hosts once in a while, so there is nothing to keep alive, and httpx's pool costs a look at
every open connection for each request (encode/httpx#3215, encode/httpcore#1035). Instead each request opens its own
connection with httpcore's parts. TLS names and the Host header stay those of the URL; only the address is ours.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterable, AsyncIterator
from typing import cast

import httpcore
import httpx

from monitor.errors import FeedError
from monitor.feeds.address import AddressBook

CONNECT_TIMEOUT_S = 5.0
#: Addresses of one name that are tried, one after the other.
_TRIES = 3


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to checked addresses. A request's extension `private` lets it reach the own network."""

    def __init__(self, book: AddressBook, tls: ssl.SSLContext) -> None:
        self._book = book
        self._tls = tls
        self._network = httpcore.AnyIOBackend()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request. Raises FeedError when the address is refused or not found, httpcore's errors otherwise."""
        url = request.url
        port = url.port or (443 if url.scheme == "https" else 80)
        # `raw_host` is the name as it goes to the wire: IDNA-encoded, without the brackets of IPv6.
        host = url.raw_host.decode("ascii")
        private = bool(request.extensions.get("private"))
        stream = await self._connect(await self._book.addresses(host, port, private=private), port)
        try:
            if url.scheme == "https":
                stream = await stream.start_tls(self._tls, server_hostname=host, timeout=CONNECT_TIMEOUT_S)
            origin = httpcore.Origin(url.raw_scheme, url.raw_host, port)
            connection = httpcore.AsyncHTTP11Connection(origin, stream)
            answer = await connection.handle_async_request(
                httpcore.Request(
                    request.method,
                    httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=port, target=url.raw_path),
                    headers=request.headers.raw,
                    content=cast("AsyncIterable[bytes]", request.stream),
                )
            )
        except BaseException:
            await stream.aclose()
            raise
        body = cast("AsyncIterable[bytes]", answer.stream)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Body(body, stream))

    async def _connect(self, addresses: tuple[str, ...], port: int) -> httpcore.AsyncNetworkStream:
        problem: Exception = FeedError("no address", reason="dns")
        for address in addresses[:_TRIES]:
            try:
                return await self._network.connect_tcp(address, port, timeout=CONNECT_TIMEOUT_S)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
        raise problem


class _Body(httpx.AsyncByteStream):
    """A body whose end is the end of its connection."""

    def __init__(self, chunks: AsyncIterable[bytes], connection: httpcore.AsyncNetworkStream) -> None:
        self._chunks = chunks
        self._connection = connection

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._chunks:
            yield chunk

    async def aclose(self) -> None:
        await self._connection.aclose()
