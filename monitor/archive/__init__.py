"""Events as they can be searched: the board's read model in one SQLite file, questions to it, and exports.

`Archive` is the file. `write` takes batches of changes in, `reading` and `contacts` answer questions, `Selection` is
the filters that all of them share, `exports` turns events into other programs' formats.
"""

from __future__ import annotations

from monitor.archive.database import Archive
from monitor.archive.narrowing import Selection, SelectionError
from monitor.archive.reading import Found, Page
from monitor.archive.search import Names
from monitor.archive.writing import Batch, Kept, write

__all__ = ["Archive", "Batch", "Found", "Kept", "Names", "Page", "Selection", "SelectionError", "write"]
