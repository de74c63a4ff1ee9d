"""Reads a body within limits: at most one gzip coding, and never more bytes than were allowed."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable
from contextvars import ContextVar
from typing import Any, NamedTuple

from monitor.errors import HttpError

#: A body that grows beyond so many bytes waits until fewer than PLACES others that large are held.
LARGE, PLACES = 1024 * 1024, 3
#: The deadline of the fetch under way in a task, which waiting for a place does not count towards.
DEADLINE: ContextVar[asyncio.Timeout | None] = ContextVar("DEADLINE", default=None)
#: Inflated at once; between two slices other feeds have their turn.
_SLICE = 256 * 1024
#: Compressions that a Content-Encoding can name (https://www.iana.org/assignments/http-parameters); any other word
#: there is a mistake, and the body is what it is.
_COMPRESSIONS = frozenset({"gzip", "x-gzip", "br", "deflate", "compress", "x-compress", "zstd", "dcb", "dcz", "exi",
                           "pack200-gzip", "bzip2", "x-bzip2", "xz", "lzma"})  # fmt: skip
_GZIP_NAMES = frozenset({"gzip", "x-gzip"})
_GZIP_MAGIC = b"\x1f\x8b\x08"
_BLANK = b"\xef\xbb\xbf \t\r\n"
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\r\n")
#: Bits of zlib that mean: a gzip header and trailer (RFC 1952).
_GZIP = 31


class DecodedBody(NamedTuple):
    """A decoded body, and whether its packed form ended before it was complete."""

    data: bytes
    cut: bool = False


class Room:
    """Limits how many large bodies are held at once, so that hundreds of polls can't fill the memory with them.

    A task takes one place, however many large bodies it reads, and keeps it until it ends, since what it has read is in
    memory until then.
    """

    def __init__(self, places: int = PLACES) -> None:
        self._places = asyncio.Semaphore(places)
        self._holders: set[asyncio.Task[Any]] = set()

    async def take(self) -> None:
        """Wait for a place; the fetch's deadline waits too, since others' large bodies are not its server's fault."""
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
    chunks: AsyncIterable[bytes], coding: str, max_raw: int, max_decoded: int, room: Room | None = None
) -> DecodedBody:
    """Return the decoded body; a large one takes a place in the `room`.

    `coding` is the value of Content-Encoding. Labels that name no compression (`UTF-8`, `none`, `aws-chunked`) change
    nothing; neither does a compression on a body that begins as a document does, and what begins as gzip does is
    unpacked whatever its label. Of gzip that ends early, what was unpacked is returned. Raises HttpError:
    `encoding_refused` for a compression that was not asked for and for more than one, `body_too_large`,
    `decoded_too_large`, `bad_gzip`.
    """
    codings = [name for name in map(str.strip, coding.lower().split(",")) if name in _COMPRESSIONS]
    raw = bytearray()
    inflated: _Inflated | None = None
    size = 0
    async for chunk in chunks:
        if not size and not _is_plain(chunk):
            is_gzip = chunk.startswith(_GZIP_MAGIC)  # whatever one compression its label names
            if len(codings) > 1 or not (is_gzip or _GZIP_NAMES.issuperset(codings)):
                raise HttpError(
                    f"the body is coded as {coding[:60]!r}, which was not asked for", reason="encoding_refused"
                )
            if codings or is_gzip:  # without a label: a file that was packed, `feed.xml.gz`
                inflated = _Inflated(max_decoded)
        size += len(chunk)
        if size > max_raw:
            raise HttpError(f"the body is longer than {max_raw} bytes", reason="body_too_large")
        if inflated is None:
            raw += chunk
        else:
            await inflated.feed(chunk, room)
        if size > LARGE and room is not None:
            await room.take()
    if inflated is not None:
        return inflated.close()
    if len(raw) > max_decoded:
        raise HttpError(f"the body is longer than {max_decoded} bytes", reason="body_too_large")
    return DecodedBody(bytes(raw))


def _is_plain(start: bytes) -> bool:
    """Tell whether a body begins as a document does, so that a label of a compression is a mistake."""
    text = start.lstrip(_BLANK)[:16]
    return text[:1] in {b"<", b"{", b"["} and not _CONTROLS.intersection(text)


class _Inflated:
    """Inflates gzip members slice by slice, up to a limit."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._out = bytearray()
        self._member = zlib.decompressobj(_GZIP)

    async def feed(self, data: bytes, room: Room | None) -> None:
        while data:
            if self._member.eof:
                if not data.startswith(b"\x1f\x8b"):
                    return  # padding after the last member, which gzip itself passes over as well
                self._member = zlib.decompressobj(_GZIP)
            try:
                self._out += self._member.decompress(data, _SLICE)
            except zlib.error as error:
                raise HttpError(f"the body is not gzip: {error}", reason="bad_gzip") from error
            if len(self._out) > self._limit:
                raise HttpError(f"the body unpacks to more than {self._limit} bytes", reason="decoded_too_large")
            if len(self._out) > LARGE and room is not None:
                await room.take()
            data = self._member.unused_data if self._member.eof else self._member.unconsumed_tail
            if data:
                await asyncio.sleep(0)

    def close(self) -> DecodedBody:
        if not self._member.eof:
            # What zlib still holds back is less than a slice; take it, then the trailer must have been there.
            self._out += self._member.flush(_SLICE)
        return DecodedBody(bytes(self._out), cut=not self._member.eof)
