"""What every export shares: the items that go in, and what is known of the place they come from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from monitor.archive.archive_writer import last_change
from monitor.archive.headlines import headline_of
from monitor.records import Event

#: Characters that XML 1.0 does not allow, and direction marks that would turn the text around them.
_UNWANTED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True)
class ExportItem:
    """One event to be exported."""

    event: Event

    @property
    def headline(self) -> str:
        """The event in one line."""
        return headline_of(self.event)

    @property
    def changed(self) -> datetime:
        """When the event last changed, in UTC."""
        return last_change(self.event).astimezone(UTC)

    @property
    def created(self) -> datetime:
        """When the event was first reported, in UTC."""
        return (self.event.first_seen or self.changed).astimezone(UTC)


@dataclass(frozen=True)
class ExportOrigin:
    """Where the items come from: the board's address ('' without a board), and the addresses of this very document."""

    board: str = ""
    address: str = ""
    page: str = ""
    title: str = "Summitry"

    def event_url(self, event_id: str) -> str:
        """Return the address of an event's page; empty without a board."""
        return f"{self.board}/events/{event_id}" if self.board else ""


@dataclass(frozen=True)
class Format:
    """One export format. `write` turns items into pieces of bytes; `media_type` and `extension` name the result."""

    name: str
    media_type: str
    extension: str
    write: Callable[[Iterable[ExportItem], ExportOrigin], Iterator[bytes]]


def clean(text: str) -> str:
    """Return the text without control characters, lone surrogates and direction marks."""
    return _UNWANTED.sub("", text)


def web_address(url: str) -> str:
    """The address where it is one of the web (http, https), else nothing: `javascript:` and its like never get out."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return ""
    return url if good and not re.search(r"[\s<>\"'`\\{}|^]", url) and url == clean(url) and len(url) <= 2000 else ""
