"""Finds a feed document in the page that a browser has put around it.

Caches and proxies that ask with a browser, for servers that refuse everything else, answer with what the browser shows:
its own page with the document in it, as elements or as escaped text in a `pre` (FlareSolverr, Chromium's XML viewer).
"""

from __future__ import annotations

import html
import re

#: Such a page has little before the document: a style sheet, and what the viewer writes.
_HEAD = 20_000
_PAGE = re.compile(r"\s*(?:<!DOCTYPE[^<>]*>\s*)?<html\b", re.IGNORECASE)
_ELEMENTS = re.compile(r"<(rss\s[^<>]*version|feed\s[^<>]*xmlns|rdf:RDF\s)[^<>]*>(?=\s*<[A-Za-z])")
_TEXT = re.compile(
    r"<body[^<>]*>\s*<pre[^<>]*>\s*((?:&lt;\?xml|&lt;rss|&lt;feed|&lt;rdf:|\{)[^<]*)</pre>\s*(?:<div[^<>]*></div>\s*)?</body>",
    re.IGNORECASE,
)


def feed_within(text: str) -> str:
    """Return the feed document in a browser's page around it, "" where `text` is no such page."""
    if not _PAGE.match(text):
        return ""
    if match := _TEXT.search(text, 0):
        return html.unescape(match[1]).strip()
    if match := _ELEMENTS.search(text, 0, _HEAD):
        name = match[1].split()[0]
        end = text.rfind(f"</{name}>")
        return text[match.start() : end + len(name) + 3] if end > 0 else ""
    return ""
