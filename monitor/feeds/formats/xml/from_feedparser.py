"""Read a document with feedparser, and convert its dictionaries into the records of `found`."""

from __future__ import annotations

from typing import Any

from monitor.feeds.formats.entries import Kind, Markup
from monitor.feeds.formats.xml.feedparser_driver import parse_xml
from monitor.feeds.formats.xml.found import (
    SIDE_TEXTS,
    FoundChannel,
    FoundDocument,
    FoundEntry,
    FoundLink,
    FoundMedia,
    FoundTag,
)

#: feedparser's dictionaries. They are read with dict.get: their own `get` returns `published` for a missing `updated`,
#: and warns about it.
FeedData = dict[str, Any]


def read(document: str, url: str) -> FoundDocument:
    """Read a document with feedparser. Raises FeedError: `too_many_attributes`, `tag_too_large`, `too_deep`."""
    parser, suffix, problem = parse_xml(document, url)
    feed = parser.feeddata
    found = FoundChannel(
        title=_text(feed, "title"),
        links=_links(feed),
        language=_text(feed, "language"),
        side=_side(feed),
        version=parser.version,
        subtitle=_text(feed, "subtitle"),
        ttl=_text(feed, "ttl"),
        update_period=_text(feed, "sy_updateperiod"),
        update_frequency=_text(feed, "sy_updatefrequency"),
        skip_hours=parser.skip_hours,
        skip_days=parser.skip_days,
        truncated=parser.truncated,
        stumbled=parser.stumbled,
        says_nothing=not feed,
    )
    return FoundDocument(found, parser.entries, _entry, suffix, problem)


def _entry(entry: FeedData) -> FoundEntry:
    title, image = dict.get(entry, "title_detail") or {}, dict.get(entry, "image")
    contents = [body for body in dict.get(entry, "content") or [] if _is_text(body)]
    return FoundEntry(
        base=_text(entry, "own_base"),
        guid=_text(entry, "own_id") or _text(entry, "id"),
        is_permalink=bool(dict.get(entry, "is_permalink")),
        links=_links(entry),
        title=_text(entry, "title"),
        title_kind="text" if _text(title, "said_type") == "text" else "",
        title_language=_text(title, "language"),
        language=_text(entry, "language"),
        inherited_language=_text(entry, "own_lang"),
        side=_side(entry),
        summary=_summary(entry, contents),
        contents=list(map(_markup, contents)),
        published=_text(entry, "published"),
        updated=_text(entry, "updated"),
        created=_text(entry, "created"),
        authors=[_text(author, "name") for author in dict.get(entry, "authors") or []],
        tags=[FoundTag(_text(tag, "term"), None, _text(tag, "label")) for tag in dict.get(entry, "tags") or []],
        media=_media(entry, "media_content"),
        thumbnails=_media(entry, "media_thumbnail"),
        podcast_image=_text(image, "href") if isinstance(image, dict) else "",
        credit=next((text for each in dict.get(entry, "media_credit") or [] if (text := _text(each, "content"))), ""),
        source=_source(entry),
    )


def _summary(entry: FeedData, contents: list[FeedData]) -> Markup | None:
    """Return the summary, or None when feedparser only copied a content into it."""
    text, detail = _text(entry, "summary"), dict.get(entry, "summary_detail")
    if detail:
        return _markup(detail)._replace(value=text)
    return Markup(text) if not any(_text(body, "value") == text for body in contents) else None


def _source(entry: FeedData) -> tuple[str, str] | None:
    source = dict.get(entry, "source")
    if not isinstance(source, dict):
        return None
    pages = (link.href for link in _links(source) if link.rel == "alternate" and link.href)
    return _text(source, "title"), _text(source, "href") or next(pages, "")


def _links(context: FeedData) -> list[FoundLink]:
    return [
        FoundLink(
            _text(link, "href"), _text(link, "rel"), _text(link, "type"), _text(link, "hreflang"), bool(link.get("rss"))
        )
        for link in dict.get(context, "links") or []
    ]


def _media(entry: FeedData, name: str) -> list[FoundMedia]:
    return [
        FoundMedia(_text(media, "url"), _text(media, "medium"), _text(media, "type"), _text(media, "width"))
        for media in dict.get(entry, name) or []
    ]


def _side(context: FeedData) -> dict[str, str]:
    return {name: text for name in SIDE_TEXTS if (text := _text(context, f"side_{name}"))}


def _markup(body: FeedData) -> Markup:
    kind: Kind = "text" if _text(body, "said_type") == "text" else ""
    if "html" in _text(body, "type") or _text(body, "type").endswith("xml"):
        kind = "html"
    return Markup(_text(body, "value"), kind, _text(body, "base"))


def _is_text(body: FeedData) -> bool:
    kind = _text(body, "type")
    return not kind or kind.startswith("text/") or kind.endswith(("html", "html+xml", "/xml"))


def _text(context: FeedData, name: str) -> str:
    value = dict.get(context, name)
    return value if isinstance(value, str) else ""
