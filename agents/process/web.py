"""Serve the pages of a process: `/metrics`, `/ready`, `/live`, and further routes of the process.

`/ready` says whether the process can do its work, `/live` whether it should keep running. Both answer 200, or 503 with
a line of JSON that names the problems. These pages change no state.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol
from urllib.parse import parse_qsl

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from monitor.errors import ConfigError
from monitor.metrics import REGISTRY

_MAX_BODY = 1024 * 1024
#: The most bytes of a form, and the seconds in which it must arrive.
_MAX_FORM, _FORM_PATIENCE = 8 * 1024, 10.0
#: Seconds in which a request's head has to arrive, counted from the connection or its last answer. aiohttp's own limit
#: is an hour. A proxy in front closes idle connections earlier, or tries a GET again.
_HEAD_PATIENCE = 75.0
#: Security headers (https://owasp.org/www-project-secure-headers/): pages load nothing, can't be framed, and send no
#: referrer. `Server` replaces aiohttp's own, which tells the versions of Python and aiohttp.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "summitry",
}


class ProcessCondition(Protocol):
    """A part of a process that knows whether the process is ready and live."""

    def not_ready(self) -> Iterable[str]:
        """Return the reasons why the process can't do its work now; none when it can."""

    def not_live(self) -> Iterable[str]:
        """Return the reasons why the process should be restarted; none when it should not."""


def make_web(conditions: Sequence[ProcessCondition], routes: Iterable[web.RouteDef] = ()) -> web.Application:
    """Make the web application of one process; `routes` are added to the three pages."""

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(REGISTRY), headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def ready(_: web.Request) -> web.Response:
        return _answer([problem for each in conditions for problem in each.not_ready()])

    async def live(_: web.Request) -> web.Response:
        return _answer([problem for each in conditions for problem in each.not_live()])

    async def secure(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)

    application = web.Application(client_max_size=_MAX_BODY)
    application.on_response_prepare.append(secure)
    application.router.add_get("/metrics", metrics)
    application.router.add_get("/ready", ready)
    application.router.add_get("/live", live)
    application.router.add_routes(routes)
    return application


async def form_body(request: web.Request) -> bytes | None:
    """Read the body of a form. Returns None when it is too large, can't be decompressed, or takes too long."""
    body = bytearray()
    try:
        async with asyncio.timeout(_FORM_PATIENCE):
            async for part in request.content.iter_any():
                body += part
                if len(body) > _MAX_FORM:
                    return None
    except (web.RequestPayloadError, ConnectionError, TimeoutError):
        return None
    return bytes(body)


async def form_fields(request: web.Request) -> dict[str, str] | None:
    """Read the fields of a form as browsers send it. Returns None when it is not a form or not UTF-8."""
    body = await form_body(request) if request.content_type == "application/x-www-form-urlencoded" else None
    if body is None:
        return None
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError:  # which includes UnicodeDecodeError
        return None


def _answer(problems: list[str]) -> web.Response:
    return web.json_response({"ok": not problems, "problems": problems}, status=503 if problems else 200)


@asynccontextmanager
async def serving(application: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends. Yields the port, which is a free one if `port` is 0.

    Raises ConfigError when the address can't be used.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0, keepalive_timeout=_HEAD_PATIENCE)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        try:
            await site.start()
        except OSError as error:
            raise ConfigError(
                "web", f"{host}:{port}", f"can't listen there: {error.strerror or error}", "choose another web port"
            ) from error
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()
