"""Extract a feed document from the web page in which a browser shows it.

Some proxies, such as FlareSolverr, fetch feeds with a browser, because the server refuses other clients. They return
the page of the browser's XML viewer, which contains the feed as elements or as escaped text in a `pre`.
"""

from __future__ import annotations

import html
import re

#: The feed begins within this many characters: before it are only a style sheet and a note of the viewer.
_HEAD = 20_000
_PAGE = re.compile(r"\s*(?:<!DOCTYPE[^<>]*>\s*)?<html\b", re.IGNORECASE)
_ELEMENTS = re.compile(r"<(rss\s[^<>]*version|feed\s[^<>]*xmlns|rdf:RDF\s)[^<>]*>(?=\s*<[A-Za-z])")
_TEXT = re.compile(
    r"<body[^<>]*>\s*<pre[^<>]*>\s*((?:&lt;\?xml|&lt;rss|&lt;feed|&lt;rdf:|\{)[^<]*)</pre>\s*(?:<div[^<>]*></div>\s*)?</body>",
    re.IGNORECASE,
)


def feed_within(text: str) -> str:
    """Return the feed document inside a browser's page, "" when `text` is not such a page."""
    if not _PAGE.match(text):
        return ""
    if match := _TEXT.search(text, 0):
        return html.unescape(match[1]).strip()
    if match := _ELEMENTS.search(text, 0, _HEAD):
        name = match[1].split()[0]
        end = text.rfind(f"</{name}>")
        return text[match.start() : end + len(name) + 3] if end > 0 else ""
    return ""
