"""Makes a `ParsedFeed` of an RSS, Atom, RDF or CDF document, read by `wellformed` or else by feedparser."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats import entries, sitemap
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.entries import FeedContext, Kind, Markup, RawEntry
from monitor.feeds.formats.fields import article_urls, html_text
from monitor.feeds.formats.newest import shortened
from monitor.feeds.formats.xml import repair
from monitor.feeds.formats.xml.languages import in_one_language, primary
from monitor.feeds.formats.xml.tree import UnusualError
from monitor.feeds.formats.xml.wellformed import PlainDocument

#: feedparser's dictionaries. Read with dict.get: their own answers `updated` with `published` and warns about it.
FeedData = dict[str, Any]

_ROOTS = {"rss": "rss", "rdf": "rdf", "feed": "atom", "channel": "cdf"}
_LATE_ROOT = re.compile(r"<(?:rss|feed|channel|\w+:RDF)[\s>]")
#: An entry that is a document by itself -> what it should stand in (RFC 4287, section 2, allows that).
_ALONE = {"entry": "feed", "item": "rss"}
#: What has words where an entry has none of its own.
_OTHER_WORDS = (
    "side_media_description", "side_media_text", "side_dcterms_abstract", "side_media_title", "side_itunes_subtitle",
)  # fmt: skip
_PICTURE = re.compile(r"\.(?:jpe?g|png|webp|gif|avif)\b", re.IGNORECASE)
#: What says how wide a picture is when the feed does not: a thumbnail is small, an enclosure or content is large.
_UNKNOWN_WIDTH = {"media_content": 600, "enclosure": 500, "itunes": 400, "media_thumbnail": 100}


def read(text: str, setting: FeedContext) -> ParsedFeed:
    """Read the feed in `text`.

    Raises FeedError: `empty` (nothing in it), `html` (a web page), `not_a_feed`, `too_many_attributes`,
    `tag_too_large`, `too_deep`, `truncated` (it ends before its first entry does).
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
        if late is None:
            raise FeedError(f"the document is <{root[:40]}>, not a feed", reason="not_a_feed")
        document, root = repair.strip_prolog(document[late.start() :])
    whole, incomplete = repair.completed(document)
    whole, truncated = shortened(whole, setting.configured)
    whole = in_one_language(whole, setting.configured)
    parser, suffix, problem = _parsed(whole, setting.url)
    if not parser.entries and not parser.feeddata and suffix == "-loose":
        raise FeedError(f"the document is no feed: {problem}", reason="not_a_feed")
    if incomplete and not parser.entries:
        _parsed(document, setting.url)  # what is wrong with it beside that it ends says more
        raise FeedError("the document ends before its first entry does", reason="truncated")
    if parser.stumbled:
        problem = problem or f"<{parser.stumbled[:40]}> is not as it should be"
    if incomplete:
        problem = "the document ends in the middle"
    return msgspec.structs.replace(
        _feed(parser, _ROOTS[root] + suffix, problem, setting),
        incomplete=incomplete,
        truncated=parser.truncated or truncated,
    )


def _parsed(document: str, url: str) -> tuple[Any, str, str]:
    """Return the parser after it has read the document, the suffix of the mode, and what was wrong."""
    try:
        return PlainDocument(document, url), "", ""
    except UnusualError:
        from monitor.feeds.formats.xml.feedparser_driver import parse_xml  # noqa: PLC0415  # brings all of feedparser

        return parse_xml(repair.legal(document), url)


