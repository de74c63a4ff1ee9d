"""One polite, bounded GET of one feed: redirects followed by hand, every hop checked, every failure named."""

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
from monitor.http.answers import HttpAnswer
from monitor.http.bodies import DEADLINE, DecodedBody, Room, read_body
from monitor.http.chain_cookies import ChainCookies
from monitor.http.transport import PORTS as USUAL_PORTS
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
_REDIRECTS, _PERMANENT = frozenset({301, 302, 303, 307, 308}), frozenset({301, 308})
_MAX_URL = 4096
#: Answers with a body to read: 203 is 200 by way of a proxy that changed something (RFC 9110, 15.3.4), and servers put
#: other numbers of success on whole feeds. 204 and 205 have no body.
_READ: Final = frozenset(range(200, 300)) - {204, 205}
#: Scheme, host and port.
HostOrigin = tuple[str, bytes, int]


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
    cut: bool = False
    odd_headers: int = 0


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
        self._verified = tls or system_trust()
        self._unverified = no_trust_needed()
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
        target = _url(url)
        _check(target, feed, _origin(_url(feed.url)))
        headers = {
            "User-Agent": self._user_agent(feed),
            "Content-Type": "application/x-www-form-urlencoded",
            "Connection": "close",
        }
        body = urlencode(form).encode("ascii")
        request = httpx.Request(
            "POST", target, headers=_encoded(headers), content=body, extensions={"private": feed.allow_private_network}
        )
        return await self._within(feed, self._hop(feed, url, request, ChainCookies()))

    async def _within(self, feed: Subscription, doing: Coroutine[None, None, Fetched]) -> Fetched:
        """Await a fetch within the feed's time limit, and name what goes wrong."""
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
        target, start, cookies = _url(url), url, ChainCookies()
        home, permanent = _origin(target if url == feed.url else _url(feed.url)), True
        _check(target, feed, home)
        seen = {(url, 0)}
        while True:
            at_home = _origin(target) == home
            headers = self._headers(feed, secrets=at_home, etag=etag, last_modified=last_modified)
            if cookie := cookies.header(url, headers.get("Cookie", "")):
                headers["Cookie"] = cookie
            request = httpx.Request(
                "GET", target, headers=_encoded(headers), extensions={"private": feed.allow_private_network}
            )
            answer = await self._hop(feed, url, request, cookies)
            if answer.status not in _REDIRECTS or "location" not in answer.headers:
                end = url if permanent and url != start else ""
                return structs.replace(answer, permanent_to=end, conditional=bool(etag or last_modified))
            permanent = permanent and answer.status in _PERMANENT
            url = _target(url, answer.headers["location"], has_secrets=_has_secrets(feed) and at_home)
            if (url, cookies.version) in seen:
                raise HttpError(f"the redirects go in a circle at {url[:200]}", reason="redirect_loop")
            if len(seen) > MAX_HOPS:
                raise HttpError(f"more than {MAX_HOPS} redirects", reason="too_many_redirects")
            seen.add((url, cookies.version))
            target = _url(url)
            _check(target, feed, home)

    async def _hop(self, feed: Subscription, url: str, request: httpx.Request, cookies: ChainCookies) -> Fetched:
        """Send one request, read its answer and note its cookies."""
        transport = self._proxy(feed) if feed.proxy else self._direct if feed.tls_verify else self._direct_unverified
        try:
            async with asyncio.timeout(FIRST_BYTE_S):
                response = await transport.handle_async_request(request)
        except TimeoutError:
            raise HttpError(f"no answer within {FIRST_BYTE_S:g} s", reason="first_byte_timeout") from None
        try:
            body, headers = DecodedBody(b""), self._answered(url, response, cookies)
            if response.status_code in _READ:
                limit = feed.max_body or self._max_decoded
                raw_limit = feed.max_body or MAX_RAW
                coding = headers.get("content-encoding", "")
                body = await read_body(response.stream, coding, raw_limit, limit, self._room)  # type: ignore[arg-type]
            stream = response.stream if isinstance(response.stream, HttpAnswer) else None
            odd, cut = (stream.odd, stream.cut or body.cut) if stream is not None else (0, body.cut)
            if odd or cut:
                metrics.feed_oddities.labels("header").inc(odd)
                metrics.feed_oddities.labels("cut_body").inc(cut)
                logger.info("odd_answer", feed=feed.id, header_lines=odd, body_cut=cut)
            return Fetched(
                status=200 if response.status_code in _READ else response.status_code,
                url=url,
                headers=headers,
                body=body.data,
                cut=cut,
                odd_headers=odd,
            )
        finally:
            await response.aclose()

    def _answered(self, url: str, response: httpx.Response, cookies: ChainCookies) -> dict[str, str]:
        """Return the headers by lower-case name: repeated ones joined, but of `Location` the first alone counts."""
        found: dict[str, str] = {}
        for raw_name, raw_value in response.headers.raw:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            if name == "set-cookie":
                cookies.note(url, value)
            if name not in found:
                found[name] = value
            elif name != "location":
                found[name] += f", {value}"
        return found

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
        """Return the request's headers. The user's own headers, cookie and login stay with the feed's origin."""
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
    """Return the address without user and password, for logs and messages."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(not an address)"
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _url(url: str) -> httpx.URL:
    """Read an address. Raises HttpError."""
    try:
        return httpx.URL(url)
    except httpx.InvalidURL:
        raise HttpError(f"{redacted(url)[:200]} is not an http address", reason="bad_redirect") from None


def _origin(url: httpx.URL) -> HostOrigin:
    return url.scheme, url.raw_host, url.port or USUAL_PORTS.get(url.scheme, 80)


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers.items()]


def _check(url: httpx.URL, feed: Subscription, home: HostOrigin) -> None:
    """Raise HttpError for an address that may not be asked."""
    scheme, host, port = _origin(url)
    if scheme not in {"http", "https"} or not host:
        raise HttpError(f"{redacted(str(url))[:200]} is not an http address", reason="bad_redirect")
    # A port that the user wrote into the subscription is as good as configured; a redirect's is not.
    if port not in PORTS and port not in feed.ports and port != home[2]:
        raise HttpError(f"port {port} is not allowed; add it to the feed's `ports`", reason="port_refused")


def _target(url: str, location: str, *, has_secrets: bool) -> str:
    """Return where a redirect leads, as browsers read it, without user, password and fragment.

    `location` is the header in Latin-1. UTF-8 in it, which many servers send as it is, is percent-encoded once; bytes
    that are no UTF-8 are encoded one by one. Raises HttpError.
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
