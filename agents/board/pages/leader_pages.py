"""The pages of leaders and of pairs of leaders."""

from __future__ import annotations

from aiohttp import web

from agents.board.pages.rendering import (
    PAGE,
    cards_of,
    context_of,
    leaders_in,
    name_of,
    render,
    selection_of,
    shared,
)
from agents.board.views import bars, dots
from monitor.archive import EventFilters, archive_queries, atlas, pair_contacts

#: Leaders in the matrix of pairs.
MATRIX = 12
#: Most pairs, and most leaders, on one page.
PAIRS, LEADERS = 100, 200


@shared
async def pairs(request: web.Request) -> web.Response:
    """Return who was in contact with whom, and how long ago: a matrix of the busiest leaders, and all pairs."""
    context = context_of(request)
    selection, after = selection_of(request, "after"), request.query.get("after", "")
    today = context.clock().date()
    found = await context.ask(pair_contacts.pairs, context.archive, context.people, selection, today, PAIRS + 1, after)
    chosen = await context.ask(pair_contacts.busiest, context.archive, today, MATRIX)
    return await render(
        request, "pairs.html",
        selection=selection, named=await context.ask(pair_contacts.names_of, context.archive, leaders_in(selection)),
        pairs=found[:PAIRS], after=after, more=found[PAIRS - 1].cursor if len(found) > PAIRS else "",
        chosen=chosen, today=today, choices=await context.ask(context.choices),
        names=await context.ask(pair_contacts.names_of, context.archive, chosen),
        matrix=await context.ask(pair_contacts.matrix, context.archive, chosen),
    )  # fmt: skip


async def _events(request: web.Request, selection: EventFilters) -> archive_queries.Page:
    """Return the page of a selection's events that the request asks for."""
    context, after = context_of(request), request.query.get("after", "")
    return await context.ask(
        archive_queries.events, context.archive, context.people, selection, after=after, limit=PAGE
    )


@shared
async def pair(request: web.Request) -> web.Response:
    """Return the page of one pair, given by ids or names: its events, and how often the two are in contact."""
    context = context_of(request)
    selection = EventFilters.parse([("pair", request.match_info["pair"])], people=context.people)
    ids, today = selection.pair[0], context.clock().date()
    resume = await context.ask(context.archive.version)
    page = await _events(request, selection)
    months_ = await context.ask(pair_contacts.by_month, context.archive, ids, today)
    names = await context.ask(pair_contacts.names_of, context.archive, ids)
    return await render(
        request, "pair.html",
        ids=ids, names={leader: name_of(context, leader, names) for leader in ids}, page=page, selection=selection,
        resume=resume, after=request.query.get("after", ""),
        cadence=await context.ask(pair_contacts.cadence, context.archive, ids, today),
        bars=bars(months_), card=cards_of(request),
    )  # fmt: skip


async def leaders(request: web.Request) -> web.Response:
    """Return the leaders who take part in events, or those whose name begins with the text that was typed."""
    context = context_of(request)
    typed = request.query.get("q", "")[:80]
    after = request.query.get("after", "")
    rows = await context.ask(pair_contacts.leaders, context.archive, context.people, EventFilters(), LEADERS + 1, after)
    more = rows[LEADERS - 1].cursor if len(rows) > LEADERS else ""
    rows = rows[:LEADERS]
    matching = context.people.suggest(typed, 40) if typed else []
    if len(matching) == 1:
        raise web.HTTPSeeOther(f"/leaders/{matching[0]}")
    if typed:
        wanted = EventFilters(leader=tuple(matching))
        found = await context.ask(pair_contacts.leaders, context.archive, context.people, wanted) if matching else []
        known = {row.leader: row for row in found}
        rows, more = [known[leader] for leader in matching if leader in known], ""
    others = [context.watchlist.leaders[leader] for leader in matching if leader not in {row.leader for row in rows}]
    return await render(request, "leaders.html", rows=rows, others=others, typed=typed, more=more)


@shared
async def leader(request: web.Request) -> web.Response:
    """Return the page of one leader: offices, events, most frequent counterparts, and a map."""
    context = context_of(request)
    named = EventFilters.parse([("leader", request.match_info["leader"])], people=context.people)
    slug, today = named.leader[0], context.clock().date()
    selection = EventFilters(leader=(slug,))
    resume = await context.ask(context.archive.version)
    page = await _events(request, selection)
    known = context.watchlist.leaders.get(slug)
    if known is None and not page.entries:
        raise web.HTTPNotFound(text="no such leader")
    names = await context.ask(pair_contacts.names_of, context.archive, [slug])
    recent = await context.ask(
        archive_queries.events, context.archive, context.people, selection, limit=archive_queries.MAX_PAGE
    )
    return await render(
        request, "leader.html",
        slug=slug, known=known, name=name_of(context, slug, names), page=page, selection=selection, today=today,
        resume=resume, after=request.query.get("after", ""),
        pairs=await context.ask(pair_contacts.pairs, context.archive, context.people, selection, today, 12),
        card=cards_of(request), land=atlas.land(), dots=dots(recent.entries), view=atlas.VIEW,
    )  # fmt: skip
