"""Serve the pages of a process: `/metrics`, `/ready`, `/live`, and what else the process has to offer.

`/ready` says whether the process can do its work, `/live` whether it should be left running; both answer 200, or 503
with one line of JSON that names the problems. Nothing here changes any state, and no table data is served.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from monitor.errors import ConfigError
from monitor.metrics import REGISTRY

_MAX_BODY = 1024 * 1024
#: Pages load nothing, are framed by nobody, and tell other sites nothing (https://owasp.org/www-project-secure-headers/).
#: `Server` replaces aiohttp's own, which names the versions of Python and of aiohttp.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Server": "summitry",
}


class Condition(Protocol):
    """Says in words why a process can't do its work."""

    def not_ready(self) -> Iterable[str]:
        """Give the reasons why the process can't do its work now; none when it can."""

    def not_live(self) -> Iterable[str]:
        """Give the reasons why the process should be started again; none when it should not."""


def make_web(conditions: Sequence[Condition], routes: Iterable[web.RouteDef] = ()) -> web.Application:
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


def _answer(problems: list[str]) -> web.Response:
    return web.json_response({"ok": not problems, "problems": problems}, status=503 if problems else 200)


@asynccontextmanager
async def serving(application: web.Application, host: str, port: int) -> AsyncIterator[int]:
    """Serve until the block ends; gives the port, which is a free one where `port` is 0.

    Raises ConfigError when the address can't be used.
    """
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1.0)
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
