"""Run feedparser's two parser classes directly, with changes that keep entries correct and limit their size.

`feedparser.parse` is not used, for four reasons. It would guess the encoding again (see `encoding`). It replaces an
entry's own title and text by `media:title`, `media:description`, `itunes:*` and `dc:title`: the caption of a photo
("Mr X and Mr Y in 2019") would become the story. It drops `isPermaLink` when a link comes before the guid. And it has
no limits on entries, attributes and depth.
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
from monitor.feeds.formats.xml.elements import PERSON, without_address
from monitor.feeds.formats.xml.found import SIDE_TEXTS, is_permalink

_ENTRIES = frozenset({"item", "entry"})
_LARGE_TAG = re.compile(rf"<[A-Za-z_][^<>]{{{MAX_TAG}}}")
#: Errors that feedparser's handlers raise for unexpected elements. A misplaced licence or map point must not make the
#: whole feed fail.
_STUMBLES = (LookupError, TypeError, ValueError, AttributeError, AssertionError)


class _EnoughEntriesError(Exception):
    """The limit of entries is reached; the entries read so far are the result."""


class _FeedparserReader:
    """Our changes to feedparser's handlers: a mixin before each of its two parser classes."""

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
        #: Namespaces and names of the open elements (strict parser only), and the depth inside an element it skips.
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
            return super().unknown_starttag(tag, attrs)  # type: ignore[misc]  # feedparser's class is the next base
        except _STUMBLES:
            self.stumbled = self.stumbled or tag

    def unknown_endtag(self, tag: str) -> None:
        stacks = [(stack, len(stack)) for stack in (self.basestack, self.langstack)]
        depth = self.depth
        try:
            super().unknown_endtag(tag)  # type: ignore[misc]
        except _STUMBLES:
            self.stumbled = self.stumbled or tag
            # Do what feedparser would have done after its handler.
            for stack, length in stacks:
                del stack[max(length - 1, 0) :]
            self.depth = depth - 1

    def push_content(self, tag: str, attrs_d: dict[str, str], *rest: Any) -> None:
        super().push_content(tag, attrs_d, *rest)  # type: ignore[misc]
        # The type as the document has it: feedparser guesses one when there is none.
        self.contentparams["said_type"] = attrs_d.get("type", "").strip().lower()

    def map_content_type(self, content_type: str) -> Any:
        kind = super().map_content_type(content_type.strip())  # type: ignore[misc]
        # What is no media type says nothing; feedparser would take such a text for base64.
        return kind if "/" in kind else "text/plain"

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
        attrs_d.pop("uri", None)  # feedparser would use it as href; Bluesky writes an `at://` URL there
        super()._start_link(attrs_d)  # type: ignore[misc]
        links = self._context().get("links")
        if links and "href" not in attrs_d:
            links[-1]["rss"] = True

    def _end_link(self) -> None:
        if self.elementstack and self.elementstack[-1][0] == "link":
            # Before feedparser resolves it: an escaped CDATA section would look like a relative URL.
            self.elementstack[-1][2][:] = [html_text.unwrapped(self._text_of_top()).strip()]
        super()._end_link()  # type: ignore[misc]

    def _start_guid(self, attrs_d: dict[str, str]) -> None:
        if self.inentry and not self.insource:
            self.entries[-1]["is_permalink"] = is_permalink(attrs_d.get("ispermalink", ""))
        super()._start_guid(attrs_d)  # type: ignore[misc]

    _start_id = _start_guid

    def _end_guid(self) -> None:
        if self.inentry and not self.insource and self.elementstack and self.elementstack[-1][0] == "id":
            # feedparser resolves and rewrites ids; an id is an opaque string (RFC 4287, section 4.2.6.1).
            self.entries[-1]["own_id"] = self._text_of_top()
        super()._end_guid()  # type: ignore[misc]

    _end_id = _end_guid

    # `dates` reads the dates later, from their text. feedparser's date parsers would only take time.
    def _end_published(self) -> None:
        self.pop("published")  # type: ignore[attr-defined]

    _end_issued = _end_pubdate = _end_published

    def _end_updated(self) -> None:
        self.pop("updated")  # type: ignore[attr-defined]

    _end_modified = _end_lastbuilddate = _end_updated

    def _sync_author_detail(self, key: str = "author") -> None:
        said, people = self._context().get(key), self._context().get(f"{key}s")
        if said and people and not people[-1]:
            if name := without_address(said):
                people[-1]["name"] = name
        else:
            super()._sync_author_detail(key)  # type: ignore[misc]

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


def _side_handlers(name: str) -> dict[str, Any]:
    def start(self: _FeedparserReader, _attributes: dict[str, str]) -> None:
        self.elementstack.append([name, 0, []])

    def end(self: _FeedparserReader) -> None:
        text = self._popped(name)
        if text:
            self._context().setdefault(f"side_{name}", text)

    return {f"_start_{name}": start, f"_end_{name}": end}


#: A mixin with a start and end handler for each of SIDE_TEXTS: feedparser finds handlers by the names of methods.
_SideTexts: Any = type("_SideTexts", (), {k: v for name in SIDE_TEXTS for k, v in _side_handlers(name).items()})


#: The children that are read of an element inside an entry; None means all. Of media:group and media:content the
#: children in the same namespace are read, of all other elements none.
_PARENTS: dict[str, frozenset[str] | None] = {
    "author": PERSON,
    "contributor": PERSON,
    "source": None,
    "image": None,
    "textinput": None,
}
_MEDIA = "http://search.yahoo.com/mrss"


def _start_element(self: Any, name: Any, qname: Any, attrs: Any) -> None:
    # Also checked here, before feedparser's own loop over the attributes, which takes quadratic time.
    if len(attrs) > MAX_ATTRIBUTES:
        raise FeedError(f"an element has {len(attrs)} attributes", reason="too_many_attributes")
    uri, local = _pair(name)
    if self.hidden or _is_hidden(self, uri or "", local.lower()):
        self.hidden += 1
        return
    self.opened.append((uri or "", local.lower()))
    feedparser.api.StrictFeedParser.startElementNS(self, (uri, local), qname, attrs)


def _is_hidden(self: Any, uri: str, local: str) -> bool:
    """Tell whether an element is not a field of the entry but part of another element, such as an author's `id`."""
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
    """Return namespace and local name: Python's expat reader splits a namespace that contains spaces."""
    return name if len(name) == 2 else (name[0], name[-1])


_Strict: Any = type(
    "_Strict",
    (_SideTexts, _FeedparserReader, feedparser.api.StrictFeedParser),
    {"startElementNS": _start_element, "endElementNS": _end_element, "characters": _characters},
)
_Loose: Any = type("_Loose", (_SideTexts, _FeedparserReader, feedparser.api.LooseFeedParser), {})


def parse_xml(document: str, url: str) -> tuple[Any, str, str]:
    """Parse a document: strictly, then strictly after repair, then leniently.

    Returns the parser with its result, the suffix of `ParsedFeed.mode` ("", "-repaired" or "-loose"), and the problem.
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
    # The lenient parser uses regular expressions that are slow on large tags, so those are refused first.
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
    # `html_text` does both instead, with the base URL that is recorded with each text.
    parser.resolve_relative_uris = False
    parser.sanitize_html = False
    parser.truncated = False


def _strict(document: str, url: str) -> Any:
    parser = _Strict(url, None, "utf-8")
    _configure(parser)
    sax = xml.sax.make_parser()  # noqa: S317  # the attacks that the rule warns of need a DOCTYPE, which was cut
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
