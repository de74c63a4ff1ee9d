"""Dead letters: what could not be handled, set aside with its reason, listed and replayed.

A dead letter's id is the place it came from, `topic:partition:offset`, so a record that fails again after a crash is
one dead letter. Replaying sends the bytes back to their topic and marks the letter as replayed, by a second record with
the same id.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from datetime import datetime

import msgspec

from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.errors import DecodeError
from monitor.kafka import BrokerSettings, read_to_end
from monitor.notify import Delivery, Retry
from monitor.records import Record, decode, encode


class DeadLetter(Record, frozen=True, kw_only=True):
    """One record that failed, as it was; `value` and `key` are the raw bytes (base64 in JSON)."""

    id: str
    stage: str
    topic: str
    partition: int
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    timestamp: datetime | None = None
    at: datetime
    reason: str
    error: str
    traceback: str = ""
    attempts: int = 1
    replayed_at: datetime | None = None


async def write(outbox: Outbox, topic: str, letter: DeadLetter) -> None:
    """Send a dead letter and await the broker's ack. Raises BrokerError."""
    await outbox.send(topic, letter.topic.encode(), encode(letter))


async def read(broker: BrokerSettings, topic: str, *, replayed: bool = False) -> list[DeadLetter]:
    """All dead letters, oldest first, each once; those already replayed only where asked for.

    A record of the topic that is no dead letter itself is passed over. Raises BrokerError.
    """
    letters: dict[str, DeadLetter] = {}
    async for record in read_to_end(broker, topic):
        with contextlib.suppress(DecodeError):
            letter = decode(DeadLetter, record.value or b"")
            letters[letter.id] = letter
    return [letter for letter in letters.values() if replayed or letter.replayed_at is None]


async def replay(outbox: Outbox, names: TopicNames, letter: DeadLetter, now: datetime) -> None:
    """Send a letter's bytes to where they came from, then mark it as replayed. Raises BrokerError.

    A message that was given up is not a record of a topic: the workers are asked to send it again.
    """
    if letter.topic == names.deliveries:
        delivery = decode(Delivery, letter.value or b"")
        wish = Retry(id=f"replay-{letter.id}", at=now, receiver=delivery.receiver, event_id=delivery.event_id)
        await outbox.send(names.silences, wish.id.encode(), encode(wish))
    else:
        await outbox.send(letter.topic, letter.key, letter.value, partition=letter.partition)
    await write(outbox, names.dead_letters, msgspec.structs.replace(letter, replayed_at=now))


def select(
    letters: Iterable[DeadLetter], ids: Iterable[str], reason: str | None, stage: str | None
) -> list[DeadLetter]:
    """The letters with one of the ids (all, without ids), of one reason and one stage (any, where None)."""
    wanted = set(ids)
    return [
        letter
        for letter in letters
        if (not wanted or letter.id in wanted)
        and (reason is None or letter.reason == reason)
        and (stage is None or letter.stage == stage)
    ]
