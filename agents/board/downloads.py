"""What can be subscribed to or downloaded: the Atom and JSON feeds, the calendar of plans, and exports of a view."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from datetime import datetime, timedelta

from aiohttp import web

from agents.board.access import TOKEN_IN_ADDRESS, BoardReader
from agents.board.context import CONTEXT, BoardContext, RecentAnswers
from agents.board.pages.rendering import READER, base_url, selection_of
from monitor.archive import EventFilters, SearchResult, archive_queries
from monitor.archive.exports import FORMATS, ExportItem, ExportOrigin, was_planned, write_calendar, write_json_feed

#: Entries of a feed.
ENTRIES = 100
#: How far back and ahead the calendar of plans goes.
_BACK, _AHEAD = timedelta(days=90), timedelta(days=730)
#: Most events of one export.
MOST = 50_000

_Document = tuple[bytes, datetime | None]
#: Feeds and calendars of the last seconds.
RECENT: web.AppKey[RecentAnswers[_Document]] = web.AppKey("recent_feeds", RecentAnswers)
Writer = Callable[[Iterable[ExportItem], ExportOrigin], Iterator[bytes]]


def _may_read(request: web.Request) -> None:
    reader: BoardReader = request[READER]
    if "read" not in reader.scopes:
        raise web.HTTPForbidden(text="this token lacks the scope 'read'")


def _selection(request: web.Request) -> EventFilters:
    _may_read(request)
    return selection_of(request, *(["token"] if request.path in TOKEN_IN_ADDRESS else []))


def _origin(request: web.Request, selection: EventFilters) -> ExportOrigin:
    base, query = base_url(request), selection.query()
    suffix = f"?{query}" if query else ""
    # The title names the filters. A token must not get into a document.
    named = ", ".join(value for _, value in selection.items())
    title = f"Summitry: {named}" if named else "Summitry"
    return ExportOrigin(base, f"{base}{request.path}{suffix}", f"{base}/{suffix}", title)


async def _subscription(
    request: web.Request,
    chosen: tuple[str, Writer],
    look: Callable[[BoardContext, EventFilters], Iterable[SearchResult]],
) -> web.Response:
    """Return a feed or calendar with an ETag of its content; 304 if the client already has it."""
    context, selection, (media_type, write) = request.app[CONTEXT], _selection(request), chosen
    origin = _origin(request, selection)

    def document() -> _Document:
        items = [ExportItem(each.event) for each in look(context, selection)]
        return b"".join(write(items, origin)), max((item.changed for item in items), default=None)

    async def make() -> _Document:
        return await context.ask(document)

    # The origin contains the address without the token, and the filters.
    key = origin, context.clock().date(), context.archive.version()
    body, newest = await request.app[RECENT].get(key, make)
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "max-age=60", "Content-Type": media_type}
    if newest:
        headers["Last-Modified"] = f"{newest:%a, %d %b %Y %H:%M:%S} GMT"
    if etag in {each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")}:
        return web.Response(status=304, headers=headers)
    return web.Response(body=body, headers=headers)


def _newest(context: BoardContext, selection: EventFilters) -> Iterable[SearchResult]:
    return archive_queries.events(context.archive, context.people, selection, limit=ENTRIES).entries


def _plans(context: BoardContext, selection: EventFilters) -> Iterable[SearchResult]:
    today = context.clock().date()
    found = archive_queries.between(context.archive, context.people, selection, (today - _BACK, today + _AHEAD), 5000)
    return [each for each in found if was_planned(each.event)]


async def atom(request: web.Request) -> web.Response:
    """Return events by last change as an Atom feed."""
    return await _subscription(request, (FORMATS["atom"].media_type, FORMATS["atom"].write), _newest)


async def json_feed(request: web.Request) -> web.Response:
    """Return events by last change as a JSON Feed."""
    return await _subscription(request, ("application/feed+json", write_json_feed), _newest)


async def plans(request: web.Request) -> web.Response:
    """Return the events that are or were planned as an iCalendar file: the last 90 days and the next two years."""
    return await _subscription(request, (FORMATS["ics"].media_type, write_calendar), _plans)


async def export(request: web.Request) -> web.StreamResponse:
    """Return all events of a view, up to `MOST`, as a file in one of the export formats."""
    context, selection = request.app[CONTEXT], _selection(request)
    chosen = FORMATS.get(request.match_info["format"])
    if chosen is None:
        raise web.HTTPNotFound(text=f"no such format; the formats are {', '.join(FORMATS)}")
    response = web.StreamResponse(
        headers={
            "Content-Type": chosen.media_type,
            "Content-Disposition": f'attachment; filename="summitry.{chosen.extension}"',
        }
    )
    await response.prepare(request)
    origin = _origin(request, selection)
    whole = [ExportItem(found.event) async for found in _all(request, selection)]
    pieces = chosen.write(whole, origin)
    while piece := await context.ask(lambda: b"".join(piece for _, piece in zip(range(500), pieces, strict=False))):
        await response.write(piece)
    await response.write_eof()
    return response


async def _all(request: web.Request, selection: EventFilters) -> AsyncIterator[SearchResult]:
    context = request.app[CONTEXT]
    after, given = "", 0
    while given < MOST:
        page = await context.ask(
            archive_queries.events,
            context.archive,
            context.people,
            selection,
            after=after,
            limit=archive_queries.MAX_PAGE,
        )
        for found in page.entries:
            yield found
        given += len(page.entries)
        if not (after := page.after):
            return


ROUTES = [
    web.get("/events.atom", atom),
    web.get("/events.json", json_feed),
    web.get("/planned.ics", plans),
    web.get("/export/{format}", export),
]