def _feed(parser: Any, mode: str, problem: str, setting: FeedContext) -> ParsedFeed:
    feed = parser.feeddata
    if mode.startswith("atom") and parser.version.startswith("rss"):
        mode = mode.replace("atom", "rss", 1)
    language = entries.tag(_text(feed, "language"))
    inner = setting._replace(language=language)
    links = [link for link in dict.get(feed, "links") or [] if link.get("href")]
    is_rss = not mode.startswith("atom")
    found, failed = entries.finish_each(parser.entries, partial(_entry, setting=inner, is_rss=is_rss), inner)
    return ParsedFeed(
        title=html_text.cap(html_text.plain(_text(feed, "title") or _text(feed, "side_dc_title")), entries.TITLE_LIMIT),
        link=_first(_page_links(feed), setting.url),
        language=language,
        description=html_text.cap(
            html_text.plain(_text(feed, "subtitle") or _text(feed, "side_dc_description")), entries.TITLE_LIMIT
        ),
        ttl_minutes=_number(_text(feed, "ttl"), 60 * 24 * 30),
        update_period_seconds=_period(_text(feed, "sy_updateperiod"), _text(feed, "sy_updatefrequency")),
        skip_hours=tuple(sorted(set(parser.skip_hours))),
        skip_days=tuple(dict.fromkeys(parser.skip_days))[:7],
        hub=_first(_hubs(links), setting.url),
        self_url=_first([link["href"] for link in links if link.get("rel") == "self"], setting.url),
        next_url=_first([link["href"] for link in links if link.get("rel") == "next"], setting.url),
        entries=found,
        mode=mode,
        problem=problem or failed,
        truncated=parser.truncated,
    )


def _entry(entry: FeedData, setting: FeedContext, *, is_rss: bool) -> RawEntry:
    base = dict.get(entry, "own_base") or setting.url
    raw = RawEntry(
        guid=_text(entry, "own_id") or _text(entry, "id"),
        guid_is_permalink=is_rss and bool(dict.get(entry, "is_permalink")),
        links=_links(entry, setting.language or setting.configured),
        title=_text(entry, "title") or _first_text(entry, "side_dc_title", "side_itunes_title"),
        title_kind="text" if _text(_detail(entry, "title"), "said_type") == "text" else "",
        published=_text(entry, "published"),
        updated=_text(entry, "updated"),
        language=_text(entry, "language") or _text(entry, "own_lang") or _text(_detail(entry, "title"), "language"),
        base=base,
    )
    if authors := dict.get(entry, "authors"):
        raw.authors = [name for author in authors if (name := _author(author))]
    if tags := dict.get(entry, "tags"):
        raw.tags = [dict.get(each, "label") or dict.get(each, "term") or "" for each in tags]
    _bodies(raw, entry)
    _dates(raw, entry, is_rss=is_rss)
    _media(raw, entry)
    source = dict.get(entry, "source")
    if isinstance(source, dict):
        raw.source_title = _text(source, "title")
        raw.source_url = _text(source, "href") or next(iter(_page_links(source)), "")
    return raw


def _bodies(raw: RawEntry, entry: FeedData) -> None:
    """Take the longest content as the content; what feedparser copied from it into the summary is no summary."""
    bodies = []
    if content := dict.get(entry, "content"):
        bodies = [
            Markup(value, _kind(body), _text(body, "base"))
            for body in content
            if (value := _text(body, "value")) and _is_text(body)
        ]
        raw.content = max(bodies, key=lambda body: len(body.value), default=None)
    summary, detail = _text(entry, "summary"), _detail(entry, "summary")
    if summary and (detail or not any(body.value == summary for body in bodies)):
        raw.summary = Markup(summary, _kind(detail) if detail else "html", _text(detail, "base"))
    elif other := _first_text(entry, "side_dc_description", "side_itunes_summary", "side_itunes_subtitle"):
        raw.summary = Markup(other)
    elif raw.content is None and (caption := _text(entry, "side_media_description")) and not _has_picture(entry):
        raw.summary = Markup(caption, "")  # YouTube has an entry's text nowhere else
    raw.other_words = [text for name in _OTHER_WORDS if (text := _text(entry, name))]


def _dates(raw: RawEntry, entry: FeedData, *, is_rss: bool) -> None:
    if raw.published:
        return
    dublin, created = _text(entry, "side_dc_date"), _text(entry, "created")
    # In RSS and RDF, dc:date is when the item was made, and any other date is better than none.
    raw.published = (dublin or created or raw.updated) if is_rss else (created or dublin)


def _has_picture(entry: FeedData) -> bool:
    return any(_is_picture(media) for media in dict.get(entry, "media_content") or [])


def _is_picture(media: FeedData) -> bool:
    medium, media_type = _text(media, "medium"), _text(media, "type")
    if medium or media_type:
        return medium == "image" or media_type.startswith("image/")
    return bool(_PICTURE.search(_text(media, "url")))


