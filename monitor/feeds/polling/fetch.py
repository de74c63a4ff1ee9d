"""One polite, bounded GET of one feed: redirects followed by hand, every hop checked, every failure named."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Coroutine, Mapping
from typing import Final, cast
from urllib.parse import urlencode, urljoin, urlsplit, urlunsplit

import httpx
from msgspec import Struct, structs

from monitor import __version__
from monitor.errors import HttpError
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from monitor.http.bodies import DEADLINE, Room, read_body
from monitor.http.transport import Asked, CheckedTransport, Reply
from monitor.http.wire import Place, place

ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.5, */*;q=0.1"
)
FIRST_BYTE_S, TOTAL_S = 15.0, 30.0
MAX_RAW, MAX_DECODED = 4 * 1024 * 1024, 8 * 1024 * 1024
MAX_HOPS = 5
PORTS = frozenset({80, 443})
_REDIRECTS, _PERMANENT = frozenset({301, 302, 303, 307, 308}), frozenset({301, 308})
_MAX_URL = 4096


class Fetched(Struct, frozen=True):
    """An answer, whatever its status.

    `headers` have lower-case names and values in Latin-1, so that a validator goes back byte for byte. The body is
    only read with status 200. `permanent_to` is where a chain of only permanent redirects led, else "".
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    permanent_to: str = ""
    conditional: bool = False


