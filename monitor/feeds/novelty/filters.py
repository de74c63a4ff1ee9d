"""What a user keeps of a feed, and how its addresses are rewritten. Pure.

The patterns are the user's, the texts are anybody's, so each search has a time limit; a pattern that runs out of it
matches nothing.
"""

from __future__ import annotations

import msgspec
import regex

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.subscriptions.subscription import Filter, Subscription

#: Seconds for one pattern on one text; a sound one takes microseconds.
_TIME_LIMIT = 0.05
#: Characters of a text that are searched.
_LONGEST = 20_000


class Wanted:
    """The filters and rewriting rules of one subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._rewrite = [(regex.compile(rule.match), rule.to) for rule in subscription.url_rewrite]
        self._keep = [(rule, regex.compile(rule.match, regex.IGNORECASE)) for rule in subscription.keep]
        self._block = [(rule, regex.compile(rule.match, regex.IGNORECASE)) for rule in subscription.block]

    def accept(self, entry: Entry) -> Entry | None:
        """The entry with its address rewritten; None when a filter stops it."""
        entry = self._rewritten(entry)
        if self._keep and not any(_matches(rule, pattern, entry) for rule, pattern in self._keep):
            return None
        if any(_matches(rule, pattern, entry) for rule, pattern in self._block):
            return None
        return entry

    def _rewritten(self, entry: Entry) -> Entry:
        if not self._rewrite:
            return entry
        link = entry.link
        for pattern, replacement in self._rewrite:
            try:
                link = pattern.sub(replacement, link, timeout=_TIME_LIMIT)
            except (TimeoutError, IndexError, regex.error):
                continue  # too slow, or a reference to a group that took no part
        link = article_urls.absolute("", link) or entry.link
        return msgspec.structs.replace(entry, link=link, revision=b"") if link != entry.link else entry


def looks_into_texts(subscription: Subscription) -> bool:
    """Whether a subscription looks into the texts of entries, or makes other entries of them."""
    return bool(subscription.keep or subscription.block or subscription.url_rewrite)


def stripped(pattern: str, guid: str) -> str:
    """The guid without what the pattern finds in it."""
    if not pattern:
        return guid
    try:
        return regex.sub(pattern, "", guid, timeout=_TIME_LIMIT)
    except TimeoutError:
        return guid


def _matches(rule: Filter, pattern: regex.Pattern[str], entry: Entry) -> bool:
    for text in _texts(rule, entry):
        try:
            if pattern.search(text[:_LONGEST], timeout=_TIME_LIMIT):
                return True
        except TimeoutError:
            continue
    return False


def _texts(rule: Filter, entry: Entry) -> tuple[str, ...]:
    match rule.field:
        case "title":
            return (entry.title,)
        case "url":
            return (entry.link,)
        case "content":
            return (entry.summary, entry.content)
        case "author":
            return entry.authors
        case "tag":
            return entry.tags
