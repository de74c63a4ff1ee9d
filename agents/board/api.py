"""The HTTP API, version 1: JSON for programs. data/openapi.yaml describes every route, parameter and answer.

Lists are paged with a cursor. Answers carry an ETag; a client that sends it back gets 304 while nothing has changed
(RFC 9110, section 13). An error is a problem object (RFC 9457). `/events` requested as `text/event-stream` is a stream
of changes that does not end.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
import yaml
from aiohttp import web

from agents.board import actions
from agents.board.access import BoardReader
from agents.board.context import CONTEXT, BoardContext, RecentAnswers
from agents.board.pages.rendering import (
    BROADCASTER,
    LIMITER,
    READER,
    base_url,
    selection_of,
)
from agents.board.pages.service_pages import FeedRow, feed_rows
from agents.process.web import form_body
from monitor import __version__
from monitor.archive import SearchResult, SelectionError, archive_queries, pair_contacts
from monitor.archive.cursors import cursor_of, read_cursor
from monitor.feeds.polling.feed_state import HEALTH_ORDER
from monitor.records import event_line

PREFIX = "/api/v1"
#: Answers of the last seconds, by ETag.
RECENT: web.AppKey[RecentAnswers[bytes]] = web.AppKey("recent_answers", RecentAnswers)
PAGE = 50


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> web.Response:  # noqa: ANN401
    """Return an error as a problem object (RFC 9457)."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail, **more}
    return web.Response(
        body=msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
    )


def item(found: SearchResult, base: str) -> bytes:
    """Return one event in the API's JSON: the fields of `summitry export`, and headline, last change and address."""
    added = {
        "headline": found.headline,
        "changed": found.changed,
        "url": f"{base}/events/{quote(found.event.event_id, safe='')}",
    }
    return event_line(found.event)[:-1] + b"," + msgspec.json.encode(added)[1:]


class _Items:
    """Renders events for the API's streams. Equal for equal addresses, so subscribers share what is rendered."""

    def __init__(self, base: str) -> None:
        self.base = base

    def __call__(self, found: SearchResult) -> bytes:
        return item(found, self.base)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Items) and other.base == self.base

    def __hash__(self) -> int:
        return hash((_Items, self.base))


def _limited(handler: Callable[[web.Request], Awaitable[web.StreamResponse]], scope: str = "read") -> Any:  # noqa: ANN401
    """Return a handler that first checks the rate limit and that the reader has the scope."""

    async def limited(request: web.Request) -> web.StreamResponse:
        reader: BoardReader = request[READER]
        now = time.monotonic()
        client = f"{reader.kind} {reader.name}" if reader.name else request.remote or ""
        if wait := request.app[LIMITER].wait(client, now):
            seconds = str(int(wait) + 1)
            text = f"too many requests; try again in {seconds} s"
            raise web.HTTPTooManyRequests(text=text, headers={"Retry-After": seconds})
        if scope not in reader.scopes:
            raise web.HTTPForbidden(text=f"this token lacks the scope {scope!r}")
        return await handler(request)

    return limited


async def _cached(
    request: web.Request, *, kept: bool, make: Callable[[], Awaitable[bytes]], shared: bool = True
) -> web.Response:
    """Return an answer with an ETag of the archive's version and the address; 304 if the client has this version.

    With `kept`, the version also counts changes to what is not an event, such as feeds. With `shared`, an answer of the
    last seconds is given again to the next client that requests the same.
    """
    context = request.app[CONTEXT]
    version = context.archive.version(kept=kept)
    day = context.clock().date().isoformat()
    asked = hashlib.sha256(f"{request.path_qs} {base_url(request)} {day}".encode()).hexdigest()[:12]
    etag = f'W/"{version}-{asked}"'
    headers = {"ETag": etag, "Cache-Control": "no-cache", "Vary": "Authorization, Accept"}
    known = {each.strip() for each in request.headers.get("If-None-Match", "").split(",")}
    if etag in known or "*" in known:
        return web.Response(status=304, headers=headers)
    body = await (request.app[RECENT].get(etag, make) if shared else make())
    return web.Response(body=body, content_type="application/json", headers=headers)


def _limit(request: web.Request) -> int:
    text = request.query.get("limit", str(PAGE))
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= archive_queries.MAX_PAGE):
        raise SelectionError("limit", f"is not a number from 1 to {archive_queries.MAX_PAGE}")
    return int(text)


async def events(request: web.Request) -> web.StreamResponse:
    """Return events by last change, or stream their changes."""
    context, base = request.app[CONTEXT], base_url(request)
    selection, after = selection_of(request, "after", "limit", "last"), request.query.get("after", "")
    if "text/event-stream" in request.headers.get("Accept", ""):
        return await request.app[BROADCASTER].serve(request, selection, _Items(base))
    limit = _limit(request)

    async def make() -> bytes:
        page = await context.ask(
            archive_queries.events, context.archive, context.people, selection, after=after, limit=limit
        )
        return _page(request, [item(found, base) for found in page.entries], selection.items(), page.after)

    return await _cached(request, kept=False, make=make)


