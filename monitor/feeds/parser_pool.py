"""A pool of guarded parser processes.

feedparser takes seconds for a large document and can be made to take gigabytes for a small one, so nothing is ever
parsed in the process of the poller. A document that is too much for its worker costs that worker only: the caller gets
a FeedError, the next call a new process, and calls on other workers notice nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from types import TracebackType
from typing import Self, TypeVar

import msgspec

from monitor.errors import FeedError
from monitor.feeds.document import ParsedFeed
from monitor.feeds.parser_worker import CPU_SIGNAL, LENGTH, Extracted, Links, Reply, Request

R = TypeVar("R")

#: Documents of more bytes than this are parsed one at a time: they take most memory, and others need not wait for them.
_LARGE = 1024 * 1024
#: Bytes that are written to a worker at once.
_SLICE = 256 * 1024
#: Bytes of one reply: more than any document within the parser's limits can become.
_LARGEST_REPLY = 256 * 1024 * 1024
#: What ended the worker -> the reason. An allocation that fails inside of a C or Rust library aborts the process.
_SIGNALS = {
    CPU_SIGNAL: ("parse_timeout", "the document takes too much processor time"),
    signal.SIGABRT: ("parse_memory", "the document needs more memory than a parser may use"),
    signal.SIGKILL: ("parse_memory", "the parser was killed, probably by the system for want of memory"),
    signal.SIGSEGV: ("parse_crash", "the parser crashed"),
}


class ParserPool:
    """`workers` processes that parse one document each at a time; an async context manager.

    Each process may use `memory` bytes of address space, `heap` bytes of its own, and `cpu_seconds` for one document,
    is given up after `deadline` seconds whatever it does, and is replaced after `recycle` documents or when it has
    become large. Processes start when first needed.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        cpu_seconds: float = 3.0,
        memory: int = 1 << 30,
        heap: int = 120 << 20,
        recycle: int = 1_000,
        deadline: float = 30.0,
    ) -> None:
        if workers < 1:
            raise ValueError("a pool needs at least one worker")
        self._model = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the pool
        arguments = tuple(map(str, (cpu_seconds, memory, heap, self._model.fileno())))
        self._workers = [_Worker(arguments, self._model.fileno(), recycle, deadline) for _ in range(workers)]
        # The last one used is the first one taken: with little to do, few processes run.
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
        """End all processes; calls that still run fail."""
        self._closed = True
        await asyncio.gather(*(worker.stop() for worker in self._workers))
        self._model.close()

    async def parse(
        self,
        body: bytes,
        *,
        content_type: str = "",
        url: str = "",
        language: str = "",
        country: str = "",
        zone: str = "",
        is_cut: bool = False,
    ) -> ParsedFeed:
        """`monitor.feeds.parse.parse` in a worker; its entries come without their HTML.

        Raises FeedError with the reasons of `parse`, and `parse_timeout`, `parse_memory`, `parse_crash`.
        """
        options = {"content_type": content_type, "url": url, "language": language, "country": country, "zone": zone}
        return await self._run("parse", body, options | {"is_cut": is_cut}, ParsedFeed)

    async def extract(self, body: bytes, *, url: str = "", selector: str = "", content_type: str = "") -> Extracted:
        """`monitor.feeds.fulltext.extract` in a worker. Raises FeedError."""
        return await self._run(
            "extract", body, {"url": url, "selector": selector, "content_type": content_type}, Extracted
        )

    async def page_links(self, body: bytes, *, url: str = "", content_type: str = "") -> Links:
        """`monitor.feeds.discover.page_links` in a worker. Raises FeedError."""
        return await self._run("links", body, {"url": url, "content_type": content_type}, Links)

    async def _run(self, task: str, body: bytes, options: Mapping[str, object], kind: type[R]) -> R:
        if self._closed:
            raise FeedError("the parser pool is closed", reason="parse_crash")
        async with self._large if len(body) > _LARGE else contextlib.nullcontext():
            worker = await self._idle.get()
            try:
                reply = await worker.call(Request(task, len(body), dict(options)), body)
            finally:
                self._idle.put_nowait(worker)
        if reply.reason:
            raise FeedError(reply.message, reason=reply.reason, retryable=reply.retryable)
        return msgspec.msgpack.decode(reply.result, type=kind)


class _Worker:
    """One process and its replacements."""

    def __init__(self, arguments: tuple[str, ...], model: int, recycle: int, deadline: float) -> None:
        self._arguments, self._model = arguments, model
        self._recycle = recycle
        self._deadline = deadline
        self._process: asyncio.subprocess.Process | None = None
        self._done = 0

    async def call(self, request: Request, body: bytes) -> Reply:
        process = await self._running()
        try:
            async with asyncio.timeout(self._deadline):
                reply = await self._exchange(process, request, body)
        except TimeoutError:
            await self.stop(kill=True)
            return Reply(reason="parse_timeout", message=f"the parser gave no answer in {self._deadline:g} seconds")
        except (asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            return await self._post_mortem(process)
        except BaseException:
            # The caller was cancelled: an answer that nobody reads must not be taken for that of the next document.
            await self.stop(kill=True)
            raise
        self._done += 1
        if self._done >= self._recycle or reply.spent:
            await self.stop()
        return reply

    async def stop(self, *, kill: bool = False) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if kill and process.returncode is None:
            process.kill()
        try:
            async with asyncio.timeout(5):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        self._done = 0
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "monitor.feeds.parser_worker",
            *self._arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
            pass_fds=(self._model,),
            # Without it glibc keeps more and more of what was freed, once a large document was read (mallopt(3)).
            env={**os.environ, "MALLOC_MMAP_THRESHOLD_": str(_SLICE)},
        )
        return self._process

    async def _exchange(self, process: asyncio.subprocess.Process, request: Request, body: bytes) -> Reply:
        assert process.stdin is not None  # noqa: S101  # both pipes were asked for above
        assert process.stdout is not None  # noqa: S101
        frame = msgspec.msgpack.encode(request)
        process.stdin.write(LENGTH.pack(len(frame)) + frame)
        for start in range(0, len(body), _SLICE):  # a whole large body would be copied into the pipe's buffer
            process.stdin.write(body[start : start + _SLICE])
            await process.stdin.drain()
        (length,) = LENGTH.unpack(await process.stdout.readexactly(LENGTH.size))
        if length > _LARGEST_REPLY:
            raise ConnectionError("the reply is too long")
        return msgspec.msgpack.decode(await process.stdout.readexactly(length), type=Reply)

    async def _post_mortem(self, process: asyncio.subprocess.Process) -> Reply:
        await self.stop(kill=False)
        code = process.returncode or 0
        reason, message = "parse_crash", f"the parser ended with code {code}"
        if code < 0:
            reason, message = _SIGNALS.get(signal.Signals(-code), (reason, message))
        return Reply(reason=reason, message=message)
