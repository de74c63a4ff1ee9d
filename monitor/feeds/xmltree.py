"""A well-formed document as a small tree, under the names that feedparser gives its elements.

expat reads the document; what is left to Python is one object an element. The tree is for documents as nearly all
outlets write them: where feedparser would do something that can't be seen from the tree, UnusualError says so, and its
own readers have to do it (`xmlreader`).
"""

from __future__ import annotations

from xml.parsers import expat

from monitor.feeds.limits import MAX_ATTRIBUTES, MAX_ENTRIES

#: No feed that we read has elements as deep in each other, or as many: a tree of them takes 100 MB.
_DEPTH, _ELEMENTS = 24, 300_000
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


class Element:
    """An element: feedparser's name for it (`dc_creator`), its attributes, and its children or its text.

    Names of elements and attributes are in lower case, and so are the values of `rel` and `type`. The text is what
    stands after the last child.
    """

    __slots__ = ("attributes", "children", "name", "text")

    def __init__(self, name: str, attributes: dict[str, str]) -> None:
        self.name = name
        self.attributes = attributes
        self.children: list[Element] = []
        self.text = ""


class Tree:
    """A document's root, and whether it has more entries than are read; those and what follows them are not in it.

    `namespaces` are those that it declares, in lower case.
    Raises UnusualError for what is no well-formed XML, too much of it, or nothing that a feed has.
    """

    def __init__(self, document: str) -> None:
        self.truncated = False
        self.namespaces: set[str] = set()
        self._above = Element("", {})
        self._open = [self._above]
        self._pieces: list[str] = []
        self._entries = self._elements = 0
        self._names: dict[str, str] = {}
        self._prefixes: dict[str, str] = {}
        self._unknown: dict[str, str] = {}
        parser = expat.ParserCreate("utf-8", " ")
        parser.namespace_prefixes = True
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartNamespaceDeclHandler = self._declared
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._pieces.append
        try:
            parser.Parse(document.encode("utf-8"), True)
        except (expat.ExpatError, UnicodeEncodeError) as error:
            raise UnusualError(str(error)) from error
        except _EnoughEntriesError:
            self.truncated = True
        self.root = self._above.children[0]

    def _declared(self, prefix: str | None, uri: str | None) -> None:
        prefix, uri = (prefix or "").lower(), (uri or "").lower()
        self.namespaces.add(uri)
        known = NAMESPACES.get(uri)
        if "backend.userland.com/rss" in uri or (prefix in _PREFIXES and prefix and known != prefix):
            raise UnusualError(f"the prefix {prefix} stands for {uri}")
        if prefix and self._prefixes.setdefault(prefix, uri) != uri:
            raise UnusualError(f"the prefix {prefix} stands for two namespaces")
        # Of elements in a namespace that it does not know, feedparser goes by the first prefix for it.
        if known is None and uri and self._unknown.setdefault(uri, prefix) != prefix:
            raise UnusualError(f"{uri} has two prefixes")

    def _start(self, raw: str, attributes: dict[str, str]) -> None:
        name = self._names.get(raw) or self._name(raw)
        self._elements += 1
        if len(self._open) > _DEPTH or self._elements > _ELEMENTS:
            raise UnusualError("too many elements")
        element = Element(name, self._attributes(attributes) if attributes else attributes)
        if name in {"item", "entry"}:
            if self._entries >= MAX_ENTRIES:
                raise _EnoughEntriesError
            self._entries += 1
        self._open[-1].children.append(element)
        self._open.append(element)
        self._pieces.clear()

    def _end(self, _raw: str) -> None:
        pieces = self._pieces
        if pieces:
            self._open[-1].text = "".join(pieces).strip()
            pieces.clear()
        self._open.pop()

    def _name(self, raw: str) -> str:
        """Feedparser's name for an element that expat calls `NAMESPACE NAME PREFIX`, without what is not there."""
        parts = raw.split()
        if len(parts) == 1:
            name = raw
        elif len(parts) > 3 or (uri := parts[0].lower()) in STRANGE:
            raise UnusualError(f"<{raw}>")
        else:
            prefix = NAMESPACES.get(uri, "".join(parts[2:]))
            name = f"{prefix}_{parts[1]}" if prefix else parts[1]
        name = self._names[raw] = name.lower()
        return name

    @staticmethod
    def _attributes(attributes: dict[str, str]) -> dict[str, str]:
        if len(attributes) > MAX_ATTRIBUTES:
            raise UnusualError("too many attributes")
        found = {}
        for raw, value in attributes.items():
            name = raw
            if " " in raw:
                parts = raw.split()
                prefix = NAMESPACES.get(parts[0].lower())
                if len(parts) > 3 or prefix == "" or (prefix is None and parts[1].lower() in _MEANT):
                    raise UnusualError(f"the attribute {raw}")
                name = f"{prefix}:{parts[1]}"
            name = name.lower()
            if name in {"base", "xml:base"}:
                raise UnusualError("relative addresses with a base of their own")
            found[name] = value.lower() if name in {"rel", "type"} else value
        return found


def _refuse(*_: object) -> None:
    raise UnusualError("a DOCTYPE")  # it was cut; should one come by, nothing of it is expanded


class _EnoughEntriesError(Exception):
    """The limit of entries is reached."""