def _page(request: web.Request, items: list[bytes], asked: list[tuple[str, str]], after: str) -> bytes:
    """Return a page of a list. If there are more items, `after` is the cursor of the next page, `asked` its filters."""
    query = urlencode([*asked, ("limit", str(_limit(request))), ("after", after)])
    next_url = f"{base_url(request)}{request.path}?{query}" if after else None
    tail = msgspec.json.encode({"next": after or None, "next_url": next_url})
    return b'{"items":[' + b",".join(items) + b"]," + tail[1:]


async def _one(request: web.Request) -> SearchResult:
    context, event_id = request.app[CONTEXT], request.match_info["event_id"]
    other, found = await context.ask(archive_queries.resolve, context.archive, event_id)
    if other:
        rest = request.path.removeprefix(f"{PREFIX}/events/").partition("/")[2]
        raise web.HTTPPermanentRedirect(f"{PREFIX}/events/{quote(other, safe='')}{'/' if rest else ''}{rest}")
    if found is None:
        raise web.HTTPNotFound(text="no such event")
    return found


async def event(request: web.Request) -> web.StreamResponse:
    """Return one event."""
    found = await _one(request)

    async def make() -> bytes:
        return item(found, base_url(request))

    return await _cached(request, kept=False, make=make, shared=False)


async def history(request: web.Request) -> web.StreamResponse:
    """Return how one event changed, revision by revision."""
    found = await _one(request)

    async def make() -> bytes:
        return msgspec.json.encode({"event_id": found.event.event_id, "items": found.event.history})

    return await _cached(request, kept=False, make=make, shared=False)


async def pairs(request: web.Request) -> web.StreamResponse:
    """Return pairs of leaders by last contact."""
    context = request.app[CONTEXT]
    selection, after = selection_of(request, "after", "limit"), request.query.get("after", "")
    limit = _limit(request)

    async def make() -> bytes:
        today = context.clock().date()
        found = await context.ask(
            pair_contacts.pairs, context.archive, context.people, selection, today, limit + 1, after
        )
        items = [
            {
                "leaders": pair.leaders, "names": pair.names, "last": pair.last, "total": pair.total, "year": pair.year,
                "days_since": (today - pair.last).days,
            }
            for pair in found[:limit]
        ]  # fmt: skip
        more = found[limit - 1].cursor if len(found) > limit else ""
        return _page(request, [msgspec.json.encode(each) for each in items], selection.items(), more)

    return await _cached(request, kept=False, make=make)


async def leaders(request: web.Request) -> web.StreamResponse:
    """Return leaders who take part in events, the most frequent first."""
    context, limit = request.app[CONTEXT], _limit(request)
    selection, after = selection_of(request, "after", "limit"), request.query.get("after", "")

    async def make() -> bytes:
        rows = await context.ask(pair_contacts.leaders, context.archive, context.people, selection, limit + 1, after)
        more = rows[limit - 1].cursor if len(rows) > limit else ""
        items = [msgspec.json.encode(_leader(context, row)) for row in rows[:limit]]
        return _page(request, items, selection.items(), more)

    return await _cached(request, kept=False, make=make)


def _leader(context: BoardContext, row: pair_contacts.LeaderRow) -> dict[str, Any]:
    known = context.watchlist.leaders.get(row.leader)
    return {
        "leader": row.leader,
        "name": known.name if known else row.name,
        "country": row.country,
        "wikidata": known.wikidata if known else "",
        "offices": [
            {"title": office.title, "country": office.country, "from": office.from_, "to": office.to}
            for office in (known.offices if known else ())
        ],
        "events": row.events,
        "last": row.last,
    }


async def feeds(request: web.Request) -> web.StreamResponse:
    """Return the feeds and their health, those in trouble first."""
    context, limit = request.app[CONTEXT], _limit(request)
    health, after = request.query.get("health", ""), request.query.get("after", "")
    for key in request.query.keys() - {"health", "after", "limit"}:
        raise SelectionError(key[:40], "is not a filter of feeds; the only one is health")
    if health and health not in HEALTH_ORDER:
        raise SelectionError("health", f"{health[:40]!r} is unknown; known are {', '.join(HEALTH_ORDER)}")
    begin = read_cursor(after, tuple[int, str, str]) if after else None

    async def make() -> bytes:
        rows = [row for row in await feed_rows(context) if health in {"", row.health}]
        if begin is not None:
            rows = [row for row in rows if row.place > begin]
        more = cursor_of(*rows[limit - 1].place) if len(rows) > limit else ""
        items = [msgspec.json.encode(_feed(row)) for row in rows[:limit]]
        return _page(request, items, [("health", health)] if health else [], more)

    return await _cached(request, kept=True, make=make)


