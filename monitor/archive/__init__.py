"""Events as they can be searched: the board's read model in one SQLite file, questions to it, and exports.

`Archive` is the file. `write` takes batches of changes in, `archive_queries` and `pair_contacts` answer questions,
`NamedParticipants` is the filters that all of them share, `exports` turns events into other programs' formats.
"""

from __future__ import annotations

from monitor.archive.archive_queries import Page, SearchResult
from monitor.archive.archive_writer import Batch, Kept, write
from monitor.archive.database import Archive
from monitor.archive.narrowing import NamedParticipants, SelectionError
from monitor.archive.search import LeaderNames

__all__ = [
    "Archive",
    "Batch",
    "Kept",
    "LeaderNames",
    "NamedParticipants",
    "Page",
    "SearchResult",
    "SelectionError",
    "write",
]
