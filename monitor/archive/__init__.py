"""The board's searchable copy of all events: one SQLite file, queries on it, and exports.

`Archive` is the file, and `write` stores batches of changes in it. `archive_queries` and `pair_contacts` answer
queries, `EventFilters` holds the filters that all of them share, and `exports` converts events to other formats.
"""

from __future__ import annotations

from monitor.archive.archive_queries import Page, SearchResult
from monitor.archive.archive_writer import Batch, KeptRecord, write
from monitor.archive.database import Archive
from monitor.archive.event_filters import EventFilters, SelectionError
from monitor.archive.search import LeaderNames

__all__ = [
    "Archive",
    "Batch",
    "EventFilters",
    "KeptRecord",
    "LeaderNames",
    "Page",
    "SearchResult",
    "SelectionError",
    "write",
]
