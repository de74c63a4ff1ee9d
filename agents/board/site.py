"""The board's web application: its routes, and the headers and error pages of all of them.

The headers of every answer forbid a page to load anything from other sites, to run scripts but the board's own, and to
be shown in a frame. An error is answered with a page for people, and under `/api/` with a problem object (RFC 9457).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any

from aiohttp import web

from agents.board import actions, api, downloads, pages
from agents.board.access import CSRF_COOKIE, Access, BoardReader, Limiter
from agents.board.context import CONTEXT, BoardContext, RecentAnswers
from agents.board.live import Broadcaster
from agents.board.pages.rendering import (
    ACCESS,
    BROADCASTER,
    CARDS,
    LIMITER,
    NEW_COOKIE,
    READER,
    RECENT,
    TEMPLATES,
    local_path,
    mistake,
)
from agents.board.views import environment
from agents.process.web import make_web
from monitor.archive import SelectionError
from monitor.errors import SummitryError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not "no-referrer": browsers then send forms with the origin "null".
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Server": "summitry",
}
#: Addresses that need no login: the login page, style sheets and scripts, and the health and metrics endpoints.
_OPEN = ("/login", "/static/", "/live", "/ready", "/metrics")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

#: Seconds for which an answer is given again to the same request, as long as the archive does not change.
_SHARED_FOR = 10.0

logger = logging.getLogger(__name__)


def make_site(context: BoardContext, access: Access) -> web.Application:
    """Return the whole application."""
    application = make_web([_TopicsRead(context)], [*pages.ROUTES, *api.ROUTES, *downloads.ROUTES, *actions.ROUTES])
    # The headers of the other processes' pages forbid scripts; the board has headers of its own.
    application.on_response_prepare.clear()
    application.on_response_prepare.append(_add_headers)
    application.middlewares.extend([_answer_mistakes, _know_the_reader])
    application[CONTEXT], application[ACCESS], application[BROADCASTER] = context, access, Broadcaster(context)
    application[CARDS] = {}
    application[RECENT], application[api.RECENT] = RecentAnswers(_SHARED_FOR, 60), RecentAnswers(_SHARED_FOR, 40)
    application[downloads.RECENT] = RecentAnswers(_SHARED_FOR, 20)
    application[TEMPLATES], application[LIMITER] = environment(), Limiter(context.config.board.rate)
    for file in (resources.files("agents.board") / "data" / "static").iterdir():
        application.router.add_get(f"/static/{file.name}", _static(file.read_bytes(), file.name))
    application.on_shutdown.append(_let_go)
    return application


class _TopicsRead:
    """Readiness check: the board is ready once it has read the topics."""

    def __init__(self, context: BoardContext) -> None:
        self._context = context

    def not_ready(self) -> list[str]:
        """Return why the board is not ready; empty if it is."""
        progress = self._context.progress
        return [] if progress.done else [f"{progress.percent} % of the topics were read"]

    def not_live(self) -> list[str]:
        """Return no reason ever: a restart would not help, since the board waits for a lost broker by itself."""
        return []


def _static(body: bytes, name: str) -> Handler:
    etag = f'"{hash(body) & 0xFFFFFFFFFFFF:x}"'
    kind = _TYPES.get(name[name.rfind(".") :], "application/octet-stream")

    async def serve(request: web.Request) -> web.Response:
        headers = {"ETag": etag, "Cache-Control": "no-cache"}
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers=headers)
        return web.Response(body=body, content_type=kind, charset="utf-8", headers=headers)

    return serve


async def _let_go(application: web.Application) -> None:
    application[BROADCASTER].close()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if (fresh := request.get(NEW_COOKIE)) and response.content_type == "text/html":
        # aiohttp has already written `response.cookies` into the headers here, so this cookie is added as a header.
        secure = "; Secure" if request.app[CONTEXT].config.board.url.startswith("https://") else ""
        response.headers.add("Set-Cookie", f"{CSRF_COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}")


@web.middleware
async def _answer_mistakes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer every error: with a problem object under `/api/`, with a page elsewhere."""
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    try:
        return await handler(request)
    except SelectionError as error:
        status, detail, extra = 400, str(error), {"parameter": error.key}
    except web.HTTPException as error:
        if error.status < 400:
            raise
        status, detail = error.status, error.text or error.reason
        headers = {
            name: error.headers[name] for name in ("Retry-After", "WWW-Authenticate", "Allow") if name in error.headers
        }
    except SummitryError as error:
        logger.warning("request failed: %s", error)
        status, detail = 503, str(error)
    except Exception:
        logger.exception("request crashed")
        status, detail = 500, ""
    if request.path.startswith("/api/"):
        return api.problem(status, detail, headers=headers, **extra)
    return await mistake(request, status, detail, headers)


@web.middleware
async def _know_the_reader(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Find out who sends the request, and refuse it if its host is foreign or it needs a login."""
    access = request.app[ACCESS]
    if not access.host_allowed(request):
        text = f"this board does not answer to the name {request.host}; if it is the board's own name, set board.url"
        raise web.HTTPMisdirectedRequest(text=text)
    if CSRF_COOKIE not in request.cookies:
        request[NEW_COOKIE] = secrets.token_urlsafe(16)
    reader = access.reader(request)
    if reader is None and request.path.startswith(_OPEN):
        reader = BoardReader("", frozenset(), "open")
    if reader is None:
        if request.path.startswith("/api/") or not access.passwords:
            raise web.HTTPUnauthorized(
                text="a login or an API token is needed (docs/api.md)", headers={"WWW-Authenticate": "Bearer"}
            )
        raise web.HTTPSeeOther(f"/login?next={local_path(request.path_qs)}")
    request[READER] = reader
    return await handler(request)
