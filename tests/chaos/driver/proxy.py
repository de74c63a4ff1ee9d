"""A TCP proxy that knows Kafka's request types, and can delay some of them or block all traffic.

Requests of one connection keep their order, as Kafka demands, so a request that is held back holds those behind it.
The frames are described at https://kafka.apache.org/protocol#protocol_messages.
"""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections import Counter
from typing import Self

#: The request types that a step may hold back, by Kafka's name.
API_KEYS = {
    "Produce": 0, "Fetch": 1, "ListOffsets": 2, "Metadata": 3, "OffsetCommit": 8, "OffsetFetch": 9,
    "FindCoordinator": 10, "JoinGroup": 11, "Heartbeat": 12, "SyncGroup": 14,
}  # fmt: skip
_NAMES = {key: name for name, key in API_KEYS.items()}


class KafkaProxy:
    """Listens on `port` and passes everything on to the broker at `upstream`."""

    def __init__(self, port: int) -> None:
        self.port, self.upstream = port, 0
        self.seen: Counter[str] = Counter()
        self._held: dict[str, asyncio.Event] = {}
        self._connections: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.cut()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def hold(self, name: str) -> None:
        """Hold back requests of one type from now on."""
        self._held.setdefault(name, asyncio.Event())

    def release(self, name: str | None = None) -> None:
        """Let requests of one type pass again, of all types without a name."""
        for each in list(self._held) if name is None else [name]:
            if event := self._held.pop(each, None):
                event.set()

    def cut(self) -> None:
        """Break all connections."""
        for writer in self._connections:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            theirs, ours = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            writer.transport.abort()
            self._tasks.discard(task)
            return
        self._connections |= {writer, ours}
        answers = asyncio.create_task(self._pass(theirs, writer))
        try:
            await self._requests(reader, ours)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # one of the two went away
        finally:
            answers.cancel()
            for each in (writer, ours):
                each.transport.abort()
                self._connections.discard(each)
            await asyncio.gather(answers, return_exceptions=True)
            self._tasks.discard(task)

    async def _requests(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(4)
            body = await reader.readexactly(struct.unpack(">i", head)[0])
            name = _NAMES.get(struct.unpack_from(">h", body)[0], "other")
            self.seen[name] += 1
            if event := self._held.get(name):
                await event.wait()
            writer.write(head + body)
            await writer.drain()

    @staticmethod
    async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.transport.abort()
