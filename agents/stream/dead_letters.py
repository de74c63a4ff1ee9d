"""Dead letters: records that could not be handled, stored with the reason, to be listed and replayed later.

The id of a dead letter is the position of its record, `topic:partition:offset`, so a record that fails again after a
crash is still one dead letter. Replaying sends the record back to its topic, and writes a second letter with the same
id that is marked as replayed.

A dead letter always fits into its topic. A value that is too large is compressed; if it is still too large, it is cut.
Replaying a cut letter reads the value from its original topic, as long as that still has it.
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
from monitor.record_batches import MAX_BATCH_BYTES, Unreadable
from monitor.records import Moment, Record, decode, encode

#: The most bytes of an encoded letter: the topic's limit minus the overhead of a record batch.
MAX_LETTER_BYTES = MAX_RECORD_BYTES - 16 * 1024
#: Bytes of a letter that every broker accepts, and the most bytes that are kept of a value or key that is cut.
_SMALL, _KEPT = 16 * 1024, 64 * 1024


class DeadLetter(Record, frozen=True, kw_only=True):
    """One record that failed. `value` and `key` are its raw bytes (base64 in JSON).

    A `packed` value is compressed. A `cut` value is only the beginning of it, or None. For both, `size` and `digest`
    (SHA-256) are those of the whole value. Read the value with `whole_value`.
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
        """Return the original value, or its beginning when it was cut.

        Raises DecodeError when a compressed value is damaged or larger than any record can be.
        """
        if not self.packed or self.value is None:
            return self.value
        try:
            packed = zstandard.ZstdDecompressor().stream_reader(self.value, read_across_frames=True)
            value = packed.read(MAX_BATCH_BYTES + 1)
        except zstandard.ZstdError as error:
            raise DecodeError(f"the value of {self.id} is damaged: {error}") from error
        if len(value) != self.size:
            raise DecodeError(f"the value of {self.id} is damaged: it has another size than {self.size} bytes")
        return value


def fitted(letter: DeadLetter, limit: int = MAX_LETTER_BYTES) -> DeadLetter:
    """Return the letter; if it is larger than `limit` bytes, with its value compressed, or cut if need be."""
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
    # First a cheap estimate: bytes are base64 in JSON, 4/3 as long.
    raw = len(letter.value or b"") + len(letter.key or b"")
    return 4 * raw // 3 < limit and len(encode(letter)) <= limit


async def write(outbox: Outbox, topic: str, letter: DeadLetter) -> None:
    """Send a dead letter that fits into the topic, and wait for the broker's ack. Raises BrokerError.

    If the broker has a lower limit than the declared one, a letter of 16 kB is sent.
    """
    try:
        await outbox.send(topic, letter.topic.encode(), encode(fitted(letter)))
    except BrokerError as error:
        if error.reason != "too_large":
            raise
        await outbox.send(topic, letter.topic.encode(), encode(fitted(letter, _SMALL)))


async def read(broker: BrokerSettings, topic: str, *, replayed: bool = False) -> list[DeadLetter]:
    """Return all dead letters, the oldest first; with `replayed`, also those that were replayed.

    Records of the topic that are not dead letters are skipped. Raises BrokerError.
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
    """Send a letter's record back to its topic, then mark the letter as replayed.

    The value of a cut letter is read from its topic at `broker`. A letter of a message that was given up is not a
    record of a topic; for it the workers are asked to send the message again. Raises SummitryError when the record
    can't be read any more or its topic is not one of this service, BrokerError, and DecodeError for a damaged letter.
    """
    if letter.topic == names.deliveries and letter.partition < 0:
        # Imported here, because the poller imports this module and needs nothing of `monitor.notify`.
        from monitor.notify import Delivery, Retry  # noqa: PLC0415

        delivery = decode(Delivery, letter.whole_value() or b"")
        wish = Retry(id=f"replay-{letter.id}", at=now, receiver=delivery.receiver, event_id=delivery.event_id)
        await outbox.send(names.silences, wish.id.encode(), encode(wish))
    elif not letter.topic.startswith(f"{names.prefix}."):
        raise SummitryError(f"{letter.id} is of {letter.topic}, which is not a topic of this service")
    else:
        key, value = (letter.key, letter.whole_value()) if not letter.cut else await _original(letter, broker)
        await outbox.send(letter.topic, key, value, partition=letter.partition)
    await write(outbox, names.dead_letters, msgspec.structs.replace(letter, replayed_at=now))


async def _original(letter: DeadLetter, broker: BrokerSettings | None) -> tuple[bytes | None, bytes | None]:
    """Return key and value of the record that a cut letter is about. Raises SummitryError when it can't be read."""
    record = await read_at(broker, letter.topic, letter.partition, letter.offset) if broker else None
    if record is None:
        raise SummitryError(f"{letter.id} is not in its topic any more, and the dead letter has only the start of it")
    if isinstance(record.value, Unreadable):
        raise SummitryError(f"{letter.id} can't be read: {record.value.reason}")
    if letter.digest and hashlib.sha256(record.value or b"").hexdigest() != letter.digest:
        raise SummitryError(f"{letter.id} is another record now: the topic was deleted and created again")
    return record.key, record.value


def select(
    letters: Iterable[DeadLetter], ids: Iterable[str], reason: str | None, stage: str | None
) -> list[DeadLetter]:
    """Return the letters with one of the ids (no ids: all), and with the reason and stage (None: any)."""
    wanted = set(ids)
    return [
        letter
        for letter in letters
        if (not wanted or letter.id in wanted)
        and (reason is None or letter.reason == reason)
        and (stage is None or letter.stage == stage)
    ]
