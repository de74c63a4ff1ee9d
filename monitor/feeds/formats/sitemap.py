"""Read news sitemaps: lists of a site's newest articles for search engines, used for sites without a feed.

The format is the sitemap's (https://www.sitemaps.org/protocol.html) with Google's news extension
(https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap): each `url` has a `loc` and a
`news:news` with publication date, title and language. Entries without `news:news` are pages, not news.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from monitor.errors import FeedError
from monitor.feeds.formats import entries
from monitor.feeds.formats.document import ParsedFeed, UnreadEntries
from monitor.feeds.formats.entries import FeedContext, RawEntry
from monitor.feeds.formats.fields import html_text
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.newest import newest
from monitor.feeds.formats.xml import repair
from monitor.feeds.formats.xml.tree import UnusualError, elements_of

_END, _ROOT_END = re.compile(r"</((?:[A-Za-z_][\w.-]*:)?)url\s*>"), re.compile(r"</(?:[\w.-]+:)?urlset\s*>")
ROOTS = frozenset({"urlset", "sitemapindex"})


def read(document: str, root: str, setting: FeedContext) -> ParsedFeed:
    """Read a sitemap that begins with its root element.

    Raises FeedError (`not_a_feed`) for an index of sitemaps, a sitemap without news, and a document that is not XML.
    """
    if root == "sitemapindex":
        raise FeedError("an index of sitemaps: subscribe to the news sitemap that it names", reason="not_a_feed")
    document, incomplete = _completed(repair.legal(document))
    problem = ""
    try:
        tree = elements_of(document)
    except UnusualError as error:
        problem = str(error)
        try:
            tree = elements_of(repair.mend(document))
        except UnusualError:
            raise FeedError(f"the sitemap is not XML: {problem}", reason="not_a_feed") from error
    pages = [url for url in tree if _name(url) == "url"]
    items = [raw for url in pages if (raw := _entry(url)) is not None]
    if not items and len(tree):
        raise FeedError("a sitemap without news: its pages have no titles", reason="not_a_feed")
    places = newest([read_date(raw.published, zone=setting.zone).value for raw in items])
    found, unread = entries.finish_each((items[place] for place in places), lambda item: item, setting)
    return ParsedFeed(
        title=html_text.cap(html_text.plain(_publication(tree)), entries.TITLE_LIMIT),
        language=found[0].language if found else "",
        entries=found,
        mode="sitemap-repaired" if problem else "sitemap",
        problem="the document was cut off" if incomplete else problem,
        unread=(*unread, *_left_out(len(pages) - len(items), len(items) - len(places), incomplete=incomplete)),
        truncated=len(items) > len(places),
        incomplete=incomplete,
    )


def _left_out(pages: int, too_many: int, *, incomplete: bool) -> Iterator[UnreadEntries]:
    if pages:
        yield UnreadEntries(reason="no_news", text="it has no news:news and is no article", count=pages)
    if too_many:
        yield entries.beyond_limit(too_many)
    if incomplete:
        yield entries.unfinished()


def _completed(document: str) -> tuple[str, bool]:
    """Return a sitemap that was cut off, closed after its last complete entry; and whether it was cut off."""
    ends = list(_END.finditer(document))
    if not ends or _ROOT_END.search(document, ends[-1].end()):
        return document, False
    return f"{document[: ends[-1].end()]}</{ends[-1][1]}urlset>", True


def _entry(url: Element) -> RawEntry | None:
    news = next((child for child in url if _name(child) == "news"), None)
    if news is None:
        return None
    inside = {_name(child): child for child in news}
    link = _text(next((child for child in url if _name(child) == "loc"), None))
    about = {_name(child): _text(child) for each in news if _name(each) == "publication" for child in each}
    images = [child for child in url if _name(child) == "image"]
    return RawEntry(
        guid=link,
        links=[link],
        title=_text(inside.get("title")),
        published=_text(inside.get("publication_date")),
        updated=_text(next((child for child in url if _name(child) == "lastmod"), None)),
        tags=[word for word in _text(inside.get("keywords")).split(",") if word.strip()],
        language=about.get("language", ""),
        images=[(1, _text(child)) for image in images for child in image if _name(child) == "loc"],
        other_words=[_text(child) for image in images for child in image if _name(child) in {"caption", "title"}],
    )


def _publication(tree: Element) -> str:
    names = (each for each in tree.iter() if _name(each) == "publication")
    return next((_text(child) for each in names for child in each if _name(child) == "name"), "")


def _name(element: Element) -> str:
    return element.tag.rpartition("}")[2].rpartition(":")[2].lower()


def _text(element: Element | None) -> str:
    return (element.text or "").strip() if element is not None else ""
