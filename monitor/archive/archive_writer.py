"""What goes into the archive: batches of changes, each batch in one transaction with the offsets that it came from.

A change that was taken in before changes nothing, so a batch may come again after a crash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations

from monitor.archive.database import Archive
from monitor.archive.search import indexed_text, short_words
from monitor.records import Event

#: In a larger gathering not everybody is in contact with everybody.
MAX_PAIRED = 12
#: Statuses of a contact that took place.
HAPPENED = ("held", "ongoing", "past")


@dataclass(frozen=True)
class Kept:
    """Anything that is kept under a key: `sort` says what it is; an empty `body` removes it."""

    sort: str
    key: str
    body: bytes
    event_id: str = ""
    at: datetime | None = None


@dataclass
class Batch:
    """Changes in their order: events with their JSON, what is kept, and the offsets behind them."""

    events: list[tuple[Event, bytes]] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)


def micros(moment: datetime | None) -> int:
    """Microseconds since 1970; 0 for no time."""
    if moment is None:
        return 0
    return int((moment - _EPOCH).total_seconds() * 1_000_000)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SILENT = frozenset({"closed"})


def last_change(event: Event) -> datetime:
    """When the event last changed; that its time in the working state ended is no change."""
    times = [change.at for change in event.history if not change.changed.keys() <= _SILENT]
    return max((*times, *(t for t in (event.first_seen,) if t)), default=event.last_seen or _EPOCH)


def write(archive: Archive, batch: Batch) -> list[str]:
    """Take a batch in. Returns the ids of the events that a reader sees changed, what is kept on them included."""
    last: dict[str, tuple[Event, bytes]] = {}
    for event, body in batch.events:
        known = last.get(event.event_id)
        if known is None or event.revision >= known[0].revision:
            last[event.event_id] = event, body
    with archive.writing() as connection:
        seq = int((connection.execute("SELECT value FROM meta WHERE name = 'seq'").fetchone() or ("0",))[0])
        changed: dict[str, None] = {}
        for event, body in last.values():
            if _put_event(connection, event, body, seq + 1):
                seq += 1
                changed[event.event_id] = None
        for event_id in _put_kept(connection, batch.kept):
            if event_id and event_id not in changed:
                seq += 1
                touched = connection.execute("UPDATE events SET seq = ? WHERE id = ?", (seq, event_id))
                if touched.rowcount:
                    changed[event_id] = None
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('seq', ?)", (str(seq),))
        if batch.kept:
            connection.execute(_COUNT_KEPT)
        connection.executemany(
            "INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)",
            [(topic, part, after) for (topic, part), after in batch.offsets.items()],
        )
    return list(changed)


_COUNT_KEPT = """
INSERT INTO meta VALUES ('kept', '1') ON CONFLICT (name) DO UPDATE SET value = CAST(value AS INTEGER) + 1
"""


def _put_event(connection: sqlite3.Connection, event: Event, body: bytes, seq: int) -> bool:
    known = connection.execute(
        "SELECT n, revision, body FROM events JOIN bodies USING (n) WHERE id = ?", (event.event_id,)
    ).fetchone()
    if known and (known[1] > event.revision or known[2] == body):
        return False
    changed, first = micros(last_change(event)), micros(event.first_seen)
    seen = (event.first_seen or event.last_seen or _EPOCH).date()
    start, end = (event.when.start, event.when.end) if event.when else (seen, seen)
    row = (
        event.event_id, event.revision, seq, changed, first, start.isoformat(), end.isoformat(),
        event.when is not None, event.kind, event.medium, event.status,
        event.place.name if event.place else "", event.place.country if event.place else "",
        event.confidence, event.publishers, event.reports, len(event.confirmed_by), event.merged_into,
    )  # fmt: skip
    if known:
        n = int(known[0])
        for table in ("participants", "contacts"):
            connection.execute(f"DELETE FROM {table} WHERE n = ?", (n,))
        connection.execute(f"UPDATE events SET {_ASSIGNED} WHERE n = ?", (*row, n))
    else:
        n = int(connection.execute(f"INSERT INTO events ({_COLUMNS}) VALUES ({_MARKS})", row).lastrowid or 0)
    connection.execute("INSERT OR REPLACE INTO bodies VALUES (?, ?)", (n, body))
    _put_relations(connection, event, n, changed, start.isoformat())
    text = indexed_text(event) if event.merged_into is None else ""
    for table, words in (("words", text), ("shorts", short_words(text))):
        if known:
            connection.execute(f"DELETE FROM {table} WHERE rowid = ?", (n,))
        if words:
            connection.execute(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", (n, words))
    return True


_COLUMNS = (
    "id, revision, seq, changed, first, day, last_day, dated, kind, medium, status, place, country, confidence, "
    "publishers, reports, confirmed, merged_into"
)
_MARKS = ", ".join("?" for _ in _COLUMNS.split(", "))
_ASSIGNED = ", ".join(f"{name} = ?" for name in _COLUMNS.split(", "))


def _put_relations(connection: sqlite3.Connection, event: Event, n: int, changed: int, day: str) -> None:
    connection.executemany(
        "INSERT OR REPLACE INTO redirects VALUES (?, ?)",
        [(old, event.event_id) for old in event.redirects]
        + ([(event.event_id, event.merged_into)] if event.merged_into else []),
    )
    if event.merged_into:
        return
    connection.executemany(
        "INSERT OR REPLACE INTO participants VALUES (?, ?, ?, ?, ?)",
        [(p.leader, changed, n, p.country, p.name) for p in event.participants],
    )
    leaders = sorted({p.leader for p in event.participants})
    if event.status in HAPPENED and len(leaders) <= MAX_PAIRED:
        connection.executemany(
            "INSERT OR REPLACE INTO contacts VALUES (?, ?, ?, ?, ?, ?)",
            [(a, b, day, n, event.kind, event.medium) for a, b in combinations(leaders, 2)],
        )


def _put_kept(connection: sqlite3.Connection, kept: Iterable[Kept]) -> Iterable[str]:
    last: Mapping[tuple[str, str], Kept] = {(note.sort, note.key): note for note in kept}
    for (sort, key), note in last.items():
        known = connection.execute("SELECT body, event_id FROM kept WHERE sort = ? AND key = ?", (sort, key)).fetchone()
        if (known[0] if known else b"") == note.body:
            continue
        if note.body:
            connection.execute(
                "INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?, ?)",
                (sort, key, note.event_id, micros(note.at), note.body),
            )
        else:
            connection.execute("DELETE FROM kept WHERE sort = ? AND key = ?", (sort, key))
        yield note.event_id or (known[1] if known else "")
