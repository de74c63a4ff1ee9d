"""Drives feedparser's two parsers so that nothing of an entry is lost or mixed up, and everything has a bound.

`feedparser.parse` is not called, for four reasons. It would guess the encoding again (see `encoding`). It lets
`media:title`, `media:description`, `itunes:*` and `dc:title` take the place of an entry's own title and text: a photo's
caption ("Mr X and Mr Y in 2019") would become the story. It drops `isPermaLink` when a link stands before the guid. And
it has no bounds on entries, attributes and depth. Its two parser classes are public and do all the reading.
"""

from __future__ import annotations

import contextlib
import io
import re
import xml.sax
import xml.sax.handler
import xml.sax.xmlreader
from typing import Any

import feedparser.api

from monitor.errors import FeedError
from monitor.feeds.formats.fields import html_text
from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_DEPTH, MAX_ENTRIES, MAX_TAG
from monitor.feeds.formats.xml import repair
from monitor.feeds.formats.xml.balance import balanced
from monitor.feeds.formats.xml.elements import PERSON

_ENTRIES = frozenset({"item", "entry"})
_LARGE_TAG = re.compile(rf"<[A-Za-z_][^<>]{{{MAX_TAG}}}")
#: What feedparser's handlers of single elements raise for elements that are not as they think; a licence or a map point
#: in the wrong place must not cost the feed.
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError, AssertionError)


class _EnoughEntriesError(Exception):
    """The limit of entries is reached; what was read so far is the result."""


