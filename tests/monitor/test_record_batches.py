"""Test damaged record batches: what can be read is read, the rest is reported, and reading continues."""

from __future__ import annotations

import gzip
import struct
import uuid
from collections.abc import Iterator

import pytest
from aiokafka import AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.consumer import fetcher
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from aiokafka.record.util import calc_crc32c

import monitor.record_batches
from monitor.errors import ConfigError
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, read_to_end
from monitor.record_batches import MAX_BATCH_BYTES, Unreadable, require_codecs

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}


def batch(*values: bytes, base: int = 0, codec: int = 0, headers: tuple[tuple[str, bytes], ...] = ()) -> bytes:
    builder = DefaultRecordBatchBuilder(2, codec, 0, -1, -1, -1, 10 * MAX_BATCH_BYTES)
    for number, value in enumerate(values):
        builder.append(number, 1_770_000_000_000 + number, b"key", value, list(headers))
    built = bytearray(builder.build())
    struct.pack_into(">q", built, 0, base)
    return bytes(built)


def with_data(built: bytes, data: bytes) -> bytes:
    """The same batch around other (compressed) data, with its length and checksum made anew."""
    new = bytearray(built[:61] + data)
    struct.pack_into(">i", new, 8, len(new) - 12)
    struct.pack_into(">I", new, 17, calc_crc32c(bytes(new[21:])))
    return bytes(new)


def read(raw: bytes, offset: int = 0) -> list[ConsumerRecord]:
    """What a consumer of this process makes of an answer of the broker."""
    records = fetcher.MemoryRecords(raw)
    found = fetcher.PartitionRecords(TopicPartition("t", 0), records, [], offset, None, None, True, 0)
    return list(found)


def told(records: list[ConsumerRecord]) -> Iterator[tuple[int, bytes | str]]:
    for record in records:
        yield record.offset, record.value.reason if isinstance(record.value, Unreadable) else record.value


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.slow
def test_all_of_kafkas_codecs_are_read(codec: int) -> None:
    raw = batch(b"one", b"two" * 5000, base=7, codec=codec, headers=(("name", b"v"),)) + batch(b"three", base=9)
    assert list(told(read(raw, 7))) == [(7, b"one"), (8, b"two" * 5000), (9, b"three")]
    (second, third) = read(raw, 8)
    assert (second.headers, third.headers) == ((("name", b"v"),), ())
    assert (second.offset, third.offset, second.key, second.timestamp) == (8, 9, b"key", 1_770_000_000_001)


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
@pytest.mark.slow
def test_a_bomb_is_set_aside_without_being_unpacked(codec: int) -> None:
    bomb = batch(b"\0" * (MAX_BATCH_BYTES + 1), codec=codec)
    assert len(bomb) < MAX_RECORD_BYTES
    (stand_in, after) = told(read(bomb + batch(b"after", base=1)))
    assert stand_in[0] == 0
    assert str(MAX_BATCH_BYTES) in str(stand_in[1])
    assert after == (1, b"after")


@pytest.mark.parametrize("codec", CODECS.values(), ids=CODECS)
def test_data_that_does_not_unpack_is_one_stand_in_for_its_batch(codec: int) -> None:
    damaged = with_data(batch(b"a", b"b", b"c", base=3, codec=codec), b"this is no compressed data at all")
    first, after = read(damaged + batch(b"after", base=6), 3)
    assert (first.offset, first.value.last, after.offset, after.value) == (3, 5, 6, b"after")
    assert "batch can't be read" in first.value.reason


def test_gzip_that_is_cut_off_is_no_empty_batch() -> None:
    cut = with_data(batch(b"a", codec=1), gzip.compress(b"x" * 1000)[:20])
    assert [str(value) for _, value in told(read(cut))] == ["the batch can't be read: its gzip data is cut off"]


def test_a_record_header_that_is_no_text_costs_nothing() -> None:
    raw = batch(b"one", b"two", headers=(("name", b"v"),)).replace(b"name", b"\xff\xfe\xff\xfe")
    raw = with_data(raw, raw[61:])
    assert list(told(read(raw + batch(b"three", base=2)))) == [(0, b"one"), (1, b"two"), (2, b"three")]


def test_a_wrong_checksum_is_set_aside_and_the_next_batch_is_read() -> None:
    raw = batch(b"rotten").replace(b"rotten", b"rotted")
    assert list(told(read(raw + batch(b"after", base=1)))) == [
        (0, "the batch can't be read: its checksum is wrong"),
        (1, b"after"),
    ]


@pytest.mark.parametrize("codec", [0, *CODECS.values()], ids=["plain", *CODECS])
def test_an_offset_beyond_its_batch_hides_no_other_batch(codec: int) -> None:
    raw = bytearray(batch(b"one", b"two", b"three", base=3, codec=codec))
    struct.pack_into(">i", raw, 23, 0)
    lying = with_data(bytes(raw), bytes(raw[61:]))
    assert list(told(read(lying + batch(b"next", base=4) + batch(b"last", base=5), 3))) == [
        (3, "the batch can't be read: it says that it has 3 records and 1 offsets"),
        (4, b"next"),
        (5, b"last"),
    ]


@pytest.mark.parametrize("packed", [False, True])
def test_a_record_that_lies_about_its_offset_hides_no_other_batch(packed: bool) -> None:
    raw = batch(b"one", b"two", base=3)
    data = raw[61:].replace(b"\x02\x02\x06key", b"\x02\x62\x06key")
    assert data != raw[61:]
    lying = bytearray(with_data(raw, gzip.compress(data) if packed else data))
    lying[22] |= CODECS["gzip"] if packed else 0
    lying = with_data(bytes(lying), bytes(lying[61:]))
    assert list(told(read(lying + batch(b"next", base=5), 3))) == [
        (3, b"one"),
        (4, "the batch can't be read: the offset of a record lies beyond it"),
        (5, b"next"),
    ]


def test_offsets_that_go_back_stay_within_their_batch() -> None:
    raw = batch(b"one", b"two", base=3)
    back = with_data(raw, raw[61:].replace(b"\x02\x02\x06key", b"\x02\x03\x06key"))
    assert back != raw
    assert [value for _, value in told(read(back + batch(b"after", base=5), 3))][-1] == b"after"


def test_a_batch_that_the_broker_cut_off_waits_for_the_next_answer() -> None:
    assert list(told(read(batch(b"whole") + batch(b"cut off here", base=1)[:-4]))) == [(0, b"whole")]


def test_a_missing_codec_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    require_codecs()
    monkeypatch.setattr(monitor.record_batches, "cramjam", None)
    with pytest.raises(ConfigError, match=r"lz4 or snappy .* pip install cramjam"):
        require_codecs()


@pytest.mark.broker
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("by", ["producer", "topic"])
async def test_the_broker_compresses_or_the_producer_does(broker: str, codec: str, by: str) -> None:
    settings, topic = BrokerSettings.from_url(broker), f"codec-{uuid.uuid4().hex[:8]}"
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    config = {"compression.type": codec} if by == "topic" else {}
    await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=config)])
    await admin.close()
    producer = AIOKafkaProducer(
        **settings.client_options(), compression_type=codec if by == "producer" else None, acks="all"
    )
    await producer.start()
    values = [b"{}" * 2000, b"plain"]
    for value in values:
        await producer.send_and_wait(topic, value, key=b"k")
    await producer.stop()
    assert [record.value async for record in read_to_end(settings, topic)] == values
