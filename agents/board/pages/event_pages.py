"""The pages of events: what is new, one event, the calendar, the map."""

from __future__ import annotations

import calendar as months
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from jinja2 import Environment

from agents.board.context import BoardContext
from agents.board.follower import ACK, DELIVERY, FEEDBACK, SILENCE, KeptDelivery
from agents.board.pages.rendering import (
    BROADCASTER,
    CARDS,
    PAGE,
    TEMPLATES,
    card,
    cards_of,
    context_of,
    leaders_in,
    render,
    selection_of,
    shared,
)
from agents.board.views import EventView, dots, in_days, where
from monitor.archive import SearchResult, SelectionError, archive_queries, atlas, pair_contacts
from monitor.notify import Ack, Feedback, Silence
from monitor.notify.policy.matching import matches
from monitor.records import decode

_SOON = timedelta(days=14)
#: Statuses of events that are coming or not yet over.
COMING = ("planned", "rescheduled", "proposed", "ongoing")


@shared
async def now(request: web.Request) -> web.Response:
    """Return events by last change, with all filters, and what is coming."""
    context = context_of(request)
    selection, after = selection_of(request, "after"), request.query.get("after", "")
    today = context.clock().date()
    coming = selection.with_(status=selection.status or COMING)

    def look() -> dict[str, Any]:
        """Return all that the page shows; queried in one thread call."""
        archive, people = context.archive, context.people
        return {
            "resume": archive.version(),
            "page": archive_queries.events(archive, people, selection, after=after, limit=PAGE),
            "soon": archive_queries.between(archive, people, coming, (today, today + _SOON), 12),
            "choices": context.choices(),
            "named": pair_contacts.names_of(archive, leaders_in(selection)),
            "total": archive_queries.count(archive, people, selection),
        }

    return await render(
        request, "now.html", selection=selection, card=cards_of(request), after=after, **await context.ask(look)
    )


async def live(request: web.Request) -> web.StreamResponse:
    """Stream the changed events of a view as the HTML of their cards."""
    selection = selection_of(request, "last")
    environment, cache = request.app[TEMPLATES], request.app[CARDS]
    broadcaster = request.app[BROADCASTER]
    return await broadcaster.serve(request, selection, _Cards(environment, cache))


class _Cards:
    """Renders cards for streams. All instances are equal, so readers of one view share what is rendered."""

    def __init__(self, environment: Environment, cache: dict[tuple[str, int], str]) -> None:
        self._environment, self._cache = environment, cache

    def __call__(self, found: SearchResult) -> bytes:
        return card(self._environment, found, self._cache).encode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Cards)

    def __hash__(self) -> int:
        return hash(_Cards)


async def event(request: web.Request) -> web.StreamResponse:
    """Return the page of one event."""
    context, event_id = context_of(request), request.match_info["event_id"]
    if other := await context.ask(archive_queries.redirect, context.archive, event_id):
        raise web.HTTPMovedPermanently(f"/events/{quote(other, safe='')}")
    found = await context.ask(archive_queries.event, context.archive, event_id)
    if found is None:
        raise web.HTTPNotFound(text="no such event")
    kept = {
        sort: await context.ask(archive_queries.kept, context.archive, sort, event_id=event_id)
        for sort in (DELIVERY, ACK, FEEDBACK)
    }
    silences = [
        silence
        for silence in await silences_of(context)
        if silence.until > context.clock() and matches(silence.match, found.event)
    ]
    return await render(
        request, "event.html",
        found=found, event=found.event, view=EventView.of(found), silences=silences,
        told=[msgspec.json.decode(each.body, type=KeptDelivery) for each in kept[DELIVERY]],
        acks=[decode(Ack, each.body) for each in kept[ACK]],
        feedback=[decode(Feedback, each.body) for each in kept[FEEDBACK]],
        done=request.query.get("done", ""),
    )  # fmt: skip


async def silences_of(context: BoardContext) -> list[Silence]:
    """Return all silences of the topic, by their end. Those of the configuration file are not among them."""
    kept = await context.ask(archive_queries.kept, context.archive, SILENCE)
    return sorted((decode(Silence, each.body) for each in kept), key=lambda silence: silence.until)


@shared
async def calendar(request: web.Request) -> web.Response:
    """Return a month's events by day, those without a certain day, and past plans that were never confirmed."""
    context = context_of(request)
    selection, today = selection_of(request, "month"), context.clock().date()
    first = _month(request.query.get("month", ""), today)
    last = date(first.year, first.month, months.monthrange(first.year, first.month)[1])
    found = await context.ask(archive_queries.between, context.archive, context.people, selection, (first, last))
    days: dict[date, list[SearchResult]] = {}
    spans: list[SearchResult] = []
    for each in found:
        when = each.event.when
        assert when is not None  # noqa: S101  # only dated events are asked for
        if not in_days(when):
            spans.append(each)
            continue
        begin, end = when.span
        for n in range((end - begin).days + 1):
            if first <= (at := begin + timedelta(days=n)) <= last:
                days.setdefault(at, []).append(each)
    missed = await context.ask(
        archive_queries.between,
        context.archive,
        context.people,
        selection.with_(status=("unconfirmed",)),
        (first, last),
    )
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    return await render(
        request, "calendar.html",
        selection=selection, first=first, weeks=weeks, days=days, spans=spans, missed=missed, today=today,
        before=first - timedelta(days=1), after=last + timedelta(days=1), card=cards_of(request),
        listed=[each for each in found if each.event.status in COMING],
        choices=await context.ask(context.choices),
        named=await context.ask(pair_contacts.names_of, context.archive, leaders_in(selection)),
    )  # fmt: skip


def _month(text: str, today: date) -> date:
    if not text:
        return today.replace(day=1)
    try:
        month = date.fromisoformat(f"{text}-01")
    except ValueError:
        month = date.min
    if not 1900 < month.year < 2200:
        raise SelectionError("month", f"{text[:20]!r} is not a month; write it as 2026-02")
    return month


@shared
async def map_(request: web.Request) -> web.Response:
    """Return the map of the events of a view, up to `MAX_PAGE`."""
    context, selection = context_of(request), selection_of(request)
    page = await context.ask(
        archive_queries.events, context.archive, context.people, selection, limit=archive_queries.MAX_PAGE
    )
    return await render(
        request, "map.html",
        selection=selection, land=atlas.land(), dots=dots(page.entries), view=atlas.VIEW,
        placeless=sum(where(each.event) is None for each in page.entries), more=page.after,
        total=len(page.entries), choices=await context.ask(context.choices),
        named=await context.ask(pair_contacts.names_of, context.archive, leaders_in(selection)),
    )  # fmt: skip