def _feed(row: FeedRow) -> dict[str, Any]:
    state = row.state
    return {
        "id": row.feed.id, "outlet": row.feed.outlet, "url": row.feed.url, "health": row.health,
        "reason": state.health_reason if state else "", "last_success": state.last_success if state else 0,
        "last_new": state.last_new if state else 0, "next_due": state.next_due if state else 0,
        "due_reason": state.due_reason if state else "", "errors": state.error_count if state else 0,
    }  # fmt: skip


async def stats(request: web.Request) -> web.StreamResponse:
    """Return counts of a selection's events and of the archive's other records, and how much the board has read."""
    context, selection = request.app[CONTEXT], selection_of(request)

    async def make() -> bytes:
        counts = await context.ask(archive_queries.counts, context.archive, context.people, selection)
        flow, progress = context.flow, context.progress
        return msgspec.json.encode(
            {
                "events": {name: counts[name] for name in ("kind", "medium", "status")},
                "kept": counts["kept"],
                "topics": {"written": flow.written, "waiting": flow.waiting},
                "archive": {"complete": progress.done, "percent": progress.percent},
                "version": __version__,
            }
        )

    return await _cached(request, kept=True, make=make)


@cache
def openapi() -> bytes:
    """Return the description of this API (OpenAPI 3.1) as JSON."""
    text = (resources.files("agents.board") / "data" / "openapi.yaml").read_text("utf-8")
    return msgspec.json.encode({**yaml.safe_load(text)})


async def description(request: web.Request) -> web.StreamResponse:
    """Return the OpenAPI document."""

    async def make() -> bytes:
        return openapi()

    return await _cached(request, kept=False, make=make, shared=False)


class _Act(msgspec.Struct, forbid_unknown_fields=True):
    """The body of a POST request; which fields are used depends on the route."""

    by: str = ""
    length: str = msgspec.field(default="", name="for")
    reason: str = ""
    verdict: str = ""
    article_id: str = ""
    comment: str = ""


async def _act(request: web.Request) -> tuple[BoardContext, SearchResult, str, _Act]:
    # A browser sends a form anywhere without asking, but JSON only to its own site (CORS).
    if request.content_type != "application/json":
        raise web.HTTPUnsupportedMediaType(text="send the body as application/json")
    body = await form_body(request)
    if body is None:
        raise web.HTTPBadRequest(text="this body can't be read")
    try:
        act = msgspec.json.decode(body, type=_Act)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    reader: BoardReader = request[READER]
    return request.app[CONTEXT], await _one(request), reader.name or act.by[:80] or "somebody", act


async def post_seen(request: web.Request) -> web.Response:
    """Acknowledge an event."""
    context, found, by, _ = await _act(request)
    return _made(await actions.seen(context, found.event, by))


async def post_silence(request: web.Request) -> web.Response:
    """Silence events like this one."""
    context, found, by, act = await _act(request)
    return _made(await actions.silence(context, found.event, by, act.length, act.reason))


async def post_feedback(request: web.Request) -> web.Response:
    """Store a verdict: the event is right or wrong, or an article belongs to another event."""
    context, found, by, act = await _act(request)
    return _made(
        await actions.feedback(context, found.event, by, act.verdict, article_id=act.article_id, comment=act.comment)
    )


def _made(record: msgspec.Struct) -> web.Response:
    return web.Response(body=msgspec.json.encode(record), status=201, content_type="application/json")


async def unknown_route(_: web.Request) -> web.Response:
    """Answer 404 to an address under `/api/` that has no route."""
    raise web.HTTPNotFound(text=f"no such route; {PREFIX}/openapi.json lists them all")


ROUTES = [
    web.get(f"{PREFIX}/openapi.json", _limited(description)),
    web.get(f"{PREFIX}/events", _limited(events)),
    web.get(f"{PREFIX}/events/{{event_id}}", _limited(event)),
    web.get(f"{PREFIX}/events/{{event_id}}/history", _limited(history)),
    web.post(f"{PREFIX}/events/{{event_id}}/seen", _limited(post_seen, "act")),
    web.post(f"{PREFIX}/events/{{event_id}}/silence", _limited(post_silence, "act")),
    web.post(f"{PREFIX}/events/{{event_id}}/feedback", _limited(post_feedback, "act")),
    web.get(f"{PREFIX}/pairs", _limited(pairs)),
    web.get(f"{PREFIX}/leaders", _limited(leaders)),
    web.get(f"{PREFIX}/feeds", _limited(feeds)),
    web.get(f"{PREFIX}/stats", _limited(stats)),
    web.get("/api/{rest:.*}", unknown_route),
]
