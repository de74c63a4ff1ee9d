"""Fetch a feed with one GET: follow redirects, check each address, keep the limits, and give each failure a reason."""

from __future__ import annotations

import asyncio
import base64
import ssl
from collections.abc import Coroutine, Mapping
from typing import Final
from urllib.parse import quote, urlencode, urlsplit, urlunsplit

import ada_url
import httpx
import structlog
from msgspec import Struct, structs

from monitor import __version__, metrics
from monitor.errors import HttpError
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook
from monitor.http.answers import HttpAnswer, ProxiedAnswer
from monitor.http.bodies import DEADLINE, DecodedBody, LargeBodyLimit, read_body
from monitor.http.chain_cookies import ChainCookies
from monitor.http.outgoing import Destination, Headers, Outgoing, destination
from monitor.http.transport import CheckedTransport, no_trust_needed, system_trust

logger = structlog.get_logger()

ACCEPT: Final = (
    "application/rss+xml, application/atom+xml, application/feed+json, application/rdf+xml, "
    "application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.5, */*;q=0.1"
)
FIRST_BYTE_S, TOTAL_S = 15.0, 30.0
MAX_RAW, MAX_DECODED = 4 * 1024 * 1024, 8 * 1024 * 1024
MAX_HOPS = 5
PORTS = frozenset({80, 443})
_REDIRECTS, _PERMANENT = frozenset({300, 301, 302, 303, 307, 308}), frozenset({301, 308})
_MAX_URL = 4096
#: Headers that have one value (RFC 9110, 5.3). Proxies repeat some of them; the first one counts.
_SINGLE = frozenset({
    "age", "content-type", "date", "etag", "expires", "last-modified", "location", "retry-after",
})  # fmt: skip
#: The statuses whose body is read. 203 is a 200 that a proxy changed (RFC 9110, 15.3.4), and some servers use other 2xx
#: statuses for feeds. 204 and 205 have no body.
_READ: Final = frozenset(range(200, 300)) - {204, 205}
#: Scheme, host and port.
HostOrigin = tuple[str, str, int]


class FetchResult(Struct, frozen=True):
    """A response of any status; a successful one has status 200 here, and only then a body.

    `headers` have lower-case names, and values decoded as Latin-1, so that a validator is sent back byte for byte.
    `permanent_to` is the final URL if all redirects were permanent, else "". `conditional` means that validators were
    sent. `cut` means that the body is incomplete; `odd_headers` counts header lines that had to be repaired.
    """

    status: int
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    permanent_to: str = ""
    conditional: bool = False
    cut: bool = False
    odd_headers: int = 0


