"""Read Kafka's record batches so that a damaged batch can't block its partition.

aiokafka raises when it can't read a batch: bytes that don't decompress, a record header that is not UTF-8, a wrong
checksum. It then fetches the same batch again, for ever. It also decompresses without a limit: 4 MiB of gzip can become
4 GB. The reader in this module yields a record with an `Unreadable` value instead, and continues with the next batch.

Importing this module replaces aiokafka's reader in the whole process; `monitor.kafka` imports it. The format is
described at https://kafka.apache.org/documentation/#recordbatch.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Self

import aiokafka.consumer.fetcher
import aiokafka.record.util
import zstandard
from aiokafka import ConsumerRecord
from aiokafka.consumer.fetcher import PartitionRecords
from aiokafka.record.memory_records import MemoryRecords

from monitor.errors import ConfigError

cramjam: Any
try:
    import cramjam
except ImportError:  # `require_codecs` says so at the start of a process
    cramjam = None

#: The most bytes that one batch may decompress to. A topic's records have at most 4 MiB.
MAX_BATCH_BYTES = 64 * 1024 * 1024

_HEADER = struct.Struct(">qiibIhiqqqhii")
_CHECKED_FROM = 21  # the checksum covers all bytes after itself
_CODEC, _LOG_APPEND_TIME, _CONTROL = 0x07, 0x08, 0x20
_MAGIC_2 = 2


class Unreadable(bytes):
    """The value of a record that can't be read.

    `reason` says why. One such record may replace several; `last` is the last offset that it replaces.
    """

    reason: str
    last: int

    def __new__(cls, reason: str, last: int, value: bytes = b"") -> Self:
        """Make the value for the offsets up to `last`; `value` holds the bytes that could be read."""
        new = super().__new__(cls, value)
        new.reason, new.last = reason, last
        return new


class BatchError(ValueError):
    """A batch that can't be read; the message says why. Never leaves this module."""


class _BatchRecord(NamedTuple):
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes | None], ...] = ()


def require_codecs() -> None:
    """Check that every codec of Kafka can be read. Raises ConfigError when a package for one of them is missing."""
    if cramjam is None:
        problem = "records compressed with lz4 or snappy can't be read: the package cramjam is not installed"
        raise ConfigError("installation", "", problem, "pip install cramjam")


def _gunzip(data: bytes) -> bytes:
    parts, left = [], MAX_BATCH_BYTES + 1
    while data and left > 0:
        stream = zlib.decompressobj(wbits=31)
        part = stream.decompress(data, left)
        parts.append(part)
        left -= len(part)
        if not stream.eof and left > 0:
            raise BatchError("its gzip data is cut off")
        data = stream.unused_data
    return b"".join(parts)


def _unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().stream_reader(data, read_across_frames=True).read(MAX_BATCH_BYTES + 1)


def _unlz4(data: bytes) -> bytes:
    for size in (16 * len(data), MAX_BATCH_BYTES + 1):
        space = bytearray(min(size, MAX_BATCH_BYTES + 1))
        try:
            return bytes(memoryview(space)[: cramjam.lz4.decompress_into(data, space)])
        except cramjam.DecompressionError as error:
            failure = error
    # The decoder raises the same error for damaged data and for too little space.
    raise BatchError(f"its lz4 data is damaged or larger than {MAX_BATCH_BYTES} bytes: {failure}")


#: The first bytes that Java's snappy library writes. Two version numbers and then the blocks follow.
_XERIAL = b"\x82SNAPPY\x00"


def _unsnappy(data: bytes) -> bytes:
    if not data.startswith(_XERIAL):
        return _unsnappy_block(data)
    parts, at, left = [], 16, MAX_BATCH_BYTES
    while at < len(data) and left >= 0:
        (length,) = struct.unpack_from(">i", data, at)
        parts.append(_unsnappy_block(data[at + 4 : at + 4 + length]))
        left -= len(parts[-1])
        at += 4 + length
    return b"".join(parts)