class _FeedparserReader:
    """What we change in feedparser's handlers. Mixed in before both of its parsers."""

    entries: list[Any]
    elementstack: list[Any]
    feeddata: Any
    basestack: list[Any]
    langstack: list[Any]
    baseuri: str
    lang: str | None
    depth: int
    inentry: int
    contentparams: Any
    insource: int
    incontent: int

    def __init__(self, *args: Any) -> None:
        self.stumbled = ""
        #: Namespaces and names of the elements that the strict parser is in, and how deep it is in one it passes over.
        self.opened: list[tuple[str, str]] = []
        self.hidden = 0
        self.skip_hours: list[int] = []
        self.skip_days: list[str] = []
        super().__init__(*args)

    def unknown_starttag(self, tag: str, attrs: list[tuple[str, str]]) -> Any:
        if len(attrs) > MAX_ATTRIBUTES:
            raise FeedError(f"an element has {len(attrs)} attributes", reason="too_many_attributes")
        if self.depth > MAX_DEPTH:
            raise FeedError(f"elements are nested over {MAX_DEPTH} deep", reason="too_deep")
        try:
            return super().unknown_starttag(tag, attrs)  # type: ignore[misc]  # feedparser's class stands behind this
        except _STUMBLES:
            self.stumbled = self.stumbled or tag

    def unknown_endtag(self, tag: str) -> None:
        stacks = [(stack, len(stack)) for stack in (self.basestack, self.langstack)]
        depth = self.depth
        try:
            super().unknown_endtag(tag)  # type: ignore[misc]
        except _STUMBLES:
            self.stumbled = self.stumbled or tag
            # What it would have done after its handler.
            for stack, length in stacks:
                del stack[max(length - 1, 0) :]
            self.depth = depth - 1

    def push_content(self, tag: str, attrs_d: dict[str, str], *rest: Any) -> None:
        super().push_content(tag, attrs_d, *rest)  # type: ignore[misc]
        # What the document says itself: feedparser guesses a type where none is said.
        self.contentparams["said_type"] = attrs_d.get("type", "").strip().lower()

    def handle_charref(self, ref: str) -> None:
        with contextlib.suppress(ValueError, OverflowError):  # a surrogate, or beyond Unicode
            super().handle_charref(ref)  # type: ignore[misc]

    def _start_item(self, attrs_d: dict[str, str]) -> None:
        if len(self.entries) >= MAX_ENTRIES:
            raise _EnoughEntriesError
        super()._start_item(attrs_d)  # type: ignore[misc]
        self.entries[-1]["own_base"] = self.baseuri
        self.entries[-1]["own_lang"] = self.lang

    _start_entry = _start_item

    def _start_link(self, attrs_d: dict[str, str]) -> None:
        attrs_d.pop("uri", None)  # feedparser takes it for href; Bluesky puts another scheme's address there
        super()._start_link(attrs_d)  # type: ignore[misc]
        links = self._context().get("links")
        if links and "href" not in attrs_d:
            links[-1]["rss"] = True

    def _end_link(self) -> None:
        if self.elementstack and self.elementstack[-1][0] == "link":
            # Before feedparser resolves it: an escaped CDATA section would look like a relative address.
            self.elementstack[-1][2][:] = [html_text.unwrapped(self._text_of_top()).strip()]
        super()._end_link()  # type: ignore[misc]

    def _start_guid(self, attrs_d: dict[str, str]) -> None:
        if self.inentry and not self.insource:
            self.entries[-1]["is_permalink"] = attrs_d.get("ispermalink", "true").strip().lower() != "false"
        super()._start_guid(attrs_d)  # type: ignore[misc]

    _start_id = _start_guid

    def _end_guid(self) -> None:
        if self.inentry and not self.insource and self.elementstack and self.elementstack[-1][0] == "id":
            # feedparser resolves and rewrites ids; an id is an opaque string (RFC 4287, section 4.2.6.1).
            self.entries[-1]["own_id"] = self._text_of_top()
        super()._end_guid()  # type: ignore[misc]

    _end_id = _end_guid

    # Dates are read by `dates`, from their words; feedparser's readers would be tried on each for nothing.
    def _end_published(self) -> None:
        self.pop("published")  # type: ignore[attr-defined]

    _end_issued = _end_pubdate = _end_published

    def _end_updated(self) -> None:
        self.pop("updated")  # type: ignore[attr-defined]

    _end_modified = _end_lastbuilddate = _end_updated

    def _start_hour(self, attrs_d: dict[str, str]) -> None:
        self.elementstack.append(["hour", 0, []])

    def _end_hour(self) -> None:
        hour = self._popped("hour")
        if hour.isdecimal() and int(hour) <= 24:
            self.skip_hours.append(int(hour) % 24)

    def _start_day(self, attrs_d: dict[str, str]) -> None:
        self.elementstack.append(["day", 0, []])

    def _end_day(self) -> None:
        self.skip_days.append(self._popped("day").lower()[:20])

    def _context(self) -> Any:
        return self._get_context()  # type: ignore[attr-defined]

    def _text_of_top(self) -> str:
        pieces = self.elementstack[-1][2]
        return "".join(p.decode("utf-8", "replace") if isinstance(p, bytes) else p for p in pieces).strip()

    def _popped(self, name: str) -> str:
        if not self.elementstack or self.elementstack[-1][0] != name:
            return ""
        text = self._text_of_top()
        self.elementstack.pop()
        return text


#: Elements whose text is kept under its own name, first one wins, and never takes the place of the entry's own.
_SIDE_FIELDS = ("media_title", "media_description", "itunes_title", "itunes_subtitle", "itunes_summary",
                "dc_title", "dc_description", "dc_date", "feedburner_origlink",
                "media_text", "dcterms_abstract")  # fmt: skip


def _side_handlers(name: str) -> dict[str, Any]:
    def start(self: _FeedparserReader, _attributes: dict[str, str]) -> None:
        self.elementstack.append([name, 0, []])

    def end(self: _FeedparserReader) -> None:
        text = self._popped(name)
        if text:
            self._context().setdefault(f"side_{name}", text)

    return {f"_start_{name}": start, f"_end_{name}": end}


#: The handlers of all of them, as a class to mix in: feedparser finds handlers by the names of methods.
_SideTexts: Any = type("_SideTexts", (), {k: v for name in _SIDE_FIELDS for k, v in _side_handlers(name).items()})


#: Elements of an entry with elements of their own that are read, None for all of them. Of media:group and media:content
#: those in their own namespace are.
_PARENTS: dict[str, frozenset[str] | None] = {
    "author": PERSON,
    "contributor": PERSON,
    "source": None,
    "image": None,
    "textinput": None,
}
_MEDIA = "http://search.yahoo.com/mrss"


