"""The archive's SQLite file: its tables, and connections to it.

The file may be deleted at any time, because it is filled again from the topics. So there are no migrations: a file with
another `FORM`, or one filled from other topics (`origin`), is deleted and filled again.

One connection writes, and each reading thread has its own. SQLite's write-ahead log lets them work at the same time. A
process that is killed during a write finds the state after the last complete write (https://www.sqlite.org/wal.html).
"""

from __future__ import annotations

import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from monitor.errors import StateError

#: Increase it with each change of the tables or of the stored form.
FORM = "4"

#: Size of SQLite's cache for each connection, as negative kibibytes.
_CACHE = -16_000
#: Pages of 4 KiB in the write-ahead log before they are moved to the file: a rebuild writes most pages several times.
_LOGGED = 8000
_SUFFIXES = ("", "-wal", "-shm")

_TABLES = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE offsets (topic TEXT, part INTEGER, next INTEGER NOT NULL, PRIMARY KEY (topic, part)) WITHOUT ROWID;

-- One row an event. `seq` grows with each change, `changed` and `first` are microseconds since 1970, days are ISO
-- dates. The event itself, as JSON, lies in a table of its own, so that walking over many rows reads few pages.
CREATE TABLE events (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, revision INTEGER NOT NULL, seq INTEGER NOT NULL,
    changed INTEGER NOT NULL, first INTEGER NOT NULL, day TEXT NOT NULL, last_day TEXT NOT NULL, dated INTEGER NOT NULL,
    kind TEXT NOT NULL, medium TEXT NOT NULL, status TEXT NOT NULL, place TEXT NOT NULL, country TEXT NOT NULL,
    confidence REAL NOT NULL, publishers INTEGER NOT NULL, reports INTEGER NOT NULL, confirmed INTEGER NOT NULL,
    merged_into TEXT
);
CREATE TABLE bodies (n INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE INDEX events_changed ON events (changed DESC, id DESC) WHERE merged_into IS NULL;
CREATE INDEX events_last_day ON events (last_day, day) WHERE merged_into IS NULL;
CREATE INDEX events_status ON events (status, changed DESC) WHERE merged_into IS NULL;
CREATE INDEX events_seq ON events (seq);
CREATE TABLE redirects (id TEXT PRIMARY KEY, event_id TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE participants (
    leader TEXT, changed INTEGER, n INTEGER, country TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (leader, changed, n)
) WITHOUT ROWID;
CREATE INDEX participants_event ON participants (n);
CREATE INDEX participants_country ON participants (country, n);
-- Contacts that took place, by pair of leaders; a < b.
CREATE TABLE contacts (
    a TEXT, b TEXT, day TEXT, n INTEGER, kind TEXT NOT NULL, medium TEXT NOT NULL, PRIMARY KEY (a, b, day, n)
) WITHOUT ROWID;
CREATE INDEX contacts_event ON contacts (n);
CREATE INDEX contacts_day ON contacts (day);

-- Everything else that is kept by key: deliveries, acknowledgements, silences, feedback, feeds, dead letters.
CREATE TABLE kept (
    sort TEXT, key TEXT, event_id TEXT NOT NULL, at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (sort, key)
) WITHOUT ROWID;
CREATE INDEX kept_event ON kept (event_id, sort);

-- Words of three letters and more by their trigrams, which need no spaces between words; shorter ones, and pairs of
-- letters of scripts without spaces, as whole words.
CREATE VIRTUAL TABLE words USING fts5(text, tokenize = 'trigram', columnsize = 0);
CREATE VIRTUAL TABLE shorts USING fts5(text, tokenize = 'unicode61 remove_diacritics 0', detail = none, columnsize = 0);
"""


class Archive:
    """One archive file. `identity` is new each time the file is created."""

    def __init__(self, path: Path, origin: str) -> None:
        """Open the file at `path`, or create it. Raises StateError when that is not possible."""
        self.path, self.origin = path, origin
        self._local = threading.local()
        self._readers: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.writer = self._open()
        except (sqlite3.Error, OSError) as error:
            raise StateError(f"the archive {path} can't be opened: {error}") from error
        self.identity = self.meta("identity")

    @classmethod
    def existing(cls, path: Path) -> Archive:
        """Open a board's file, whatever topics it was filled from. Raises StateError when it is not an archive."""
        try:
            with contextlib.closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as look:
                found = dict(look.execute("SELECT name, value FROM meta").fetchall())
        except sqlite3.Error as error:
            raise StateError(f"{path} is not an archive: {error}") from error
        if found.get("form") != FORM:
            raise StateError(f"{path} was made by another version; start its board to make it again")
        return cls(path, found["origin"])

    def _open(self) -> sqlite3.Connection:
        for _ in range(2):
            connection = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
            try:
                if self._fits(connection):
                    return connection
            except sqlite3.DatabaseError:
                pass
            connection.close()
            _remove(self.path)
        raise StateError(f"the archive {self.path} can't be created")

    def _fits(self, connection: sqlite3.Connection) -> bool:
        """Prepare the connection, and the tables of an empty file. False if the file has another form or origin."""
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA cache_size = {_CACHE}")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOGGED}")
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            connection.executescript(f"BEGIN; {_TABLES}")
            values = {"form": FORM, "origin": self.origin, "identity": secrets.token_hex(8)}
            connection.executemany("INSERT INTO meta VALUES (?, ?)", values.items())
            connection.execute("COMMIT")
        found = dict(connection.execute("SELECT name, value FROM meta WHERE name IN ('form', 'origin')").fetchall())
        return found == {"form": FORM, "origin": self.origin}

    def start_anew(self) -> None:
        """Delete everything except the secret, and start with an empty file. Current readers finish on the old one."""
        secret = self.meta("secret")
        # Nobody may open the file between its removal and the creation of its tables.
        with self._guard:
            self.writer.close()
            _remove(self.path)
            self.writer = self._open()
            self.identity = self.meta("identity")
            self._local, self._readers = threading.local(), []
        if secret:
            self.set_meta("secret", secret)

    def close(self) -> None:
        """Close all connections."""
        with self._guard:
            for reader in self._readers:
                reader.close()
            self._readers.clear()
        self.writer.close()

    @property
    def reader(self) -> sqlite3.Connection:
        """The calling thread's read-only connection."""
        found: sqlite3.Connection | None = getattr(self._local, "reader", None)
        if found is None:
            with self._guard:
                found = sqlite3.connect(self.path, check_same_thread=False, isolation_level=None)
                found.execute(f"PRAGMA cache_size = {_CACHE}")
                found.execute("PRAGMA query_only = ON")
                found.row_factory = sqlite3.Row
                self._local.reader = found
                self._readers.append(found)
        return found

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Return a transaction: either all of it is stored or nothing."""
        self.writer.execute("BEGIN IMMEDIATE")
        try:
            yield self.writer
        except BaseException:
            self.writer.execute("ROLLBACK")
            raise
        self.writer.execute("COMMIT")

    def meta(self, name: str) -> str:
        """Return a value stored with the file; empty if it was never set."""
        row = self.writer.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def set_meta(self, name: str, value: str) -> None:
        """Store a value with the file."""
        self.writer.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (name, value))

    def offsets(self) -> dict[tuple[str, int], int]:
        """Return, for each topic and partition, the offset of the first record that is not stored yet."""
        return {(topic, part): after for topic, part, after in self.writer.execute("SELECT * FROM offsets")}

    def version(self, *, kept: bool = False) -> str:
        """Return a number that changes with every event and its records; with `kept`, with all kept records."""
        names = ("seq", "kept") if kept else ("seq",)
        found = dict(self.reader.execute("SELECT name, value FROM meta WHERE name IN ('seq', 'kept')").fetchall())
        return "-".join((self.identity, *(found.get(name, "0") for name in names)))


def _remove(path: Path) -> None:
    for suffix in _SUFFIXES:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).unlink()
