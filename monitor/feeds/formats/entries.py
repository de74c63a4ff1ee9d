"""Makes an `Entry` of what a format's adapter found: resolves addresses, makes markup safe, reads dates, caps sizes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Literal, NamedTuple, TypeVar

import msgspec

from monitor.feeds.formats.content_hash import revision_hash
from monitor.feeds.formats.document import Entry, EntrySource, Image
from monitor.feeds.formats.fields import article_urls, dates, entry_language, html_text, redirect_links

#: Bytes of UTF-8 that are kept.
TITLE_LIMIT = 1_000
SUMMARY_LIMIT = 16_000
CONTENT_LIMIT = 512_000
#: Longer ids are cut: an id that long is a mistake, and the cut one still tells entries apart.
GUID_LIMIT = 2_000
_MAX_AUTHORS = 20
_MAX_TAGS = 50


T = TypeVar("T")

#: How the words of a text are meant: as HTML, as plain text, or nobody says, so that the words have to show it.
Kind = Literal["html", "text", ""]


class Markup(NamedTuple):
    """A body as it came: the words, what they are, and the base of relative addresses in them."""

    value: str
    kind: Kind = "html"
    base: str = ""


class RawEntry(msgspec.Struct, kw_only=True):
    """What an adapter found in one entry; every text as it stood in the document.

    `links` are in order of preference, already resolved against xml:base. `other_words` are what can stand in for words
    where the entry has no others: captions, titles of pictures and of attachments.
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
    """What is known of the feed when its entries are read: base address, languages, and hints for dates.

    `language` is the document's, `configured` the subscription's. `with_html` says whether entries get their safe HTML.
    """

    url: str = ""
    language: str = ""
    configured: str = ""
    country: str = ""
    zone: str = ""
    with_html: bool = True


def finish(raw: RawEntry, setting: FeedContext) -> Entry:
    """Make the entry: safe, and of bounded size."""
    base = _base(setting.url, raw.base)
    guid = html_text.cap(html_text.line(html_text.unwrapped(raw.guid)), GUID_LIMIT)
    link = ""
    for href in raw.links:
        if link := article_urls.absolute(base, html_text.unwrapped(href)):
            break
    if not link and raw.guid_is_permalink and guid.lower().startswith(("http://", "https://")):
        link = article_urls.absolute("", guid)
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
        published_raw=html_text.cap(html_text.fold(raw.published), 200),
        updated_raw=html_text.cap(html_text.fold(raw.updated), 200),
        date_flags=flags,
        authors=authors,
        tags=tags,
        language=language,
        image=_image(raw, base),
        source=_origin(raw, base),
        revision=revision_hash(title=title, summary=short, content=content, authors=authors, tags=tags),
    )


def finish_each(
    items: Iterable[T], make: Callable[[T], RawEntry], setting: FeedContext
) -> tuple[tuple[Entry, ...], str]:
    """Make an entry of each item; returns the entries, and how many items could not be read, in words ('' for none).

    An item over which a library or we ourselves fail costs itself, and none of its neighbours.
    """
    done: list[Entry] = []
    failed = 0
    for item in items:
        try:
            done.append(finish(make(item), setting))
        except MemoryError:
            raise
        except Exception:  # noqa: BLE001  # the parsers of four libraries meet hostile bytes here
            failed += 1
    return tuple(done), f"{failed} {'entry' if failed == 1 else 'entries'} could not be read" if failed else ""


@lru_cache(maxsize=16)
def _base(document: str, own: str) -> str:
    """Return the base of an entry's addresses, most often the same for all of a document."""
    return article_urls.absolute(document, own) or document


@lru_cache(maxsize=256)
def tag(language: str) -> str:
    """Return a language tag in lower case with hyphens (`en_US` -> `en-us`), '' when it is none."""
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
    published = dates.read_date(
        html_text.unwrapped(raw.published), language=language, country=setting.country, zone=setting.zone
    )
    updated = dates.read_date(
        html_text.unwrapped(raw.updated), language=language, country=setting.country, zone=setting.zone
    )
    flags = {date.flag: None for date in (published, updated) if date.flag and date.flag != "missing"}
    return published.value, updated.value, tuple(flags)


def _title(raw: RawEntry) -> str:
    text = html_text.unwrapped(raw.title[: 8 * TITLE_LIMIT])
    return html_text.cap(html_text.line(text) if raw.title_kind == "text" else html_text.plain(text), TITLE_LIMIT)


def _other_words(raw: RawEntry) -> str:
    """Return words for an entry that has neither title nor text, as a post of a picture: what the picture shows."""
    bodies = [body.value for body in (raw.summary, raw.content) if body is not None]
    found = [html_text.plain(text[: 8 * TITLE_LIMIT]) for text in raw.other_words]
    found += [html_text.image_words(html_text.unwrapped(body[:CONTENT_LIMIT])) for body in bodies]
    return html_text.cap("\n".join(dict.fromkeys(text for text in found if text)), SUMMARY_LIMIT)


def _body(markup: Markup | None, base: str) -> tuple[str, str]:
    """Return the plain text and the safe HTML of a body."""
    if markup is None or not markup.value.strip():
        return "", ""
    # The markup is cut before it is parsed: the HTML parser then closes what the cut left open.
    value = html_text.unwrapped(html_text.cap(markup.value, CONTENT_LIMIT))
    if words := html_text.words(value):
        return words, value.strip() if markup.kind == "html" else ""
    if markup.kind == "text" or (not markup.kind and not html_text.looks_like_html(value)):
        return html_text.fold(value), ""
    safe = html_text.safe_html(html_text.words_kept(value), article_urls.absolute("", markup.base) or base)
    text = html_text.text_of(safe)
    if "<" not in safe and html_text.looks_like_html(text):
        # Escaped twice: what looks like text is markup again. Nothing is unescaped more than twice.
        safe = html_text.safe_html(html_text.words_kept(text), article_urls.absolute("", markup.base) or base)
        text = html_text.text_of(safe)
    text = html_text.unwrapped(text)
    # Escaping can make a cut body longer again, up to five times for nothing but ampersands.
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
