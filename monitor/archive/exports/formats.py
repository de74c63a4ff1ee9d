"""What all exports share: the exported items, and the addresses of their source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor.archive.archive_writer import last_change
from monitor.archive.headlines import headline_of
from monitor.records import Event


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
    """The source of the items: the board's address ('' without a board), and the addresses of this document."""

    board: str = ""
    address: str = ""
    page: str = ""
    title: str = "Summitry"

    def event_url(self, event_id: str) -> str:
        """Return the address of an event's page; empty without a board."""
        return f"{self.board}/events/{event_id}" if self.board else ""


@dataclass(frozen=True)
class Format:
    """One export format. `write` turns items into chunks of bytes; `media_type` and `extension` name the result."""

    name: str
    media_type: str
    extension: str
    write: Callable[[Iterable[ExportItem], ExportOrigin], Iterator[bytes]]
