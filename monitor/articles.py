"""Read articles from files or standard input: one JSON object a line, as `detect`, `replay` and `backtest` take them.

A line needs `id` and `title`. A null counts as a missing field. A `published` or `seen` that is only a date means noon
UTC of that day, since archives often keep no time. Files may be compressed with gzip, bzip2, xz or zstandard, and
encoded in UTF-8 (with or without a byte order mark) or UTF-16.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import IO, Any, cast

import msgspec
import zstandard

from monitor.errors import DecodeError, NewerSchemaError, SummitryError
from monitor.records import Article, decode, utc

_NOON = time(12, tzinfo=UTC)
_TIMES = ("published", "seen")


def read_article(line: bytes | str) -> Article:
    """Read one article line.

    Raises DecodeError, whose message says what is wrong with the line, and NewerSchemaError for a line that a newer
    version of Summitry wrote.
    """
    try:
        article = decode(Article, line)
    except NewerSchemaError:
        raise
    except DecodeError as error:
        article = _forgiving(line, error)
    times = {name: getattr(article, name) for name in _TIMES}
    if odd := {name: utc(at) for name, at in times.items() if at is not None and at.tzinfo is not UTC}:
        article = msgspec.structs.replace(article, **odd)
    if not article.id:
        raise DecodeError("not a valid Article: `id` is empty")
    return article


def _forgiving(line: bytes | str, error: DecodeError) -> Article:
    """Read the line again without its nulls and with dates turned into times; raise `error` if that fails too."""
    try:
        fields: Any = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        raise error from None
    if not isinstance(fields, dict):
        raise error
    fields = {name: value for name, value in fields.items() if value is not None}
    for name in _TIMES:
        if isinstance(value := fields.get(name), str) and len(value) == len("2026-02-04"):
            try:
                fields[name] = datetime.combine(date.fromisoformat(value), _NOON)
            except ValueError:
                raise DecodeError(f"not a valid Article: {value!r} is no date - at `$.{name}`") from None
    try:
        return msgspec.convert(fields, Article)
    except msgspec.ValidationError as problem:
        raise DecodeError(f"not a valid Article: {problem}") from problem


class Lines:
    """The lines of some files. The name `-`, or an empty list of files, means standard input.

    For a progress display, `bytes_read` counts the bytes read so far and `bytes_total` is the size of all files, both
    before decompression; `bytes_total` is None when standard input is among them. Raises SummitryError for a file that
    can't be opened or decompressed.
    """

    def __init__(self, files: tuple[str, ...], stdin: IO[bytes] | None = None) -> None:
        self._files = files or ("-",)
        self._stdin = stdin if stdin is not None else sys.stdin.buffer
        self._raw: IO[bytes] | None = None
        self._done = 0
        self.bytes_total = None if "-" in self._files else sum(_size(f) for f in self._files)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, before decompression."""
        return self._done + (self._raw.tell() if self._raw is not None and self._raw.seekable() else 0)

    def __iter__(self) -> Iterator[tuple[str, int, bytes]]:
        """Yield the file's name, the line's number (from 1) and the line, for each line that is not blank."""
        for name in self._files:
            if name == "-":
                yield from _numbered("standard input", self._stdin)
                continue
            try:
                with Path(name).open("rb") as raw:
                    self._raw = raw
                    yield from _numbered(name, raw)
                    self._done += raw.tell()
                    self._raw = None
            except (OSError, EOFError, lzma.LZMAError, zstandard.ZstdError) as error:
                problem = error.strerror if isinstance(error, OSError) and error.strerror else error
                raise SummitryError(f"{name}: can't be read: {problem}", reason="file") from error


def _size(name: str) -> int:
    try:
        return Path(name).stat().st_size
    except OSError as error:
        raise SummitryError(f"{name}: can't be read: {error.strerror}", reason="file") from error


def _numbered(name: str, stream: IO[bytes]) -> Iterator[tuple[str, int, bytes]]:
    for number, line in enumerate(_plain_lines(stream, name), start=1):
        if line.strip():
            yield name, number, line


#: The first bytes of each supported compression format, and what decompresses it. `_REFUSED` has the unsupported ones.
_PACKERS: tuple[tuple[bytes, Callable[[IO[bytes]], IO[bytes]]], ...] = (
    (b"\x1f\x8b", lambda raw: cast("IO[bytes]", gzip.GzipFile(fileobj=raw))),
    (b"BZh", lambda raw: cast("IO[bytes]", bz2.BZ2File(raw))),
    (b"\xfd7zXZ", lambda raw: cast("IO[bytes]", lzma.LZMAFile(raw))),  # noqa: SIM115  # closed with the file it reads
    (
        b"\x28\xb5\x2f\xfd",
        lambda raw: cast(
            "IO[bytes]",
            io.BufferedReader(
                cast(
                    "io.RawIOBase",
                    zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=False),
                )
            ),
        ),
    ),
)
_REFUSED = ((b"PK\x03\x04", "a zip archive"), (b"7z\xbc\xaf", "a 7z archive"), (b"PAR1", "a parquet file"))


def _plain_lines(raw: IO[bytes], name: str) -> Iterator[bytes]:
    """Yield a stream's lines in UTF-8: decompressed, without a byte order mark, converted from UTF-16.

    The format is told from the first bytes, not from the file's name. Raises SummitryError for a format that is not
    supported; the message names the format.
    """
    stream = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast("io.RawIOBase", raw))
    head = stream.peek(6)[:6]
    for start, kind in _REFUSED:
        if head.startswith(start):
            raise SummitryError(f"{name} is {kind}: unpack it to JSON lines first", reason="file")
    for start, unpack in _PACKERS:
        if head.startswith(start):
            yield from _plain_lines(unpack(stream), name)
            return
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        decoded = io.TextIOWrapper(stream, "utf-16", errors="replace", newline="\n")
        try:
            for line in decoded:
                yield line.encode("utf-8", "surrogatepass")
        finally:
            decoded.detach()  # who opened the stream closes it
        return
    if b"\0" in head:
        raise SummitryError(
            f"{name} is binary, or UTF-16 without a byte order mark: convert it to UTF-8", reason="file"
        )
    if head.startswith(b"\xef\xbb\xbf"):
        stream.read(3)
    yield from stream
