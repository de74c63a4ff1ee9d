"""Find the feeds that a web page links to, by `<link rel=alternate>` or by plain links that look like feeds."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from urllib.parse import urlsplit

import msgspec

from monitor.feeds.formats.fields import article_urls, encoding

_TYPES = frozenset(
    {"application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/feed+json", "application/xml",
     "text/xml", "application/json"}
)  # fmt: skip
_FEED_LINK = re.compile(r"(?:[./?=_-]|^)(?:rss|atom|feeds?|rdf|xml)(?:\.(?:xml|rdf|json|php|aspx))?/?$", re.IGNORECASE)
_MAX_LINKS = 50


class PageLinks(msgspec.Struct, frozen=True, kw_only=True):
    """URLs of feeds on a page, from `<link rel=alternate>` and from plain links (`anchors`) that look like feeds."""

    alternate: tuple[str, ...] = ()
    anchors: tuple[str, ...] = ()


def page_links(body: bytes, *, url: str = "", content_type: str = "") -> PageLinks:
    """Return the absolute URLs of the feeds that a web page links to. Reads at most 2 Mi characters of it."""
    reader = _PageReader(url)
    reader.feed(encoding.decode(body, content_type).text[: 2 * 1024 * 1024])
    return PageLinks(alternate=tuple(reader.alternate)[:_MAX_LINKS], anchors=tuple(reader.anchors)[:_MAX_LINKS])


class _PageReader(HTMLParser):
    """Collects the URLs of feeds in the order of the page, each once."""

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
            self._base = article_urls.absolute(self._base, href) or self._base
        elif tag == "link" and is_feed_link(values.get("rel", ""), values.get("type", "")):
            self._add(self.alternate, href)
        elif tag == "a" and href and _FEED_LINK.search(_path(href)):
            self._add(self.anchors, href)

    def _add(self, to: dict[str, None], href: str) -> None:
        address = article_urls.absolute(self._base, href)
        if address:
            to.setdefault(address)


def _path(href: str) -> str:
    try:
        return urlsplit(href).path
    except ValueError:
        return ""


def is_feed_link(relations: str, kind: str) -> bool:
    """Tell whether a link with these `rel` words and this media type leads to a feed."""
    words = relations.lower().split()
    media_type = kind.partition(";")[0].strip().lower()
    return "alternate" in words and "stylesheet" not in words and media_type in _TYPES
