"""A well-formed document as a tree, under the names that feedparser gives its elements.

ElementTree's C code reads the document and builds the tree; what is left to Python is a name for each element. The tree
is for documents as nearly all outlets write them: where feedparser would do something that can't be seen from the tree,
UnusualError says so, and feedparser has to read the document (`feedparser_driver`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser
from xml.parsers.expat import errors

from monitor.feeds.formats.limits import MAX_ATTRIBUTES, MAX_ENTRIES

#: No feed that we read has elements as deep in each other, or as many: a tree of them takes tens of MB.
_DEPTH, _ELEMENTS = 24, 300_000
#: Characters after which the limits are looked at first, then after twice as many, and so on, as the whole tree is
#: looked at: they hold fewer elements than it may have, and most documents.
_PIECE = 1 << 18
_NO_MEMORY = errors.codes[errors.XML_ERROR_NO_MEMORY]
_ENTRIES = frozenset({"item", "entry"})
#: Namespace in lower case -> feedparser's prefix for it; those of feeds themselves have none (`feedparser.mixin`).
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
#: Namespaces for whose elements feedparser has rules of its own that are not followed here.
STRANGE = frozenset({
    "http://example.com/newformat#", "http://example.com/necho", "http://purl.org/echo/", "uri/of/echo/namespace#",
    "http://purl.org/pie/", "http://purl.org/rss/1.0/modules/rss091#", "http://creativecommons.org/ns#license",
    "http://web.resource.org/cc/", "http://cyber.law.harvard.edu/rss/creativecommonsrssmodule.html",
    "http://backend.userland.com/creativecommonsrssmodule", "http://backend.userland.com/rss",
    "http://www.opengis.net/gml", "http://example.com/dtds/podcast-1.0.dtd", "http://podlove.org/simple-chapters",
    "http://www.w3.org/1999/xhtml", "http://www.w3.org/1999/xlink",
})  # fmt: skip
#: Prefixes by which feedparser knows elements, whatever their namespace.
_PREFIXES = frozenset(NAMESPACES.values()) | {"cc", "creativecommons", "gml", "psc", "xhtml", "side", "own"}
#: Attributes that mean something, so that one of another namespace with the same name would be taken for it.
_MEANT = frozenset({"base", "lang", "url", "uri", "href", "rel", "type", "term", "label", "scheme", "domain", "text",
                    "ispermalink", "mode", "src", "lastmod", "medium", "width"})  # fmt: skip


class UnusualError(Exception):
    """Something that feedparser has to read."""


class Tree:
    """A document's root, and whether it has more entries than are read; those and what follows them are not in it.

    The document begins with its root. Names of elements and attributes are feedparser's (`dc_creator`, `xml:lang`), in
    lower case, and so are the values of `rel` and `type`. `namespaces` are those that it declares, in lower case.
    Raises UnusualError for what is no well-formed XML, too much of it, or nothing that a feed has.
    """

    def __init__(self, document: str) -> None:
        if document.startswith(("<!", "<?")):
            # A DOCTYPE can stand nowhere else (XML 1.0, production 22). It was cut; should one come by, nothing of it
            # is expanded.
            raise UnusualError("something stands before the root")
        self.truncated = False
        self.namespaces: set[str] = set()
        self._names: dict[str, str] = {}
        self._attributes: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._unknown: dict[str, str] = {}
        builder = _Builder(self._declared)
        parser = XMLParser(target=builder)  # noqa: S314  # what that rule fears is in the DOCTYPE
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
        """Whether there are more entries in the tree than are read. Raises UnusualError for too many elements."""
        if root is None:  # its tag has not ended
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
        # Of elements in a namespace that it does not know, feedparser goes by the first prefix for it.
        if known is None and uri and self._unknown.setdefault(uri, prefix) != prefix:
            raise UnusualError(f"{uri} has two prefixes")

    def _name(self, tag: str) -> str:
        """Feedparser's name for an element that ElementTree calls `{NAMESPACE}NAME`, or NAME where there is none."""
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
            raise UnusualError("relative addresses with a base of their own")
        self._attributes[tag] = name
        return name


class _Builder(TreeBuilder):
    """ElementTree's, which tells of each namespace that is declared."""

    def __init__(self, declared: Callable[[str, str], None]) -> None:
        super().__init__()
        self.start_ns = declared


def elements_of(document: str) -> Element:
    """Read a document that begins with its root, whatever it is, under the names that ElementTree gives.

    Raises UnusualError for what is no XML, or nests its elements too deep.
    """
    if document.startswith(("<!", "<?")):
        raise UnusualError("something stands before the root")
    parser = XMLParser()  # noqa: S314  # what that rule fears is in the DOCTYPE
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
    """The namespace, in lower case, and the name of `{NAMESPACE}NAME`."""
    uri, _, name = tag[1:].rpartition("}")
    return uri.lower(), name


def _cut(parent: Element, left: int) -> int:
    """Take the entries beyond so many and what follows them from a tree; how many more may come, -1 after a cut."""
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
