"""Read single elements of a feed, with the same result as feedparser.

`OF_ENTRY` and `OF_FEED` map an element's name to the function that reads it. Each function takes the context of the
document, the record to fill and the element. It raises UnusualError when feedparser would treat the element in a way
that is not implemented here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple, TypeAlias
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from monitor.feeds.formats.entries import Kind, Markup
from monitor.feeds.formats.fields import html_text
from monitor.feeds.formats.xml.found import (
    SIDE_TEXTS,
    CommonFields,
    FoundChannel,
    FoundEntry,
    FoundLink,
    FoundMedia,
    FoundTag,
    is_permalink,
)
from monitor.feeds.formats.xml.tree import UnusualError, text_of


class ElementContext(NamedTuple):
    """The context of an element: the URL of its document, and whether the document is Atom."""

    base: str
    is_atom: bool


#: All elements for which feedparser or our `feedparser_driver` has a handler. To feedparser every other element is only
#: a text. A test compares this list with feedparser's own.
HANDLED = frozenset((
    "abstract", "author", "body", "category", "cc_license", "channel", "cloud", "content", "content_encoded",
    "contributor", "copyright", "created", "creativecommons_license", "day", "dc_author", "dc_contributor",
    "dc_creator", "dc_date", "dc_description", "dc_language", "dc_publisher", "dc_rights", "dc_subject", "dc_title",
    "dcterms_created", "dcterms_issued", "dcterms_modified", "dcterms_valid", "description", "email", "enclosure",
    "entry", "expirationdate", "feed", "feedburner_browserfriendly", "feedburner_origlink", "fullitem", "generator",
    "geom", "georss_box", "georss_line", "georss_point", "georss_polygon", "georss_where", "georssgeom",
    "gml_exterior", "gml_linearring", "gml_linestring", "gml_point", "gml_polygon", "gml_pos", "gml_poslist", "guid",
    "height", "homepage", "hour", "id", "image", "info", "issued", "item", "itunes_author", "itunes_block",
    "itunes_category", "itunes_email", "itunes_explicit", "itunes_image", "itunes_keywords", "itunes_link",
    "itunes_name", "itunes_owner", "itunes_subtitle", "itunes_summary", "itunes_title", "keywords", "language",
    "lastbuilddate", "link", "managingeditor", "media_category", "media_content", "media_credit", "media_description",
    "media_group", "media_keywords", "media_license", "media_player", "media_rating", "media_restriction",
    "media_thumbnail", "media_title", "modified", "name", "newlocation", "psc_chapter", "psc_chapters", "pubdate",
    "published", "rights", "rss", "source", "subtitle", "summary", "tagline", "tags", "textinput", "title", "updated",
    "uri", "url", "webmaster", "where", "width", "xhtml_body", "media_text", "dcterms_abstract",
    "googleplay_description", "yandex_full-text", "turbo_content", "date",
))  # fmt: skip
#: Names of feedparser's own dictionary keys. It would mistake an unknown element of that name for them.
_FIELDS = frozenset({
    "authors", "links", "is_permalink", "title_detail", "summary_detail",
    "ttl", "sy_updateperiod", "sy_updatefrequency",
})  # fmt: skip
#: The elements inside a person.
PERSON = frozenset({"name", "email", "uri", "url"})
_TYPES = {"text": "text/plain", "plain": "text/plain", "text/plain": "text/plain", "html": "text/html",
          "text/html": "text/html"}  # fmt: skip
#: URLs that `urljoin` does not change, whatever the base.
_WHOLE = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[!\"$-:<->@-~]*)?(?:\?[!\"$-~]+)?(?:#[!-~]+)?")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_FALSE_ENTITY = re.compile(r"&([A-Za-z0-9_]+);")
#: An e-mail address beside a name, with any top-level domain: feedparser cuts those of more than four letters.
_EMAIL = re.compile(
    r"[\w\-.+]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[\w\-]+\.)+)"
    r"(?:xn--[a-zA-Z0-9\-]+|[^\W\d_]{2,63}|[0-9]{1,3})\]?(?:\?subject=\S+)?"
)
#: Characters of a person that are read.
_LONGEST_NAME = 2_000
_CP1252 = {code: text for code in range(0x80, 0xA0) if (text := bytes([code]).decode("cp1252", "ignore"))}


def joined(base: str, address: str) -> str:
    """Resolve a URL as feedparser does."""
    if _WHOLE.fullmatch(address):
        return address
    try:
        return urljoin(base, _SLASHES.sub(r"\1\3", address))
    except ValueError:
        return ""


def mended(text: str) -> str:
    """Repair a text that is UTF-8 or windows-1252 read as Latin-1, as feedparser does."""
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text if text.isprintable() else text.translate(_CP1252)  # the characters it replaces are not printable


def leaf(element: Element, name: str = "") -> Element:
    """Return the element if it has no children and the given name ('' for any name), else raise UnusualError."""
    if len(element) or (name and element.tag != name):
        raise UnusualError(f"<{element.tag}> does not belong there or has elements in it")
    return element


def pass_over(element: Element, known: frozenset[str], parents: Mapping[str, frozenset[str]]) -> None:
    """Check that an element and its children can be ignored; raise UnusualError when feedparser might read them.

    An element can be ignored when it is `known` to be so, or when feedparser does not know it. `parents` maps elements
    to the children that they may have.
    """
    name = element.tag
    if (inside := parents.get(name)) is not None and len(element):
        if name in {"image", "textinput"} and not all(child.tag in inside for child in element):
            raise UnusualError(f"<{name}> has other elements in it")  # feedparser thinks that it ends there
        known = inside
    elif name in known:
        leaf(element)
    elif name in HANDLED or name in _FIELDS or name.startswith(("side_", "own_")):
        raise UnusualError(f"<{name}> does not belong there")
    else:
        known = frozenset()
    for child in element:
        pass_over(child, known, {})


def language_of(element: Element, above: str | None) -> str | None:
    """Return the language of an element as written, or that of its parent (`above`); None for none."""
    language = element.get("xml:lang", element.get("lang"))
    return above if language is None else language or None


def _type(element: Element, default: str) -> str:
    """Return the media type of an element's text. Raises UnusualError for anything but plain text and HTML."""
    kind = element.get("type")
    kind = default if kind is None else _TYPES.get(kind.strip())
    if kind is None or element.get("mode") == "base64":
        raise UnusualError(f"<{element.tag}> is neither text nor HTML")
    return kind


