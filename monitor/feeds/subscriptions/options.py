"""Turn the options of a feed, as users write them, into a checked `Subscription`, and back."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

import msgspec

from monitor.feeds.formats import entries
from monitor.feeds.formats.fields import article_urls, zone_names
from monitor.feeds.subscriptions.subscription import Subscription

OPTIONS = tuple(name for name in Subscription.__struct_fields__ if name != "schema")
_AT = re.compile(r"^(?P<problem>.*?)(?: - at `\$\.?(?P<key>.*)`)?$", re.DOTALL)
_CODE = re.compile(r"[A-Z]{2,4}")


class MistakeError(Exception):
    """A mistake in one feed of a list. The caller adds the file and the number of the row."""

    def __init__(self, key: str, problem: str, fix: str = "") -> None:
        super().__init__(problem)
        self.key, self.problem, self.fix = key, problem, fix


def subscription(row: object, known: Mapping[str, Subscription] | None = None) -> Subscription:
    """Read one row of a list. A row whose id is in `known` changes single options of that feed. Raises MistakeError."""
    if isinstance(row, str):
        row = {"url": row}
    if not isinstance(row, dict):
        raise MistakeError("", "is not a feed", "write `- url: https://...`")
    for key in row:
        if key not in OPTIONS:
            raise MistakeError(str(key)[:50], "is not an option of a feed", _nearest(str(key)))
    fields = dict(row)
    base = (known or {}).get(str(fields.get("id", "")))
    if base is not None:
        fields = {**options_of(base), **fields}
    url = fields.get("url")
    if not isinstance(url, str) or not url:
        raise MistakeError("url", "is missing", "write the address of the feed")
    try:
        fields.setdefault("id", feed_id(url))
        feed = msgspec.convert(fields, Subscription)
    except msgspec.ValidationError as error:
        match = _AT.match(str(error))
        assert match is not None  # noqa: S101  # the pattern matches everything
        raise MistakeError(match["key"] or "", match["problem"]) from error
    except ValueError as error:
        # urlsplit raises for some invalid URLs before `Subscription` checks the URL.
        raise MistakeError("url", f"is not an address: {error}") from error
    return checked(feed)


def checked(feed: Subscription) -> Subscription:
    """Return the subscription unchanged if its time zone, language and country codes are valid. Raises MistakeError."""
    if feed.timezone and not zone_names.known_zone(feed.timezone):
        raise MistakeError("timezone", f"{feed.timezone!r} is not a time zone", "write Asia/Tokyo or +09:00")
    if feed.language and not entries.tag(feed.language):
        raise MistakeError("language", f"{feed.language!r} is not a language tag", "write en, pt-br, zh")
    for name in ("country", "speaks_for"):
        value = getattr(feed, name)
        if value and not _CODE.fullmatch(value):
            raise MistakeError(
                name, f"{value!r} is not a country code", "write two capitals (ISO 3166), or UN, EU, NATO"
            )
    return feed


def _nearest(key: str) -> str:
    near = get_close_matches(key, OPTIONS, n=1)
    return f"did you mean `{near[0]}`?" if near else "see docs/feeds.md for all options"


def feed_id(url: str) -> str:
    """Make an id for a feed without one: its host and a hash of its URL, so the same URL always gets the same id."""
    host = re.sub(r"[^a-z0-9.-]", "-", (urlsplit(url).hostname or "feed").lower()).strip(".-")[:60] or "feed"
    return f"{host.removeprefix('www.')}-{hashlib.sha256(article_urls.link_key(url).encode()).hexdigest()[:8]}"


def options_of(feed: Subscription) -> dict[str, Any]:
    """Return the options of a subscription that differ from their defaults, as plain values."""
    plain = msgspec.to_builtins(feed)
    usual = msgspec.to_builtins(Subscription(id=feed.id, url=feed.url))
    return {name: plain[name] for name in OPTIONS if name in {"id", "url"} or plain[name] != usual[name]}
