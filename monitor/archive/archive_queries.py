"""Queries on the archive: pages of events by last change, one event, counts, places, and records kept with events.

Every function takes the archive and reads with the calling thread's own connection.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from monitor.archive.archive_writer import KeptRecord
from monitor.archive.cursors import cursor_of, read_cursor
from monitor.archive.database import Archive
from monitor.archive.event_filters import EventFilters
from monitor.archive.headlines import headline_of
from monitor.archive.search import LeaderNames
from monitor.records import Event, decode

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_PAGE = 500
_LONGEST = timedelta(days=370)


@dataclass(frozen=True)
class SearchResult:
    """One event, the time of its last change, and its number in the order of arrival."""

    event: Event
    changed: datetime
    seq: int

    @property
    def headline(self) -> str:
        """The event in one line."""
        return headline_of(self.event)


@dataclass(frozen=True)
class Page:
    """Some entries, and the cursor of the next page; the cursor is empty on the last page."""

    entries: tuple[SearchResult, ...]
    after: str = ""


@dataclass(frozen=True)
class EventQuery:
    """A selection as an SQL condition on `events AS e`, with its values."""

    condition: str
    values: tuple[object, ...]

    @classmethod
    def of(cls, selection: EventFilters, names: LeaderNames) -> EventQuery:
        """Turn the filters into a condition. It never matches merged events."""
        parts: list[str] = ["e.merged_into IS NULL"]
        values: list[object] = []

        def add(part: str, *more: object) -> None:
            parts.append(part)
            values.extend(more)

        def among(column: str, given: Sequence[str]) -> None:
            if given:
                add(f"{column} IN ({_marks(given)})", *given)

        for column in ("kind", "medium", "status"):
            among(f"e.{column}", getattr(selection, column))
        if selection.leader:
            add(f"e.n IN (SELECT n FROM participants WHERE leader IN ({_marks(selection.leader)}))", *selection.leader)
        if selection.country:
            add(
                f"e.n IN (SELECT n FROM participants WHERE country IN ({_marks(selection.country)}))",
                *selection.country,
            )
        if selection.pair:
            one = f"SELECT n FROM participants WHERE leader = ? INTERSECT {_WITH}"
            both = " OR ".join(f"e.n IN ({one})" for _ in selection.pair)
            add(f"({both})", *(leader for pair in selection.pair for leader in pair))
        if selection.confidence:
            add("e.confidence >= ?", selection.confidence)
        if selection.confirmed is not None:
            add("e.confirmed > 0" if selection.confirmed else "e.confirmed = 0")
        if selection.since:
            add("e.last_day >= ?", selection.since.isoformat())
        if selection.until:
            add("e.day <= ?", selection.until.isoformat())
        if selection.q:
            _add_words(parts, values, names, selection.q)
        return cls(" AND ".join(parts), tuple(values))


_WITH = "SELECT n FROM participants WHERE leader = ?"


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" for _ in values)


def _add_words(parts: list[str], values: list[object], names: LeaderNames, text: str) -> None:
    question = names.ask(text)
    if not question.leaders and not question.words:
        parts.append("e.n < 0")
        return
    for leaders in question.leaders:
        parts.append(f"e.n IN (SELECT n FROM participants WHERE leader IN ({_marks(tuple(leaders))}))")
        values.extend(sorted(leaders))
    for table, words in (("words", question.long_words), ("shorts", question.short_words)):
        if words:
            parts.append(f"e.n IN (SELECT rowid FROM {table} WHERE {table} MATCH ?)")
            values.append(words)


_ENTRY = "(SELECT body FROM bodies WHERE bodies.n = e.n) AS body, e.changed, e.seq, e.id"


def events(archive: Archive, names: LeaderNames, selection: EventFilters, *, after: str = "", limit: int = 50) -> Page:
    """Return the selected events, most recently changed first. Raises SelectionError for an invalid cursor."""
    chosen = EventQuery.of(selection, names)
    condition, values = chosen.condition, list(chosen.values)
    if after:
        condition += " AND (e.changed, e.id) < (?, ?)"
        values += read_cursor(after, tuple[int, str])
    limit = max(1, min(limit, MAX_PAGE))
    rows = archive.reader.execute(
        f"SELECT {_ENTRY} FROM events AS e INDEXED BY events_changed "
        f"WHERE {condition} ORDER BY e.changed DESC, e.id DESC LIMIT ?",
        (*values, limit + 1),
    ).fetchall()
    entries = tuple(_entry(row) for row in rows[:limit])
    more = cursor_of(rows[limit - 1]["changed"], rows[limit - 1]["id"]) if len(rows) > limit else ""
    return Page(entries, more)


def matching(archive: Archive, names: LeaderNames, selection: EventFilters, ids: Sequence[str]) -> list[SearchResult]:
    """Return those of the given events that match a selection, in the order of their changes."""
    if not ids:
        return []
    chosen = EventQuery.of(selection, names)
    rows = archive.reader.execute(
        f"SELECT {_ENTRY} FROM events AS e WHERE e.id IN ({_marks(ids)}) AND {chosen.condition} ORDER BY e.seq",
        (*ids, *chosen.values),
    )
    return [_entry(row) for row in rows]


def since(
    archive: Archive, names: LeaderNames, selection: EventFilters, seq: int, limit: int = MAX_PAGE
) -> list[SearchResult]:
    """Return the selected events that changed after number `seq`, in the order of their changes."""
    chosen = EventQuery.of(selection, names)
    rows = archive.reader.execute(
        f"SELECT {_ENTRY} FROM events AS e WHERE e.seq > ? AND {chosen.condition} ORDER BY e.seq LIMIT ?",
        (seq, *chosen.values, limit),
    )
    return [_entry(row) for row in rows]


def between(
    archive: Archive, names: LeaderNames, selection: EventFilters, days: tuple[date, date], limit: int = MAX_PAGE
) -> list[SearchResult]:
    """Return the selected events with a date that overlaps `days` (first and last), in the order of their days."""
    chosen = EventQuery.of(selection, names)
    # No event is longer than a year, so the index by last days need not be read to its end.
    bounds = (days[0].isoformat(), (days[1] + _LONGEST).isoformat(), days[1].isoformat())
    rows = archive.reader.execute(
        f"SELECT {_ENTRY} FROM events AS e INDEXED BY events_last_day WHERE e.last_day BETWEEN ? AND ? AND e.day <= ? "
        f"AND e.dated AND {chosen.condition} ORDER BY e.day, e.id LIMIT ?",
        (*bounds, *chosen.values, limit),
    )
    return [_entry(row) for row in rows]


def count(archive: Archive, names: LeaderNames, selection: EventFilters, most: int = 1000) -> int:
    """Return the number of selected events; `most` means that many or more."""
    chosen = EventQuery.of(selection, names)
    row = archive.reader.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM events AS e WHERE {chosen.condition} LIMIT ?)",
        (*chosen.values, most),
    ).fetchone()
    return int(row[0])


def event(archive: Archive, event_id: str) -> SearchResult | None:
    """Return one event, None if it is unknown; for a merged event its own last revision."""
    row = archive.reader.execute(f"SELECT {_ENTRY} FROM events AS e WHERE id = ?", (event_id,)).fetchone()
    return _entry(row) if row else None


def redirect(archive: Archive, event_id: str) -> str:
    """Return the id of the event that this one was merged into; empty if it was not merged."""
    found, seen = event_id, set[str]()
    while found not in seen:
        seen.add(found)
        row = archive.reader.execute("SELECT event_id FROM redirects WHERE id = ?", (found,)).fetchone()
        if row is None:
            break
        found = str(row[0])
    return "" if found == event_id else found


def resolve(archive: Archive, event_id: str) -> tuple[str, SearchResult | None]:
    """Return the id of the event that this one was merged into, or else the event itself."""
    other = redirect(archive, event_id)
    return other, None if other else event(archive, event_id)


def kept(archive: Archive, sort: str, *, event_id: str = "", newest: int = 0) -> list[KeptRecord]:
    """Return the kept records of one sort by key; optionally only those of one event, or only the newest."""
    condition, values = "sort = ?", [sort]
    if event_id:
        condition += " AND event_id = ?"
        values.append(event_id)
    order = f"at DESC, key LIMIT {newest}" if newest else "key"
    rows = archive.reader.execute(f"SELECT * FROM kept WHERE {condition} ORDER BY {order}", values)
    return [KeptRecord(row["sort"], row["key"], row["body"], row["event_id"], _moment(row["at"])) for row in rows]


def counts(archive: Archive, names: LeaderNames, selection: EventFilters) -> dict[str, dict[str, int]]:
    """Return the number of selected events by kind, medium and status, and of all kept records by sort."""
    chosen, found = EventQuery.of(selection, names), dict[str, dict[str, int]]()
    for column in ("kind", "medium", "status"):
        rows = archive.reader.execute(
            f"SELECT e.{column}, count(*) FROM events AS e WHERE {chosen.condition} GROUP BY 1 ORDER BY 2 DESC",
            chosen.values,
        )
        found[column] = {str(value): int(number) for value, number in rows}
    rows = archive.reader.execute("SELECT sort, count(*) FROM kept GROUP BY 1")
    found["kept"] = {str(sort): int(number) for sort, number in rows}
    return found


def countries(archive: Archive) -> list[tuple[str, int]]:
    """Return the states and bodies of all participants with the number of participations, most frequent first."""
    rows = archive.reader.execute(
        "SELECT country, count(DISTINCT n) FROM participants WHERE country != '' GROUP BY 1 ORDER BY 2 DESC, 1"
    )
    return [(str(code), int(number)) for code, number in rows]


def _entry(row: sqlite3.Row) -> SearchResult:
    return SearchResult(decode(Event, row["body"]), _moment(row["changed"]), row["seq"])


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=micros)
