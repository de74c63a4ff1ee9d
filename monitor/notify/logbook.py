"""The records of the delivery log: for each receiver and event, what was sent and what is pending.

The log is written before and after each send, as Alertmanager does with its notification log. The key of a record is
`receiver|event_id`, and the last record of a key is its state. Records are in the same partition as their event, so
only the worker that handles the event writes them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Literal, Protocol, TypeAlias, get_args

import msgspec

from monitor.records import Event, Moment, Record

#: The kinds of messages: a first message; an update that notifies people (`loud`) or only edits the message (`quiet`);
#: a retraction; the note that the event was merged into another one; a reminder, because nobody has acknowledged; a
#: notice about the service itself.
Tell: TypeAlias = Literal["first", "loud", "quiet", "retract", "merged", "reminder", "notice"]
TELLS: tuple[str, ...] = get_args(Tell)

#: The data with which a receiver finds its message again to edit it, such as Slack's channel and timestamp.
Handle: TypeAlias = dict[str, str]


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """One message to send: the event as it was at the decision, the kind of message (`tell`), and why (`reason`).

    `due` is the time of the next attempt. `begun` is logged as True before each attempt, and stays True until its
    result is known. A process that reads it as True from the log does not know whether the message arrived, and sets
    `doubt`: the message is then looked up at the receiver, or sent again unchanged, before any newer one. This does not
    depend on the clocks of two machines. `deaths` counts the processes that died while they handled this message.

    `trace` is the `traceparent` of the event's trace, '' without tracing.

    Pending messages of one `batch` (a digest, the end of quiet hours, a storm) are sent as one. Before that, each of
    them gets the id of the common message as `sent_as`, and the log's keys of all of them as `members`.
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
    deaths: int = 0
    error: str = ""
    batch: str = ""
    sent_as: str = ""
    members: tuple[str, ...] = ()
    trace: str = ""


class Delivery(Record, frozen=True, kw_only=True):
    """What one receiver was sent about one event, and what is pending.

    `told` is the event as it was last sent, None before the first message. `next` is a newer state, which
    waits until the result of `pending` is known; `next_trace` is its trace. `failed` is the message that was given up
    at `failed_at`. `head` is the handle of the first message.
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
        """The record's key in the log."""
        return f"{self.receiver}|{self.event_id}"

    @property
    def state(self) -> str:
        """The state for users: `pending`, `retrying`, `failed`, `sent` or `new`."""
        if self.pending:
            return "retrying" if self.pending.attempts else "pending"
        return "failed" if self.failed else "sent" if self.told else "new"

    @property
    def revision(self) -> int:
        """The newest revision of the event that this record contains, -1 for none."""
        known = (self.next, self.pending and self.pending.event, self.failed and self.failed.event, self.told)
        return max((event.revision for event in known if event), default=-1)


def message_id(receiver: str, pending: Pending) -> str:
    """Return the id of a message: the same for all attempts, and different for any other message.

    The id of a first message is made from receiver and event only. So a receiver that ignores repeated ids gets one
    first message, even if the event has changed before a repetition.
    """
    event = pending.event
    parts = [receiver, event.event_id, pending.tell]
    if pending.tell != "first":
        parts += [str(event.revision), pending.reason]
    if pending.tell == "reminder":
        parts.append(pending.since.isoformat())
    return _hashed(parts)


def batch_id(receiver: str, batch: str, members: Iterable[Pending]) -> str:
    """Return the id of a message about several events, made from the id and revision of each of them."""
    return _hashed(
        [
            receiver,
            batch,
            *sorted(f"{message_id(receiver, pending)}:{pending.event.revision}" for pending in members),
        ]
    )


def _hashed(parts: Iterable[str]) -> str:
    return "msg_" + hashlib.sha256("|".join(parts).encode()).hexdigest()[:32]


#: The most sources that are kept of an event that was sent; their number is a field of its own.
_KEPT_SOURCES = 20


def trimmed(event: Event) -> Event:
    """Return the event without the fields that no later message needs, so that the log stays small."""
    return msgspec.structs.replace(event, history=(), alternatives={}, facts={}, sources=event.sources[:_KEPT_SOURCES])


class DeliveryLog(Protocol):
    """Stores delivery records."""

    async def append(self, partition: int, record: Delivery) -> None:
        """Write a record; return once it is stored. Records of one key are kept in the order of the calls.

        Raises BrokerError.
        """

    async def forget(self, partition: int, key: str) -> None:
        """Delete the record of a key; return once that is stored. Raises BrokerError."""


class MemoryLog:
    """A log in memory, for tests and trials: has every record in order, and which keys were deleted."""

    def __init__(self) -> None:
        self.records: list[tuple[int, Delivery]] = []
        self._forgotten: dict[tuple[int, str], int] = {}

    async def append(self, partition: int, record: Delivery) -> None:
        """Keep the record."""
        self.records.append((partition, record))

    async def forget(self, partition: int, key: str) -> None:
        """Mark all records of the key so far as deleted."""
        self._forgotten[partition, key] = len(self.records)

    def load(self, partition: int) -> list[Delivery]:
        """Return the last record of each key of a partition."""
        last: dict[str, Delivery] = {}
        for position, (number, record) in enumerate(self.records):
            if number == partition and position >= self._forgotten.get((partition, record.key), 0):
                last[record.key] = record
        return list(last.values())
