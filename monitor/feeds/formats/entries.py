"""Turn a `RawEntry`, which the adapter of a format fills, into a clean `Entry`.

This resolves URLs, makes markup safe, reads dates and limits sizes; it is the same for all formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Literal, NamedTuple, TypeVar

import msgspec

from monitor.feeds.formats.content_hash import revision_hash
from monitor.feeds.formats.document import Entry, EntrySource, Image, UnreadEntries
from monitor.feeds.formats.fields import article_urls, dates, entry_language, html_text, redirect_links
from monitor.feeds.formats.limits import MAX_ENTRIES

#: The most bytes of UTF-8 that are kept of each field.
TITLE_LIMIT = 1_000
SUMMARY_LIMIT = 16_000
CONTENT_LIMIT = 512_000
#: Longer ids are cut. They are mistakes of the feed, and their first part still tells entries apart.
GUID_LIMIT = 2_000
#: A country that writes the month before the day; used for a document when one of its dates shows that order.
_MONTH_FIRST = "US"
_SCHEMES = ("http://", "https://")
_MAX_AUTHORS = 20
_MAX_TAGS = 50


T = TypeVar("T")

#: How a text is to be read: as HTML, as plain text, or '' when the document does not say and the text must be examined.
Kind = Literal["html", "text", ""]


class Markup(NamedTuple):
    """A body as it is in the document: the text, its kind, and the base URL of its relative links."""

    value: str
    kind: Kind = "html"
    base: str = ""


class RawEntry(msgspec.Struct, kw_only=True):
    """The fields of one entry, every text as it is in the document. The adapter of each format fills it.

    `links` are in order of preference, already resolved against xml:base. `other_words` are captions and the titles of
    pictures and attachments, used when the entry has no other text. `other_dates` are used when `published` can't be
    read.
    """

    guid: str = ""
    guid_is_permalink: bool = False
    links: list[str] = []
    title: str = ""
    title_kind: Kind = ""
    summary: Markup | None = None
    content: Markup | None = None
    published: str = ""
    updated: str = ""
    other_dates: list[str] = []
    authors: list[str] = []
    tags: list[str] = []
    language: str = ""
    images: list[tuple[int, str]] = []
    image_credit: str = ""
    image_caption: str = ""
    other_words: list[str] = []
    source_title: str = ""
    source_url: str = ""
    base: str = ""


class FeedContext(NamedTuple):
    """Facts about the feed that are needed to read its entries: base URL, languages, and hints for dates.

    `language` is the document's, `configured` the subscription's. With `with_html` entries get their safe HTML.
    """

    url: str = ""
    language: str = ""
    configured: str = ""
    country: str = ""
    zone: str = ""
    with_html: bool = True


def safe_entry(raw: RawEntry, setting: FeedContext) -> Entry:
    """Make a safe entry of limited size from the raw one."""
    base = _base(setting.url, raw.base)
    guid = html_text.cap(html_text.line(html_text.unwrapped(raw.guid)), GUID_LIMIT)
    link = ""
    for href in raw.links:
        if link := article_urls.absolute(base, article_urls.tidied(html_text.unwrapped(href), base)):
            break
    # A link to the site's home page is a mistake of the feed; a permalink guid is the better link then.
    if raw.guid_is_permalink and (not link or article_urls.is_home(link)) and guid.lower().startswith(_SCHEMES):
        link = article_urls.absolute("", guid) or link
    elif raw.guid_is_permalink and not link and guid.startswith("/"):
        link = article_urls.absolute(base, guid)
    link = redirect_links.publishers_address(link)
    title = _title(raw)
    summary, safe_summary = _body(raw.summary, base)
    content, safe_content = _body(raw.content, base)
    if not (title or summary or content):
        summary = _other_words(raw)
    declared = tag(raw.language) or setting.language
    language = entry_language.decide(f"{title}\n{(summary or content)[:1000]}", declared, setting.configured)
    published, updated, flags = _dates(raw, language, setting)
    short = html_text.cap(summary, SUMMARY_LIMIT)
    if not content and len(short) < len(summary):
        content = summary
    content = html_text.cap(content, CONTENT_LIMIT)
    authors, tags = _names(raw.authors, _MAX_AUTHORS), _names(raw.tags, _MAX_TAGS)
    return Entry(
        guid=guid,
        guid_is_permalink=raw.guid_is_permalink,
        link=link,
        title=title,
        summary=short,
        content=content,
        html=(safe_content or safe_summary) if setting.with_html else "",
        published=published,
        updated=updated,
        published_raw=_shown(raw.published),
        updated_raw=_shown(raw.updated),
        date_flags=flags,
        authors=authors,
        tags=tags,
        language=language,
        image=_image(raw, base),
        source=_origin(raw, base),
        revision=revision_hash(
            title=title, summary=short, content=content, authors=authors, tags=tags, language=language
        ),
    )


def finish_each(
    items: Iterable[T], make: Callable[[T], RawEntry], setting: FeedContext
) -> tuple[tuple[Entry, ...], tuple[UnreadEntries, ...]]:
    """Make an entry of each item. An item that can't be read is left out; the others are not affected.

    Returns the entries, and how many could not be read.
    """
    items = list(items)
    done = _finished(items, make, setting)
    if not setting.country and dates.month_comes_first(entry.published_raw for entry in done):
        done = _finished(items, make, setting._replace(country=_MONTH_FIRST))
    failed = len(items) - len(done)
    return done, (unreadable(failed),) if failed else ()


def unreadable(count: int) -> UnreadEntries:
    """Return the record of `count` entries that a parser could not read."""
    return UnreadEntries(reason="unreadable", text="it could not be read", count=count)


def beyond_limit(count: int) -> UnreadEntries:
    """Return the record of entries beyond the limit; `count` is 0 when nobody counted them."""
    return UnreadEntries(reason="too_many", text=f"only the {MAX_ENTRIES} newest are read", count=count)


def unfinished() -> UnreadEntries:
    """Return the record of the last entry of a document that was cut off."""
    return UnreadEntries(reason="cut", text="the document ends within it, so that it waits for the next poll", count=1)


def _finished(items: Iterable[T], make: Callable[[T], RawEntry], setting: FeedContext) -> tuple[Entry, ...]:
    """Make entries one by one, so that only one raw entry is in memory at a time."""
    done: list[Entry] = []
    for item in items:
        try:
            done.append(safe_entry(make(item), setting))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001, S112  # four libraries parse hostile bytes here and may raise anything
            continue
    return tuple(done)


@lru_cache(maxsize=16)
def _base(document: str, own: str) -> str:
    """Return the base URL of an entry's links. Cached, since it is mostly the same for all entries of a document."""
    return article_urls.absolute(document, own) or document


