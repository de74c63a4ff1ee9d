"""What is read of single elements of a feed, as feedparser reads them.

Each reader takes where the element stands, what was found of the feed or entry so far, and the element. It raises
UnusualError where feedparser would do something else.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple, TypeAlias
from urllib.parse import urljoin

from monitor.feeds.xmltree import Element, UnusualError

FeedData: TypeAlias = dict[str, Any]


class Place(NamedTuple):
    """Where an element stands: the address of the document, and whether that is Atom."""

    base: str
    is_atom: bool


#: All that feedparser has a handler for, by itself or through `xmlreader`; everything else is only a text to it.
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
    "uri", "url", "webmaster", "where", "width", "xhtml_body",
))  # fmt: skip
#: Fields that an element of that name, which means nothing to feedparser, would be taken for.
_FIELDS = frozenset({
    "authors", "links", "is_permalink", "title_detail", "summary_detail",
    "ttl", "sy_updateperiod", "sy_updatefrequency",
})  # fmt: skip
#: Texts that never take the place of the entry's own (see `xmlreader`); the first one of each is kept.
SIDE_TEXTS = frozenset((
    "media_title", "media_description", "itunes_title", "itunes_subtitle", "itunes_summary",
    "dc_title", "dc_description", "dc_date", "feedburner_origlink",
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
    """An address resolved as feedparser resolves it."""
    if _WHOLE.fullmatch(address):
        return address
    try:
        return urljoin(base, _SLASHES.sub(r"\1\3", address))
    except ValueError:
        return ""


def mended(text: str) -> str:
    """A text without what feedparser takes for UTF-8 or windows-1252 that was read as Latin-1."""
    if text.isascii():
        return text
    with contextlib.suppress(UnicodeError):
        text = text.encode("iso-8859-1").decode("utf-8")
    return text.translate(_CP1252)


def leaf(element: Element, name: str = "") -> Element:
    """The element, if it has that name (any when it is empty) and nothing but a text."""
    if element.children or (name and element.name != name):
        raise UnusualError(f"<{element.name}> does not belong there or has elements in it")
    return element


def pass_over(element: Element, known: frozenset[str], parents: Mapping[str, frozenset[str]]) -> None:
    """Pass over an element that is `known` or unknown to feedparser, and its children, or raise UnusualError."""
    name = element.name
    if (inside := parents.get(name)) is not None and element.children:
        if name in {"image", "textinput"} and not all(child.name in inside for child in element.children):
            raise UnusualError(f"<{name}> has other elements in it")  # feedparser takes it for ended there
        known = inside
    elif name in known:
        leaf(element)
    elif name in HANDLED or name in _FIELDS or name.startswith(("side_", "own_")):
        raise UnusualError(f"<{name}> does not belong there")
    else:
        known = frozenset()
    for child in element.children:
        pass_over(child, known, {})


def language_of(element: Element, above: str | None) -> str | None:
    """The language of an element as it is written, where that `above` it is told; None for none."""
    if not element.attributes:
        return above
    language = element.attributes.get("xml:lang", element.attributes.get("lang"))
    return above if language is None else language or None


def _type(element: Element, default: str) -> str:
    """The media type of a text; no other than text and HTML."""
    attributes = element.attributes
    if not attributes:
        return default
    kind = _TYPES.get(attributes["type"]) if "type" in attributes else default
    if kind is None or attributes.get("mode") == "base64":
        raise UnusualError(f"<{element.name}> is neither text nor HTML")
    return kind


def _once(data: FeedData, name: str, element: Element) -> None:
    if name in data:
        raise UnusualError(f"<{element.name}> after another one")


def _title(_place: Place, data: FeedData, element: Element) -> None:
    _once(data, "title", element)
    _type(element, "text/plain")
    data["title"] = mended(element.text)
    language = language_of(element, data.get("own_lang"))
    data["title_detail"] = {"language": language.replace("_", "-") if language else None}


def _link(place: Place, data: FeedData, element: Element, *, of_entry: bool) -> None:
    attributes = element.attributes
    link: dict[str, Any] = {"rel": attributes.get("rel", "alternate"), "type": attributes.get("type", "text/html")}
    data.setdefault("links", []).append(link)
    href = attributes.get("url") or attributes.get("href")
    if href is not None:
        link["href"] = joined(place.base, href)
        return
    link["rss"] = True
    text = mended(joined(place.base, element.text)) if element.text else ""
    if "&" in text:
        text = _FALSE_ENTITY.sub(r"&\g<1>", text.replace("&amp;", "&") if of_entry else text)
    if text:
        link["href"] = text


def _enclosure(_place: Place, data: FeedData, element: Element) -> None:
    attributes = element.attributes
    href = attributes.get("url", attributes.get("uri", attributes.get("href"))) or attributes.get("href")
    link = {"rel": "enclosure", "type": attributes.get("type", ""), "href": href}
    data.setdefault("links", []).append(link)


def _guid(_place: Place, data: FeedData, element: Element) -> None:
    _once(data, "own_id", element)
    data["is_permalink"] = element.attributes.get("ispermalink", "true").strip().lower() != "false"
    data["own_id"] = element.text
    data["id"] = ""


def _subtitle(_place: Place, data: FeedData, element: Element) -> None:
    _once(data, "subtitle", element)
    _type(element, "text/plain")
    data["subtitle"] = mended(element.text)


def _summary(place: Place, data: FeedData, element: Element, *, default: str) -> None:
    _once(data, "summary_detail", element)  # a second one would be the content
    data["summary"] = mended(element.text)
    data["summary_detail"] = {"type": _sure_type(place, element, default), "base": place.base}


def _content(place: Place, data: FeedData, element: Element, *, default: str) -> None:
    text = mended(element.text)
    body = {"type": _sure_type(place, element, default), "base": place.base, "value": text}
    data.setdefault("content", []).append(body)
    data.setdefault("summary", text)


def _sure_type(place: Place, element: Element, default: str) -> str:
    kind = _type(element, default)
    if kind == "text/plain" and not place.is_atom:
        raise UnusualError(f"<{element.name}> may be HTML")  # feedparser looks at the text
    return kind


def _text(_place: Place, data: FeedData, element: Element, *, field: str) -> None:
    data[field] = mended(element.text)


def _only_text(_place: Place, data: FeedData, element: Element) -> None:
    """What feedparser does not know: a text, or attributes."""
    data[element.name] = "" if element.attributes else mended(element.text)


def _side(_place: Place, data: FeedData, element: Element) -> None:
    if element.text:
        data.setdefault(f"side_{element.name}", element.text)


def author(_place: Place, data: FeedData, element: Element) -> None:
    """An author of an entry, in words or in elements."""
    if not element.children:
        data["author_in_words"] = True
    elif "author_in_words" in data:
        raise UnusualError("an author of elements after one of words")  # feedparser gives both the name of the second
    data.setdefault("authors", []).append({"name": _person(element)})


def _person(element: Element) -> str:
    """The name of an author; an address beside it is taken away."""
    if element.children:
        names = [leaf(child).text for child in element.children if child.name == "name"]
        for child in element.children:
            pass_over(child, PERSON, {})
        if not any(child.name in PERSON for child in element.children):
            raise UnusualError("an author of other elements")
        return names[-1] if names else ""
    name = mended(element.text)
    if address := _EMAIL.search(name):
        name = name.replace(address[0], "").replace("()", "").replace("<>", "").replace("&lt;&gt;", "").strip()
        name = name.removeprefix("(")
        name = (name.removesuffix(")")).strip()
    return name


def _category(_place: Place, data: FeedData, element: Element, *, scheme: str | None = None) -> None:
    attributes = element.attributes
    scheme = attributes.get("scheme", scheme or attributes.get("domain"))
    _tag(data, attributes.get("term"), scheme, attributes.get("label"))
    if text := mended(element.text):
        tags = data["tags"]
        if tags and not tags[-1]["term"]:
            tags[-1]["term"] = text
        else:
            _tag(data, text, None, None)


def _keywords(_place: Place, data: FeedData, element: Element, *, scheme: str | None) -> None:
    if not element.attributes:
        for term in mended(element.text).split(","):
            if term.strip():
                _tag(data, term.strip(), scheme, None)


def _tag(data: FeedData, term: str | None, scheme: str | None, label: str | None) -> None:
    tags = data.setdefault("tags", [])
    tag = {"term": term, "scheme": scheme, "label": label}
    if (term or scheme or label) and tag not in tags:
        tags.append(tag)


def _thumbnail(_place: Place, data: FeedData, element: Element) -> None:
    if element.text:
        raise UnusualError("<media:thumbnail> has a text")
    data.setdefault("media_thumbnail", []).append(element.attributes)


def _credit(_place: Place, data: FeedData, element: Element) -> None:
    data.setdefault("media_credit", []).append({"content": mended(element.text)})


def _podcast_image(_place: Place, data: FeedData, element: Element) -> None:
    if href := element.attributes.get("href") or element.attributes.get("url"):
        data["image"] = {"href": href}


def _source(_place: Place, data: FeedData, element: Element) -> None:
    _once(data, "source", element)
    data["source"] = {"href": element.attributes.get("url", ""), "title": mended(element.text)}


def hour_of(element: Element) -> int | None:
    """An hour of the day from 0 to 23 in which the feed is not to be asked, None for what is none."""
    hour = leaf(element, "hour").text
    if len(hour) > 9:
        raise UnusualError("an hour of many digits")
    return int(hour) % 24 if hour.isdecimal() and int(hour) <= 24 else None


Read: TypeAlias = Callable[[Place, FeedData, Element], None]

OF_ENTRY: dict[str, Read] = {
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
OF_FEED: dict[str, Read] = {
    "title": _title,
    "link": partial(_link, of_entry=False),
    **dict.fromkeys(("description", "subtitle", "tagline"), _subtitle),
    **dict.fromkeys(("language", "dc_language"), partial(_text, field="language")),
    **dict.fromkeys(("ttl", "sy_updateperiod", "sy_updatefrequency"), _only_text),
    **dict.fromkeys(("dc_title", "dc_description"), _side),
}
