"""Parse a well-formed document into a tree whose elements have feedparser's names, such as `dc_creator`.

ElementTree's C code builds the tree; Python only renames the elements. This handles documents as nearly all outlets
write them. For others, whose result in feedparser can't be told from the tree, UnusualError is raised, and feedparser
reads the document (`feedparser_driver`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import errors

from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_ENTRIES

#: The most levels and elements of a tree, more than any known feed has. Such a tree takes tens of MB.
_DEPTH, _ELEMENTS = 24, 300_000
#: The limits are checked after this many characters, then after twice as many, and so on, since a check walks over the
#: whole tree. Most documents are shorter, and so many characters can't exceed the limit of elements.
_PIECE = 1 << 18
_NO_MEMORY = errors.codes[errors.XML_ERROR_NO_MEMORY]
_ENTRIES = frozenset({"item", "entry"})
#: feedparser's prefix for each namespace (in lower case); the namespaces of RSS and Atom have none. From
#: `feedparser.mixin`.
NAMESPACES = {
    "http://blogs.law.harvard.edu/tech/rss": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://purl.org/atom/ns#": "",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://rssnamespace.org/feedburner/ext/1.0": "feedburner",
    "http://www.w3.org/2003/01/geo/wgs84_pos#": "geo",
    "http://www.georss.org/georss": "georss",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://www.w3.org/xml/1998/namespace": "xml",
}
#: Namespaces for whose elements feedparser has special rules that are not implemented here.
STRANGE = frozenset({
    "http://example.com/newformat#", "http://example.com/necho", "http://purl.org/echo/", "uri/of/echo/namespace#",
    "http://purl.org/pie/", "http://purl.org/rss/1.0/modules/rss091#", "http://creativecommons.org/ns#license",
    "http://web.resource.org/cc/", "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html",
    "http://backend.userland.com/creativecommonsrssmodule", "http://backend.userland.com/rss",
    "http://www.opengis.net/gml", "http://example.com/dtds/podcast-1.0.dtd", "http://podlove.org/simple-chapters",
    "http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink",
})  # fmt: skip
#: Prefixes that feedparser recognises whatever their namespace.
_PREFIXES = frozenset(NAMESPACES.values()) | {"cc", "creativecommons", "gml", "psc", "xhtml", "side", "own"}
#: Attributes that are read, so that one of the same name in another namespace could be mistaken for it.
_MEANT = frozenset({"base", "lang", "url", "uri", "href", "rel", "type", "term", "label", "scheme", "domain", "text",
                    "ispermalink", "mode", "src", "lastmod", "medium", "width"})  # fmt: skip


class UnusualError(Exception):
    """Our own reader can't read the document; feedparser has to."""


