"""Send changes at once to every reader who has a page open: server-sent events (WHATWG HTML, section 9.2).

For each batch of changes the archive is queried once for all readers with the same filters. A reader who is too slow is
disconnected. The browser then connects again with the id of the last event it got, and is sent what it missed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog
from aiohttp import web

from agents.board.context import BoardContext
from monitor.archive import EventFilters, SearchResult, archive_queries

logger = structlog.get_logger()

#: Most messages that wait for one reader; a slower reader is disconnected.
_ROOM = 200
#: Seconds after which a comment is sent, so that proxies don't close a quiet connection.
KEEP_ALIVE = 15.0
#: Most missed events that are sent to a reader who connects again; with more, it must load the page again.
CATCH_UP = 100

Render = Callable[[SearchResult], bytes]


def message(event: str, data: bytes, identity: str = "") -> bytes:
    """Return one server-sent event; `identity` is the id that the browser sends when it connects again."""
    head = f"id: {identity}\nevent: {event}\n" if identity else f"event: {event}\n"
    lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    return head.encode() + b"".join(b"data: " + line + b"\n" for line in lines) + b"\n"


@dataclass(eq=False)
class _Subscriber:
    selection: EventFilters
    render: Render
    queue: asyncio.Queue[bytes | None] = field(default_factory=lambda: asyncio.Queue(_ROOM))


class Broadcaster:
    """The readers who are connected, and what is sent to them."""

    def __init__(self, context: BoardContext) -> None:
        self._context = context
        self._subscribers: set[_Subscriber] = set()

    def __len__(self) -> int:
        return len(self._subscribers)

    async def publish(self, ids: Sequence[str]) -> None:
        """Send changed events to every reader: those that match the reader's filters, and `gone` for the others.

        Without ids everything may have changed; the event `reset` then makes browsers load their page again.
        """
        groups: dict[tuple[EventFilters, Render], list[_Subscriber]] = {}
        for subscriber in self._subscribers:
            groups.setdefault((subscriber.selection, subscriber.render), []).append(subscriber)
        for (selection, render), members in groups.items():
            if not ids:
                self._send(members, message("reset", b""))
                continue
            found = await self._context.ask(
                archive_queries.matching, self._context.archive, self._context.people, selection, ids
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
        return message("event", render(found), f"{self._context.archive.identity}-{found.seq}")

    def _drop(self, subscriber: _Subscriber) -> None:
        self._subscribers.discard(subscriber)
        subscriber.queue.get_nowait()
        subscriber.queue.put_nowait(None)

    def close(self) -> None:
        """Disconnect every reader."""
        for subscriber in list(self._subscribers):
            self._subscribers.discard(subscriber)
            if subscriber.queue.full():
                subscriber.queue.get_nowait()
            subscriber.queue.put_nowait(None)

    async def serve(self, request: web.Request, selection: EventFilters, render: Render) -> web.StreamResponse:
        """Answer a request with a stream of changes, until the reader disconnects or is disconnected."""
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

    async def _missed(self, request: web.Request, selection: EventFilters, render: Render) -> bytes:
        """Return what changed since the id that a reader sends when connecting again."""
        last = request.headers.get("Last-Event-ID") or request.query.get("last", "")
        identity, _, seq = last.rpartition("-")
        if not last:
            return b""
        if identity != self._context.archive.identity or not seq.isdecimal():
            return message("reset", b"")
        found = await self._context.ask(
            archive_queries.since, self._context.archive, self._context.people, selection, int(seq), CATCH_UP + 1
        )
        if len(found) > CATCH_UP:
            return message("reset", b"")
        return b"".join(self._piece(each, render) for each in found)