def _start_element(self: Any, name: Any, qname: Any, attrs: Any) -> None:
    # Here and not only in unknown_starttag, because feedparser's own loop over them is quadratic.
    if len(attrs) > MAX_ATTRIBUTES:
        raise FeedError(f"an element has {len(attrs)} attributes", reason="too_many_attributes")
    uri, local = _pair(name)
    if self.hidden or _is_hidden(self, uri or "", local.lower()):
        self.hidden += 1
        return
    self.opened.append((uri or "", local.lower()))
    feedparser.api.StrictFeedParser.startElementNS(self, (uri, local), qname, attrs)


def _is_hidden(self: Any, uri: str, local: str) -> bool:
    """Tell whether an element belongs to another one in an entry, as the id of a product's variant, or of an author."""
    if not self.inentry or self.incontent or self.opened[-1][1] in _ENTRIES:
        return False
    parent_uri, parent = self.opened[-1]
    if parent_uri.startswith(_MEDIA):
        return not uri.startswith(_MEDIA)
    inside = _PARENTS.get(parent, frozenset()) if not self.insource else None
    return inside is not None and local not in inside


def _end_element(self: Any, name: Any, qname: Any) -> None:
    if self.hidden:
        self.hidden -= 1
        return
    self.opened.pop()
    feedparser.api.StrictFeedParser.endElementNS(self, _pair(name), qname)


def _characters(self: Any, text: str) -> None:
    if not self.hidden:
        feedparser.api.StrictFeedParser.characters(self, text)


def _pair(name: Any) -> Any:
    """Namespace and local name: Python's expat reader splits a namespace that has spaces in it."""
    return name if len(name) == 2 else (name[0], name[-1])


_Strict: Any = type(
    "_Strict",
    (_SideTexts, _FeedparserReader, feedparser.api.StrictFeedParser),
    {"startElementNS": _start_element, "endElementNS": _end_element, "characters": _characters},
)
_Loose: Any = type("_Loose", (_SideTexts, _FeedparserReader, feedparser.api.LooseFeedParser), {})


def parse_xml(document: str, url: str) -> tuple[Any, str, str]:
    """Return the parser after it has read the document, what that took (the suffix of the mode), and what was wrong.

    Raises FeedError: `too_many_attributes`, `tag_too_large`, `too_deep`.
    """
    try:
        return _strict(document, url), "", ""
    except xml.sax.SAXParseException as error:
        problem = f"line {error.getLineNumber()}: {error.getMessage()}"[:200]
    except xml.sax.SAXException as error:
        problem = str(error)[:200]
    mended = repair.mend(document)
    with contextlib.suppress(xml.sax.SAXException):
        return _strict(mended, url), "-repaired", problem
    with contextlib.suppress(xml.sax.SAXException):
        return _strict(balanced(mended), url), "-repaired", problem
    # The forgiving parser works with regular expressions, which large tags make slow: those are refused first.
    if _LARGE_TAG.search(mended):
        raise FeedError(f"a tag is over {MAX_TAG} characters long", reason="tag_too_large")
    parser = _Loose(url, None, "utf-8", {})
    _configure(parser)
    try:
        parser.feed(mended)
    except _EnoughEntriesError:
        parser.truncated = True
    return parser, "-loose", problem


def _configure(parser: Any) -> None:
    # Both are done by `html` instead, on the basis that is recorded with each text.
    parser.resolve_relative_uris = False
    parser.sanitize_html = False
    parser.truncated = False


def _strict(document: str, url: str) -> Any:
    parser = _Strict(url, None, "utf-8")
    _configure(parser)
    sax = xml.sax.make_parser()  # noqa: S317  # what that rule fears is in the DOCTYPE, which was cut
    sax.setFeature(xml.sax.handler.feature_namespaces, True)
    sax.setFeature(xml.sax.handler.feature_external_ges, False)
    sax.setContentHandler(parser)
    sax.setErrorHandler(parser)
    source = xml.sax.xmlreader.InputSource()
    source.setByteStream(io.BytesIO(document.encode("utf-8")))
    source.setEncoding("utf-8")
    try:
        sax.parse(source)
    except _EnoughEntriesError:
        parser.truncated = True
    return parser
