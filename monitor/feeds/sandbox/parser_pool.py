"""A pool of guarded parser processes.

A hostile document can take seconds or gigabytes to parse, so nothing is ever parsed in the process of the poller. When
a document exceeds the limits, only its worker process dies: the caller gets a FeedError, the next call gets a new
process, and calls on other workers are not affected.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeVar, Unpack

import msgspec

from monitor.errors import FeedError
from monitor.feeds.formats.document import ParsedFeed
from monitor.feeds.formats.page.feed_links import PageLinks
from monitor.feeds.formats.page.main_text import PageText
from monitor.feeds.formats.parse import ParseOptions
from monitor.feeds.sandbox.parser_process import ForkServer, ParserProcess
from monitor.feeds.sandbox.parser_worker import CPU_SIGNAL, LARGE, Reply, Request, share_of

R = TypeVar("R")

#: The reason and message for the signal that ended a worker. A failed allocation in a C or Rust library aborts it.
_SIGNALS = {
    CPU_SIGNAL: ("parse_timeout", "the document takes too much processor time"),
    signal.SIGABRT: ("parse_memory", "the document needs more memory than a parser may use"),
    signal.SIGKILL: ("parse_memory", "the parser was killed, probably by the system for lack of memory"),
    signal.SIGSEGV: ("parse_crash", "the parser crashed"),
}


class ParserPool:
    """A pool of `workers` processes, each of which parses one document at a time. An async context manager.

    Each process may use `memory` bytes of address space, `heap` bytes of heap, and `cpu_seconds` of processor time for
    a document. It is killed after `deadline` seconds, and replaced after `recycle` documents or when it has become too
    large. Documents of more than a megabyte are parsed one at a time. A process starts when it is first needed.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        cpu_seconds: float = 3.0,
        memory: int = 1 << 30,
        heap: int = 140 << 20,
        recycle: int = 1_000,
        deadline: float = 30.0,
    ) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._template = ForkServer(tuple(map(str, (cpu_seconds, memory, heap))))
        self._workers = [_Worker(self._template, recycle, deadline) for _ in range(workers)]
        # Last in, first out: with little to do only a few processes are started.
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in self._workers:
            self._idle.put_nowait(worker)
        self._large = asyncio.Lock()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End all processes. Calls that still run raise FeedError."""
        self._closed = True
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        await self._template.close()

    async def parse(self, body: bytes, **options: Unpack[ParseOptions]) -> ParsedFeed:
        """Run `monitor.feeds.formats.parse.parse` in a worker. The entries have no HTML.

        A document that is larger than MAX_DOCUMENT, as `max_size` allows, gets more time and memory in proportion.
        Raises FeedError with the reasons of `parse`, and `parse_timeout`, `parse_memory`, `parse_crash`.
        """
        return await self._run("parse", body, options, ParsedFeed)

    async def extract(self, body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> PageText:
        """Run `monitor.feeds.formats.page.main_text.extract` in a worker. Raises FeedError."""
        return await self._run(
            "extract", body, {"url": url, "selector": selector, "content_type": content_type}, PageText
        )

    async def page_links(self, body: bytes, *, url: str = "", content_type: str = "") -> PageLinks:
        """Run `monitor.feeds.formats.page.feed_links.page_links` in a worker. Raises FeedError."""
        return await self._run("links", body, {"url": url, "content_type": content_type}, PageLinks)

    async def _run(self, task: str, body: bytes, options: Mapping[str, object], kind: type[R]) -> R:
        self._check_open()
        async with self._large if len(body) > LARGE else contextlib.nullcontext():
            worker = await self._idle.get()
            try:
                self._check_open()
                reply = await worker.call(Request(task, len(body), dict(options)), body)
            finally:
                self._idle.put_nowait(worker)
        if reply.reason:
            raise FeedError(reply.message, reason=reply.reason, retryable=reply.retryable)
        return msgspec.msgpack.decode(reply.result, type=kind)

    def _check_open(self) -> None:
        if self._closed:
            raise FeedError("the parser pool is closed", reason="parse_crash")


class _Worker:
    """One place of the pool: a process, which is replaced when it ends."""

    def __init__(self, template: ForkServer, recycle: int, deadline: float) -> None:
        self._template = template
        self._recycle = recycle
        self._deadline = deadline
        self._process: ParserProcess | None = None
        self._done = 0

    async def call(self, request: Request, body: bytes) -> Reply:
        try:
            async with asyncio.timeout(self._deadline * share_of(len(body))):
                process = await self._running()
                frame = await process.exchange(msgspec.msgpack.encode(request), body)
                reply = msgspec.msgpack.decode(frame, type=Reply)
        except TimeoutError:
            await self.stop()
            return Reply(reason="parse_timeout", message=f"the parser gave no answer in {self._deadline:g} seconds")
        except (ConnectionError, msgspec.DecodeError):
            return await self._post_mortem()
        except BaseException:
            # The caller was cancelled. Its reply must not be read as the reply to the next document.
            await self.stop()
            raise
        self._done += 1
        if self._done >= self._recycle or reply.spent:
            await self.stop()
        return reply

    async def stop(self, *, kill: bool = True) -> int:
        """End the process, if there is one. Returns its exit code, or 0."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ConnectionError):
                return await process.end(kill=kill)
        return 0

    async def _running(self) -> ParserProcess:
        if self._process is not None and self._process.ended:
            await self.stop()
        if self._process is None:
            self._done = 0
            self._process = await self._template.copy()
        return self._process

    async def _post_mortem(self) -> Reply:
        code = await self.stop(kill=False)
        reason, message = "parse_crash", f"the parser ended with code {code}"
        if code < 0:
            reason, message = _SIGNALS.get(signal.Signals(-code), (reason, message))
        return Reply(reason=reason, message=message)
