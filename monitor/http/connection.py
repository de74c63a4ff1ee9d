"""One network connection: sends its request as soon as it is open, and buffers what arrives until it is read."""

from __future__ import annotations

import asyncio
from typing import cast

from monitor.errors import HttpError

#: The most bytes that `read` returns. When more is buffered, reading from the network pauses.
CHUNK = 64 * 1024


class Connection(asyncio.Protocol):
    """Sends `first` as soon as it is connected. Only one task may read from it."""

    def __init__(self, first: bytes = b"") -> None:
        self._first = first
        self._arrived = bytearray()
        self._ended = self._paused = False
        self._error: Exception | None = None
        self._waiting: asyncio.Future[None] | None = None

    async def read(self) -> bytes:
        """Wait for data and return at most CHUNK bytes of it, b"" at the end. Raises HttpError (`reset`)."""
        if not self._arrived and not self._ended:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        data = bytes(self._arrived[:CHUNK])
        del self._arrived[:CHUNK]
        if self._paused and not self._ended and len(self._arrived) <= CHUNK:
            self._paused = False
            self._transport.resume_reading()
        if data or self._error is None:
            return data
        raise HttpError(f"the connection broke: {self._error}", reason="reset") from self._error

    def write(self, data: bytes) -> None:
        """Queue bytes to be sent; returns at once."""
        self._transport.write(data)

    @property
    def ended(self) -> bool:
        """Tell whether the other side has ended the connection."""
        return self._ended

    def abort(self) -> None:
        """Close the connection without waiting for the other side."""
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called by the event loop."""
        self._transport = cast("asyncio.Transport", transport)
        if self._first:
            self._transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        """Called by the event loop."""
        self._arrived += data
        if len(self._arrived) > CHUNK and not self._paused:
            self._paused = True
            self._transport.pause_reading()
        self._wake()

    def eof_received(self) -> None:
        """Called by the event loop, which then closes the connection."""
        self._ended = True
        self._wake()

    def connection_lost(self, error: Exception | None) -> None:
        """Called by the event loop."""
        self._ended, self._error = True, error
        self._wake()

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.done():
            waiting.set_result(None)
