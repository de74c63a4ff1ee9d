"""Read and write lists of feeds as OPML (http://opml.org/spec2.opml), the format that feed readers exchange.

A row that can't be read is reported and left out; the other rows are read. Options for which OPML has no attribute are
written as attributes of our own XML namespace. Credentials are never written.
"""

from __future__ import annotations

import json
import re
import xml.parsers.expat
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec

from monitor.errors import ConfigError
from monitor.feeds.formats.fields import article_urls, encoding, html_text
from monitor.feeds.formats.xml import repair
from monitor.feeds.subscriptions import outlets
from monitor.feeds.subscriptions.options import OPTIONS, MistakeError, checked, feed_id, options_of
from monitor.feeds.subscriptions.subscription import Subscription

NAMESPACE = "urn:summitry:feed-options"
MAX_SIZE = 5 * 1024 * 1024
MAX_OUTLINES = 20_000
MAX_DEPTH = 10

#: Options that are neither written to the namespace nor read from it: secrets and references to them, options that a
#: list from a stranger must not set, and options for which OPML has an attribute.
_PRIVATE = frozenset(
    {"auth", "cookie", "headers", "proxy", "tls_verify", "allow_private_network", "ports",
     "url", "language", "categories", "title", "site", "notes"}
)  # fmt: skip
_OUTLINE = re.compile(r"<outline\b((?:[^<>\"']|\"[^\"]*\"|'[^']*')*)>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([\w:.-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")


class Problem(msgspec.Struct, frozen=True):
    """A row that was left out: its line in the file, and why."""

    line: int
    text: str


class Outline(msgspec.Struct, frozen=True):
    """The content of an OPML file: its feeds in order, and the rows that were left out."""

    feeds: tuple[Subscription, ...]
    problems: tuple[Problem, ...]


def read_opml(data: bytes) -> Outline:
    """Return the feeds of an OPML document, in any encoding, well formed or not.

    Raises ConfigError when it is too large or not OPML.
    """
    if len(data) > MAX_SIZE:
        raise ConfigError("OPML", "", f"has {len(data)} bytes, more than {MAX_SIZE}", "split it")
    text = encoding.decode(data).text
    document, _root = repair.strip_prolog(text)
    if "<outline" not in document.lower():
        raise ConfigError("OPML", "", "has no outlines", "give a file that a feed reader exported")
    skipped = text[: text.find(document[:200])].count("\n") if document else 0
    collector = _Collector(skipped)
    for attempt in (document, repair.mend(document)):
        collector = _Collector(skipped)
        try:
            collector.parse(attempt)
        except xml.parsers.expat.ExpatError:
            continue
        break
    else:
        collector = _Collector(skipped)
        collector.scan(document)
    return Outline(tuple(collector.feeds.values()), tuple(collector.problems))


class _Collector:
    """Collects feeds row by row. The titles of the enclosing outlines become categories."""

    def __init__(self, skipped: int) -> None:
        self.feeds: dict[str, Subscription] = {}
        self.problems: list[Problem] = []
        self._skipped = skipped
        self._stack: list[str] = []
        self._rows = 0
        self._titles: dict[str, int] = {}

    def parse(self, document: str) -> None:
        parser = xml.parsers.expat.ParserCreate("utf-8")

        def start(name: str, attributes: dict[str, str]) -> None:
            if name.lower() == "outline":
                self._row(attributes, parser.CurrentLineNumber + self._skipped)
                values = _lower(attributes)
                self._stack.append(values.get("title") or values.get("text") or "")

        def end(name: str) -> None:
            if name.lower() == "outline":
                self._stack.pop()

        parser.StartElementHandler, parser.EndElementHandler = start, end
        parser.Parse(document.encode("utf-8"), True)

    def scan(self, document: str) -> None:
        """Read the rows of a document that is not well-formed XML, one by one."""
        for match in _OUTLINE.finditer(document):
            found = {name: unescape(double or single) for name, double, single in _ATTRIBUTE.findall(match[1])}
            self._row(found, document.count("\n", 0, match.start()) + 1 + self._skipped)

    def _row(self, attributes: Mapping[str, str], line: int) -> None:
        self._rows += 1
        values = _lower(attributes)
        address = values.get("xmlurl", "").strip()
        if not address:
            if values.get("type", "").lower() in {"rss", "atom"}:
                self._problem(line, "a feed without xmlUrl")
            return
        if self._rows > MAX_OUTLINES:
            if self._rows == MAX_OUTLINES + 1:
                self._problem(line, f"rows after the first {MAX_OUTLINES} are left out")
            return
        if len(self._stack) > MAX_DEPTH:
            self._problem(line, f"nested over {MAX_DEPTH} deep")
            return
        key = article_urls.link_key(address)
        if key in self._titles:
            self._problem(line, f"the same feed as in line {self._titles[key]}")
            return
        try:
            feed = _feed(address, values, [title for title in self._stack if title])
        except (MistakeError, ValueError, RecursionError) as error:
            self._problem(line, str(error))
            return
        self._titles[key] = line
        self.feeds[feed.id] = feed

    def _problem(self, line: int, text: str) -> None:
        self.problems.append(Problem(line, html_text.cap(html_text.fold(text), 300)))


