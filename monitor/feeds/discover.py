"""Finding the feeds of a site (FEEDS rule S14). Only ever on a user's command, never on the poller's timer.

In this order: the address is a feed itself; the HTTP `Link` header; `<link rel=alternate>` of the page; links on the
page that look like feeds; addresses where feeds often lie, at most six of them. Requests are a second apart.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from html.parser import HTMLParser
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import msgspec

from monitor.errors import FeedError
from monitor.feeds import encoding, urls
from monitor.feeds.feed import Subscription
from monitor.feeds.fetch import Fetched
from monitor.feeds.links import link_header
from monitor.feeds.parser_worker import Links
from monitor.feeds.poll import Get
from monitor.feeds.reader import Parse

_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/xml",
     "text/xml", "application/json"}
)  # fmt: skip
_FEED_LINK = re.compile(r"(?:[./?=_-]|^)(?:rss|atom|feeds?|rdf|xml)(?:\.(?:xml|rdf|json|php|aspx))?/?$", re.IGNORECASE)
#: Where feeds often lie, the most usual first (miniflux and reader try the same).
_USUAL = ("/feed/", "/rss.xml", "/atom.xml", "/feed.xml", "/rss", "/index.xml")
_PAUSE_S = 1.0
_MAX_CHECKED = 10
_MAX_LINKS = 50


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A feed that was found: its address, how it was found, and what it holds. `problem` is set where it is no feed."""

    url: str
    how: str
    title: str = ""
    language: str = ""
    mode: str = ""
    entries: int = 0
    problem: str = ""


class Read(Parse, Protocol):
    """Reads documents and pages; `monitor.feeds.parser_pool.ParserPool` is the real one."""

    async def page_links(self, body: bytes, *, url: str = "", content_type: str = "") -> Links:
        """Raises FeedError."""


async def discover(
    url: str,
    get: Get,
    read: Read,
    *,
    allow_private: bool = False,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[Found]:
    """The feeds of the site at `url`, the best first; addresses that are no feeds after all are left out.

    Raises FeedError when the address itself can't be fetched.
    """
    page = Subscription(id="discover", url=url, allow_private_network=allow_private)
    fetched = await get.get(page)
    found = await _check(fetched, "is a feed itself", read)
    if not found.problem:
        return [found]
    content_type = fetched.headers.get("content-type", "")
    links = await read.page_links(fetched.body, url=fetched.url, content_type=content_type)
    header = [
        link for link, relations, kind in link_header(fetched.headers.get("link", "")) if _is_feed(relations, kind)
    ]
    candidates: dict[str, str] = {}
    for how, addresses in (
        ("HTTP Link header", header),
        ("<link rel=alternate>", links.alternate),
        ("a link on the page", links.anchors),
    ):
        for address in addresses:
            candidates.setdefault(urls.absolute(fetched.url, address), how)
    # WordPress names its API beside its feeds.
    candidates = {address: how for address, how in candidates.items() if address and "/wp-json/" not in address}
    feeds = await _checked(list(candidates.items())[:_MAX_CHECKED], page, get, read, sleep)
    if feeds:
        return feeds
    usual = [(urljoin(fetched.url, path), "a usual address") for path in _USUAL]
    return (await _checked(usual, page, get, read, sleep, enough=1))[:1]


async def _checked(
    candidates: Iterable[tuple[str, str]],
    page: Subscription,
    get: Get,
    read: Read,
    sleep: Callable[[float], Awaitable[None]],
    *,
    enough: int = _MAX_CHECKED,
) -> list[Found]:
    feeds: list[Found] = []
    for address, how in candidates:
        await sleep(_PAUSE_S)
        try:
            found = await _check(await get.get(page, url=address), how, read)
        except FeedError:
            continue
        if not found.problem and found.url not in {feed.url for feed in feeds}:
            feeds.append(found)
        if len(feeds) >= enough:
            break
    return feeds


async def _check(fetched: Fetched, how: str, read: Read) -> Found:
    if fetched.status != 200:
        return Found(url=fetched.url, how=how, problem=f"HTTP status {fetched.status}")
    content_type = fetched.headers.get("content-type", "")
    try:
        parsed = await read.parse(fetched.body, content_type=content_type, url=fetched.url)
    except FeedError as error:
        return Found(url=fetched.url, how=how, problem=str(error))
    return Found(
        url=fetched.url,
        how=how,
        title=parsed.title,
        language=parsed.language,
        mode=parsed.mode,
        entries=len(parsed.entries),
    )


def page_links(body: bytes, *, url: str = "", content_type: str = "") -> Links:
    """What a web page says of feeds, as absolute addresses."""
    reader = _PageReader(url)
    reader.feed(encoding.decode(body, content_type).text[: 2 * 1024 * 1024])
    return Links(alternate=tuple(reader.alternate)[:_MAX_LINKS], anchors=tuple(reader.anchors)[:_MAX_LINKS])


class _PageReader(HTMLParser):
    """Collects addresses of feeds, in the order of the page, each once."""

    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self._base = url
        self._host = urlsplit(url).hostname or ""
        self.alternate: dict[str, None] = {}
        self.anchors: dict[str, None] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        href = values.get("href", "")
        if tag == "base" and href:
            self._base = urls.absolute(self._base, href) or self._base
        elif tag == "link" and _is_feed(values.get("rel", ""), values.get("type", "")):
            self._add(self.alternate, href)
        elif tag == "a" and href and _FEED_LINK.search(_path(href)):
            self._add(self.anchors, href)

    def _add(self, to: dict[str, None], href: str) -> None:
        address = urls.absolute(self._base, href)
        if address:
            to.setdefault(address)


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def _is_feed(relations: str, kind: str) -> bool:
    words = relations.lower().split()
    media_type = kind.partition(";")[0].strip().lower()
    return "alternate" in words and "stylesheet" not in words and media_type in _TYPES
