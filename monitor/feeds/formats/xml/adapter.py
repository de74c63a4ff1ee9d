"""Turn an RSS, Atom, RDF or CDF document into a `ParsedFeed`.

`wellformed` reads the document; if it can't, feedparser does. Both fill the records of `found`. This module then
decides which of the texts of an entry is its title, link, date and so on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats import entries, sitemap
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.entries import FeedContext, Markup, RawEntry
from monitor.feeds.formats.fields import article_urls, html_text
from monitor.feeds.formats.newest import shortened
from monitor.feeds.formats.xml import repair
from monitor.feeds.formats.xml.found import FoundDocument, FoundEntry, FoundLink, FoundMedia
from monitor.feeds.formats.xml.languages import in_one_language, primary
from monitor.feeds.formats.xml.tree import UnusualError
from monitor.feeds.formats.xml.wellformed import PlainDocument

_ROOTS = {"rss": "rss", "rdf": "rdf", "feed": "atom", "channel": "cdf"}
#: Elements with which a fragment of a web page begins, such as an error message or a challenge for browsers.
_OF_PAGES = frozenset(
    {"head", "body", "script", "noscript", "meta", "style", "div", "p", "h1", "h2", "center", "br", "b"}
)
_LATE_ROOT = re.compile(r"<(?:rss|feed|channel|\w+:RDF)[\s>]")
#: The root to put around a document that is a single entry (RFC 4287, section 2, allows that).
_ALONE = {"entry": "feed", "item": "rss"}
#: Elements that are used as the summary of an entry without one.
_OTHER_SUMMARIES = ("dc_description", "itunes_summary", "itunes_subtitle", "googleplay_description")
#: Elements whose text is used for an entry without title, summary and content.
_OTHER_WORDS = ("media_description", "media_text", "dcterms_abstract", "media_title", "itunes_subtitle")
#: Authors that are only an e-mail address are dropped: personal data without use.
_ADDRESS = re.compile(r"\S+@\S+")
#: What a link to an entry's page is called; the second form is rare (RFC 4287, 4.2.7.2).
_PAGE = frozenset({"alternate", "http://www.iana.org/assignments/relation/alternate"})
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)\b", re.IGNORECASE)
#: The assumed width of a picture, in pixels, when the feed gives none: thumbnails are small, enclosures are large.
_UNKNOWN_WIDTH = {"media": 600, "enclosure": 500, "podcast": 400, "thumbnail": 100}


def read(text: str, setting: FeedContext) -> ParsedFeed:
    """Read the feed in `text`.

    Raises FeedError: `empty`, `html` (a web page), `not_a_feed`, `too_many_attributes`, `tag_too_large`, `too_deep`,
    `truncated` (the document was cut off within its first entry).
    """
    start, root = repair.find_root(text)
    if not root:
        raise FeedError("the document has no elements" if text.strip() else "the document is empty",
                        reason="not_a_feed" if text.strip() else "empty", retryable=True)  # fmt: skip
    if root == "html":
        raise FeedError("the address answers with a web page, not with a feed", reason="html")
    document = text[start:]
    if root in _ALONE:
        document, root = f"<{_ALONE[root]}>{document}</{_ALONE[root]}>", _ALONE[root]
    if root in sitemap.ROOTS:
        return sitemap.read(document, root, setting)
    if root not in _ROOTS:
        document = repair.legal(document)
        late = _LATE_ROOT.search(document, 0, 100_000)
        if late is None and root in _OF_PAGES:
            raise FeedError("the address answers with a part of a web page, not with a feed", reason="html")
        if late is None:
            raise FeedError(f"the document is <{root[:40]}>, not a feed", reason="not_a_feed")
        document, root = repair.strip_prolog(document[late.start() :])
    whole, incomplete = repair.completed(document)
    whole, too_many = shortened(whole, setting.configured)
    several = whole
    whole = in_one_language(several, setting.configured)
    found = _read(whole, setting.url)
    feed, problem = found.feed, found.problem
    if not found.entries and feed.says_nothing and found.suffix == "-loose":
        raise FeedError(f"the document is not a feed: {problem}", reason="not_a_feed")
    if incomplete and not found.entries:
        _read(document, setting.url)  # raises a more precise error if there is one
        raise FeedError("the document ends before its first entry does", reason="truncated")
    if feed.stumbled:
        problem = problem or f"<{feed.stumbled[:40]}> is not valid"
    if whole is not several:
        problem = problem or "texts in other languages were left out"
    if incomplete:
        problem = "the document was cut off"
    parsed = _parsed(found._replace(problem=problem), _ROOTS[root], setting)
    return _with_unread(parsed, truncated=feed.truncated, too_many=too_many, incomplete=incomplete)


def _with_unread(parsed: ParsedFeed, *, truncated: bool, too_many: int, incomplete: bool) -> ParsedFeed:
    """Note the entries that no reader got to see; `too_many` is 0 where they were not counted."""
    unread = parsed.unread
    if truncated := truncated or bool(too_many):
        unread += (entries.beyond_limit(too_many),)
    if incomplete:
        unread += (entries.unfinished(),)
    return msgspec.structs.replace(parsed, incomplete=incomplete, truncated=truncated, unread=unread)


def _read(document: str, url: str) -> FoundDocument:
    """Read a document with our own reader, or with feedparser when that one raises UnusualError."""
    try:
        plain = PlainDocument(document, url)
    except UnusualError:
        from monitor.feeds.formats.xml import from_feedparser  # noqa: PLC0415  # feedparser is slow to import

        return from_feedparser.read(repair.legal(document), url)
    return FoundDocument(plain.feed, plain.entries, lambda entry: entry)


def _parsed(found: FoundDocument, form: str, setting: FeedContext) -> ParsedFeed:
    feed = found.feed
    if form == "atom" and feed.version.startswith("rss"):
        form = "rss"
    language = entries.tag(feed.language)
    inner = setting._replace(language=language)

    def raw(entry: Any) -> RawEntry:
        return _entry(found.record(entry), inner, is_rss=form != "atom")

    done, unread = entries.finish_each(found.entries, raw, inner)
    return ParsedFeed(
        title=_line(feed.title or feed.side.get("dc_title", "")),
        link=_first(_page_links(feed.links), setting.url),
        language=language,
        description=_line(feed.subtitle or feed.side.get("dc_description", "")),
        ttl_minutes=_number(feed.ttl, 60 * 24 * 30),
        update_period_seconds=_period(feed.update_period, feed.update_frequency),
        skip_hours=tuple(sorted(set(feed.skip_hours))),
        skip_days=tuple(dict.fromkeys(feed.skip_days))[:7],
        hub=_first(_hubs(feed.links), setting.url),
        self_url=_first((link.href for link in feed.links if link.rel == "self"), setting.url),
        next_url=_first((link.href for link in feed.links if link.rel == "next"), setting.url),
        entries=done,
        mode=form + found.suffix,
        problem=found.problem,
        unread=unread,
    )


def _entry(found: FoundEntry, setting: FeedContext, *, is_rss: bool) -> RawEntry:
    """Choose title, links, dates and texts of an entry among the elements that were found."""
    raw = RawEntry(
        guid=found.about if found.guid is None else found.guid,
        guid_is_permalink=is_rss and found.is_permalink,
        links=_page_links(found.links, setting.language or setting.configured),
        title=found.title or "",
        title_kind=found.title_kind,
        published=found.published,
        updated=found.updated,
        language=found.language or found.inherited_language or found.title_language,
        base=found.base or setting.url,
    )
    if bodies := [body for body in found.contents if body.value]:
        raw.content = max(bodies, key=lambda body: len(body.value))
    if found.summary is not None and found.summary.value:
        raw.summary = found.summary
    if found.authors:
        raw.authors = [name for name in found.authors if name and not _ADDRESS.fullmatch(name)]
    if found.tags:
        raw.tags = [tag.label or tag.term or "" for tag in found.tags]
    if found.source is not None:
        raw.source_title, raw.source_url = found.source
    if images := _images(found):
        raw.images, raw.image_credit = images, found.credit
    if not found.published or found.side or found.created:
        _dates(raw, found, is_rss=is_rss)
    if found.side:
        _side_texts(raw, found)
    return raw


def _dates(raw: RawEntry, found: FoundEntry, *, is_rss: bool) -> None:
    """Set `published` from another date when the entry has none, else keep the other dates as a fallback."""
    dublin = _one_of(found.side, "dc_date", "date")
    if found.published:
        raw.other_dates = [date for date in (dublin, found.created) if date]
    elif is_rss:
        # In RSS and RDF dc:date is when the item was made, and any date is better than none.
        raw.published = dublin or found.created or found.updated
    else:
        raw.published = found.created or dublin


def _side_texts(raw: RawEntry, found: FoundEntry) -> None:
    """Use the texts of extension elements where the entry has no title, summary or content of its own."""
    side = found.side
    if original := side.get("feedburner_origlink"):
        raw.links.insert(0, original)
    raw.title = raw.title or _one_of(side, "dc_title", "itunes_title")
    raw.image_caption = side.get("media_description", "")
    if raw.content is None and (whole := _one_of(side, "yandex_full-text", "turbo_content")):
        raw.content = Markup(whole)
    if raw.summary is None:
        if other := _one_of(side, *_OTHER_SUMMARIES):
            raw.summary = Markup(other)
        elif raw.content is None and raw.image_caption and not any(map(_is_picture, found.media)):
            raw.summary = Markup(raw.image_caption, "")  # in YouTube's feeds this is the entry's text
    raw.other_words = [text for name in _OTHER_WORDS if (text := side.get(name))]


def _one_of(side: Mapping[str, str], *names: str) -> str:
    return next((text for name in names if (text := side.get(name))), "")


def _is_picture(media: FoundMedia) -> bool:
    if media.medium or media.type:
        return media.medium == "image" or media.type.startswith("image/")
    return bool(_PICTURE.search(media.url))


def _images(found: FoundEntry) -> list[tuple[int, str]]:
    """Return the width, stated or assumed, and the URL of each picture of an entry."""
    images = [(_width(media, "media"), media.url) for media in found.media if _is_picture(media)]
    images += [(_width(media, "thumbnail"), media.url) for media in found.thumbnails]
    images += [
        (_UNKNOWN_WIDTH["enclosure"], link.href)
        for link in found.links
        if link.rel == "enclosure" and link.type.startswith("image/")
    ]
    if found.podcast_image:
        images.append((_UNKNOWN_WIDTH["podcast"], found.podcast_image))
    return images


def _width(media: FoundMedia, kind: str) -> int:
    return _number(media.width, 20_000) or _UNKNOWN_WIDTH[kind]


def _page_links(links: list[FoundLink], language: str = "") -> list[str]:
    """Return the URLs of an entry's pages, the best first.

    RSS links come before Atom links, HTML pages before other types, and pages in `language` before others.
    """
    pages = [link for link in links if link.rel in _PAGE and link.href]
    if len(pages) > 1:
        pages.sort(key=lambda link: (not link.is_rss, "html" not in link.type, _is_foreign(link, language)))
    return [link.href for link in pages]


def _is_foreign(link: FoundLink, language: str) -> bool:
    return bool(language and link.language) and primary(link.language) != primary(language)


def _hubs(links: list[FoundLink]) -> list[str]:
    """Return the WebSub hubs, those with https first, since the poller sends a secret to the hub."""
    hubs = [link.href for link in links if link.rel == "hub"]
    return sorted(hubs, key=lambda hub: not hub.startswith("https:"))


def _first(addresses: Iterable[str], base: str) -> str:
    return next((url for address in addresses if (url := article_urls.absolute(base, address))), "")


def _line(text: str) -> str:
    return html_text.cap(html_text.plain(text), entries.TITLE_LIMIT)


def _number(text: str, most: int) -> int | None:
    digits = text.strip().partition(".")[0]
    return (
        int(digits)
        if digits.isascii() and digits.isdecimal() and len(digits) < 10 and 0 < int(digits) <= most
        else None
    )


_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


def _period(period: str, frequency: str) -> int | None:
    """Return the seconds between updates: the period divided by the updates in it (RSS 1.0 syndication module)."""
    seconds = _PERIODS.get(period.strip().lower())
    if seconds is None:
        return None
    return max(60, seconds // (_number(frequency, 10_000) or 1))
