"""An HTTP server for feeds on loopback, programmed by a test byte for byte; it records the requests.

async with FeedServer() as server:
    server.on("/feed.xml", Reply(200, rss("one", "two"), {"ETag": 'W/"a"'}))
    ...
    assert server.requests[-1].header("if-none-match") == 'W/"a"'
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Request:
    """One request as it came; header values are Latin-1."""

    method: str
    path: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""
    at: float = 0.0

    def header(self, name: str) -> str | None:
        """The value of a header, None when it was not sent."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


@dataclass(frozen=True)
class Reply:
    """What is answered: a status, a body and headers; or, with `raw`, whatever that writes."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: Callable[[asyncio.StreamWriter], Awaitable[None]] | None = None
    delay: float = 0.0


Handler = Callable[[Request], Reply]


class FeedServer:
    """Serves routes by path; an unknown path is a 404. A sequence of replies is given one by one, the last for ever."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.host, self.port, self._tls = host, port, tls
        self.requests: list[Request] = []
        self.in_flight = self.most_in_flight = 0
        self._routes: dict[str, Handler] = {}
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, self.port, ssl=self._tls, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def url(self, path: str = "/feed.xml", host: str = "") -> str:
        """The address of a path."""
        scheme = "https" if self._tls else "http"
        return f"{scheme}://{host or self.host}:{self.port}{path}"

    def on(self, path: str, answer: Reply | Handler | Sequence[Reply]) -> str:
        """Answer a path (without its query); returns its address."""
        if isinstance(answer, Reply):
            self._routes[path] = lambda _: answer
        elif callable(answer):
            self._routes[path] = answer
        else:
            left = list(answer)
            self._routes[path] = lambda _: left.pop(0) if len(left) > 1 else left[0]
        return self.url(path)

    def hits(self, path: str) -> list[Request]:
        """The requests of one path, in order."""
        return [request for request in self.requests if request.path.partition("?")[0] == path]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client went away, which is its right
        finally:
            self.in_flight -= 1
            self._tasks.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError, ssl.SSLError, OSError):
                await writer.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        method, path, _ = head[0].split(" ", 2)
        rows = (line.partition(":") for line in head[1:] if line)
        headers = tuple((name.strip(), value.strip(" \t")) for name, _, value in rows)
        length = next((int(value) for name, value in headers if name.lower() == "content-length"), 0)
        body = await reader.readexactly(length) if length else b""
        request = Request(method, path, headers, body, time.monotonic())
        self.requests.append(request)
        handler = self._routes.get(path.partition("?")[0])
        reply = handler(request) if handler else Reply(404)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        if reply.raw:
            await reply.raw(writer)
        else:
            writer.write(wire(reply))
        await writer.drain()


def wire(reply: Reply) -> bytes:
    """The bytes of a plain reply."""
    lines = [f"HTTP/1.1 {reply.status} Status", "Connection: close"]
    names = {name.lower() for name in reply.headers}
    if reply.status not in {204, 304} and "content-length" not in names and "transfer-encoding" not in names:
        lines.append(f"Content-Length: {len(reply.body)}")
    lines += [f"{name}: {value}" for name, value in reply.headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + (b"" if reply.status == 304 else reply.body)


def rss(*titles: str, dates: Sequence[str] = (), extra: str = "", channel: str = "") -> bytes:
    """An RSS document with one entry for each title; its guid is made of the title's first word."""
    items = ""
    for number, title in enumerate(titles):
        word = title.split(maxsplit=1)[0]
        date = f"<pubDate>{dates[number]}</pubDate>" if number < len(dates) else ""
        items += (
            f'<item><guid isPermaLink="false">{word}</guid><title>{escape(title)}</title>'
            f"<link>https://news.example/{word}</link><description>Sample text about {escape(title)}.</description>"
            f"{date}{extra}</item>"
        )
    return (
        f'<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><title>Sample</title>'
        f"<link>https://news.example/</link>{channel}{items}</channel></rss>"
    ).encode()


def conditional(body: Callable[[], bytes], **headers: str) -> Handler:
    """A well-behaved server: a strong ETag of the body, and 304 for the one that comes back."""

    def answer(request: Request) -> Reply:
        content = body()
        etag = f'"{hash(content) & 0xFFFFFFFF:x}"'
        fields = {"ETag": etag, "Content-Type": "application/rss+xml", **headers}
        if request.header("if-none-match") == etag:
            return Reply(304, b"", fields)
        if "gzip" in (request.header("accept-encoding") or ""):
            return Reply(200, gzip.compress(content, 1), {**fields, "Content-Encoding": "gzip"})
        return Reply(200, content, fields)

    return answer
