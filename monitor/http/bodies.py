"""Read the body of a response, decompressing gzip, within limits of size and memory."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable
from contextvars import ContextVar
from typing import Any, NamedTuple

from monitor.errors import HttpError

#: A body of more than LARGE bytes waits until fewer than PLACES others of that size are in memory.
LARGE, PLACES = 1024 * 1024, 3
#: The deadline of the current task's fetch. The time that it waits for a place is added to it.
DEADLINE: ContextVar[asyncio.Timeout | None] = ContextVar("DEADLINE", default=None)
#: Bytes that are decompressed at once; between two slices the event loop runs other tasks.
_SLICE = 256 * 1024
#: The compressions that Content-Encoding can name (https://www.iana.org/assignments/http-parameters). Any other word is
#: a mistake of the server, and the body is not compressed.
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "br", "deflate", "compress", "x-compress", "zstd", "dcb", "dcz", "exi",
                           "pack200-gzip", "bzip2", "x-bzip2", "xz", "lzma"})  # fmt: skip
_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_GZIP_MAGIC = b"\x1f\x8b\x08"
_UTF_16 = (b"\xff\xfe<\0", b"\xfe\xff\0<")
_BLANK = b"\xef\xbb\xbf \t\r\n"
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\r\n")
#: The `wbits` of zlib for data with a gzip header and trailer (RFC 1952).
_GZIP = 31


class DecodedBody(NamedTuple):
    """A decompressed body; `cut` means that the compressed data ended too early."""

    data: bytes
    cut: bool = False


class LargeBodyLimit:
    """Limits how many large bodies are in memory at once, so that hundreds of polls can't fill it.

    A task takes one place, however many large bodies it reads, and keeps it until the task ends, because the bodies are
    in memory until then.
    """

    def __init__(self, places: int = PLACES) -> None:
        self._places = asyncio.Semaphore(places)
        self._holders: set[asyncio.Task[Any]] = set()

    async def take(self) -> None:
        """Wait for a place. The fetch's deadline is moved by that time: the server did not cause the wait."""
        task, deadline = asyncio.current_task(), DEADLINE.get()
        if task is None or task in self._holders:
            return
        when, began = deadline and deadline.when(), asyncio.get_running_loop().time()
        if deadline and when:
            deadline.reschedule(None)
        await self._places.acquire()
        if deadline and when:
            deadline.reschedule(when + asyncio.get_running_loop().time() - began)
        self._holders.add(task)
        task.add_done_callback(self._leave)

    def _leave(self, task: asyncio.Task[Any]) -> None:
        self._holders.discard(task)
        self._places.release()


async def read_body(
    chunks: AsyncIterable[bytes], coding: str, max_raw: int, max_decoded: int, limit: LargeBodyLimit | None = None
) -> DecodedBody:
    """Return the decompressed body. A body of over LARGE bytes waits for a place of `limit`.

    `coding` is the value of Content-Encoding. It is ignored when it names no compression (`UTF-8`, `none`,
    `aws-chunked`) and when the body is plainly a document. A body that begins like gzip is decompressed whatever the
    label says, and a second time if the result is gzip again. Of gzip that ends too early, the part that could be
    decompressed is returned.

    `max_raw` and `max_decoded` are the most bytes before and after decompression. Raises HttpError: `encoding_refused`
    for a compression other than gzip and for several, `body_too_large`, `decoded_too_large`, `bad_gzip`.
    """
    codings = [name for name in map(str.strip, coding.lower().split(",")) if name in _COMPRESSIONS]
    raw = bytearray()
    inflated: _Inflated | None = None
    size = 0
    async for chunk in chunks:
        if not size and not _is_plain(chunk):
            is_gzip = chunk.startswith(_GZIP_MAGIC)  # even if the label names another compression
            if len(codings) > 1 or not (is_gzip or _GZIP_NAMES.issuperset(codings)):
                raise HttpError(
                    f"the body is coded as {coding[:60]!r}, which was not asked for", reason="encoding_refused"
                )
            if codings or is_gzip:  # gzip without a label is a compressed file such as `feed.xml.gz`
                inflated = _Inflated(max_decoded)
        size += len(chunk)
        if size > max_raw:
            raise HttpError(f"the body is longer than {max_raw} bytes", reason="body_too_large")
        if inflated is None:
            raw += chunk
        else:
            await inflated.feed(chunk, limit)
        if size > LARGE and limit is not None:
            await limit.take()
    if inflated is not None:
        body = inflated.close()
        if not body.data.startswith(_GZIP_MAGIC):
            return body
        # Compressed twice, by the program and by the server, and labelled once.
        twice = _Inflated(max_decoded)
        await twice.feed(body.data, limit)
        return twice.close()._replace(cut=body.cut)
    if len(raw) > max_decoded:
        raise HttpError(f"the body is longer than {max_decoded} bytes", reason="body_too_large")
    return DecodedBody(bytes(raw))


def _is_plain(start: bytes) -> bool:
    """Tell whether a body begins like a document, so that a label of a compression is a mistake."""
    if start.startswith(_UTF_16):
        return True
    text = start.lstrip(_BLANK)[:16]
    return text[:1] in {b"<", b"{", b"["} and not _CONTROLS.intersection(text)


class _Inflated:
    """Decompresses the members of a gzip file slice by slice, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._out = bytearray()
        self._member = zlib.decompressobj(_GZIP)

    async def feed(self, data: bytes, limit: LargeBodyLimit | None) -> None:
        while data:
            if self._member.eof:
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding after the last member, which the gzip program ignores too
                self._member = zlib.decompressobj(_GZIP)
            try:
                self._out += self._member.decompress(data, _SLICE)
            except zlib.error as error:
                raise HttpError(f"the body is not gzip: {error}", reason="bad_gzip") from error
            if len(self._out) > self._limit:
                raise HttpError(f"the body unpacks to more than {self._limit} bytes", reason="decoded_too_large")
            if len(self._out) > LARGE and limit is not None:
                await limit.take()
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if data:
                await asyncio.sleep(0)

    def close(self) -> DecodedBody:
        if not self._member.eof:
            # Take the rest that zlib has buffered, which is less than a slice.
            self._out += self._member.flush(_SLICE)
        return DecodedBody(bytes(self._out), cut=not self._member.eof)