class Fetcher:
    """Fetches feeds. `contact` goes into the user agent; limits are in bytes and seconds. Close it when done."""

    def __init__(
        self,
        book: AddressBook,
        *,
        contact: str = "",
        timeout_s: float = TOTAL_S,
        max_decoded: int = MAX_DECODED,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._book = book
        self._contact = contact
        self._timeout_s = timeout_s
        self._max_decoded = max_decoded
        self._verified = tls or ssl.create_default_context()
        self._unverified = _no_verification()
        self._room = Room()
        self._direct = CheckedTransport(book, self._verified)
        self._direct_unverified = CheckedTransport(book, self._unverified)
        self._proxies: dict[tuple[str, bool], httpx.AsyncHTTPTransport] = {}

    async def aclose(self) -> None:
        """Close what is still open."""
        for transport in self._proxies.values():
            await transport.aclose()
        self._book.close()

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> Fetched:
        """GET a feed, from `url` where that differs from the subscribed one.

        The validators are sent as they are given. Any status but a redirect is an answer. Raises HttpError with a
        bounded reason when there is no whole answer within the feed's limits.
        """
        return await self._within(feed, self._follow(feed, url or feed.url, etag, last_modified))

    async def post(self, feed: Subscription, url: str, form: dict[str, str]) -> Fetched:
        """POST a form to a hub that a feed names; redirects are not followed. Raises HttpError."""
        there = place(url)
        _check(url, there, feed, place(feed.url))
        headers = {
            "User-Agent": self._user_agent(feed),
            "Content-Type": "application/x-www-form-urlencoded",
            "Connection": "close",
        }
        body = urlencode(form).encode("ascii")
        wire = [(b"Host", there.authority), *_encoded(headers), (b"Content-Length", b"%d" % len(body))]
        return await self._within(
            feed, self._hop(feed, url, Asked("POST", there, wire, body, feed.allow_private_network))
        )

    async def _within(self, feed: Subscription, doing: Coroutine[None, None, Fetched]) -> Fetched:
        """Do it within the feed's time limit, and name what goes wrong."""
        limit = feed.timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(limit) as deadline:
                token = DEADLINE.set(deadline)
                try:
                    return await doing
                finally:
                    DEADLINE.reset(token)
        except TimeoutError:
            raise HttpError(f"no whole answer within {limit:g} s", reason="timeout") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:  # only from proxies: ours raises HttpError
            raise HttpError(f"the proxy: {error or type(error).__name__}"[:200], reason="proxy") from error

    async def _follow(self, feed: Subscription, url: str, etag: str, last_modified: str) -> Fetched:
        # The origin that the user gave the secrets for, also where the feed is polled elsewhere since it has moved.
        home, permanent = place(feed.url), True
        there = home if url == feed.url else place(url)
        _check(url, there, feed, home)
        start, seen = url, {url}
        while True:
            at_home = there[:3] == home[:3]
            headers = self._headers(feed, secrets=at_home, etag=etag, last_modified=last_modified)
            answer = await self._hop(feed, url, _request(there, headers, private=feed.allow_private_network))
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                end = url if permanent and url != start else ""
                return structs.replace(answer, permanent_to=end, conditional=bool(etag or last_modified))
            permanent = permanent and answer.status in _PERMANENT
            url = _target(url, answer.headers["location"], has_secrets=_has_secrets(feed) and at_home)
            if url in seen:
                raise HttpError(f"the redirects go in a circle at {url[:200]}", reason="redirect_loop")
            if len(seen) > MAX_HOPS:
                raise HttpError(f"more than {MAX_HOPS} redirects", reason="too_many_redirects")
            seen.add(url)
            there = place(url)
            _check(url, there, feed, home)

    async def _hop(self, feed: Subscription, url: str, asked: Asked) -> Fetched:
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                reply = await self._ask(feed, url, asked)
        except TimeoutError:
            raise HttpError(f"no answer within {FIRST_BYTE_S:g} s", reason="first_byte_timeout") from None
        try:
            body = b""
            answered: dict[str, str] = {}
            for raw_name, raw_value in reply.headers:
                name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
                answered[name] = f"{answered[name]}, {value}" if name in answered else value
            if reply.status == 200:
                limit = feed.max_body or self._max_decoded
                coding = answered.get("content-encoding", "")
                body = await read_body(reply.stream, coding, min(MAX_RAW, limit), limit, self._room)
            return Fetched(reply.status, url, answered, body)
        finally:
            await reply.stream.aclose()

    async def _ask(self, feed: Subscription, url: str, asked: Asked) -> Reply:
        if not feed.proxy:
            return await (self._direct if feed.tls_verify else self._direct_unverified).ask(asked)
        request = httpx.Request(asked.method, url, headers=asked.headers, stream=httpx.ByteStream(asked.body))
        response = await self._proxy(feed).handle_async_request(request)
        stream = cast("httpx.AsyncByteStream", response.stream)
        return Reply(response.status_code, response.headers.raw, stream)

    def _proxy(self, feed: Subscription) -> httpx.AsyncHTTPTransport:
        key = (feed.proxy, feed.tls_verify)
        if key not in self._proxies:
            self._proxies[key] = httpx.AsyncHTTPTransport(
                verify=self._verified if feed.tls_verify else self._unverified,
                trust_env=False,
                limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
                proxy=feed.proxy,
            )
        return self._proxies[key]

    def _user_agent(self, feed: Subscription) -> str:
        contact = f"+{self._contact}; " if self._contact else ""
        return feed.user_agent or f"Summitry/{__version__} ({contact}feed {feed.id})"

    def _headers(self, feed: Subscription, *, secrets: bool, etag: str, last_modified: str) -> dict[str, str]:
        """The request's headers. What the user configured as a header, cookie or login stays with the feed's origin."""
        headers = {
            "User-Agent": self._user_agent(feed),
            "Accept": feed.accept or ACCEPT,
            "Accept-Encoding": "gzip",
            "Connection": "close",
        }
        if etag:
            headers["If-None-Match"] = etag
        if last_modified:
            headers["If-Modified-Since"] = last_modified
        if not secrets:
            return headers
        headers |= feed.headers
        if feed.cookie:
            headers["Cookie"] = feed.cookie.read()
        if feed.auth and feed.auth.bearer:
            headers["Authorization"] = f"Bearer {feed.auth.bearer.read()}"
        elif feed.auth and feed.auth.password:
            login = f"{feed.auth.user}:{feed.auth.password.read()}".encode()
            headers["Authorization"] = f"Basic {base64.b64encode(login).decode()}"
        return headers


def redacted(url: str) -> str:
    """The address without user and password, for logs and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _request(there: Place, headers: Mapping[str, str], *, private: bool) -> Asked:
    """A GET, with all of its headers."""
    wire = _encoded(headers)
    if not any(name.lower() == b"host" for name, _ in wire):
        wire.insert(0, (b"Host", there.authority))
    return Asked("GET", there, wire, private=private)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _check(url: str, there: Place, feed: Subscription, home: Place) -> None:
    """Raises HttpError for an address that may not be asked."""
    if there.scheme not in {"http", "https"} or not there.host:
        raise HttpError(f"{redacted(url)[:200]} is not an http address", reason="bad_redirect")
    # A port that the user wrote into the subscription is as good as configured; a redirect's is not.
    if there.port not in PORTS and there.port not in feed.ports and there.port != home.port:
        raise HttpError(f"port {there.port} is not allowed; add it to the feed's `ports`", reason="port_refused")


def _target(url: str, location: str, *, has_secrets: bool) -> str:
    """Where a redirect leads, without user, password and fragment."""
    try:
        parts = urlsplit(urljoin(url, location.strip()))
        target = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        httpx.URL(target)
        valid = parts.port != 0  # looking at the port raises ValueError when it is none
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        # Without the cause, whose text would repeat the address with its password.
        raise HttpError(f"a redirect to {redacted(location)[:200]!r}", reason="bad_redirect") from None
    if len(target) > _MAX_URL:
        raise HttpError("a redirect to a very long address", reason="bad_redirect")
    if has_secrets and url.startswith("https:") and not target.startswith("https:"):
        raise HttpError("a feed with a login is redirected from https to http", reason="downgrade_refused")
    return target


def _has_secrets(feed: Subscription) -> bool:
    return bool(feed.auth or feed.cookie or feed.headers)


def _no_verification() -> ssl.SSLContext:
    """For feeds whose owner switched verification off; their status says so."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
