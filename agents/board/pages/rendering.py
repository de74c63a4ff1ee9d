"""What the pages share: reading a request's filters, rendering templates, and caches of pages and cards."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment

from agents.board.access import CSRF_COOKIE, NAME_COOKIE, Access, BoardReader, Limiter
from agents.board.context import CONTEXT, BoardContext, RecentAnswers
from agents.board.live import Broadcaster
from monitor.archive import EventFilters, SearchResult
from monitor.archive.exports import FORMATS
from monitor.records import EVENT_STATUSES, KINDS, MEDIA

#: Events of one page.
PAGE = 40

ACCESS = web.AppKey("access", Access)
BROADCASTER = web.AppKey("broadcaster", Broadcaster)
LIMITER = web.AppKey("limiter", Limiter)
TEMPLATES = web.AppKey("templates", Environment)
#: Who sent the request, and the CSRF cookie that a first visitor is given.
READER = web.RequestKey("reader", BoardReader)
NEW_COOKIE = web.RequestKey("new_cookie", str)
#: Pages of the last seconds, by address, theme and the archive's version.
RECENT: web.AppKey[RecentAnswers[str]] = web.AppKey("recent", RecentAnswers)
#: The HTML of events in lists, by event id and number of the change.
CARDS: web.AppKey[dict[tuple[str, int], str]] = web.AppKey("cards", dict)


def context_of(request: web.Request) -> BoardContext:
    """Return the objects that the board's handlers share."""
    return request.app[CONTEXT]


def selection_of(request: web.Request, *others: str) -> EventFilters:
    """Return the filters of a request's address, leaders by id or by any of their names. Raises SelectionError."""
    return EventFilters.parse(request.query.items(), others, context_of(request).people)


def local_path(path: str) -> str:
    """Return a path of this board quoted for a query; `/` for anything else, such as another site's address."""
    return quote(path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/", safe="/")


def base_url(request: web.Request) -> str:
    """Return the board's address as readers see it, without a slash at the end."""
    return context_of(request).config.board.url.rstrip("/") or f"{request.scheme}://{request.host}"


def common(request: web.Request) -> dict[str, Any]:
    """Return the variables that every template can use."""
    context, access = context_of(request), request.app[ACCESS]
    cookie = request.cookies.get(CSRF_COOKIE) or request.get(NEW_COOKIE, "")
    theme = request.cookies.get("summitry_theme", "")
    reader: BoardReader | None = request.get(READER)
    return {
        "path": request.path,
        "here": request.path_qs,
        "now": context.clock(),
        "csrf": access.form_token(cookie) if cookie else "",
        "reader": reader,
        "typed_name": request.cookies.get(NAME_COOKIE, "")[:80],
        "theme": theme if theme in {"light", "dark"} else "",
        "progress": context.progress,
        "statuses": EVENT_STATUSES,
        "kinds": KINDS,
        "media": MEDIA,
        "formats": list(FORMATS),
        "written": context.written,
        "written_pair": context.written_pair,
        "selection": EventFilters(),
    }


async def render(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:  # noqa: ANN401
    """Return a page from its template."""
    text = request.app[TEMPLATES].get_template(template).render({**common(request), **values})
    return web.Response(text=text, content_type="text/html", status=status)


async def mistake(request: web.Request, status: int, detail: str, headers: Mapping[str, str]) -> web.Response:
    """Return the page for an error; it says what to do."""
    response = await render(request, "mistake.html", status=status, detail=detail, code=status)
    response.headers.update(headers)
    return response


def shared(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Decorate the handler of a page that is the same for all readers, so that it is rendered once for all of them.

    The page is rendered again after some seconds, or when the archive changes.
    """

    async def share(request: web.Request) -> web.Response:
        context, reader = context_of(request), request[READER]
        # The page of a reader who is logged in contains this reader's name.
        if reader.kind == "session" or not context.progress.done or context.progress.error:
            return await handler(request)

        async def make() -> str:
            return (await handler(request)).text or ""

        key = request.path_qs, request.cookies.get("summitry_theme", ""), context.archive.version()
        return web.Response(text=await request.app[RECENT].get(key, make), content_type="text/html")

    return share


def card(environment: Environment, found: SearchResult, cache: dict[tuple[str, int], str]) -> str:
    """Return the HTML of one event in a list. It is the same for every reader, so it is rendered once per change."""
    key = found.event.event_id, found.seq
    text = cache.get(key)
    if text is None:
        text = environment.get_template("card.html").render(found=found, event=found.event)
        if len(cache) > 5000:
            cache.clear()
        cache[key] = text
    return text


def cards_of(request: web.Request) -> Any:  # noqa: ANN401  # a function for templates
    """Return, for a template, the function that gives the HTML of an event in a list."""
    environment, cache = request.app[TEMPLATES], request.app[CARDS]
    return lambda found: card(environment, found, cache)


def leaders_in(selection: EventFilters) -> set[str]:
    """Return the ids of all leaders that a selection names."""
    return {*selection.leader, *(leader for pair in selection.pair for leader in pair)}


def name_of(context: BoardContext, leader: str, names: Mapping[str, str]) -> str:
    """Return a leader's name from the roster, otherwise from the events (`names`), otherwise the id."""
    known = context.watchlist.leaders.get(leader)
    return known.name if known else names.get(leader, leader)
