"""What is remembered about one feed between two polls, and how it lies on the compacted topic.

Two kinds of records share the topic. The *state* of a feed is small and written at every poll: validators, schedule,
health. What it has *seen* is large and changes little, so it is written in segments, one for the entries first seen in
one week; only the segments that changed are written again, and an empty one is a tombstone.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from monitor.feeds.novelty.key_choice import Choice
from monitor.records import Record

Health = Literal["NEW", "OK", "EMPTY", "STALE", "BLOCKED", "CHURNING", "MOVED", "GONE", "ERROR", "DEAD"]

DAY = 86400


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
    `skip_hours` (UTC) and `skip_days` (0 is Monday) are when the document says that nobody need ask. `paused_until`
    holds for the whole host group. `choice` says by which key entries are told apart and why. `only_new` and
    `only_changed` count polls in a row that brought nothing but new entries, or nothing but corrections. `due_reason`,
    `health_reason` and `oddity` (what was odd about the last answer) are sentences for people.
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
    oddity: str = ""
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
    choice: Choice = Choice()
    only_new: int = 0
    only_changed: int = 0
    hours: tuple[HourCount, ...] = ()

    hub: str = ""
    topic: str = ""
    push_until: float = 0.0
    push_healthy: bool = False


class SeenSegment(Record, frozen=True, kw_only=True):
    """The entries of one feed that were first seen in one week; `packed` is one of `seen.Segments`."""

    feed: str
    week: int
    packed: bytes
