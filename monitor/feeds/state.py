"""What is remembered about one feed between two polls, and how it lies on the compacted topic.

Two kinds of records share the topic. The *state* of a feed is small and written at every poll: validators, schedule,
health. What it has *seen* is large and changes little, so it is written in segments, one for the entries first seen in
one week; only the segments that changed are written again, and an empty one is a tombstone.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

import msgspec

from monitor.records import Record

Health = Literal["NEW", "OK", "EMPTY", "STALE", "BLOCKED", "MOVED", "GONE", "ERROR", "DEAD"]

DAY = 86400
#: How long an entry that left its feed is remembered (D4: longer than any outlet's re-posting habits).
KEEP_DAYS = 90
#: Names under which entries of one feed are remembered at most. Most entries have two (`identity`), so these are ten of
#: the longest documents that are read (X2).
MAX_SEEN = 40_000

_PACKED = struct.Struct(">8s6sBI")  # key, revision hash, revision number, day first seen
#: What one remembered entry takes.
ENTRY_BYTES = _PACKED.size


class SeenEntry(NamedTuple):
    """An entry that was published: the hash of its words (12 hex digits), its revision number, the day first seen.

    `day` counts days since 1970-01-01 UTC.
    """

    revision: str
    n: int
    day: int


#: Name of an entry (16 hex digits) -> what was published of it.
Seen = Mapping[str, SeenEntry]


class HourCount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Polls, 304 answers and new entries within three hours; `hour` is the first of them, since 1970-01-01 UTC."""

    hour: int
    polls: int = 0
    not_modified: int = 0
    entries: int = 0


class FeedState(Record, frozen=True, kw_only=True, gc=False):
    """Everything about a feed but its entries. Times are seconds since 1970-01-01 UTC, 0.0 for never.

    `url` is the address that is polled: the subscribed one, or where it has moved for good. `request` is the
    subscription's `request_hash` at the last poll. `etag` and `last_modified` are what the server sent, never altered.
    `rate_short` and `rate_long` are new entries a second, weighted with half-lives of 3 and 72 hours, as of `rate_at`.
    `skip_hours` (UTC) and `skip_days` (0 is Monday) are when the document says that nobody need ask.
    `paused_until` holds for the whole host group. `identity` says how entries are told apart once that was decided.
    `due_reason` and `health_reason` are sentences for people.
    """

    feed: str
    url: str = ""
    host_group: str = ""
    request: str = ""

    next_due: float = 0.0
    due_reason: str = ""
    last_attempt: float = 0.0
    last_success: float = 0.0
    first_attempt: float = 0.0
    polls: int = 0

    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    last_not_modified: float = 0.0
    last_unconditional: float = 0.0

    rate_short: float = 0.0
    rate_long: float = 0.0
    rate_at: float = 0.0
    last_new: float = 0.0
    header_hint_s: float = 0.0
    document_hint_s: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    paused_until: float = 0.0

    error_count: int = 0
    throttle_count: int = 0
    failing_since: float = 0.0
    last_status: int = 0
    last_error: str = ""
    last_error_text: str = ""
    gone_days: tuple[int, ...] = ()

    move_to: str = ""
    move_count: int = 0
    move_since: float = 0.0

    health: Health = "NEW"
    health_reason: str = ""
    newest: float = 0.0
    entries: int = 0
    parse_mode: str = ""
    feed_title: str = ""
    identity: str = ""
    hours: tuple[HourCount, ...] = ()

    hub: str = ""
    topic: str = ""
    push_until: float = 0.0
    push_healthy: bool = False


class SeenSegment(Record, frozen=True, kw_only=True):
    """The entries of one feed that were first seen in one week; `packed` holds 19 bytes a name."""

    feed: str
    week: int
    packed: bytes


#: Week since 1970 -> the packed entries first seen in it: what a poller keeps in memory for each feed.
Segments = Mapping[int, bytes]


def unpack(segments: Segments) -> dict[str, SeenEntry]:
    """All remembered entries, by key. A cut segment loses only its last entry."""
    seen: dict[str, SeenEntry] = {}
    for packed in segments.values():
        whole = len(packed) - len(packed) % _PACKED.size
        for key, revision, n, day in _PACKED.iter_unpack(packed[:whole]):
            seen[key.hex()] = SeenEntry(revision.hex(), n, day)
    return seen


def pack(seen: Seen) -> dict[int, bytes]:
    """The entries as segments by week, in a fixed order, so that equal contents are equal bytes."""
    weeks: dict[int, list[bytes]] = {}
    for key, entry in sorted(seen.items()):
        row = _PACKED.pack(bytes.fromhex(key), bytes.fromhex(entry.revision), min(entry.n, 255), entry.day)
        weeks.setdefault(entry.day // 7, []).append(row)
    return {week: b"".join(rows) for week, rows in weeks.items()}


def prune(seen: Seen, current: Iterable[str], today: int) -> dict[str, SeenEntry]:
    """Forget entries first seen over KEEP_DAYS ago that left the document, but remember ten times its length (D4).

    `current` holds the keys of the document just read, `today` is in days since 1970. Entries of the document that are
    past KEEP_DAYS count as first seen today from now on, so that the segment of their week can go.
    """
    oldest = today - KEEP_DAYS
    if len(seen) <= MAX_SEEN and all(entry.day >= oldest for entry in seen.values()):
        return dict(seen)
    window = set(current)
    kept = {key: e._replace(day=today) if key in window and e.day < oldest else e for key, e in seen.items()}
    gone = sorted((entry.day, key) for key, entry in kept.items() if key not in window)
    expired = sum(day < oldest for day, _ in gone)
    for _, key in gone[: max(min(expired, len(kept) - 10 * len(window)), len(kept) - MAX_SEEN, 0)]:
        del kept[key]
    return kept