class Tree:
    """The parsed tree of a document, which must begin with its root.

    Names of elements and attributes are feedparser's (`dc_creator`, `xml:lang`) in lower case; the values of `rel` and
    `type` are in lower case too. `namespaces` are the declared ones, in lower case. `truncated` means that there were
    more than MAX_ENTRIES entries; the tree ends before the first one too many. Raises UnusualError for a document that
    is not well formed, too large, or unlike any feed.
    """

    def __init__(self, document: str) -> None:
        if document.startswith(("<!", "<?")):
            # A DOCTYPE can only be before the root (XML 1.0, production 22). The caller has cut it; this makes sure.
            raise UnusualError("something is before the root")
        self.truncated = False
        self.namespaces: set[str] = set()
        self._names: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._unknown: dict[str, str] = {}
        builder = _Builder(self._declared)
        parser = XMLParser(target=builder)  # noqa: S314  # the attacks that the rule warns of need a DOCTYPE
        try:
            start, end = 0, _PIECE
            while start < len(document):
                parser.feed(document[start:end])
                start, end = end, 2 * end
                if self._is_enough(builder.close()):
                    self.truncated = True
                    break
            else:
                parser.close()
        except (ParseError, UnicodeEncodeError) as error:
            if isinstance(error, ParseError) and error.code == _NO_MEMORY:
                raise MemoryError from error
            raise UnusualError(str(error)) from error
        self.root = builder.close()
        self._rename()
        if self.truncated:
            _cut(self.root, MAX_ENTRIES)

    def _is_enough(self, root: Element | None) -> bool:
        """Tell whether the tree has more than MAX_ENTRIES entries. Raises UnusualError for too many elements."""
        if root is None:  # its start tag is not complete yet
            return False
        level, depth, elements = [root], 0, 0
        while level and depth < _DEPTH:
            depth += 1
            elements += len(level)
            level = [child for element in level for child in element]
        if level or elements > _ELEMENTS:
            raise UnusualError("too many elements")
        return elements > MAX_ENTRIES and sum(self._name(e.tag) in _ENTRIES for e in root.iter()) > MAX_ENTRIES

    def _rename(self) -> None:
        names = self._names
        for element in self.root.iter():
            element.tag = names.get(element.tag) or self._name(element.tag)
            if found := element.items():
                element.attrib = self._renamed(found)

    def _declared(self, prefix: str, uri: str) -> None:
        prefix, uri = prefix.lower(), uri.lower()
        self.namespaces.add(uri)
        known = NAMESPACES.get(uri)
        if "backend.userland.com/rss" in uri or (prefix in _PREFIXES and prefix and known != prefix):
            raise UnusualError(f"the prefix {prefix} stands for {uri}")
        if uri and uri.split() != [uri]:
            raise UnusualError(f"the namespace {uri} has spaces in it")
        if prefix and self._prefixes.setdefault(prefix, uri) != uri:
            raise UnusualError(f"the prefix {prefix} stands for two namespaces")
        # In a namespace that it does not know, feedparser names elements by the first prefix declared for it.
        if known is None and uri and self._unknown.setdefault(uri, prefix) != prefix:
            raise UnusualError(f"{uri} has two prefixes")

    def _name(self, tag: str) -> str:
        """Return feedparser's name for ElementTree's `{NAMESPACE}NAME`, or NAME when there is no namespace."""
        if (name := self._names.get(tag)) is not None:
            return name
        name = tag
        if tag[0] == "{":
            uri, name = _parts(tag)
            if uri in STRANGE:
                raise UnusualError(f"<{tag}>")
            if prefix := NAMESPACES[uri] if uri in NAMESPACES else self._unknown[uri]:
                name = f"{prefix}_{name}"
        name = self._names[tag] = name.lower()
        return name

    def _renamed(self, attributes: Collection[tuple[str, str]]) -> dict[str, str]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise UnusualError("too many attributes")
        found = {}
        for tag, value in attributes:
            name = self._attributes.get(tag) or self._attribute(tag)
            found[name] = value.lower() if name in {"rel", "type"} else value
        return found

    def _attribute(self, tag: str) -> str:
        name = tag
        if tag[0] == "{":
            uri, name = _parts(tag)
            prefix = NAMESPACES.get(uri)
            if prefix == "" or (prefix is None and name.lower() in _MEANT):
                raise UnusualError(f"the attribute {tag}")
            name = f"{prefix}:{name}"
        name = name.lower()
        if name in {"base", "xml:base"}:
            raise UnusualError("an element has its own base URL")
        self._attributes[tag] = name
        return name


class _Builder(TreeBuilder):
    """ElementTree's builder, which also calls `declared` for each declared namespace."""

    def __init__(self, declared: Callable[[str, str], None]) -> None:
        super().__init__()
        self.start_ns = declared


def elements_of(document: str) -> Element:
    """Parse any XML document that begins with its root, with ElementTree's own names (`{NAMESPACE}NAME`).

    Raises UnusualError when it is not well-formed XML.
    """
    if document.startswith(("<!", "<?")):
        raise UnusualError("something is before the root")
    parser = XMLParser()  # noqa: S314  # the attacks that the rule warns of need a DOCTYPE
    try:
        parser.feed(document)
        root: Element = parser.close()
    except (ParseError, UnicodeEncodeError) as error:
        if isinstance(error, ParseError) and error.code == _NO_MEMORY:
            raise MemoryError from error
        raise UnusualError(str(error)) from error
    return root


def text_of(element: Element) -> str:
    """Return the text of an element without children."""
    text = element.text
    return text.strip() if text else ""


def _parts(tag: str) -> tuple[str, str]:
    """Return the namespace, in lower case, and the name of `{NAMESPACE}NAME`."""
    uri, _, name = tag[1:].rpartition("}")
    return uri.lower(), name


def _cut(parent: Element, left: int) -> int:
    """Keep the first `left` entries of a tree, and remove everything from the next entry on.

    Returns how many more entries may follow; -1 when something was removed.
    """
    for at, child in enumerate(parent):
        is_entry = child.tag in _ENTRIES
        if is_entry and not left:
            del parent[at:]
        elif (left := _cut(child, left - is_entry)) < 0:
            del parent[at + 1 :]
        else:
            continue
        parent.text = None
        return -1
    return left
