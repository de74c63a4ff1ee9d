"""Serve an aiohttp application on a free loopback port, for the local receivers."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

#: Called before (True) and after (False) the real work; what it returns is the answer instead of the real one.
Fault = Callable[[web.Request], Awaitable[web.StreamResponse | None]]


class LocalServer:
    """Starts and stops with `async with`; `url` is its address."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.url = ""
        self._tls = tls
        self._runner: web.AppRunner | None = None

    def application(self) -> web.Application:
        raise NotImplementedError

    async def __aenter__(self):
        self._runner = web.AppRunner(self.application(), access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.url = f"http{'s' if self._tls else ''}://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()


class Arrivals:
    """Lets a test wait for the n-th arrival without sleeping blindly."""

    def __init__(self) -> None:
        self._count = 0
        self._changed = asyncio.Event()

    def one(self) -> None:
        self._count += 1
        self._changed.set()

    async def wait_for(self, count: int, within: float = 10.0) -> None:
        async with asyncio.timeout(within):
            while self._count < count:
                self._changed.clear()
                await self._changed.wait()


def lose_answer(request: web.Request) -> None:
    """The work was done, but the connection breaks before the answer is out."""
    assert request.transport is not None
    request.transport.abort()


class Script:
    """Faults for the next requests, in order; then all is well."""

    def __init__(self) -> None:
        self.faults: deque[tuple[str, object]] = deque()

    def next(self) -> tuple[str, object]:
        return self.faults.popleft() if self.faults else ("", None)
