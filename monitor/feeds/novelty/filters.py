"""Decide which entries of a feed its user wants, and rewrite their addresses. Pure.

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

    def refusal(self, entry: Entry) -> str:
        """Say which rule stops an entry, '' when none does."""
        if self._keep and not any(_matches(rule, pattern, entry) for rule, pattern in self._keep):
            return "no `keep` rule matches it"
        for rule, pattern in self._block:
            if _matches(rule, pattern, entry):
                return f"the `block` rule {rule.match!r} for its {rule.field} matches it"
        return ""

    def rewritten(self, entry: Entry) -> Entry:
        """Return the entry with its address rewritten."""
        if not self._rewrite:
            return entry
        link = entry.link
        for pattern, replacement in self._rewrite:
            try:
                link = pattern.sub(replacement, link, timeout=_TIME_LIMIT)
            except (TimeoutError, IndexError, regex.error):
                continue  # too slow, or a reference to a group that took no part
        link = article_urls.absolute("", link) or entry.link
        return msgspec.structs.replace(entry, link=link) if link != entry.link else entry


def stripped(pattern: str, guid: str) -> str:
    """Return the guid without what the pattern finds in it."""
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
