"""The delivery log: for each receiver and event what was told, what waits to be told, and the message's own id.

The log is written before and after each send (the way of Alertmanager's notification log). A record's key is
`receiver|event_id`; the last record of a key is its state. Records of one event lie in the partition of the event's
topic, so whoever handles the event is the only writer of its deliveries.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, get_args

import msgspec

from monitor.records import Event, Record

#: How something is told: a first message; an update that notifies (`loud`) or only edits (`quiet`); a retraction; the
#: news that the event is the same as another one; a reminder that nobody has acknowledged; a notice of the service.
Tell: TypeAlias = Literal["first", "loud", "quiet", "retract", "merged", "reminder", "notice"]
TELLS: tuple[str, ...] = get_args(Tell)

#: What a receiver needs to find and edit its message later, in its own words: a channel and a timestamp, a Message-ID.
Handle: TypeAlias = dict[str, str]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """One message that is to be sent: the event as it was when that was decided, how to tell it, and why.

    `due` is the earliest next attempt. `doubt` is true from an attempt whose end is not known (the process died, the
    answer was lost): such a message is looked up at the receiver, or sent again as it was, before anything newer.
    Pending messages with the same `batch` go out as one message.
    """

    event: Event
    tell: Tell
    reason: str
    changed: tuple[str, ...] = ()
    route: str = ""
    since: datetime
    due: datetime
    attempts: int = 0
    doubt: bool = False
    error: str = ""
    batch: str = ""


class Delivery(Record, frozen=True, kw_only=True):
    """What one receiver knows of one event.

    `told` is the event as the receiver knows it, None before the first message. `next` is a newer state that waits
    until `pending` is settled. `failed` is the message that was given up at `failed_at`.
    """

    receiver: str
    event_id: str
    told: Event | None = None
    told_at: datetime | None = None
    route: str = ""
    head: Handle | None = None
    pending: Pending | None = None
    next: Event | None = None
    failed: Pending | None = None
    failed_at: datetime | None = None
    remind_at: datetime | None = None
    reminders: int = 0
    acknowledged: str = ""

    @property
    def key(self) -> str:
        """The record's key in the log."""
        return f"{self.receiver}|{self.event_id}"

    @property
    def state(self) -> str:
        """`pending`, `retrying`, `failed` or `sent`."""
        if self.pending:
            return "retrying" if self.pending.attempts else "pending"
        return "failed" if self.failed else "sent" if self.told else "new"

    @property
    def revision(self) -> int:
        """The newest revision of the event that this record has taken in, -1 when none."""
        known = (self.next, self.pending and self.pending.event, self.failed and self.failed.event, self.told)
        return max((event.revision for event in known if event), default=-1)


def message_id(receiver: str, pending: Pending) -> str:
    """The id of one message: the same over all attempts, another for every other message."""
    event = pending.event
    text = "|".join((receiver, event.event_id, pending.tell, str(event.revision), pending.reason))
    if pending.tell == "reminder":
        text += f"|{pending.since.isoformat()}"
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


def batch_id(receiver: str, batch: str, event_ids: Iterable[str]) -> str:
    """The id of a message that tells several events."""
    text = "|".join((receiver, batch, *sorted(event_ids)))
    return "msg_" + hashlib.sha256(text.encode()).hexdigest()[:32]


#: Sources that are kept of a told event; counts are fields of their own.
_KEPT_SOURCES = 20


def trimmed(event: Event) -> Event:
    """The event without what no later message needs, so that the log stays small."""
    return msgspec.structs.replace(event, history=(), alternatives={}, facts={}, sources=event.sources[:_KEPT_SOURCES])


class DeliveryLog(Protocol):
    """Where delivery records are kept."""

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record; return once it is durable. Records of one key are kept in the order of the calls.

        Raises BrokerError.
        """


class MemoryLog:
    """A log for tests and trials: the last record of each key, and all records in order."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Delivery]] = []

    async def append(self, partition: int, record: Delivery) -> None:
        """Keep the record."""
        self.records.append((partition, record))

    def load(self, partition: int) -> list[Delivery]:
        """The last record of each key of a partition."""
        return list({record.key: record for number, record in self.records if number == partition}.values())
