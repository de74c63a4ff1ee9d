"""Apply the `keep`, `block` and `url_rewrite` rules of a subscription to entries. Pure.

Patterns come from the user and texts from anybody, so each search has a time limit. A pattern that takes longer does
not match.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

import msgspec
import regex

from monitor.feeds.formats.document import Entry
from monitor.feeds.formats.fields import article_urls
from monitor.feeds.subscriptions.subscription import Filter, Subscription

T = TypeVar("T")

#: Seconds for one pattern on one text. A reasonable pattern takes microseconds.
_TIME_LIMIT = 0.05
#: Only this many characters of a text are searched.
_LONGEST = 20_000
#: A pattern that ran out of time this often is not tried again, so that one document does not hold up all others.
_GIVE_UP = 6


class Pattern:
    """A user's pattern for the texts of one document. `slow` becomes True when a search ran out of time."""

    def __init__(self, pattern: str, *, ignore_case: bool = False) -> None:
        self.text = pattern
        self._compiled = regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
        self._failures = 0
        self.slow = False

    def matches(self, text: str) -> bool:
        """Tell whether the pattern occurs in the text; False when that takes too long."""
        return bool(self._in_time(partial(self._compiled.search, text[:_LONGEST]), None))

    def replaced(self, text: str, replacement: str) -> str:
        """Return the text with each match replaced; the text as it is when that takes too long.

        Raises IndexError or regex.error when the replacement refers to a group that did not match.
        """
        return self._in_time(partial(self._compiled.sub, replacement, text), text)

    def _in_time(self, search: Callable[..., T], otherwise: T) -> T:
        """Search within the time limit, twice if need be: a busy machine may have done something else meanwhile."""
        for _ in range(2):
            if self._failures >= _GIVE_UP:
                break
            try:
                return search(timeout=_TIME_LIMIT)
            except TimeoutError:
                self._failures += 1
        self.slow = True
        return otherwise


class EntryRules:
    """The filters and rewriting rules of one subscription."""

    def __init__(self, subscription: Subscription) -> None:
        self._rewrite = [(Pattern(rule.match), rule.to) for rule in subscription.url_rewrite]
        self._keep = [(rule, Pattern(rule.match, ignore_case=True)) for rule in subscription.keep]
        self._block = [(rule, Pattern(rule.match, ignore_case=True)) for rule in subscription.block]

    def slow(self) -> tuple[str, ...]:
        """Return the patterns that ran out of time and so matched nothing, in order."""
        patterns = [pattern for pattern, _ in self._rewrite]
        patterns += [pattern for _, pattern in (*self._keep, *self._block)]
        return tuple(dict.fromkeys(pattern.text for pattern in patterns if pattern.slow))

    def refusal(self, entry: Entry) -> str:
        """Return a sentence on the rule that refuses the entry, '' when no rule does."""
        if self._keep and not any(_matches(rule, pattern, entry) for rule, pattern in self._keep):
            return "no `keep` rule matches it"
        for rule, pattern in self._block:
            if _matches(rule, pattern, entry):
                return f"the `block` rule {rule.match!r} for its {rule.field} matches it"
        return ""

    def rewritten(self, entry: Entry) -> Entry:
        """Return the entry with its link rewritten by the `url_rewrite` rules."""
        if not self._rewrite:
            return entry
        link = entry.link
        for pattern, replacement in self._rewrite:
            try:
                link = pattern.replaced(link, replacement)
            except (IndexError, regex.error):
                continue  # the replacement refers to a group that did not match
        link = article_urls.absolute("", link) or entry.link
        return msgspec.structs.replace(entry, link=link) if link != entry.link else entry


def _matches(rule: Filter, pattern: Pattern, entry: Entry) -> bool:
    return any(pattern.matches(text) for text in _texts(rule, entry))


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
