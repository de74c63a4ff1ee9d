"""Contacts of pairs and leaders: who was in contact with whom, how often, and how long ago."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

from monitor.archive.archive_queries import EventQuery
from monitor.archive.archive_writer import HAPPENED
from monitor.archive.cursors import cursor_of, read_cursor
from monitor.archive.database import Archive
from monitor.archive.event_filters import EventFilters
from monitor.archive.search import LeaderNames

#: The length of "the last year" in days.
YEAR = 365


@dataclass(frozen=True)
class Pair:
    """Two leaders, the day of their last contact, and the number of their contacts within a year, by kind."""

    leaders: tuple[str, str]
    names: tuple[str, str]
    last: date
    total: int
    year: dict[str, int]

    @property
    def in_year(self) -> int:
        """Contacts within the year."""
        return sum(self.year.values())

    @property
    def cursor(self) -> str:
        """The cursor of the pairs after this one."""
        return cursor_of(self.last.isoformat(), self.total, *self.leaders)


@dataclass(frozen=True)
class Cadence:
    """How regularly two leaders are in contact: days between contacts. `median` is None for fewer than three."""

    contacts: int
    median: float | None
    longest: int
    since_last: int


@dataclass(frozen=True)
class LeaderRow:
    """One leader, the number of their events, and the day of their last held contact, if any."""

    leader: str
    name: str
    country: str
    events: int
    last: date | None

    @property
    def cursor(self) -> str:
        """The cursor of the leaders after this one."""
        return cursor_of(self.events, self.leader)


def pairs(  # noqa: PLR0917  # the same arguments as every list here, and the day from which a year is counted back
    archive: Archive, names: LeaderNames, selection: EventFilters, today: date, limit: int = 200, after: str = ""
) -> list[Pair]:
    """Return the pairs in contact in the selected events, most recent contact first; `after` is a cursor.

    If leaders are selected, only pairs with one of them: at a summit the other participants met each other too.
    """
    origin, condition, values = _contacts_of(selection, names)
    beyond, place = "1", list[object]()
    if after:
        last_day, contacts, *both = read_cursor(after, tuple[str, int, str, str])
        beyond = "last < ? OR (last = ? AND (total < ? OR (total = ? AND (c.a, c.b) > (?, ?))))"
        place = [last_day, last_day, contacts, contacts, *both]
    rows = archive.reader.execute(
        f"SELECT c.a, c.b, max(c.day) AS last, count(*) AS total FROM {origin} WHERE {condition} GROUP BY c.a, c.b "
        f"HAVING {beyond} ORDER BY last DESC, total DESC, c.a, c.b LIMIT ?",
        (*values, *place, limit),
    ).fetchall()
    written = names_of(archive, {leader for row in rows for leader in row[:2]})
    found = []
    for a, b, last, total in rows:
        kinds = archive.reader.execute(
            f"SELECT c.kind, count(*) FROM {origin} WHERE c.a = ? AND c.b = ? AND c.day > ? AND {condition} "
            "GROUP BY 1 ORDER BY 2 DESC",
            (a, b, (today - timedelta(days=YEAR)).isoformat(), *values),
        )
        year = {str(kind): int(number) for kind, number in kinds}
        found.append(Pair((a, b), (written[a], written[b]), date.fromisoformat(last), total, year))
    return found


def _contacts_of(selection: EventFilters, names: LeaderNames) -> tuple[str, str, tuple[object, ...]]:
    """The tables, the condition and its values for the contacts of the selected events."""
    condition, values = "1", list[object]()
    if selection.leader:
        marks = ", ".join("?" for _ in selection.leader)
        condition, values = f"(c.a IN ({marks}) OR c.b IN ({marks}))", [*selection.leader, *selection.leader]
    if not (others := selection.with_(leader=())):
        return "contacts AS c", condition, tuple(values)
    chosen = EventQuery.of(others, names)
    joined = "contacts AS c JOIN events AS e ON e.n = c.n"
    return joined, f"{condition} AND {chosen.condition}", (*values, *chosen.values)


def busiest(archive: Archive, today: date, limit: int) -> list[str]:
    """Return the leaders with the most contacts within a year before `today`."""
    rows = archive.reader.execute(
        "SELECT a, b FROM contacts WHERE day > ?", ((today - timedelta(days=YEAR)).isoformat(),)
    )
    counted = Counter(leader for row in rows for leader in row)
    return [leader for leader, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:limit]]


def matrix(archive: Archive, leaders: Iterable[str]) -> dict[tuple[str, str], tuple[date, int]]:
    """Return, for every two of some leaders (ids in order), the day of the last contact and the number of contacts."""
    ids = sorted(leaders)
    marks = ", ".join("?" for _ in ids)
    rows = archive.reader.execute(
        f"SELECT a, b, max(day), count(*) FROM contacts WHERE a IN ({marks}) AND b IN ({marks}) GROUP BY a, b",
        (*ids, *ids),
    )
    return {(a, b): (date.fromisoformat(day), number) for a, b, day, number in rows}


def cadence(archive: Archive, pair: tuple[str, str], today: date) -> Cadence | None:
    """Return the intervals of a pair's contacts, None if there are none. Contacts of one day count once."""
    rows = archive.reader.execute("SELECT DISTINCT day FROM contacts WHERE a = ? AND b = ? ORDER BY day", sorted(pair))
    days = [date.fromisoformat(row[0]) for row in rows]
    if not days:
        return None
    gaps = [(later - earlier).days for earlier, later in pairwise(days)]
    return Cadence(len(days), median(gaps) if len(gaps) > 1 else None, max(gaps, default=0), (today - days[-1]).days)