def _media(raw: RawEntry, entry: FeedData) -> None:
    images = raw.images
    for kind in ("media_content", "media_thumbnail"):
        for media in dict.get(entry, kind) or []:
            if kind == "media_thumbnail" or _is_picture(media):
                images.append((_number(_text(media, "width"), 20_000) or _UNKNOWN_WIDTH[kind], _text(media, "url")))
    for link in dict.get(entry, "links") or []:
        if link.get("rel") == "enclosure" and _text(link, "type").startswith("image/"):
            images.append((_UNKNOWN_WIDTH["enclosure"], _text(link, "href")))
    image = dict.get(entry, "image")
    if isinstance(image, dict) and image.get("href"):
        images.append((_UNKNOWN_WIDTH["itunes"], _text(image, "href")))
    if credits_ := dict.get(entry, "media_credit"):
        raw.image_credit = next((text for credit in credits_ if (text := _text(credit, "content"))), "")
    raw.image_caption = _text(entry, "side_media_description")


def _links(entry: FeedData, language: str) -> list[str]:
    """Return addresses of the entry's page, best first: FeedBurner's original link, then the entry's own links."""
    original = _text(entry, "side_feedburner_origlink")
    return [original, *_page_links(entry, language)] if original else _page_links(entry, language)


def _page_links(context: FeedData, language: str = "") -> list[str]:
    """Return addresses of pages.

    An RSS <link> comes before an Atom one, a page before another form of it, a page in the wanted language before one
    in another, and then they come as they stand.
    """
    links = [link for link in dict.get(context, "links") or [] if link.get("href") and link.get("rel") == "alternate"]
    if len(links) > 1:
        links.sort(
            key=lambda link: (not link.get("rss"), "html" not in link.get("type", ""), _is_foreign(link, language))
        )
    return [link["href"] for link in links]


def _is_foreign(link: FeedData, language: str) -> bool:
    return bool(language and link.get("hreflang")) and primary(link["hreflang"]) != primary(language)


def _hubs(links: list[FeedData]) -> list[str]:
    """Return the hubs, those with https first: a hub is told a secret."""
    hubs = [link["href"] for link in links if link.get("rel") == "hub"]
    return sorted(hubs, key=lambda hub: not hub.startswith("https:"))


def _first(addresses: list[str], base: str) -> str:
    return next((url for address in addresses if (url := article_urls.absolute(base, address))), "")


def _author(author: FeedData) -> str:
    """Return an author's name, '' for an e-mail address, which is personal data that nobody needs."""
    name = _text(author, "name")
    return "" if re.fullmatch(r"\S+@\S+", name) else name


def _detail(context: FeedData, name: str) -> FeedData:
    return dict.get(context, f"{name}_detail") or {}


def _kind(body: FeedData) -> Kind:
    if "html" in _text(body, "type") or _text(body, "type").endswith("xml"):
        return "html"
    return "text" if _text(body, "said_type") == "text" else ""


def _is_text(body: FeedData) -> bool:
    kind = _text(body, "type")
    return not kind or kind.startswith("text/") or kind.endswith(("html", "html+xml", "/xml"))


def _text(context: FeedData, name: str) -> str:
    value = dict.get(context, name)
    return value if isinstance(value, str) else ""


def _first_text(context: FeedData, *names: str) -> str:
    return next((text for name in names if (text := _text(context, name))), "")


def _number(text: str, most: int) -> int | None:
    digits = text.strip().partition(".")[0]
    return (
        int(digits)
        if digits.isascii() and digits.isdecimal() and len(digits) < 10 and 0 < int(digits) <= most
        else None
    )


_PERIODS = {"hourly": 3600, "daily": 86400, "weekly": 604800, "monthly": 2592000, "yearly": 31536000}


def _period(period: str, frequency: str) -> int | None:
    """Return seconds between updates (RSS 1.0 syndication module): a period divided by its number of updates."""
    seconds = _PERIODS.get(period.strip().lower())
    if seconds is None:
        return None
    return max(60, seconds // (_number(frequency, 10_000) or 1))