def _unsnappy_block(data: bytes) -> bytes:
    if cramjam.snappy.decompress_raw_len(data) > MAX_BATCH_BYTES:
        raise BatchError(f"its snappy data is larger than {MAX_BATCH_BYTES} bytes")
    return bytes(cramjam.snappy.decompress_raw(data))


_CODECS: dict[int, Callable[[bytes], bytes]] = {
    0: bytes,
    1: _gunzip,
    2: _unsnappy,
    3: _unlz4,
    4: _unzstd,
}


def _decompressed(codec: int, data: bytes) -> bytes:
    """The records of a batch. Raises BatchError when they are damaged or larger than MAX_BATCH_BYTES."""
    if codec not in _CODECS:
        raise BatchError(f"codec {codec} is not one of Kafka's")
    try:
        plain = _CODECS[codec](data)
    except BatchError:
        raise
    except Exception as error:  # each library raises its own types for damaged data
        raise BatchError(f"its data can't be decompressed: {error}") from error
    if len(plain) > MAX_BATCH_BYTES:
        raise BatchError(f"its data is larger than {MAX_BATCH_BYTES} bytes")
    return plain


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """Return the zigzag-encoded number at `at`, and the position after it."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise BatchError("a number in it has no end")


def _field(data: bytes, at: int, end: int) -> tuple[bytes | None, int]:
    length, at = _varint(data, at)
    if length < 0:
        return None, at
    if at + length > end:
        raise BatchError("a field reaches beyond its record")
    return data[at : at + length], at + length


def _headers(data: bytes, at: int, end: int) -> tuple[tuple[str, bytes | None], ...]:
    """Return the headers of a record; none at all when one is damaged or its name is not UTF-8."""
    found = []
    try:
        count, at = _varint(data, at)
        for _ in range(count):
            name, at = _field(data, at, end)
            value, at = _field(data, at, end)
            found.append(((name or b"").decode(), value))
    except (BatchError, IndexError, UnicodeDecodeError):
        return ()
    return tuple(found)


def read_batch(raw: bytes) -> Iterator[_BatchRecord]:
    """Yield the records of one batch of format 2.

    A record that can't be read has an `Unreadable` value. Raises BatchError when nothing more of the batch can be read.
    """
    (base, _, _, _, checksum, attributes, _, first_time, last_time, _, _, _, count) = _HEADER.unpack_from(raw)
    if checksum != aiokafka.record.util.calc_crc32c(memoryview(raw)[_CHECKED_FROM:]):
        raise BatchError("its checksum is wrong")
    data, at = _decompressed(attributes & _CODEC, raw[_HEADER.size :]), 0
    for _ in range(count):
        try:
            length, at = _varint(data, at)
            end = at + length
            if length < 0 or end > len(data):
                raise BatchError("a record reaches beyond its batch")
            delta, at = _varint(data, at + 1)
            number, at = _varint(data, at)
        except IndexError as error:
            raise BatchError("it ends too early") from error
        moment = last_time if attributes & _LOG_APPEND_TIME else first_time + delta
        try:
            key, at = _field(data, at, end)
            value, at = _field(data, at, end)
        except (BatchError, IndexError) as error:
            key, value = None, Unreadable(f"the record is damaged: {error}", base + number, data[at:end])
            at = end
        yield _BatchRecord(base + number, moment, key, value, _headers(data, at, end))
        at = end


def _last_of(raw: bytes) -> int:
    """Return the last offset of a batch of format 2. Raises BatchError when it has fewer offsets than records."""
    base, _, _, _, _, _, last_delta, *_, count = _HEADER.unpack_from(raw)
    if count - 1 > last_delta:
        raise BatchError(f"it says that it has {count} records and {last_delta + 1} offsets")
    return int(base + last_delta)


def _within(records: Iterator[Any], last: int | None) -> Iterator[Any]:
    """Yield records whose offset is not beyond `last`, the last offset of their batch; raise BatchError at the first.

    A record with a larger offset would move the position past the records of other batches.
    """
    for record in records:
        if last is not None and record.offset > last:
            raise BatchError("the offset of a record lies beyond it")
        yield record


class _RawRecords:
    """The part of a broker's answer for one partition, with the interface of aiokafka's `MemoryRecords`."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._records = MemoryRecords(raw)

    def has_next(self) -> bool:
        return bool(self._records.has_next())

    def size_in_bytes(self) -> int:
        return int(self._records.size_in_bytes())

    def batches(self) -> Iterator[bytes]:
        """Yield the complete batches; a broker may cut the last one off."""
        at = 0
        while at + 12 <= len(self.raw):
            (length,) = struct.unpack_from(">i", self.raw, at + 8)
            end = at + 12 + length
            if length < 0 or end > len(self.raw):
                return
            yield bytes(self.raw[at:end])
            at = end