@lru_cache(maxsize=256)
def tag(language: str) -> str:
    """Return a language tag in lower case with hyphens (`en_US` -> `en-us`), '' when it is not a language tag."""
    if not language:
        return ""
    low = language.strip().replace("_", "-").lower()
    first = low.partition("-")[0]
    return low if len(low) <= 35 and 2 <= len(first) <= 3 and low.isascii() and low.replace("-", "").isalnum() else ""


def _dates(
    raw: RawEntry, language: str, setting: FeedContext
) -> tuple[datetime | None, datetime | None, tuple[str, ...]]:
    if not raw.published.strip() and not raw.updated.strip():
        return None, None, ("missing",)
    read = partial(dates.read_date, language=language, country=setting.country, zone=setting.zone)
    published = read(html_text.unwrapped(raw.published))
    if published.value is not None and not raw.updated:  # as in most feeds
        return published.value, None, (published.flag,) if published.flag else ()
    updated = read(html_text.unwrapped(raw.updated))
    if published.value is None and raw.other_dates:
        published = next((date for other in raw.other_dates if (date := read(other)).value is not None), published)
    flags = {date.flag: None for date in (published, updated) if date.flag and date.flag != "missing"}
    return published.value, updated.value, tuple(flags)


def _shown(date: str) -> str:
    return html_text.cap(html_text.fold(date), 200) if date else ""


def _title(raw: RawEntry) -> str:
    text = html_text.unwrapped(raw.title[: 8 * TITLE_LIMIT])
    return html_text.cap(html_text.line(text) if raw.title_kind == "text" else html_text.plain(text), TITLE_LIMIT)


def _other_words(raw: RawEntry) -> str:
    """Return a text for an entry without title and text, such as a posted picture: captions and `alt` texts."""
    bodies = [raw.title, *(body.value for body in (raw.summary, raw.content) if body is not None)]
    found = [html_text.plain(text[: 8 * TITLE_LIMIT]) for text in raw.other_words]
    found += [html_text.image_words(html_text.unwrapped(body[:CONTENT_LIMIT])) for body in bodies]
    return html_text.cap("\n".join(dict.fromkeys(text for text in found if text)), SUMMARY_LIMIT)


def _body(markup: Markup | None, base: str) -> tuple[str, str]:
    """Return the plain text and the safe HTML of a body."""
    if markup is None or not markup.value.strip():
        return "", ""
    # The markup is cut before it is parsed; the HTML parser closes the elements that the cut left open.
    value = html_text.unwrapped(html_text.cap(markup.value, CONTENT_LIMIT))
    if words := html_text.words(value):
        return words, value.strip() if markup.kind == "html" else ""
    if markup.kind == "text" or (not markup.kind and not html_text.looks_like_html(value)):
        return html_text.fold(value), ""
    safe = html_text.safe_html(html_text.words_kept(value), article_urls.absolute("", markup.base) or base)
    text = html_text.text_of(safe)
    if "<" not in safe and html_text.looks_like_html(text):
        # The HTML was escaped twice, so the text is markup once more. Nothing is unescaped more than twice.
        safe = html_text.safe_html(html_text.words_kept(text), article_urls.absolute("", markup.base) or base)
        text = html_text.text_of(safe)
    text = html_text.unwrapped(text)
    # Escaping can make the cut body longer again: `&` becomes `&amp;`, five times as long.
    return text, safe if len(safe) <= 2 * CONTENT_LIMIT else ""


def _names(values: Sequence[str], limit: int) -> tuple[str, ...]:
    if not values:
        return ()
    names = dict.fromkeys(
        html_text.cap(html_text.plain(html_text.unwrapped(value[:2000])), 200) for value in values[: limit * 2]
    )
    names.pop("", None)
    return tuple(names)[:limit]


def _image(raw: RawEntry, base: str) -> Image | None:
    if not raw.images:
        return None
    for _, url in sorted(raw.images, key=lambda image: -image[0]):
        if address := article_urls.absolute(base, url):
            credit, caption = html_text.plain(raw.image_credit[:4000]), html_text.plain(raw.image_caption[:8000])
            return Image(url=address, credit=html_text.cap(credit, 200), caption=html_text.cap(caption, TITLE_LIMIT))
    return None


def _origin(raw: RawEntry, base: str) -> EntrySource | None:
    if not (raw.source_title or raw.source_url):
        return None
    title, url = html_text.cap(html_text.plain(raw.source_title), 300), article_urls.absolute(base, raw.source_url)
    return EntrySource(title=title, url=url) if title or url else None
