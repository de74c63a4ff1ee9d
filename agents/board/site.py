"""The board's web application: its routes, and what holds for every answer.

Every answer carries headers that keep pages from loading anything from elsewhere, running scripts of others, or being
framed. A mistake in an address or a form is a page for people and a problem object (RFC 9457) for programs.
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
from agents.board.desk import DESK, Desk, Recent
from agents.board.live import Hub
from agents.board.pages import ACCESS, CARDS, HUB, LIMITER, NEW_COOKIE, READER, RECENT, TEMPLATES
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
#: Addresses that need no login: the login page itself, what pages are made of, and health.
_OPEN = ("/login", "/static/", "/live", "/ready", "/metrics")
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}

#: Seconds for which an answer is given to whoever asks for the same, as long as the archive does not change.
_SHARED_FOR = 10.0

logger = logging.getLogger(__name__)


def make_site(desk: Desk, access: Access) -> web.Application:
    """Return the whole application."""
    application = make_web([_Caught(desk)], [*pages.ROUTES, *api.ROUTES, *downloads.ROUTES, *actions.ROUTES])
    # The other processes' pages need no scripts; the board brings headers of its own.
    application.on_response_prepare.clear()
    application.on_response_prepare.append(_add_headers)
    application.middlewares.extend([_answer_mistakes, _know_the_reader])
    application[DESK], application[ACCESS], application[HUB] = desk, access, Hub(desk)
    application[CARDS] = {}
    application[RECENT], application[api.RECENT] = Recent(_SHARED_FOR, 60), Recent(_SHARED_FOR, 40)
    application[downloads.RECENT] = Recent(_SHARED_FOR, 20)
    application[TEMPLATES], application[LIMITER] = environment(), Limiter(desk.config.board.rate)
    for file in (resources.files("agents.board") / "data" / "static").iterdir():
        application.router.add_get(f"/static/{file.name}", _static(file.read_bytes(), file.name))
    application.on_shutdown.append(_let_go)
    return application


class _Caught:
    """The board is ready once it has read the topics."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def not_ready(self) -> list[str]:
        """Return why it can't work yet."""
        progress = self._desk.progress
        return [] if progress.done else [f"{progress.percent} % of the topics were read"]

    def not_live(self) -> list[str]:
        """Nothing that a new start would help: a broker that is away is waited for."""
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
    application[HUB].close()


async def _add_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers[name] = value
    response.headers.setdefault("Cache-Control", "no-store")
    if (fresh := request.get(NEW_COOKIE)) and response.content_type == "text/html":
        # aiohttp has written the response's own cookies by now.
        secure = "; Secure" if request.app[DESK].config.board.url.startswith("https://") else ""
        response.headers.add("Set-Cookie", f"{CSRF_COOKIE}={fresh}; Path=/; HttpOnly; SameSite=Strict{secure}")


@web.middleware
async def _answer_mistakes(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Give every mistake its answer: for programs under `/api/`, for people elsewhere."""
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
    return await pages.mistake(request, status, detail, headers)


@web.middleware
async def _know_the_reader(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what may not be, and let the handler know who asks."""
    access = request.app[ACCESS]
    if not access.host_allowed(request):
        raise web.HTTPMisdirectedRequest(text=f"this board is not {request.host}; set board.url if it is")
    if CSRF_COOKIE not in request.cookies:
        request[NEW_COOKIE] = secrets.token_urlsafe(16)
    reader = access.reader(request)
    if reader is None and request.path.startswith(_OPEN):
        reader = BoardReader("", frozenset(), "open")
    if reader is None:
        if request.path.startswith("/api/") or not access.passwords:
            raise web.HTTPUnauthorized(text="say who you are", headers={"WWW-Authenticate": "Bearer"})
        raise web.HTTPSeeOther(f"/login?next={pages.local_path(request.path_qs)}")
    request[READER] = reader
    return await handler(request)
