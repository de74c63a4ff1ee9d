"""Changes as they come, to every reader who has a page open: server-sent events (WHATWG HTML, section 9.2).

Readers who look at the same events share one question to the archive for each batch of changes. A reader who is too
slow is cut off; the browser comes back with the id of the last event it got, and is told what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from agents.board.desk import Desk
from monitor.archive import NamedParticipants, SearchResult, archive_queries

logger = structlog.get_logger()

#: Messages that wait for one reader.
_ROOM = 200
#: A comment that keeps proxies from closing a quiet connection, in seconds.
KEEP_ALIVE = 15.0
#: Events that a reader who comes back is sent; with more it is told to read the page anew.
CATCH_UP = 100

Render = Callable[[SearchResult], bytes]


def message(event: str, data: bytes, identity: str = "") -> bytes:
    """Return one server-sent event."""
    head = f"id: {identity}\nevent: {event}\n" if identity else f"event: {event}\n"
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return head.encode() + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


@dataclass(eq=False)
class _Subscriber:
    selection: NamedParticipants
    render: Render
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_ROOM))


class Hub:
    """Everybody who listens."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._subscribers: set[_Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    async def publish(self, ids: Sequence[str]) -> None:
        """Tell every reader of changed events: what their filters let pass, and of the others that they are gone.

        Without ids everything may have changed: readers look at their page anew.
        """
        groups: dict[tuple[NamedParticipants, Render], list[_Subscriber]] = {}
        for subscriber in self._subscribers:
            groups.setdefault((subscriber.selection, subscriber.render), []).append(subscriber)
        for (selection, render), members in groups.items():
            if not ids:
                self._send(members, message("reset", b""))
                continue
            found = await self._desk.ask(
                archive_queries.matching, self._desk.archive, self._desk.people, selection, ids
            )
            pieces = [self._piece(each, render) for each in found]
            passed = {each.event.event_id for each in found}
            pieces += [message("gone", event_id.encode()) for event_id in ids if event_id not in passed]
            self._send(members, b"".join(pieces))

    def _send(self, members: Iterable[_Subscriber], text: bytes) -> None:
        for member in members:
            try:
                member.queue.put_nowait(text)
            except asyncio.QueueFull:
                self._drop(member)

    def _piece(self, found: SearchResult, render: Render) -> bytes:
        return message("event", render(found), f"{self._desk.archive.identity}-{found.seq}")

    def _drop(self, subscriber: _Subscriber) -> None:
        self._subscribers.discard(subscriber)
        subscriber.queue.get_nowait()
        subscriber.queue.put_nowait(None)

    def close(self) -> None:
        """Let every reader go."""
        for subscriber in list(self._subscribers):
            self._subscribers.discard(subscriber)
            if subscriber.queue.full():
                subscriber.queue.get_nowait()
            subscriber.queue.put_nowait(None)

    async def serve(self, request: web.Request, selection: NamedParticipants, render: Render) -> web.StreamResponse:
        """Answer a request with changes until the reader goes."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
        response.headers["X-Accel-Buffering"] = "no"
        await response.prepare(request)
        subscriber = _Subscriber(selection, render)
        self._subscribers.add(subscriber)
        try:
            await response.write(b"retry: 2000\n\n" + await self._missed(request, selection, render))
            while True:
                try:
                    async with asyncio.timeout(KEEP_ALIVE):
                        piece = await subscriber.queue.get()
                except TimeoutError:
                    piece = b": still here\n\n"
                if piece is None:
                    break
                await response.write(piece)
        except (ConnectionResetError, asyncio.CancelledError):
            pass
        finally:
            self._subscribers.discard(subscriber)
        return response

    async def _missed(self, request: web.Request, selection: NamedParticipants, render: Render) -> bytes:
        """What changed since the id that a returning reader names."""
        last = request.headers.get("Last-Event-ID") or request.query.get("last", "")
        identity, _, seq = last.rpartition("-")
        if not last:
            return b""
        if identity != self._desk.archive.identity or not seq.isdecimal():
            return message("reset", b"")
        found = await self._desk.ask(
            archive_queries.since, self._desk.archive, self._desk.people, selection, int(seq), CATCH_UP + 1
        )
        if len(found) > CATCH_UP:
            return message("reset", b"")
        return b"".join(self._piece(each, render) for each in found)
