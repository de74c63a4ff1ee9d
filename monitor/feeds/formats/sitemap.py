"""Reads news sitemaps: lists of a site's newest articles, made for search engines, where a site has no feed.

The format is the sitemap's (https://www.sitemaps.org/protocol.html) with Google's news extension
(https://developers.google.com/search/docs/crawling-indexing/sitemaps/news-sitemap): each `url` has a `loc` and a
`news:news` with publication date, title and language. Entries without `news:news` are pages, not news.
"""

from __future__ import annotations

from xml.etree.ElementTree import Element

from monitor.errors import FeedError
from monitor.feeds.formats import entries
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.entries import FeedContext, RawEntry
from monitor.feeds.formats.fields import html_text
from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.newest import newest
from monitor.feeds.formats.xml import repair
from monitor.feeds.formats.xml.tree import UnusualError, elements_of

ROOTS = frozenset({"urlset", "sitemapindex"})


def read(document: str, root: str, setting: FeedContext) -> ParsedFeed:
    """Read a sitemap that begins with its root element.

    Raises FeedError: `not_a_feed` for an index of sitemaps, a sitemap without news, and what is no XML.
    """
    if root == "sitemapindex":
        raise FeedError("an index of sitemaps: subscribe to the news sitemap that it names", reason="not_a_feed")
    document = repair.legal(document)
    problem = ""
    try:
        tree = elements_of(document)
    except UnusualError as error:
        problem = str(error)
        try:
            tree = elements_of(repair.mend(document))
        except UnusualError:
            raise FeedError(f"the sitemap is no XML: {problem}", reason="not_a_feed") from error
    items = [raw for url in tree if _name(url) == "url" and (raw := _entry(url)) is not None]
    if not items and len(tree):
        raise FeedError("a sitemap without news: its pages have no titles", reason="not_a_feed")
    places = newest([read_date(raw.published, zone=setting.zone).value for raw in items])
    found, failed = entries.finish_each((items[place] for place in places), lambda item: item, setting)
    return ParsedFeed(
        title=html_text.cap(html_text.plain(_publication(tree)), entries.TITLE_LIMIT),
        language=found[0].language if found else "",
        entries=found,
        mode="sitemap-repaired" if problem else "sitemap",
        problem=problem or failed,
        truncated=len(items) > len(places),
    )


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
