"""Writes batches of changes to the archive, each in one transaction together with the offsets of its records.

A change that is already stored changes nothing, so a batch may be written again after a crash.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import combinations

import msgspec
import structlog

from monitor.archive.database import Archive
from monitor.archive.search import indexed_text, short_words
from monitor.records import Event

logger = structlog.get_logger()

#: In a larger gathering, not every pair of participants counts as in contact.
MAX_PAIRED = 12
#: Statuses of a contact that took place.
HAPPENED = ("held", "ongoing", "past")


@dataclass(frozen=True)
class KeptRecord:
    """A record that is kept under a key: `sort` says what it is; an empty `body` deletes it."""

    sort: str
    key: str
    body: bytes
    event_id: str = ""
    at: datetime | None = None


@dataclass
class Batch:
    """Changes in their order: events with their JSON, kept records, and the offsets after them."""

    events: list[tuple[Event, bytes]] = field(default_factory=list)
    kept: list[KeptRecord] = field(default_factory=list)
    offsets: dict[tuple[str, int], int] = field(default_factory=dict)


def micros(moment: datetime | None) -> int:
    """Return a time as microseconds since 1970, 0 for none."""
    return round(moment.timestamp() * 1_000_000) if moment else 0


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SILENT = frozenset({"closed"})


def last_change(event: Event) -> datetime:
    """Return when the event last changed; being closed does not count as a change."""
    times = [change.at for change in event.history if not change.changed.keys() <= _SILENT]
    return max((*times, *(t for t in (event.first_seen,) if t)), default=event.last_seen or _EPOCH)


def write(archive: Archive, batch: Batch) -> list[str]:
    """Store a batch. Returns the ids of the events that changed for a reader, including records kept with them.

    A record that does not fit the tables (a number of more than 64 bits) is skipped and logged, so that it can't block
    the others, now or after a restart. Raises sqlite3.OperationalError when the file can't be written.
    """
    try:
        return _take_in(archive, batch)
    except sqlite3.OperationalError:
        raise
    except Exception:  # noqa: BLE001  # any error that a record causes; the next lines find which record
        logger.warning("batch_not_archived", events=len(batch.events), kept=len(batch.kept))
    changed: list[str] = []
    singles = [Batch(events=[event]) for event in batch.events] + [Batch(kept=[note]) for note in batch.kept]
    for single in singles:
        try:
            changed += _take_in(archive, single)
        except sqlite3.OperationalError:
            raise
        except Exception:
            logger.exception("record_not_archived", ids=[event.event_id for event, _ in single.events])
    _take_in(archive, Batch(offsets=batch.offsets))
    return list(dict.fromkeys(changed))


def _take_in(archive: Archive, batch: Batch) -> list[str]:
    """Write a batch in one transaction; returns the same as `write`."""
    last: dict[str, tuple[Event, bytes]] = {}
    for event, body in batch.events:
        known = last.get(event.event_id)
        if known is None or event.revision >= known[0].revision:
            last[event.event_id] = event, body
    with archive.writing() as connection:
        seq = int((connection.execute("SELECT value FROM meta WHERE name = 'seq'").fetchone() or ("0",))[0])
        changed = dict.fromkeys(_put_events(connection, last, seq))
        seq += len(changed)
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


_COLUMNS = {
    "events": "n, id, revision, seq, changed, first, day, last_day, dated, kind, medium, status, place, country, "
    "confidence, publishers, reports, confirmed, merged_into",
    "bodies": "n, body",
    "redirects": "id, event_id",
    "participants": "leader, changed, n, country, name",
    "contacts": "a, b, day, n, kind, medium",
    "words": "rowid, text",
    "shorts": "rowid, text",
}
_SORTED = ("participants", "contacts")
_OF_EVENTS = (("participants", "n"), ("contacts", "n"), ("words", "rowid"), ("shorts", "rowid"))


@dataclass
class _Rows:
    """The rows of some events for each table, so that each table is written with one statement."""

    replaced: list[tuple[int]] = field(default_factory=list)
    rows: dict[str, list[tuple[object, ...]]] = field(default_factory=lambda: {name: [] for name in _COLUMNS})

    def add(self, event: Event, body: bytes, n: int, seq: int) -> None:
        """Add one event, as row `n`."""
        rows, changed = self.rows, micros(last_change(event))
        seen = (event.first_seen or event.last_seen or _EPOCH).date()
        start, end = event.when.span if event.when else (seen, seen)
        begin, counted = start.isoformat(), (event.when.day if event.when else seen).isoformat()
        rows["events"].append((
            n, event.event_id, event.revision, seq, changed, micros(event.first_seen),
            begin, begin if end == start else end.isoformat(), event.when is not None,
            event.kind, event.medium, event.status,
            event.place.name if event.place else "", event.place.country if event.place else "",
            event.confidence, event.publishers, event.reports, len(event.confirmed_by), event.merged_into,
        ))  # fmt: skip
        rows["bodies"].append((n, body))
        rows["redirects"] += [(old, event.event_id) for old in event.redirects]
        if event.merged_into is not None:
            rows["redirects"].append((event.event_id, event.merged_into))
            return
        rows["participants"] += [(p.leader, changed, n, p.country, p.name) for p in event.participants]
        leaders = sorted({p.leader for p in event.participants})
        if event.status in HAPPENED and len(leaders) <= MAX_PAIRED:
            rows["contacts"] += [(a, b, counted, n, event.kind, event.medium) for a, b in combinations(leaders, 2)]
        if text := indexed_text(event):
            rows["words"].append((n, text))
            if short := short_words(text):
                rows["shorts"].append((n, short))

    def put(self, connection: sqlite3.Connection) -> None:
        """Write the rows, after deleting those of earlier revisions."""
        if self.replaced:
            for table, key in _OF_EVENTS:
                connection.executemany(f"DELETE FROM {table} WHERE {key} = ?", self.replaced)
        for table, columns in _COLUMNS.items():
            # Sorted by key, neighbouring rows are written to the same page of the file.
            rows = sorted(self.rows[table]) if table in _SORTED else self.rows[table]
            marks = ", ".join("?" for _ in columns.split(", "))
            connection.executemany(f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})", rows)


_FIND = """
SELECT id, n, revision FROM events WHERE id IN (SELECT value FROM json_each(?))
"""


def _put_events(connection: sqlite3.Connection, given: Mapping[str, tuple[Event, bytes]], seq: int) -> list[str]:
    """Write the given events that are new, or newer than what is stored. Returns their ids."""
    if not given:
        return []
    found = connection.execute(_FIND, (msgspec.json.encode(list(given)).decode(),))
    known = {event_id: (n, revision) for event_id, n, revision in found}
    after = int(connection.execute("SELECT coalesce(max(n), 0) FROM events").fetchone()[0])
    rows, changed = _Rows(), list[str]()
    for event_id, (event, body) in given.items():
        n, revision = known.get(event_id, (0, -1))
        if revision > event.revision or (revision == event.revision and _same_body(connection, n, body)):
            continue
        if n:
            rows.replaced.append((n,))
        else:
            after += 1
            n = after
        changed.append(event_id)
        rows.add(event, body, n, seq + len(changed))
    rows.put(connection)
    return changed


def _same_body(connection: sqlite3.Connection, n: int, body: bytes) -> bool:
    return bool(connection.execute("SELECT body = ? FROM bodies WHERE n = ?", (body, n)).fetchone()[0])


def _put_kept(connection: sqlite3.Connection, kept: Iterable[KeptRecord]) -> Iterable[str]:
    last: Mapping[tuple[str, str], KeptRecord] = {(note.sort, note.key): note for note in kept}
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