class _Records(PartitionRecords):  # type: ignore[misc]  # aiokafka has no types
    """Reads the records that were fetched from one partition.

    aiokafka's own fast reader reads batches that are not compressed. When it fails, and for compressed batches,
    `read_batch` does.
    """

    _records: Any
    next_fetch_offset: int

    def _unpack_records(self) -> Iterator[ConsumerRecord]:
        for raw in self._records.batches():
            new = len(raw) >= _HEADER.size and raw[16] == _MAGIC_2
            if new and raw[22] & _CODEC:
                yield from self._carefully(raw)
                continue
            self._records, sound = MemoryRecords(raw), self.next_fetch_offset
            try:
                last = _last_of(raw) if new else None
                for record in _within(super()._unpack_records(), last):
                    sound = record.offset + 1
                    yield record
            except Exception:  # noqa: BLE001  # whatever aiokafka's readers raise
                self.next_fetch_offset = sound
                yield from self._carefully(raw)

    def _carefully(self, raw: bytes) -> Iterator[ConsumerRecord]:
        """Yield the records of a batch that can be read, and one `Unreadable` record for the rest."""
        if len(raw) < _HEADER.size or raw[16] != _MAGIC_2:
            last = max(self.next_fetch_offset, struct.unpack_from(">q", raw)[0])
            yield self._stand_in("the record is damaged", last)
            return
        base, _, _, _, _, attributes, last_delta, *_ = _HEADER.unpack_from(raw)
        last = base + max(0, last_delta)
        if last >= self.next_fetch_offset and not attributes & _CONTROL:
            try:
                _last_of(raw)
                for record in _within(read_batch(raw), last):
                    if record.offset >= self.next_fetch_offset:
                        self.next_fetch_offset = record.offset + 1
                        yield self._consumer_record_of(record)
            except BatchError as error:
                yield self._stand_in(f"the batch can't be read: {error}", last)
        self.next_fetch_offset = max(self.next_fetch_offset, last + 1)

    def _stand_in(self, reason: str, last: int) -> ConsumerRecord:
        offset = self.next_fetch_offset
        self.next_fetch_offset = last + 1
        return self._consumer_record_of(_BatchRecord(offset, -1, None, Unreadable(reason, last)))

    def _consumer_record_of(self, record: _BatchRecord) -> ConsumerRecord:
        key, value = record.key, record.value
        return ConsumerRecord(
            self._tp.topic,
            self._tp.partition,
            record.offset,
            record.timestamp,
            0,
            key,
            value,
            None,
            -1 if key is None else len(key),
            -1 if value is None else len(value),
            record.headers,
        )


def _install() -> None:
    """Make every consumer of this process use `_Records`; aiokafka has no setting for it."""
    fetcher: Any = aiokafka.consumer.fetcher
    fetcher.MemoryRecords, fetcher.PartitionRecords = _RawRecords, _Records


_install()
