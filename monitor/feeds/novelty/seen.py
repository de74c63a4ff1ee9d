"""What one feed has published, by the names of its entries, and how it lies in segments on the compacted topic.

A segment holds the entries first seen in one week, so that of many thousands only those records are written again that
changed. Entries stay packed until one is asked for, and a segment in which nothing changed is not put together again.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, KeysView, Mapping
from typing import NamedTuple, Self

#: How many days an entry that left its feed is remembered (D4: longer than any outlet's re-posting habits).
KEEP_DAYS = 90
#: Names under which entries of one feed are remembered at most. Most entries have two (`names`), so these are ten of
#: the longest documents that are read (X2).
MAX_SEEN = 40_000

_ROW = struct.Struct(">6sBI")  # revision hash, revision number, day first seen
_DAY = struct.Struct(">I")
_NAMED_ROW = struct.Struct(f"8s{_ROW.size}s")
#: What one remembered name takes.
ENTRY_BYTES = _NAMED_ROW.size

#: Week since 1970 -> the packed entries first seen in it: what a poller keeps in memory for each feed.
Segments = Mapping[int, bytes]


class SeenEntry(NamedTuple):
    """An entry that was published: the hash of its words (`revision`), its revision number, and its day.

    That is when it was first seen, in days since 1970-01-01 UTC.
    """

    revision: bytes
    n: int
    day: int


class Seen:
    """Names of entries (8 bytes each) and what was published under them, read from `segments`.

    A segment that was cut loses only its last entry.
    """

    def __init__(self, segments: Segments | None = None) -> None:
        self._segments = segments or {}
        self._rows: dict[bytes, bytes] = {}
        #: Weeks whose segments are no longer what they were.
        self._touched: set[int] = set()
        for packed in self._segments.values():
            whole = len(packed) - len(packed) % ENTRY_BYTES
            self._rows.update(_NAMED_ROW.iter_unpack(packed[:whole]))
        if sum(map(len, self._segments.values())) != len(self._rows) * ENTRY_BYTES:
            self._touched.update(self._segments)  # cut, or a name in two of them: each is written anew

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def names(self) -> KeysView[bytes]:
        """All names under which something was published."""
        return self._rows.keys()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Seen) and self._rows == other._rows

    __hash__ = None  # type: ignore[assignment]  # it changes

    def get(self, name: bytes) -> SeenEntry | None:
        """What was published under a name."""
        row = self._rows.get(name)
        return None if row is None else SeenEntry(*_ROW.unpack(row))

    def says(self, names: tuple[bytes, ...], revision: bytes) -> bool:
        """Whether the same was published under all of the names, and that with the given hash.

        It is what `get` would tell, for the many entries of which nothing else needs to be known.
        """
        row = self._rows.get(names[0])
        return row is not None and row.startswith(revision) and (len(names) == 1 or self._rows.get(names[1]) == row)

    def put(self, names: Iterable[bytes], entry: SeenEntry) -> None:
        """Remember an entry under each of its names."""
        row = _ROW.pack(entry.revision, min(entry.n, 255), entry.day)
        for name in names:
            before = self._rows.get(name, row)
            self._rows[name] = row
            if before is not row and before != row:
                self._touched.add(_day(before) // 7)
        self._touched.add(entry.day // 7)

    def copy(self) -> Self:
        """Another one with the same entries."""
        other = self.__class__()
        other._segments, other._rows = self._segments, dict(self._rows)  # noqa: SLF001  # it is one of these, too
        other._touched = set(self._touched)  # noqa: SLF001
        return other

    def prune(self, current: Collection[bytes], today: int) -> None:
        """Forget entries first seen over KEEP_DAYS ago that left the document, but remember ten times its length (D4).

        `current` holds the names of the document just read, `today` is in days since 1970. Entries of the document that
        are past KEEP_DAYS count as first seen today from now on, so that the segment of their week can go.
        """
        oldest = today - KEEP_DAYS
        if len(self) <= MAX_SEEN and all(week * 7 >= oldest for week in self._segments.keys() | self._touched):
            return
        days = {name: _day(row) for name, row in self._rows.items()}
        window = set(current)
        for name in window:
            if days.get(name, oldest) < oldest and (entry := self.get(name)) is not None:
                self.put((name,), entry._replace(day=today))
        gone = sorted((day, name) for name, day in days.items() if name not in window)
        expired = sum(day < oldest for day, _ in gone)
        for _, name in gone[: max(min(expired, len(self) - 10 * len(window)), len(self) - MAX_SEEN, 0)]:
            self._touched.add(_day(self._rows.pop(name)) // 7)

    def segments(self) -> dict[int, bytes]:
        """All entries by week, in a fixed order, so that equal contents are equal bytes."""
        weeks: dict[int, list[bytes]] = {week: [] for week in self._touched}
        of_day = {_DAY.pack(7 * week + day): rows for week, rows in weeks.items() for day in range(7)}
        for name, row in self._rows.items() if weeks else ():
            if (rows := of_day.get(row[-_DAY.size :])) is not None:
                rows.append(name + row)
        kept = {week: packed for week, packed in self._segments.items() if week not in self._touched}
        return kept | {week: b"".join(sorted(rows)) for week, rows in weeks.items() if rows}


def _day(row: bytes) -> int:
    (day,) = _DAY.unpack_from(row, len(row) - _DAY.size)
    return int(day)
