"""The whole text of an article from its page, where a feed gives a summary only and its owner allows it.

Off unless a subscription says so. robots.txt decides (RFC 9309, by Protego), its crawl delay is kept, and pages
are read in the guarded parser processes with trafilatura, which the extra `fulltext` brings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import structlog
from protego import Protego

from monitor.errors import FeedError
from monitor.feeds import encoding, entries, html, urls
from monitor.feeds.feed import Subscription
from monitor.feeds.hosts import host_group
from monitor.feeds.parser_worker import Extracted
from monitor.feeds.poll import Get
from monitor.records import Article

logger = structlog.get_logger()

#: The name by which robots.txt may address us.
ROBOTS_NAME = "Summitry"
#: RFC 9309, section 2.4: not longer than 24 hours; and section 2.5: at least 500 kibibytes are read.
_ROBOTS_KEPT_S = 24 * 3600.0
_ROBOTS_RETRY_S = 3600.0
_ROBOTS_SIZE = 512_000
#: Pages of one document that are fetched; a feed that brings more at once gets its texts from summaries.
MAX_PAGES = 20
_GAP_S = 1.0
#: A site that asks for longer pauses between pages is not asked for pages.
_LONGEST_DELAY_S = 30.0
_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
#: Shorter than this is a cookie banner or a teaser, and no better than the summary.
_SHORTEST = 200
_MISSING = "full text needs trafilatura: pip install 'summitry[fulltext]'"


class Extract(Protocol):
    """Reads pages; `monitor.feeds.parser_pool.ParserPool` is the real one."""

    async def extract(self, body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> Extracted:
        """Raises FeedError."""


@dataclass
class _Robots:
    rules: Protego | None  # None: nothing may be fetched
    until: float
    free_at: float = 0.0


class FullText:
    """Adds texts to articles. `now` gives seconds on any steady clock, `sleep` waits."""

    def __init__(
        self,
        get: Get,
        extract: Extract,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._get, self._extract, self._now, self._sleep = get, extract, now, sleep
        self._robots: dict[str, _Robots] = {}

    async def enrich(self, feed: Subscription, articles: Iterable[Article]) -> tuple[Article, ...]:
        """The articles, with the page's text where the feed had none; a page that can't be had changes nothing.

        Pages of a feed's first document are left alone: those articles are old news.
        """
        done: list[Article] = []
        pages = 0
        for article in articles:
            found = Extracted()
            if feed.full_text and article.url and not article.text and not article.backfill and pages < MAX_PAGES:
                pages += 1
                try:
                    found = await self.fetch(feed, article.url)
                except FeedError as error:
                    logger.info("full_text_missing", feed=feed.id, article_id=article.id, reason=error.reason)
            done.append(_completed(article, found))
        return tuple(done)

    async def fetch(self, feed: Subscription, url: str) -> Extracted:
        """The text of one page.

        Raises FeedError: `robots_refused`, `fulltext_extra` (the extra is not installed), or why the page can't be had.
        """
        robots = await self._rules(feed, url)
        if robots.rules is None or not robots.rules.can_fetch(url, ROBOTS_NAME):
            raise FeedError("robots.txt does not allow this page", reason="robots_refused", retryable=False)
        delay = max(float(robots.rules.crawl_delay(ROBOTS_NAME) or 0.0), _GAP_S)
        if delay > _LONGEST_DELAY_S:
            raise FeedError(f"robots.txt asks for {delay:g} s between pages", reason="robots_refused", retryable=False)
        wait = robots.free_at - self._now()
        robots.free_at = max(robots.free_at, self._now()) + delay
        if wait > 0:
            await self._sleep(wait)
        page = Subscription(
            id=feed.id,
            url=url,
            accept=_ACCEPT,
            user_agent=feed.user_agent,
            proxy=feed.proxy,
            tls_verify=feed.tls_verify,
            allow_private_network=feed.allow_private_network,
            timeout_s=feed.timeout_s,
        )
        fetched = await self._get.get(page)
        if fetched.status != 200:
            raise FeedError(f"HTTP status {fetched.status}", reason="http_status")
        selector = "" if feed.full_text == "auto" else feed.full_text
        content_type = fetched.headers.get("content-type", "")
        return await self._extract.extract(fetched.body, url=fetched.url, selector=selector, content_type=content_type)

    async def allows(self, feed: Subscription, url: str) -> bool:
        """Whether robots.txt lets us fetch an address. Raises FeedError when robots.txt can't be had."""
        robots = await self._rules(feed, url)
        return robots.rules is not None and bool(robots.rules.can_fetch(url, ROBOTS_NAME))

    async def _rules(self, feed: Subscription, url: str) -> _Robots:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        known = self._robots.get(origin)
        if known is not None and self._now() < known.until:
            return known
        address = f"{origin}/robots.txt"
        request = Subscription(
            id=feed.id,
            url=address,
            accept="text/plain,*/*;q=0.1",
            proxy=feed.proxy,
            tls_verify=feed.tls_verify,
            allow_private_network=feed.allow_private_network,
        )
        rules, kept = None, _ROBOTS_RETRY_S
        try:
            fetched = await self._get.get(request)
            if fetched.status == 200:
                text = fetched.body[:_ROBOTS_SIZE].decode("utf-8", "replace")
                rules, kept = Protego.parse(text), _ROBOTS_KEPT_S
            elif 400 <= fetched.status < 500:  # RFC 9309, section 2.3.1.3: no robots.txt, all may be fetched
                rules, kept = Protego.parse(""), _ROBOTS_KEPT_S
        except FeedError:
            pass  # section 2.3.1.4: unreachable means that nothing may be fetched
        if len(self._robots) > 5_000:
            self._robots.clear()
        self._robots[origin] = _Robots(rules, self._now() + kept, known.free_at if known else 0.0)
        return self._robots[origin]