def by_month(archive: Archive, pair: tuple[str, str], today: date, months: int = 24) -> list[tuple[date, int]]:
    """Count the contacts of a pair in each of the last months, oldest first."""
    rows = archive.reader.execute(
        "SELECT substr(day, 1, 7), count(*) FROM contacts WHERE a = ? AND b = ? GROUP BY 1", sorted(pair)
    )
    counted = {str(month): int(number) for month, number in rows}
    found = []
    year, month = today.year, today.month
    for _ in range(months):
        found.append((date(year, month, 1), counted.get(f"{year:04}-{month:02}", 0)))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return found[::-1]


def leaders(
    archive: Archive, names: LeaderNames, selection: EventFilters, limit: int = 500, after: str = ""
) -> list[LeaderRow]:
    """Return the leaders who take part in the selected events, most frequent first; `after` is a cursor."""
    chosen = EventQuery.of(selection, names)
    beyond, place = "1", list[object]()
    if after:
        events, last_leader = read_cursor(after, tuple[int, str])
        beyond, place = "number < ? OR (number = ? AND p.leader > ?)", [events, events, last_leader]
    took_place = ", ".join(f"'{status}'" for status in HAPPENED)
    rows = archive.reader.execute(
        "SELECT p.leader, max(p.country), count(*) AS number, "
        f"max(CASE WHEN e.status IN ({took_place}) THEN e.day END) AS day, p.name "
        f"FROM participants AS p JOIN events AS e USING (n) WHERE {chosen.condition} GROUP BY p.leader "
        f"HAVING {beyond} ORDER BY number DESC, p.leader LIMIT ?",
        (*chosen.values, *place, limit),
    )
    return [
        LeaderRow(leader, name, country, number, date.fromisoformat(day) if day else None)
        for leader, country, number, day, name in rows
    ]


def names_of(archive: Archive, leaders: Iterable[str]) -> dict[str, str]:
    """Return leaders' names as the events have them; the id if no event has the leader."""
    ids = sorted(leaders)
    rows = archive.reader.execute(
        f"SELECT leader, max(name) FROM participants WHERE leader IN ({', '.join('?' for _ in ids)}) GROUP BY leader",
        ids,
    )
    return {leader: leader for leader in ids} | {leader: name for leader, name in rows if name}
