"""Reads single elements of a feed, with the same result as feedparser.

Each reader takes the place of the element, what was found of its feed or entry so far, and the element, and adds what
the element says. It raises UnusualError where feedparser would do something that is not done here.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urljoin
from xml.etree.ElementTree import Element

from monitor.feeds.formats.fields import html_text
from monitor.feeds.formats.xml.tree import UnusualError, text_of

FeedData: TypeAlias = dict[str, Any]


class Standing(NamedTuple):
    """Where an element stands: the address of the document, and whether that is Atom."""

    base: str
    is_atom: bool


#: All that feedparser has a handler for, by itself or by `feedparser_driver`; everything else is only a text to it.
#: A test holds this list to feedparser's own.
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
))  # fmt: skip
#: Fields that an element of that name, which means nothing to feedparser, would be taken for.
_FIELDS = frozenset({
    "authors", "links", "is_permalink", "title_detail", "summary_detail",
    "ttl", "sy_updateperiod", "sy_updatefrequency",
})  # fmt: skip
#: Texts that never take the place of the entry's own (see `feedparser_driver`); the first one of each is kept.
SIDE_TEXTS = frozenset((
    "media_title", "media_description", "itunes_title", "itunes_subtitle", "itunes_summary",
    "dc_title", "dc_description", "dc_date", "feedburner_origlink", "media_text", "dcterms_abstract",
))  # fmt: skip
#: What a person is made of.
PERSON = frozenset({"name", "email", "uri", "url"})
_TYPES = {"text": "text/plain", "plain": "text/plain", "text/plain": "text/plain", "html": "text/html",
          "text/html": "text/html"}  # fmt: skip
#: Addresses that `urljoin` leaves as they are, whatever the base.
_WHOLE = re.compile(r"https?://[A-Za-z0-9.:-]+(?:/[!\"$-:<->@-~]*)?(?:\?[!\"$-~]+)?(?:#[!-~]+)?")
_SLASHES = re.compile(r"^([A-Za-z][A-Za-z0-9+-.]*://)(/*)(.*?)")
_FALSE_ENTITY = re.compile(r"&([A-Za-z0-9_]+);")
#: feedparser's idea of an e-mail address.
_EMAIL = re.compile(
    r"[a-zA-Z0-9_\-.+]+@(?:\[[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.|(?:[a-zA-Z0-9\-]+\.)+)(?:[a-zA-Z]{2,4}|[0-9]{1,3})\]?"
    r"(?:\?subject=\S+)?"
)
_CP1252 = {code: text for code in range(0x80, 0xA0) if (text := bytes([code]).decode("cp1252", "ignore"))}


def joined(base: str, address: str) -> str:
    """Resolve an address as feedparser does."""
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
    return text if text.isprintable() else text.translate(_CP1252)  # what it changes is not printable


def leaf(element: Element, name: str = "") -> Element:
    """Return the element, if it has that name (any when it is empty) and nothing but a text; raises UnusualError."""
    if len(element) or (name and element.tag != name):
        raise UnusualError(f"<{element.tag}> does not belong there or has elements in it")
    return element


def pass_over(element: Element, known: frozenset[str], parents: Mapping[str, frozenset[str]]) -> None:
    """Pass over an element that is `known` or unknown to feedparser, and its children, or raise UnusualError."""
    name = element.tag
    if (inside := parents.get(name)) is not None and len(element):
        if name in {"image", "textinput"} and not all(child.tag in inside for child in element):
            raise UnusualError(f"<{name}> has other elements in it")  # feedparser takes it for ended there
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
    """Return the language of an element as written, or that of what is `above` it; None for none."""
    language = element.get("xml:lang", element.get("lang"))
    return above if language is None else language or None


def _type(element: Element, default: str) -> str:
    """Return the media type of a text. Raises UnusualError for anything but text and HTML."""
    kind = element.get("type")
    kind = default if kind is None else _TYPES.get(kind)
    if kind is None or element.get("mode") == "base64":
        raise UnusualError(f"<{element.tag}> is neither text nor HTML")
    return kind


def _once(data: FeedData, name: str, element: Element) -> None:
    if name in data:
        raise UnusualError(f"<{element.tag}> after another one")


def _title(_place: Standing, data: FeedData, element: Element) -> None:
    _once(data, "title", element)
    _type(element, "text/plain")
    data["title"] = mended(text_of(element))
    language = language_of(element, data.get("own_lang"))
    said = element.get("type", "").strip()
    data["title_detail"] = {"language": language.replace("_", "-") if language else None, "said_type": said}


def _link(place: Standing, data: FeedData, element: Element, *, of_entry: bool) -> None:
    link: dict[str, Any] = {"rel": element.get("rel", "alternate"), "type": element.get("type", "text/html")}
    if language := element.get("hreflang"):
        link["hreflang"] = language
    data.setdefault("links", []).append(link)
    href = element.get("url") or element.get("href")
    if href is not None:
        link["href"] = joined(place.base, href)
        return
    link["rss"] = True
    if text := html_text.unwrapped(text_of(element)).strip():
        text = mended(joined(place.base, text))
    if "&" in text:
        text = _FALSE_ENTITY.sub(r"&\g<1>", text.replace("&amp;", "&") if of_entry else text)
    if text:
        link["href"] = text


def _enclosure(_place: Standing, data: FeedData, element: Element) -> None:
    href = element.get("url", element.get("uri", element.get("href"))) or element.get("href")
    link = {"rel": "enclosure", "type": element.get("type", ""), "href": href}
    data.setdefault("links", []).append(link)


def _guid(_place: Standing, data: FeedData, element: Element) -> None:
    _once(data, "own_id", element)
    data["is_permalink"] = element.get("ispermalink", "true").strip().lower() != "false"
    data["own_id"] = text_of(element)
    data["id"] = ""


def _subtitle(_place: Standing, data: FeedData, element: Element) -> None:
    _once(data, "subtitle", element)
    _type(element, "text/plain")
    data["subtitle"] = mended(text_of(element))


def _summary(place: Standing, data: FeedData, element: Element, *, default: str) -> None:
    _once(data, "summary_detail", element)  # a second one would be the content
    data["summary"] = mended(text_of(element))
    said = element.get("type", "").strip()
    data["summary_detail"] = {"type": _sure_type(place, element, default), "base": place.base, "said_type": said}


def _content(place: Standing, data: FeedData, element: Element, *, default: str) -> None:
    text = mended(text_of(element))
    kind, said = _sure_type(place, element, default), element.get("type", "").strip()
    body = {"type": kind, "base": place.base, "value": text, "said_type": said}
    data.setdefault("content", []).append(body)
    data.setdefault("summary", text)


def _sure_type(place: Standing, element: Element, default: str) -> str:
    kind = _type(element, default)
    if kind == "text/plain" and not place.is_atom:
        raise UnusualError(f"<{element.tag}> may be HTML")  # feedparser looks at the text
    return kind


def _text(_place: Standing, data: FeedData, element: Element, *, field: str) -> None:
    data[field] = mended(text_of(element))


def _only_text(_place: Standing, data: FeedData, element: Element) -> None:
    """Read an element that feedparser does not know: its text, or nothing where it has attributes."""
    data[element.tag] = "" if element.keys() else mended(text_of(element))


def _side(_place: Standing, data: FeedData, element: Element) -> None:
    if text := text_of(element):
        data.setdefault(f"side_{element.tag}", text)


def author(_place: Standing, data: FeedData, element: Element) -> None:
    """Read an author of an entry, who is named in words or in elements."""
    if not len(element):
        data["author_in_words"] = True
    elif "author_in_words" in data:
        raise UnusualError("an author of elements after one of words")  # feedparser gives both the name of the second
    data.setdefault("authors", []).append({"name": _person(element)})


def _person(element: Element) -> str:
    """Return the name of an author, without the e-mail address beside it."""
    if len(element):
        names = [text_of(leaf(child)) for child in element if child.tag == "name"]
        for child in element:
            pass_over(child, PERSON, {})
        if not any(child.tag in PERSON for child in element):
            raise UnusualError("an author of other elements")
        return names[-1] if names else ""
    name = mended(text_of(element))
    if address := _EMAIL.search(name):
        name = name.replace(address[0], "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "").strip()
        name = name.removeprefix("(")
        name = (name.removesuffix(")")).strip()
    return name


def _category(_place: Standing, data: FeedData, element: Element, *, scheme: str | None = None) -> None:
    scheme = element.get("scheme", scheme or element.get("domain"))
    _tag(data, element.get("term"), scheme, element.get("label"))
    if text := mended(text_of(element)):
        tags = data["tags"]
        if tags and not tags[-1]["term"]:
            tags[-1]["term"] = text
        else:
            _tag(data, text, None, None)


def _keywords(_place: Standing, data: FeedData, element: Element, *, scheme: str | None) -> None:
    if not element.keys():
        for term in mended(text_of(element)).split(","):
            if term.strip():
                _tag(data, term.strip(), scheme, None)


def _tag(data: FeedData, term: str | None, scheme: str | None, label: str | None) -> None:
    tags = data.setdefault("tags", [])
    tag = {"term": term, "scheme": scheme, "label": label}
    if (term or scheme or label) and tag not in tags:
        tags.append(tag)


def _thumbnail(_place: Standing, data: FeedData, element: Element) -> None:
    if text_of(element):
        raise UnusualError("<media:thumbnail> has a text")
    data.setdefault("media_thumbnail", []).append(element.attrib)


def _credit(_place: Standing, data: FeedData, element: Element) -> None:
    data.setdefault("media_credit", []).append({"content": mended(text_of(element))})


def _podcast_image(_place: Standing, data: FeedData, element: Element) -> None:
    if href := element.get("href") or element.get("url"):
        data["image"] = {"href": href}


def _source(_place: Standing, data: FeedData, element: Element) -> None:
    _once(data, "source", element)
    data["source"] = {"href": element.get("url", ""), "title": mended(text_of(element))}


def hour_of(element: Element) -> int | None:
    """Return an hour of the day, 0 to 23, in which the feed is not to be asked; None for what is none."""
    hour = text_of(leaf(element, "hour"))
    if len(hour) > 9:
        raise UnusualError("an hour of many digits")
    return int(hour) % 24 if hour.isdecimal() and int(hour) <= 24 else None


ReadElement: TypeAlias = Callable[[Standing, FeedData, Element], None]

OF_ENTRY: dict[str, ReadElement] = {
    "title": _title,
    "link": partial(_link, of_entry=True),
    "enclosure": _enclosure,
    "guid": _guid,
    "id": _guid,
    "description": partial(_summary, default="text/html"),
    "summary": partial(_summary, default="text/plain"),
    "content": partial(_content, default="text/plain"),
    "content_encoded": partial(_content, default="text/html"),
    **dict.fromkeys(("pubdate", "published", "issued", "dcterms_issued"), partial(_text, field="published")),
    **dict.fromkeys(("updated", "modified", "lastbuilddate", "dcterms_modified"), partial(_text, field="updated")),
    **dict.fromkeys(("created", "dcterms_created"), partial(_text, field="created")),
    **dict.fromkeys(("language", "dc_language"), partial(_text, field="language")),
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
OF_FEED: dict[str, ReadElement] = {
    "title": _title,
    "link": partial(_link, of_entry=False),
    **dict.fromkeys(("description", "subtitle", "tagline"), _subtitle),
    **dict.fromkeys(("language", "dc_language"), partial(_text, field="language")),
    **dict.fromkeys(("ttl", "sy_updateperiod", "sy_updatefrequency"), _only_text),
    **dict.fromkeys(("dc_title", "dc_description"), _side),
}