def _completed(article: Article, found: Extracted) -> Article:
    """The article with what its page says: the text, and the page's canonical address within the same site (D6)."""
    url = urls.canonical(found.canonical)
    if not url or host_group(url) != host_group(article.url):
        url = article.url
    text = found.text if len(found.text) >= _SHORTEST else article.text
    return msgspec.structs.replace(article, url=url, text=text)


def extract(body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> Extracted:
    """The article on a page: by `selector` (CSS) where it is given, else where trafilatura finds it.

    Runs in a parser process. Raises FeedError: `fulltext_extra` when the extra is not installed, `no_text`.
    """
    try:
        import lxml.html  # noqa: PLC0415  # the extra may be missing
        import trafilatura  # noqa: PLC0415
    except ImportError as error:
        raise FeedError(_MISSING, reason="fulltext_extra", retryable=False) from error
    try:
        tree = lxml.html.fromstring(encoding.decode(body, content_type).text.encode("utf-8"), parser=_parser(lxml))
    except (ValueError, lxml.etree.LxmlError) as error:
        raise FeedError(f"the page can't be read: {error}"[:200], reason="no_text") from error
    title, canonical, language = _about(tree, url)
    if selector:
        text = _selected(tree, selector)
    else:
        found = trafilatura.extract(
            tree, url=url or None, include_comments=False, include_tables=False, favor_precision=True
        )
        text = html.fold(found or "")
    if not text:
        raise FeedError("no article was found on the page", reason="no_text")
    return Extracted(
        text=html.cap(text, entries.CONTENT_LIMIT),
        title=title,
        canonical=canonical,
        language=language,
    )


def _parser(lxml: Any) -> Any:  # noqa: ANN401  # the module itself, imported by the caller
    return lxml.html.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False)


def _selected(tree: Any, selector: str) -> str:  # noqa: ANN401  # lxml has no types
    try:
        nodes = tree.cssselect(selector)
    except ImportError as error:
        raise FeedError(_MISSING, reason="fulltext_extra", retryable=False) from error
    except Exception as error:
        raise FeedError(
            f"{selector!r} is not a CSS selector: {error}"[:200], reason="bad_selector", retryable=False
        ) from error
    import lxml.html  # noqa: PLC0415  # the extra is there, or there were no tree

    return html.fold(
        "\n".join(html.text_of(html.safe_html(lxml.html.tostring(n, encoding="unicode"), "")) for n in nodes)
    )


def _about(tree: Any, url: str) -> tuple[str, str, str]:  # noqa: ANN401  # lxml has no types
    """Title, canonical address and language of a page."""
    titles = tree.xpath("string(//head/title)")
    addresses = tree.xpath("//head/link[@rel='canonical']/@href")
    languages = tree.xpath("/html/@lang")
    return (
        html.cap(html.plain(str(titles)), entries.TITLE_LIMIT),
        urls.absolute(url, str(addresses[0])) if addresses else "",
        entries.tag(str(languages[0])) if languages else "",
    )
