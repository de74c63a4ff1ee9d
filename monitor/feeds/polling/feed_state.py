"""The records in which a feed's state is kept between polls, on the compacted topic `summitry.feed-state`.

There are two kinds. `FeedState` (validators, schedule, health) is small and written at every poll. The stories that
were seen are large and change little, so they are kept in `SeenSegment`s, each of stories first seen in one week. Only
segments that changed are written again; an empty one is deleted with a tombstone.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

import msgspec

from monitor.feeds.novelty.key_choice import KeyChoice
from monitor.records import Record

Health = Literal["DEAD", "GONE", "BLOCKED", "ERROR", "CHURNING", "STALE", "MOVED", "EMPTY", "NEW", "OK"]
#: All values of health in the order of reports, problems first.
HEALTH_ORDER: tuple[Health, ...] = get_args(Health)

DAY = 86400


class HourCount(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Polls, 304 answers and new entries within three hours. `hour` is the first hour, counted since 1970-01-01 UTC."""

    hour: int
    polls: int = 0
    not_modified: int = 0
    entries: int = 0


#: Seconds since 1970, within the years 1 to 9999 that Python's dates can have.
EpochTime: TypeAlias = Annotated[float, msgspec.Meta(ge=-62_135_596_800, le=253_402_300_799)]


class FeedState(Record, frozen=True, kw_only=True, gc=False):
    """The state of a feed, without its stories. Times are seconds since 1970-01-01 UTC, 0.0 for never.

    `url` is the URL that is polled: the subscribed one, or the one that it moved to permanently. `request` is the
    subscription's `request_hash` at the last poll. `etag` and `last_modified` are exactly what the server sent.
    `rate_short` and `rate_long` are new entries a second, weighted with half-lives of 3 and 72 hours, as of `rate_at`.

    The document's `skip_hours` (UTC) and `skip_days` (0 is Monday) are when it should not be polled. `paused_until`
    applies to the whole host group. `choice` is the key that identifies entries. `only_new` and `only_changed` count
    the polls in a row with only new entries, or only corrections. `due_reason`, `health_reason` and `oddity` (defects
    of the last answer) are sentences for people.
    """

    feed: str
    url: str = ""
    host_group: str = ""
    request: str = ""

    next_due: EpochTime = 0.0
    due_reason: str = ""
    last_attempt: EpochTime = 0.0
    last_success: EpochTime = 0.0
    first_attempt: EpochTime = 0.0
    polls: int = 0

    etag: str = ""
    last_modified: str = ""
    body_hash: str = ""
    last_not_modified: EpochTime = 0.0
    last_unconditional: EpochTime = 0.0

    rate_short: float = 0.0
    rate_long: float = 0.0
    rate_at: EpochTime = 0.0
    last_new: EpochTime = 0.0
    header_hint_s: float = 0.0
    document_hint_s: float = 0.0
    skip_hours: tuple[int, ...] = ()
    skip_days: tuple[int, ...] = ()
    paused_until: EpochTime = 0.0

    error_count: int = 0
    throttle_count: int = 0
    failing_since: EpochTime = 0.0
    last_status: int = 0
    last_error: str = ""
    last_error_text: str = ""
    oddity: str = ""
    gone_days: tuple[int, ...] = ()

    move_to: str = ""
    move_count: int = 0
    move_since: EpochTime = 0.0

    health: Health = "NEW"
    health_reason: str = ""
    newest: EpochTime = 0.0
    entries: int = 0
    parse_mode: str = ""
    feed_title: str = ""
    choice: KeyChoice = KeyChoice()
    only_new: int = 0
    only_changed: int = 0
    hours: tuple[HourCount, ...] = ()

    hub: str = ""
    topic: str = ""
    push_until: EpochTime = 0.0
    push_healthy: bool = False


class SeenSegment(Record, frozen=True, kw_only=True):
    """Stories of one feed first seen in one week; `week` and `packed` are number and value of `seen.Segments`."""

    feed: str
    week: int
    packed: bytes