class Fetcher:
    """Fetches feeds, within limits in bytes and seconds. `contact` is added to the user agent. Close it when done."""

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
        self._verified = tls or system_trust()
        self._unverified = no_trust_needed()
        self._large_bodies = LargeBodyLimit()
        self._direct = CheckedTransport(book, self._verified)
        self._direct_unverified = CheckedTransport(book, self._unverified)
        self._proxies: dict[tuple[str, bool], httpx.AsyncHTTPTransport] = {}

    async def aclose(self) -> None:
        """Close all connections and stop lookups."""
        for transport in self._proxies.values():
            await transport.aclose()
        self._book.close()

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        """Send a GET request for a feed, to `url` if given, else to the subscribed URL; follow redirects.

        `etag` and `last_modified` are sent as validators. A response of any status is returned. Raises HttpError when
        there is no complete response within the feed's limits.
        """
        return await self._within(feed, self._follow(feed, url or feed.url, etag, last_modified))

    async def post(self, feed: Subscription, url: str, form: dict[str, str]) -> FetchResult:
        """Post a form to a feed's WebSub hub; redirects are not followed. Raises HttpError."""
        to = _destination(url)
        _check(url, to, feed, _destination(feed.url)[:3])
        body = urlencode(form).encode("ascii")
        headers = {
            "User-Agent": self._user_agent(feed),
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(len(body)),
            "Connection": "close",
        }
        request = Outgoing("POST", to, _encoded(to, headers), body)
        return await self._within(feed, self._hop(feed, url, request, ChainCookies()))

    async def _within(self, feed: Subscription, doing: Coroutine[None, None, FetchResult]) -> FetchResult:
        """Await a fetch within the feed's time limit. Raises HttpError for a timeout and for errors of the proxy."""
        limit = feed.timeout_s or self._timeout_s
        try:
            async with asyncio.timeout(limit) as deadline:
                token = DEADLINE.set(deadline)
                try:
                    return await doing
                finally:
                    DEADLINE.reset(token)
        except TimeoutError:
            raise HttpError(f"no complete answer within {limit:g} s", reason="timeout") from None
        except (httpx.TransportError, httpx.InvalidURL) as error:  # from proxies only: our transport raises HttpError
            raise HttpError(f"the proxy: {error or type(error).__name__}"[:200], reason="proxy") from error

    async def _follow(self, feed: Subscription, url: str, etag: str, last_modified: str) -> FetchResult:
        # Secrets are sent only to the origin of the subscribed URL, even if the feed has moved elsewhere.
        to, start, cookies = _destination(url), url, ChainCookies()
        home, permanent = (to if url == feed.url else _destination(feed.url))[:3], True
        _check(url, to, feed, home)
        seen = {(url, 0)}
        while True:
            at_home = to[:3] == home
            headers = self._headers(feed, secrets=at_home, etag=etag, last_modified=last_modified)
            if cookie := cookies.header(url, headers.get("Cookie", "")):
                headers["Cookie"] = cookie
            answer = await self._hop(feed, url, Outgoing("GET", to, _encoded(to, headers)), cookies)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                end = url if permanent and url != start else ""
                return structs.replace(answer, permanent_to=end, conditional=bool(etag or last_modified))
            permanent = permanent and answer.status in _PERMANENT
            url = _target(url, answer.headers["location"], has_secrets=_has_secrets(feed) and at_home)
            if (url, cookies.version) in seen:
                raise HttpError(f"redirect loop at {url[:200]}", reason="redirect_loop")
            if len(seen) > MAX_HOPS:
                raise HttpError(f"more than {MAX_HOPS} redirects", reason="too_many_redirects")
            seen.add((url, cookies.version))
            to = _destination(url)
            _check(url, to, feed, home)

    async def _hop(self, feed: Subscription, url: str, request: Outgoing, cookies: ChainCookies) -> FetchResult:
        """Send one request without following redirects, read the response and store its cookies."""
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                answer = await self._sent(feed, url, request)
        except TimeoutError:
            raise HttpError(f"no answer within {FIRST_BYTE_S:g} s", reason="first_byte_timeout") from None
        try:
            body, headers = DecodedBody(b""), _named(answer.headers, url, cookies)
            if answer.status in _READ:
                limit = feed.max_body or self._max_decoded
                raw_limit = feed.max_body or MAX_RAW
                coding = headers.get("content-encoding", "")
                body = await read_body(answer, coding, raw_limit, limit, self._large_bodies)
            odd, cut = answer.odd, answer.cut or body.cut
            if odd or cut:
                metrics.feed_oddities.labels("header").inc(odd)
                metrics.feed_oddities.labels("cut_body").inc(cut)
                logger.info("odd_answer", feed=feed.id, header_lines=odd, body_cut=cut)
            return FetchResult(
                status=200 if answer.status in _READ else answer.status,
                url=url,
                headers=headers,
                body=body.data,
                cut=cut,
                odd_headers=odd,
            )
        finally:
            await answer.aclose()

    async def _sent(self, feed: Subscription, url: str, request: Outgoing) -> HttpAnswer | ProxiedAnswer:
        """Send a request, and return the response as soon as its head was read."""
        if feed.proxy:
            proxied = httpx.Request(request.method, url, headers=request.headers, content=request.body)
            return ProxiedAnswer(await self._proxy(feed).handle_async_request(proxied))
        transport = self._direct if feed.tls_verify else self._direct_unverified
        return await transport.send(request, private=feed.allow_private_network)

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
        """Return the headers of a request. With `secrets` they include the feed's own headers, cookie and login."""
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
    """Return the URL without user and password, for logs and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _destination(url: str) -> Destination:
    """Return the destination of a URL. Raises HttpError (`bad_redirect`) when it is not valid."""
    try:
        return destination(url)
    except httpx.InvalidURL:
        raise HttpError(f"{redacted(url)[:200]} is not an http address", reason="bad_redirect") from None


def _encoded(to: Destination, headers: Mapping[str, str]) -> Headers:
    encoded = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]
    return [(b"Host", to.authority), *encoded]


def _named(raw: Headers, url: str, cookies: ChainCookies) -> dict[str, str]:
    """Return the headers by lower-case name, and store cookies. Repeated headers are joined, except `_SINGLE`."""
    found: dict[str, str] = {}
    for raw_name, raw_value in raw:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        if name == "set-cookie":
            cookies.note(url, value)
        if name not in found:
            found[name] = value
        elif name not in _SINGLE:
            found[name] += f", {value}"
    return found


def _check(url: str, to: Destination, feed: Subscription, home: HostOrigin) -> None:
    """Raise HttpError for a URL that is not http(s), or whose port is not allowed."""
    if to.scheme not in {"http", "https"} or not to.host:
        raise HttpError(f"{redacted(url)[:200]} is not an http address", reason="bad_redirect")
    # The port of the subscribed URL was chosen by the user, so it is allowed; that of a redirect is not.
    if to.port not in PORTS and to.port not in feed.ports and to.port != home[2]:
        raise HttpError(f"port {to.port} is not allowed; add it to the feed's `ports`", reason="port_refused")


def _target(url: str, location: str, *, has_secrets: bool) -> str:
    """Return the URL that a redirect leads to, resolved as browsers do, without user, password and fragment.

    `location` is the header decoded as Latin-1. Many servers send UTF-8 in it; that is percent-encoded once, and bytes
    that are not UTF-8 one by one. Raises HttpError.
    """
    raw = location.strip().encode("latin-1", "replace")
    try:
        reference = raw.decode("utf-8")
    except UnicodeDecodeError:
        reference = quote(raw, safe="%:/?#[]@!$&'()*+,;=-._~ ")
    try:
        parts = urlsplit(ada_url.join_url(url, reference))
        target = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
        httpx.URL(target)
        valid = parts.port != 0  # `port` raises ValueError when it is not a number
    except (ValueError, httpx.InvalidURL):
        valid = False
    if not valid:
        # `from None`, since the text of the cause would repeat the URL with its password.
        raise HttpError(f"a redirect to the invalid URL {redacted(location)[:200]!r}", reason="bad_redirect") from None
    if len(target) > _MAX_URL:
        raise HttpError(f"a redirect to a URL of over {_MAX_URL} characters", reason="bad_redirect")
    if has_secrets and url.startswith("https:") and not target.startswith("https:"):
        raise HttpError("a feed with a login is redirected from https to http", reason="downgrade_refused")
    return target


def _has_secrets(feed: Subscription) -> bool:
    return bool(feed.auth or feed.cookie or feed.headers)
