"""Holds one connection: sends a request when it is made, and keeps what arrives until somebody reads it."""

from __future__ import annotations

import asyncio
import ssl
from typing import cast

from monitor.errors import HttpError

#: Bytes that are read at once; when more than this has arrived, the other side has to wait.
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
        """Return what has arrived, at most CHUNK bytes, or b"" at the end. Raises HttpError (`tls`, `reset`)."""
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
        if isinstance(self._error, ssl.SSLError):
            raise HttpError(f"TLS: {self._error}"[:200], reason="tls") from self._error
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
