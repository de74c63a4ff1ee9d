"""Find the feeds of a site, for the command `summitry feeds discover`. The poller never does this by itself.

These are tried in order: the URL itself; the HTTP `Link` header; `<link rel=alternate>` in the page; links on the page
that look like feeds; six usual paths such as `/feed/`. Requests are one second apart.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Protocol
from urllib.parse import urljoin

import msgspec

from monitor.errors import FeedError, HttpError
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.page.feed_links import PageLinks, is_feed_link
from monitor.feeds.polling.document_reader import DocumentParser
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.poll import FeedGetter
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.link_header import link_header

#: Usual paths of feeds, the most common first (miniflux and reader try the same).
_USUAL = ("/feed/", "/rss.xml", "/atom.xml", "/feed.xml", "/rss", "/index.xml")
_PAUSE_S = 1.0
_MAX_CHECKED = 10


class FoundFeed(msgspec.Struct, frozen=True, kw_only=True):
    """A URL that was tried: how it was found, and the feed that it leads to. `problem` is set when it is not a feed."""

    url: str
    how: str
    title: str = ""
    language: str = ""
    mode: str = ""
    entries: int = 0
    problem: str = ""


class ReadSites(DocumentParser, Protocol):
    """Reads documents and pages; `monitor.feeds.sandbox.parser_pool.ParserPool` is the real one."""

    async def page_links(self, body: bytes, *, url: str = "", content_type: str = "") -> PageLinks:
        """Return the feeds that a web page links to. Raises FeedError."""


async def discover(
    url: str,
    get: FeedGetter,
    read: ReadSites,
    *,
    allow_private: bool = False,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> list[FoundFeed]:
    """Return the feeds of the site at `url`, the best first. Links that do not lead to a feed are left out.

    Raises FeedError or HttpError when `url` itself can't be fetched.
    """
    page = Subscription(id="discover", url=url, allow_private_network=allow_private)
    fetched = await get.get(page)
    found = await _check(fetched, "is a feed itself", read)
    if not found.problem:
        return [found]
    content_type = fetched.headers.get("content-type", "")
    links = await read.page_links(fetched.body, url=fetched.url, content_type=content_type)
    header = [
        link for link, relations, kind in link_header(fetched.headers.get("link", "")) if is_feed_link(relations, kind)
    ]
    candidates: dict[str, str] = {}
    for how, addresses in (
        ("HTTP Link header", header),
        ("<link rel=alternate>", links.alternate),
        ("a link on the page", links.anchors),
    ):
        for address in addresses:
            candidates.setdefault(article_urls.absolute(fetched.url, address), how)
    # WordPress links to its REST API in the same way as to its feeds.
    candidates = {address: how for address, how in candidates.items() if address and "/wp-json/" not in address}
    feeds = await _checked(list(candidates.items())[:_MAX_CHECKED], page, get, read, sleep)
    if feeds:
        return feeds
    usual = [(urljoin(fetched.url, path), "a usual address") for path in _USUAL]
    return (await _checked(usual, page, get, read, sleep, enough=1))[:1]


async def _checked(
    candidates: Iterable[tuple[str, str]],
    page: Subscription,
    get: FeedGetter,
    read: ReadSites,
    sleep: Callable[[float], Awaitable[None]],
    *,
    enough: int = _MAX_CHECKED,
) -> list[FoundFeed]:
    feeds: list[FoundFeed] = []
    for address, how in candidates:
        await sleep(_PAUSE_S)
        try:
            found = await _check(await get.get(page, url=address), how, read)
        except (FeedError, HttpError):
            continue
        if not found.problem and found.url not in {feed.url for feed in feeds}:
            feeds.append(found)
        if len(feeds) >= enough:
            break
    return feeds


async def _check(fetched: FetchResult, how: str, read: ReadSites) -> FoundFeed:
    if fetched.status != 200:
        return FoundFeed(url=fetched.url, how=how, problem=f"HTTP status {fetched.status}")
    content_type = fetched.headers.get("content-type", "")
    try:
        parsed = await read.parse(fetched.body, content_type=content_type, url=fetched.url)
    except (FeedError, HttpError) as error:
        return FoundFeed(url=fetched.url, how=how, problem=str(error))
    return FoundFeed(
        url=fetched.url,
        how=how,
        title=parsed.title,
        language=parsed.language,
        mode=parsed.mode,
        entries=len(parsed.entries),
    )
