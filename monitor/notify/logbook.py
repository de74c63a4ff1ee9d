"""The delivery log: for each receiver and event what was told, what waits to be told, and the message's own id.

The log is written before and after each send (the way of Alertmanager's notification log). A record's key is
`receiver|event_id`; the last record of a key is its state. Records of one event lie in the partition of the event's
topic, so whoever handles the event is the only writer of its deliveries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, Protocol, TypeAlias, get_args

import msgspec

from monitor.records import Event, Moment, Record

#: How something is told: a first message; an update that notifies (`loud`) or only edits (`quiet`); a retraction; the
#: news that the event is the same as another one; a reminder that nobody has acknowledged; a notice of the service.
Tell: TypeAlias = Literal["first", "loud", "quiet", "retract", "merged", "reminder", "notice"]
TELLS: tuple[str, ...] = get_args(Tell)

#: What a receiver needs to find and edit its message later, in its own words: a channel and a timestamp, a Message-ID.
Handle: TypeAlias = dict[str, str]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is to be sent: the event as it was when that was decided, how to tell it, and why.

    `due` is the earliest next attempt. `begun` is true from before the first byte of an attempt leaves until its end is
    known, and is written to the log before the attempt: whoever finds it true without having made the attempt does not
    know whether the message arrived. `doubt` says just that: such a message is looked up at the receiver, or sent again
    exactly as it was, before anything newer. Neither depends on the clocks of two machines being equal.

    `trace` is the `traceparent` of what led to the message, '' where no traces are taken.

    Pending messages of one `batch` (a digest, the end of quiet hours, a storm) go out as one message. Before that is
    sent, `sent_as` is its id and `members` are the log's keys of all deliveries in it, the same in each of them.
    """

    event: Event
    tell: Tell
    reason: str
    changed: tuple[str, ...] = ()
    route: str = ""
    since: Moment
    due: Moment
    attempts: int = 0
    begun: bool = True
    doubt: bool = False
    error: str = ""
    batch: str = ""
    sent_as: str = ""
    members: tuple[str, ...] = ()
    trace: str = ""


class Delivery(Record, frozen=True, kw_only=True):
    """What one receiver knows of one event.

    `told` is the event as the receiver knows it, None before the first message. `next` is a newer state that waits
    until `pending` is settled; `next_trace` is its trace. `failed` is the message that was given up at `failed_at`.
    """

    receiver: str
    event_id: str
    told: Event | None = None
    told_at: Moment | None = None
    route: str = ""
    head: Handle | None = None
    pending: Pending | None = None
    next: Event | None = None
    next_trace: str = ""
    failed: Pending | None = None
    failed_at: Moment | None = None
    remind_at: Moment | None = None
    reminders: int = 0
    acknowledged: str = ""
    verdict: str = ""

    @property
    def key(self) -> str:
        """Return the record's key in the log."""
        return f"{self.receiver}|{self.event_id}"

    @property
    def state(self) -> str:
        """Return `pending`, `retrying`, `failed`, `sent` or `new`."""
        if self.pending:
            return "retrying" if self.pending.attempts else "pending"
        return "failed" if self.failed else "sent" if self.told else "new"

    @property
    def revision(self) -> int:
        """Return the newest revision of the event that this record has taken in, -1 when none."""
        known = (self.next, self.pending and self.pending.event, self.failed and self.failed.event, self.told)
        return max((event.revision for event in known if event), default=-1)


def message_id(receiver: str, pending: Pending) -> str:
    """Return the id of one message: the same over all attempts, another for every other message.

    The id of a first message is made of the receiver and the event alone: whatever a later report adds to the event,
    a receiver that drops repeated ids is told once that there is one.
    """
    event = pending.event
    parts = [receiver, event.event_id, pending.tell]
    if pending.tell != "first":
        parts += [str(event.revision), pending.reason]
    if pending.tell == "reminder":
        parts.append(pending.since.isoformat())
    return _hashed(parts)


def batch_id(receiver: str, batch: str, members: Iterable[Pending]) -> str:
    """Return the id of a message that tells several events: made of the id and revision of each of them."""
    return _hashed(
        [
            receiver,
            batch,
            *sorted(f"{message_id(receiver, pending)}:{pending.event.revision}" for pending in members),
        ]
    )


def _hashed(parts: Iterable[str]) -> str:
    return "msg_" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


#: Sources that are kept of a told event; counts are fields of their own.
_KEPT_SOURCES = 20


def trimmed(event: Event) -> Event:
    """Return the event without what no later message needs, so that the log stays small."""
    return msgspec.structs.replace(event, history=(), alternatives={}, facts={}, sources=event.sources[:_KEPT_SOURCES])


class DeliveryLog(Protocol):
    """Where delivery records are kept."""

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record; return once it is durable. Records of one key are kept in the order of the calls.

        Raises BrokerError.
        """

    async def forget(self, partition: int, key: str) -> None:
        """Delete the record of a key; return once that is durable. Raises BrokerError."""


class MemoryLog:
    """A log for tests and trials: keeps every record in order, and which keys were deleted."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Delivery]] = []
        self._forgotten: dict[tuple[int, str], int] = {}

    async def append(self, partition: int, record: Delivery) -> None:
        """Keep the record."""
        self.records.append((partition, record))

    async def forget(self, partition: int, key: str) -> None:
        """Note that what was written so far of a key does not count any more."""
        self._forgotten[partition, key] = len(self.records)

    def load(self, partition: int) -> list[Delivery]:
        """Return the last record of each key of a partition."""
        last: dict[str, Delivery] = {}
        for position, (number, record) in enumerate(self.records):
            if number == partition and position >= self._forgotten.get((partition, record.key), 0):
                last[record.key] = record
        return list(last.values())
