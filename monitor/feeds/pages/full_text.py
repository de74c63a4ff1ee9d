"""Fetch the full text of an article from its web page, when the feed has only a summary.

This is off unless configuration or subscription switch it on. robots.txt decides whether a page may be fetched (RFC
9309, read by Protego), and its crawl delay is respected. Pages are read in the parser processes with trafilatura, from
the extra `fulltext`.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

import msgspec
import structlog
from protego import Protego

from monitor.errors import FeedError, HttpError
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.formats.page.main_text import PageText
from monitor.feeds.pages.page_claims import is_about, names_article, notice_in
from monitor.feeds.polling.poll import FeedGetter
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import Article

logger = structlog.get_logger()

#: The user agent to which rules in robots.txt apply.
ROBOTS_NAME = "Summitry"
#: RFC 9309: a robots.txt may be cached for at most 24 hours (section 2.4), and at least 500 KiB are read (section 2.5).
_ROBOTS_KEPT_S = 24 * 3600.0
_ROBOTS_RETRY_S = 3600.0
_ROBOTS_SIZE = 512_000
#: The most pages that are fetched for one document. Further articles keep their summaries.
MAX_PAGES = 20
_GAP_S = 1.0
#: Pages of a site with a longer crawl delay are not fetched.
_LONGEST_DELAY_S = 30.0
_ACCEPT = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.1"
#: A text with fewer characters is a teaser, no better than the summary. On pages behind a paywall teasers are longer.
_SHORTEST, _SHORTEST_PAID = 200, 1500
#: The most canonical URLs and beginnings of texts that are remembered, to notice that several articles share one.
_MAX_CLAIMED = 20_000
#: Two pages have the same text when so many of its first characters are the same.
_BEGINNING = 300


class PageExtractor(Protocol):
    """Reads pages; `monitor.feeds.sandbox.parser_pool.ParserPool` is the real one."""

    async def extract(self, body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> PageText:
        """Return the article on a page. Raises FeedError."""


@dataclass
class _RobotsRules:
    rules: Protego | None  # None: nothing may be fetched
    until: float
    free_at: float = 0.0


class FullText:
    """Adds full texts to articles. `now` returns the seconds of a monotonic clock; `sleep` is `asyncio.sleep`."""

    def __init__(
        self,
        get: FeedGetter,
        extract: PageExtractor,
        *,
        now: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._get, self._extract, self._now, self._sleep = get, extract, now, sleep
        self._robots: dict[str, _RobotsRules] = {}
        self._claimed: dict[str, set[str]] = {}

    async def enrich(self, feed: Subscription, articles: Iterable[Article]) -> tuple[Article, ...]:
        """Return the articles with the text of their pages, where the feed had none.

        An article whose page can't be fetched is returned unchanged. The articles of a feed's first document are old,
        so their pages are not fetched.
        """
        read: list[tuple[Article, PageText]] = []
        pages = 0
        for article in articles:
            found = PageText()
            if feed.full_text and article.url and not article.text and not article.backfill and pages < MAX_PAGES:
                pages += 1
                try:
                    found = await self.fetch(feed, article.url)
                except (FeedError, HttpError) as error:
                    logger.info("full_text_missing", feed=feed.id, article_id=article.id, reason=error.reason)
            read.append((article, found))
        for article, found in read:
            self._claim(article_urls.canonical(found.canonical), article.id)
            self._claim(_beginning(found.text), article.title)
        return tuple(self._completed(article, self._own(found)) for article, found in read)

    def _claim(self, what: str, who: str) -> None:
        if what:
            if len(self._claimed) > _MAX_CLAIMED:
                self._claimed.clear()
            self._claimed.setdefault(what, set()).add(who)

    def _own(self, found: PageText) -> PageText:
        """Remove a canonical URL or text that several articles share, in this document or an earlier one.

        A canonical URL that several pages have is wrong. A text with which several pages begin is a notice, such as a
        consent form.
        """
        address = article_urls.canonical(found.canonical)
        return msgspec.structs.replace(
            found,
            canonical="" if len(self._claimed.get(address, ())) > 1 else found.canonical,
            text="" if len(self._claimed.get(_beginning(found.text), ())) > 1 else found.text,
        )

    def _completed(self, article: Article, found: PageText) -> Article:
        """Return the article with its page's text, and with the page's canonical URL if it belongs to this article."""
        url = article_urls.canonical(found.canonical)
        if not url or not names_article(url, article.url, title=article.title, final=found.url):
            url = article.url
        is_whole = len(found.text) >= (_SHORTEST_PAID if found.paid else _SHORTEST)
        said = f"{article.title} {article.summary}"
        is_better = is_whole and notice_in(found.text) is None and is_about(found.text, said)
        return msgspec.structs.replace(article, url=url, text=found.text if is_better else article.text)

    async def fetch(self, feed: Subscription, url: str) -> PageText:
        """Fetch one page, and return its article.

        Raises FeedError: `robots_refused`, `fulltext_extra` (the extra is not installed), `http_status`, `truncated`,
        or the reason of the parser. Raises HttpError when the request fails.
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
        if fetched.cut:
            raise FeedError("the page was cut off", reason="truncated")
        selector = "" if feed.full_text == "auto" else feed.full_text
        content_type = fetched.headers.get("content-type", "")
        found = await self._extract.extract(fetched.body, url=fetched.url, selector=selector, content_type=content_type)
        return msgspec.structs.replace(found, url=fetched.url)

    async def allows(self, feed: Subscription, url: str) -> bool:
        """Tell whether robots.txt allows us to fetch a URL; False when robots.txt can't be fetched."""
        robots = await self._rules(feed, url)
        return robots.rules is not None and bool(robots.rules.can_fetch(url, ROBOTS_NAME))

    async def _rules(self, feed: Subscription, url: str) -> _RobotsRules:
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
            if fetched.status == 200 and not fetched.cut:
                text = fetched.body[:_ROBOTS_SIZE].decode("utf-8", "replace")
                rules, kept = Protego.parse(text), _ROBOTS_KEPT_S
            elif 400 <= fetched.status < 500:  # RFC 9309, section 2.3.1.3: without robots.txt everything is allowed
                rules, kept = Protego.parse(""), _ROBOTS_KEPT_S
        except (FeedError, HttpError):
            pass  # section 2.3.1.4: while it is unreachable nothing is allowed
        if len(self._robots) > 5_000:
            self._robots.clear()
        self._robots[origin] = _RobotsRules(rules, self._now() + kept, known.free_at if known else 0.0)
        return self._robots[origin]


def _beginning(text: str) -> str:
    """Return a digest of the beginning of a text, ignoring its numbers; '' for a short text."""
    start = re.sub(r"\d+", "0", text[:_BEGINNING])
    return (
        hashlib.blake2b(start.encode("utf-8", "replace"), digest_size=8).hexdigest() if len(text) >= _SHORTEST else ""
    )
