"""Dead letters: what could not be handled, set aside with its reason, listed and replayed.

A dead letter's id is the place that its record came from, `topic:partition:offset`, so a record that fails again after
a crash is one dead letter. Replaying sends the record back to its topic and marks the letter as replayed, by a second
record with the same id.

A dead letter always fits into its topic. A value that is too large for that is compressed; one that is still too large
is cut, and replaying reads the whole one where it came from, as long as that topic keeps it.
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, Literal

import msgspec
import zstandard

from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.errors import BrokerError, DecodeError, SummitryError
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, read_at, read_to_end
from monitor.record_batches import Unreadable
from monitor.records import Moment, Record, decode, encode

#: The most bytes that an encoded letter may have: the topic's limit, less what a record batch adds.
MAX_LETTER_BYTES = MAX_RECORD_BYTES - 16 * 1024
#: The size of a letter that every broker takes, and what is kept of a value or key that is cut (bytes).
_SMALL, _KEPT = 16 * 1024, 64 * 1024


class DeadLetter(Record, frozen=True, kw_only=True):
    """One record that failed; `value` and `key` are its raw bytes (base64 in JSON).

    Where `packed` or `cut` is set, `size` and `digest` (SHA-256) are those of the whole value. A `packed` value is
    compressed; a `cut` one is only the beginning, or None. Use `whole_value` to read it.
    """

    SCHEMA: ClassVar[int] = 2

    id: str
    stage: str
    topic: str
    partition: int
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    timestamp: Moment | None = None
    at: Moment
    reason: str
    error: str
    traceback: str = ""
    attempts: int = 1
    replayed_at: Moment | None = None
    packed: Literal["", "zstd"] = ""
    cut: bool = False
    size: int | None = None
    digest: str = ""

    def whole_value(self) -> bytes | None:
        """Give the value as it was, or what is left of it when it was cut."""
        if self.packed and self.value is not None:
            return zstandard.ZstdDecompressor().decompress(self.value, max_output_size=self.size or 0)
        return self.value


def fitted(letter: DeadLetter, limit: int = MAX_LETTER_BYTES) -> DeadLetter:
    """Give the letter, changed only if it is larger than `limit` bytes: then its value is compressed, or else cut."""
    value, kept = letter.value or b"", min(_KEPT, limit // 8)
    if _fits(letter, limit):
        return letter
    letter = msgspec.structs.replace(
        letter,
        schema=DeadLetter.SCHEMA,
        key=letter.key and letter.key[:kept],
        value=zstandard.ZstdCompressor().compress(value),
        packed="zstd",
        size=len(value),
        digest=hashlib.sha256(value).hexdigest(),
    )
    if _fits(letter, limit):
        return letter
    return msgspec.structs.replace(letter, value=value[:kept], packed="", cut=True, traceback=letter.traceback[-kept:])


def _fits(letter: DeadLetter, limit: int) -> bool:
    # The first look is cheap: bytes are base64 in JSON.
    raw = len(letter.value or b"") + len(letter.key or b"")
    return 4 * raw // 3 < limit and len(encode(letter)) <= limit


async def write(outbox: Outbox, topic: str, letter: DeadLetter) -> None:
    """Send a dead letter, made to fit, and await the broker's ack. Raises BrokerError.

    A broker that takes less than what the topic was declared with gets a letter of some kilobytes.
    """
    try:
        await outbox.send(topic, letter.topic.encode(), encode(fitted(letter)))
    except BrokerError as error:
        if error.reason != "too_large":
            raise
        await outbox.send(topic, letter.topic.encode(), encode(fitted(letter, _SMALL)))


async def read(broker: BrokerSettings, topic: str, *, replayed: bool = False) -> list[DeadLetter]:
    """Give all dead letters, oldest first, each once; those already replayed only where asked for.

    A record of the topic that is no dead letter itself is passed over. Raises BrokerError.
    """
    letters: dict[str, DeadLetter] = {}
    async for record in read_to_end(broker, topic):
        with contextlib.suppress(DecodeError):
            letter = decode(DeadLetter, record.value or b"")
            letters[letter.id] = letter
    return [letter for letter in letters.values() if replayed or letter.replayed_at is None]


async def replay(
    outbox: Outbox, names: TopicNames, letter: DeadLetter, now: datetime, broker: BrokerSettings | None = None
) -> None:
    """Send a letter's record to where it came from, then mark it as replayed. Raises SummitryError, BrokerError.

    The record of a letter that was cut is read from its topic at `broker`. A message that was given up is not a record
    of a topic: the workers are asked to send it again.
    """
    if letter.topic == names.deliveries and letter.partition < 0:
        # Here and not above: every process reads dead letters' form, and a poller needs nothing of alerts.
        from monitor.notify import Delivery, Retry  # noqa: PLC0415

        delivery = decode(Delivery, letter.whole_value() or b"")
        wish = Retry(id=f"replay-{letter.id}", at=now, receiver=delivery.receiver, event_id=delivery.event_id)
        await outbox.send(names.silences, wish.id.encode(), encode(wish))
    else:
        key, value = (letter.key, letter.whole_value()) if not letter.cut else await _original(letter, broker)
        await outbox.send(letter.topic, key, value, partition=letter.partition)
    await write(outbox, names.dead_letters, msgspec.structs.replace(letter, replayed_at=now))


async def _original(letter: DeadLetter, broker: BrokerSettings | None) -> tuple[bytes | None, bytes | None]:
    """Read the record that a letter was cut from."""
    record = await read_at(broker, letter.topic, letter.partition, letter.offset) if broker else None
    if record is None:
        raise SummitryError(f"{letter.id} is not on its topic any more, and the letter holds only its beginning")
    if isinstance(record.value, Unreadable):
        raise SummitryError(f"{letter.id} can't be read: {record.value.reason}")
    if letter.digest and hashlib.sha256(record.value or b"").hexdigest() != letter.digest:
        raise SummitryError(f"{letter.id} holds another record now: the topic was made again")
    return record.key, record.value


def select(
    letters: Iterable[DeadLetter], ids: Iterable[str], reason: str | None, stage: str | None
) -> list[DeadLetter]:
    """Give the letters with one of the ids (all, without ids), of one reason and one stage (any, where None)."""
    wanted = set(ids)
    return [
        letter
        for letter in letters
        if (not wanted or letter.id in wanted)
        and (reason is None or letter.reason == reason)
        and (stage is None or letter.stage == stage)
    ]