def _once(before: object, element: Element) -> None:
    if before is not None:
        raise UnusualError(f"<{element.tag}> after another one")


def _title(_context: ElementContext, found: CommonFields, element: Element) -> None:
    _once(found.title, element)
    _type(element, "text/plain")
    found.title = mended(text_of(element))
    found.title_language = language_of(element, found.inherited_language) or ""
    if element.get("type", "").strip() == "text":
        found.title_kind = "text"


def _link(context: ElementContext, found: CommonFields, element: Element, *, of_entry: bool) -> None:
    get = element.get
    address = get("url") or get("href")
    is_rss = address is None
    if address is None:
        if text := html_text.unwrapped(text_of(element)).strip():
            text = mended(joined(context.base, text))
        if "&" in text:
            text = _FALSE_ENTITY.sub(r"&\g<1>", text.replace("&amp;", "&") if of_entry else text)
    else:
        text = joined(context.base, address)
    link = FoundLink(text, get("rel", "alternate"), get("type", "text/html"), get("hreflang", ""), is_rss)
    found.links.append(link)


def _enclosure(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    href = element.get("url", element.get("uri", element.get("href"))) or element.get("href")
    found.links.append(FoundLink(href or "", "enclosure", element.get("type", "")))


def _guid(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    _once(found.guid, element)
    found.is_permalink = is_permalink(element.get("ispermalink", ""))
    found.guid = text_of(element)


def _subtitle(_context: ElementContext, found: FoundChannel, element: Element) -> None:
    _once(found.subtitle, element)
    _type(element, "text/plain")
    found.subtitle = mended(text_of(element))


def _summary(context: ElementContext, found: FoundEntry, element: Element, *, default: str) -> None:
    _once(found.summary, element)  # a second one would be the content
    found.summary = _markup(context, element, default)


def _content(context: ElementContext, found: FoundEntry, element: Element, *, default: str) -> None:
    found.contents.append(_markup(context, element, default))


def _markup(context: ElementContext, element: Element, default: str) -> Markup:
    media_type = _type(element, default)
    if media_type == "text/plain" and not context.is_atom:
        raise UnusualError(f"<{element.tag}> may be HTML")  # feedparser decides by the text
    said = element.get("type", "").strip() == "text"
    kind: Kind = "html" if media_type == "text/html" else "text" if said else ""
    return Markup(mended(text_of(element)), kind, context.base)


def _published(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    found.published = mended(text_of(element))


def _updated(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    found.updated = mended(text_of(element))


def _created(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    found.created = mended(text_of(element))


def _language(_context: ElementContext, found: CommonFields, element: Element) -> None:
    found.language = mended(text_of(element))


def _ttl(_context: ElementContext, found: FoundChannel, element: Element) -> None:
    found.ttl = _bare(element)


def _update_period(_context: ElementContext, found: FoundChannel, element: Element) -> None:
    found.update_period = _bare(element)


def _update_frequency(_context: ElementContext, found: FoundChannel, element: Element) -> None:
    found.update_frequency = _bare(element)


def _bare(element: Element) -> str:
    """Return the text of an element that feedparser has no handler for; '' if it has attributes, as feedparser does."""
    return "" if element.keys() else mended(text_of(element))


def _side(_context: ElementContext, found: CommonFields, element: Element) -> None:
    if text := text_of(element):
        found.side.setdefault(element.tag, text)


def author(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    """Read an author of an entry, given as text or as child elements such as `name`."""
    if len(element) and found.has_author_in_words:
        raise UnusualError("an author with elements after one in text")  # feedparser gives both the second one's name
    found.has_author_in_words = found.has_author_in_words or not len(element)
    found.authors.append(_person(element))


def _person(element: Element) -> str:
    """Return the name of an author, without an e-mail address."""
    if len(element):
        names = [text_of(leaf(child)) for child in element if child.tag == "name"]
        for child in element:
            pass_over(child, PERSON, {})
        if not any(child.tag in PERSON for child in element):
            raise UnusualError("an author of other elements")
        return names[-1] if names else ""
    return without_address(mended(text_of(element)))


def without_address(name: str) -> str:
    """Return the name of a person without the e-mail address beside it, as feedparser does."""
    if "@" in name and (address := _EMAIL.search(name[:_LONGEST_NAME])):
        name = name.replace(address[0], "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "").strip()
        name = name.removeprefix("(")
        name = name.removesuffix(")").strip()
    return name


def _category(_context: ElementContext, found: FoundEntry, element: Element, *, scheme: str | None = None) -> None:
    scheme = element.get("scheme", scheme or element.get("domain"))
    _tag(found, FoundTag(element.get("term"), scheme, element.get("label")))
    if text := mended(text_of(element)):
        if found.tags and not found.tags[-1].term:
            found.tags[-1] = found.tags[-1]._replace(term=text)
        else:
            _tag(found, FoundTag(text))


def _keywords(_context: ElementContext, found: FoundEntry, element: Element, *, scheme: str | None) -> None:
    if not element.keys():
        for term in mended(text_of(element)).split(","):
            if term.strip():
                _tag(found, FoundTag(term.strip(), scheme))


def _tag(found: FoundEntry, tag: FoundTag) -> None:
    if any(tag) and tag not in found.tags:
        found.tags.append(tag)


def media_of(element: Element) -> FoundMedia:
    """Return the URL, type and width of a media:content or media:thumbnail."""
    get = element.get
    return FoundMedia(get("url", ""), get("medium", ""), get("type", ""), get("width", ""))


def _thumbnail(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    if text_of(element):
        raise UnusualError("<media:thumbnail> has a text")
    found.thumbnails.append(media_of(element))


def _credit(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    found.credit = found.credit or mended(text_of(element))


def _podcast_image(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    found.podcast_image = element.get("href") or element.get("url") or found.podcast_image


def _source(_context: ElementContext, found: FoundEntry, element: Element) -> None:
    _once(found.source, element)
    found.source = mended(text_of(element)), element.get("url", "")


def hour_of(element: Element) -> int | None:
    """Return an hour (0 to 23) of `skipHours`, in which the feed should not be polled; None when it is not an hour."""
    hour = text_of(leaf(element, "hour"))
    if len(hour) > 9:
        raise UnusualError("an hour of many digits")
    return int(hour) % 24 if hour.isdecimal() and int(hour) <= 24 else None


ReadEntry: TypeAlias = Callable[[ElementContext, FoundEntry, Element], None]
ReadFeed: TypeAlias = Callable[[ElementContext, FoundChannel, Element], None]

OF_ENTRY: dict[str, ReadEntry] = {
    "title": _title,
    "link": partial(_link, of_entry=True),
    "enclosure": _enclosure,
    "guid": _guid,
    "id": _guid,
    "description": partial(_summary, default="text/html"),
    "summary": partial(_summary, default="text/plain"),
    "content": partial(_content, default="text/plain"),
    "content_encoded": partial(_content, default="text/html"),
    **dict.fromkeys(("pubdate", "published", "issued", "dcterms_issued"), _published),
    **dict.fromkeys(("updated", "modified", "lastbuilddate", "dcterms_modified"), _updated),
    **dict.fromkeys(("created", "dcterms_created"), _created),
    **dict.fromkeys(("language", "dc_language"), _language),
    **dict.fromkeys(("dc_creator", "dc_author", "itunes_author"), author),
    **dict.fromkeys(("category", "keywords", "dc_subject"), _category),
    "media_category": partial(_category, scheme="http://search.yahoo.com/mrss/category_schema"),
    "media_keywords": partial(_keywords, scheme=None),
    "itunes_keywords": partial(_keywords, scheme="http://www.itunes.com/"),
    "media_thumbnail": _thumbnail,
    "media_credit": _credit,
    "itunes_image": _podcast_image,
    "source": _source,
    **dict.fromkeys(SIDE_TEXTS, _side),
}
OF_FEED: dict[str, ReadFeed] = {
    "title": _title,
    "link": partial(_link, of_entry=False),
    **dict.fromkeys(("description", "subtitle", "tagline"), _subtitle),
    **dict.fromkeys(("language", "dc_language"), _language),
    "ttl": _ttl,
    "sy_updateperiod": _update_period,
    "sy_updatefrequency": _update_frequency,
    **dict.fromkeys(("dc_title", "dc_description"), _side),
}