def _lower(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in attributes.items()}


def _feed(address: str, values: Mapping[str, str], around: list[str]) -> Subscription:
    options: dict[str, Any] = outlets.known_of(address)
    for name, value in values.items():
        prefix, _, option = name.partition(":")
        if prefix == "summitry" and option in OPTIONS and option not in _PRIVATE:
            options[option] = json.loads(value) if value.startswith(("[", "{")) else value
    title = next((t for key in ("title", "text", "htmlurl") if (t := html_text.plain(values.get(key, "")))), address)
    options["title"] = html_text.cap(title, 300)
    options.setdefault("outlet", options["title"])
    options["site"] = article_urls.canonical(values.get("htmlurl", ""))
    options["notes"] = html_text.cap(html_text.plain(values.get("description", "")), 1000)
    if language := values.get("language", "").strip():
        options["language"] = language
    paths = [part.strip("/") for part in values.get("category", "").split(",")]
    nearest = [html_text.plain(around[-1])] if around else []
    options["categories"] = list(dict.fromkeys(html_text.cap(c, 200) for c in (*nearest, *paths) if c))
    options.setdefault("id", feed_id(address))
    # Attributes are text, so numbers and booleans among the options are converted (`strict=False`).
    return checked(msgspec.convert({**options, "url": address}, Subscription, strict=False))


def write_opml(feeds: Iterable[Subscription], title: str = "Summitry feeds") -> str:
    """Write feeds as OPML 2.0, grouped by their first category, without credentials."""
    groups: dict[str, list[Subscription]] = {}
    for feed in feeds:
        groups.setdefault(feed.categories[0] if feed.categories else "", []).append(feed)
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<opml version="2.0" xmlns:summitry="{NAMESPACE}">',
        f"  <head><title>{_escaped(title)}</title></head>",
        "  <body>",
    ]
    for category, members in sorted(groups.items()):
        indent = "    "
        if category:
            lines.append(f"    <outline text={_quoted(category)} title={_quoted(category)}>")
            indent = "      "
        lines += [f"{indent}<outline {_attributes(feed)}/>" for feed in members]
        if category:
            lines.append("    </outline>")
    return "\n".join([*lines, "  </body>", "</opml>", ""])


def _attributes(feed: Subscription) -> str:
    name = feed.title or feed.outlet or feed.url
    attributes = {"type": "rss", "text": name, "title": name, "xmlUrl": feed.url}
    told = {"htmlUrl": feed.site, "description": feed.notes, "language": feed.language}
    attributes |= {attribute: value for attribute, value in told.items() if value}
    if len(feed.categories) > 1:
        attributes["category"] = ",".join(f"/{category}" for category in feed.categories[1:])
    for option, value in options_of(feed).items():
        if option not in _PRIVATE:
            attributes[f"summitry:{option}"] = value if isinstance(value, str) else json.dumps(value)
    return " ".join(f"{key}={_quoted(value)}" for key, value in attributes.items())


def _quoted(value: str) -> str:
    return quoteattr(html_text.clean_text(value), {"\n": "&#10;", "\t": "&#9;"})


def _escaped(value: str) -> str:
    return html_text.clean_text(value).replace("&", "&amp;").replace("<", "&lt;")
