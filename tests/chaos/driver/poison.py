"""Make harmful records: garbage, decompression bombs, huge and newer ones, in each of Kafka's codecs."""

from __future__ import annotations

import os
from collections.abc import Callable

from aiokafka import AIOKafkaProducer

from agents.stream.topics import TopicNames
from monitor.kafka import BrokerSettings

_CODECS = ("gzip", "snappy", "lz4", "zstd")
_NEWER = b'{"schema":99,"id":"newer","title":"From the future"}'

#: What a poisoned record holds, by name; a name after a colon is the codec of its batch.
KINDS: dict[str, Callable[[], bytes | None]] = {
    "garbage": lambda: b"\xff\x00 no record \xf0\x28\x8c\x28",
    "empty": lambda: b"",
    "nothing": lambda: None,
    "text": lambda: b'{"id": 7, "title": ["a", "list"], "when": "never"}',
    "half-characters": lambda: b'{"id":"\\ud800","title":"\\udfff"}',
    "deep": lambda: b"[" * 200_000,
    "newer": lambda: _NEWER,
    "no-key": lambda: b"\x00 nobody's",
    "year-1970": lambda: b"\x7f from long ago",
    "huge": lambda: os.urandom(3_900_000),
    "bomb:gzip": lambda: b"\0" * 60_000_000,
    "bigger-bomb:gzip": lambda: b"\0" * 90_000_000,
    "bomb:zstd": lambda: b"\0" * 90_000_000,
    **{f"garbage:{codec}": (lambda: b"\xff" * 5000) for codec in _CODECS},
}

#: The topics that are poisoned, by their names in TopicNames. Not those of the handled stages alone: every one is read.
TOPICS = [
    "articles", "articles", "mentions", "events", "assembly", "deliveries", "silences", "acks", "feeds", "feed_state",
    "attempts", "dead_letters", "feedback",
]  # fmt: skip
#: A record here that a stage can't handle becomes exactly one dead letter.
STAGES = {"articles", "mentions", "events"}


async def poison(broker: BrokerSettings, names: TopicNames, topic: str, kind: str, key: str) -> str:
    """Write one poisoned record; gives its place, `topic:partition:offset`."""
    _, _, codec = kind.partition(":")
    value = KINDS[kind]()
    # A header whose name is no text, too: aiokafka's own reader stops there.
    producer = AIOKafkaProducer(
        **broker.client_options(),
        acks="all",
        compression_type=codec or None,
        max_request_size=128 * 1024 * 1024,
        max_batch_size=4_100_000,
    )
    try:
        await producer.start()
        name = getattr(names, topic)
        sent = await producer.send_and_wait(
            name, value, key=None if kind == "no-key" else key.encode(), headers=[("x", b"\xff")],
            timestamp_ms=0 if kind == "year-1970" else None,
        )  # fmt: skip
    finally:
        await producer.stop()
    return f"{name}:{sent.partition}:{sent.offset}"
