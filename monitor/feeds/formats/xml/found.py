"""The records that `wellformed` and `from_feedparser` fill with the elements of an RSS or Atom document.

Texts are as in the document. `adapter` decides which of them become the title, link or date of an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from monitor.feeds.formats.entries import Kind, Markup

#: Extension elements whose texts are kept apart (in `side`) and never replace an entry's own title or text. Of each
#: the first one is kept.
SIDE_TEXTS = frozenset((
    "media_title", "media_description", "itunes_title", "itunes_subtitle", "itunes_summary",
    "dc_title", "dc_description", "dc_date", "feedburner_origlink", "media_text", "dcterms_abstract",
    "googleplay_description", "yandex_full-text", "turbo_content", "date",
))  # fmt: skip


def is_permalink(said: str) -> bool:
    """Tell whether a guid is an address, as its `isPermaLink` says in whatever words."""
    return said.strip().lower() not in {"false", "0", "no"}


class FoundLink(NamedTuple):
    """A resolved link. `is_rss` means that the URL was the text of the element, as in RSS, not an attribute."""

    href: str
    rel: str = "alternate"
    type: str = "text/html"
    language: str = ""
    is_rss: bool = False


class FoundTag(NamedTuple):
    """A tag: its word, its vocabulary, and the label to show. At least one of them is set."""

    term: str | None = None
    scheme: str | None = None
    label: str | None = None


class FoundMedia(NamedTuple):
    """A picture, video or audio file; `width` is as the document writes it, '' for none."""

    url: str
    medium: str = ""
    type: str = ""
    width: str = ""


class CommonFields(msgspec.Struct, kw_only=True, gc=False):
    """The fields that feeds and entries have in common. `title` is None when the element is missing."""

    title: str | None = None
    title_kind: Kind = ""
    title_language: str = ""
    links: list[FoundLink] = []
    language: str = ""
    inherited_language: str | None = None
    side: dict[str, str] = {}


class FoundEntry(CommonFields, kw_only=True, gc=False):
    """One entry. `about` is RDF's `rdf:about`; `source` is title and URL of the feed that the entry was taken from.

    `guid`, `summary` and `source` are None when the element is missing.
    """

    base: str = ""
    about: str = ""
    guid: str | None = None
    is_permalink: bool = False
    summary: Markup | None = None
    contents: list[Markup] = []
    published: str = ""
    updated: str = ""
    created: str = ""
    authors: list[str] = []
    has_author_in_words: bool = False
    tags: list[FoundTag] = []
    media: list[FoundMedia] = []
    thumbnails: list[FoundMedia] = []
    podcast_image: str = ""
    credit: str = ""
    source: tuple[str, str] | None = None


class FoundChannel(CommonFields, kw_only=True, gc=False):
    """The feed itself. `version` begins with the format, such as `rss20`; `stumbled` names an element that is invalid.

    `says_nothing` means that the document contains nothing of a feed.
    """

    version: str = ""
    subtitle: str | None = None
    ttl: str = ""
    update_period: str = ""
    update_frequency: str = ""
    skip_hours: list[int] = []
    skip_days: list[str] = []
    truncated: bool = False
    stumbled: str = ""
    says_nothing: bool = False


class FoundDocument(NamedTuple):
    """The content of a document: the feed, and its entries in the reader's own form.

    `record` turns one of the entries into a FoundEntry; it may raise for a single bad entry. `suffix` is that of
    `ParsedFeed.mode`. `problem` says what was wrong, '' for nothing.
    """

    feed: FoundChannel
    entries: list[Any]
    record: Callable[[Any], FoundEntry]
    suffix: str = ""
    problem: str = ""
