"""Parse a feed document of any format: `parse` turns its bytes into a `ParsedFeed`.

`parse` is pure and raises only FeedError (and MemoryError). It does not limit its own time and memory, so the poller
calls it through `monitor.feeds.sandbox.parser_pool`, which runs it in a guarded process.
"""

from __future__ import annotations

from typing import TypedDict

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats import jsonfeed
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.entries import FeedContext, tag
from monitor.feeds.formats.fields import encoding
from monitor.feeds.formats.fields.article_urls import absolute
from monitor.feeds.formats.page.feed_within import feed_within
from monitor.feeds.formats.xml import adapter

#: The largest document in bytes, unless its subscription allows more. The fetcher has the same limit.
MAX_DOCUMENT = 8 * 1024 * 1024


class ParseOptions(TypedDict, total=False):
    """Keyword arguments of `parse`, as they are sent to a parser process."""

    content_type: str
    url: str
    language: str
    country: str
    zone: str
    max_size: int


def parse(
    body: bytes,
    *,
    content_type: str = "",
    url: str = "",
    language: str = "",
    country: str = "",
    zone: str = "",
    with_html: bool = True,
    max_size: int = 0,
) -> ParsedFeed:
    """Read one feed document.

    `content_type` is the HTTP header and `url` the URL after redirects. `language` (BCP 47), `country` (ISO 3166) and
    `zone` (IANA name or offset) come from the subscription and are used where the document says nothing. Without
    `with_html` entries have no HTML, only text. `max_size` allows more bytes than MAX_DOCUMENT.
    Raises FeedError; its reason is `empty`, `too_large`, `html`, `not_a_feed`, `too_many_attributes`, `tag_too_large`,
    `too_deep`, `too_many_objects`, `truncated` or `parse_failed`.
    """
    if len(body) > max(MAX_DOCUMENT, max_size):
        raise FeedError(f"the document has {len(body)} bytes", reason="too_large")
    if not body.strip():
        raise FeedError("the document is empty", reason="empty")
    decoded = encoding.decode(body, content_type)
    text = decoded.text.lstrip("\ufeff \t\r\n\x00")
    text = feed_within(text) or text
    setting = FeedContext(url=absolute("", url), configured=tag(language), country=country, zone=zone,
                      with_html=with_html)  # fmt: skip
    try:
        parsed = jsonfeed.read(text, setting) if jsonfeed.is_json(text) else adapter.read(text, setting)
    except (FeedError, MemoryError):
        raise
    except Exception as error:  # three libraries parse hostile bytes here and may raise anything
        raise FeedError(f"the parser failed: {type(error).__name__}: {error}"[:300], reason="parse_failed") from error
    problem = "; ".join(part for part in (decoded.problem, parsed.problem) if part)
    return msgspec.structs.replace(parsed, encoding=decoded.encoding, problem=problem)
