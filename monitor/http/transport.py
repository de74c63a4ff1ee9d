"""An httpx transport without a pool: one connection for one request, to an address that was checked.

A poller asks thousands of hosts once in a while, so there is nothing to keep alive, and httpx's pool costs a look at
every open connection for each request (encode/httpx#3215, encode/httpcore#1035). Instead each request opens its own
connection. TLS names and the Host header stay those of the URL; only the address is ours.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from functools import cache, partial

import httpx

from monitor.errors import HttpError
from monitor.http.addresses import AddressBook
from monitor.http.answers import HttpAnswer
from monitor.http.connection import Connection

CONNECT_TIMEOUT_S = 5.0
PORTS = {"http": 80, "https": 443}
#: Addresses of one name that are tried, one after the other.
_TRIES = 3
_TOKEN = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
#: A line feed within a value would begin a header that nobody meant; NUL and CR end one for some servers.
_BREAKS = re.compile(rb"[\r\n\x00]")
_TARGET = re.compile(rb"[!-~]+")


@cache
def system_trust() -> ssl.SSLContext:
    """Return the one TLS context that trusts the system's authorities. Reading them takes 25 ms, so it is done once."""
    return ssl.create_default_context()


@cache
def no_trust_needed() -> ssl.SSLContext:
    """Return the TLS context for feeds whose owner switched verification off; their status says so."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests to checked addresses. A request's extension `private` lets it reach one's own network.

    The response's stream is an `HttpAnswer`, which says after the body whether it was cut.
    """

    def __init__(self, book: AddressBook, tls: ssl.SSLContext) -> None:
        self._book = book
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises HttpError: `dns`, `dns_timeout`, `address_refused`, `connect`, `connect_timeout`, `tls`, `reset`,
        `bad_response`, `headers_too_large`, and `bad_request` for headers that can't be sent.
        """
        url = request.url
        host, port = url.raw_host.decode("ascii"), url.port or PORTS.get(url.scheme, 80)
        addresses = await self._book.addresses(host, port, private=bool(request.extensions.get("private")))
        sent = written(request, await request.aread())
        connection = await self._connect(addresses, url.scheme, host, port, sent)
        answer = HttpAnswer(connection, has_body=request.method != "HEAD")
        try:
            await answer.head()
        except BaseException:
            connection.abort()
            raise
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def _connect(self, addresses: tuple[str, ...], scheme: str, host: str, port: int, sent: bytes) -> Connection:
        loop = asyncio.get_running_loop()
        tls, name = (self._tls, host) if scheme == "https" else (None, None)
        problem = HttpError("no address", reason="dns")
        for address in addresses[:_TRIES]:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT_S):
                    _, connection = await loop.create_connection(
                        partial(Connection, sent), address, port, ssl=tls, server_hostname=name
                    )
                    return connection
            except TimeoutError:
                problem = HttpError(f"{address} does not answer in {CONNECT_TIMEOUT_S:g} s", reason="connect_timeout")
            except ssl.SSLError as error:
                problem = HttpError(f"TLS: {error}"[:200], reason="tls")
            except OSError as error:
                problem = HttpError(f"no connection to {address}: {error.strerror or error}", reason="connect")
        raise problem


def written(request: httpx.Request, body: bytes) -> bytes:
    """Return a request as it goes over the wire. Raises HttpError (`bad_request`) for what would break it."""
    target, lines = request.url.raw_path, []
    for name, value in request.headers.raw:
        if not _TOKEN.fullmatch(name) or _BREAKS.search(value):
            raise HttpError("a header of the request can't be sent", reason="bad_request", retryable=False)
        lines.append(b"%b: %b\r\n" % (name, value.strip(b" \t")))
    if not _TARGET.fullmatch(target):
        raise HttpError("the address has a path that can't be sent", reason="bad_request", retryable=False)
    return b"%b %b HTTP/1.1\r\n%b\r\n%b" % (request.method.encode("ascii"), target, b"".join(lines), body)
