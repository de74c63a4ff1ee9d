"""An httpx transport without a connection pool: each request opens one connection, to an IP address that was checked.

A poller asks thousands of hosts, each once in a while, so keeping connections open is of no use, and for each request
httpx's pool examines all open connections (encode/httpx#3215, encode/httpcore#1035). The TLS name and the Host header
are still those of the URL.
"""

from __future__ import annotations

import asyncio
import ssl
from functools import cache, partial

import httpx

from monitor.errors import HttpError
from monitor.http.addresses import AddressBook
from monitor.http.answers import HttpAnswer
from monitor.http.connection import Connection
from monitor.http.outgoing import Outgoing, of_url, written

CONNECT_TIMEOUT_S = 5.0
#: How many addresses of a host are tried, one after the other.
_TRIES = 3


@cache
def system_trust() -> ssl.SSLContext:
    """Return the TLS context that trusts the system's authorities. Loading them takes 25 ms, so it is done once."""
    return ssl.create_default_context()


@cache
def no_trust_needed() -> ssl.SSLContext:
    """Return the TLS context without verification, for feeds with `tls_verify: false`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class CheckedTransport(httpx.AsyncBaseTransport):
    """Sends requests, but only to IP addresses that the address book allows."""

    def __init__(self, book: AddressBook, tls: ssl.SSLContext) -> None:
        self._book = book
        self._tls = tls

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request of httpx. Its extension `private` allows addresses of private networks."""
        outgoing = Outgoing(request.method, of_url(request.url), request.headers.raw, await request.aread())
        answer = await self.send(outgoing, private=bool(request.extensions.get("private")))
        return httpx.Response(answer.status, headers=answer.headers, stream=answer)

    async def send(self, request: Outgoing, *, private: bool = False) -> HttpAnswer:
        """Send one request, and return its response after reading the head. `private` allows private networks.

        Raises HttpError: `dns`, `dns_timeout`, `address_refused`, `connect`, `connect_timeout`, `tls`, `reset`,
        `bad_response`, `headers_too_large`, and `bad_request` for an invalid header or path.
        """
        to = request.to
        addresses = await self._book.addresses(to.host, to.port, private=private)
        connection = await self._connect(addresses, to.scheme, to.host, to.port, written(request))
        answer = HttpAnswer(connection, has_body=request.method != "HEAD")
        try:
            await answer.head()
        except BaseException:
            connection.abort()
            raise
        return answer

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
                problem = HttpError(f"no connection to {address} in {CONNECT_TIMEOUT_S:g} s", reason="connect_timeout")
            except ssl.SSLError as error:
                problem = HttpError(f"TLS: {error}"[:200], reason="tls")
            except OSError as error:
                problem = HttpError(f"no connection to {address}: {error.strerror or error}", reason="connect")
        raise problem
