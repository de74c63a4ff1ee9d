"""The pages of leaders and of pairs of leaders."""

from __future__ import annotations

from aiohttp import web

from agents.board.pages.rendering import (
    PAGE,
    cards_of,
    desk_of,
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
    desk = desk_of(request)
    selection, after = selection_of(request, "after"), request.query.get("after", "")
    today = desk.clock().date()
    found = await desk.ask(pair_contacts.pairs, desk.archive, desk.people, selection, today, PAIRS + 1, after)
    chosen = await desk.ask(pair_contacts.busiest, desk.archive, today, MATRIX)
    return await render(
        request, "pairs.html",
        selection=selection, named=await desk.ask(pair_contacts.names_of, desk.archive, leaders_in(selection)),
        pairs=found[:PAIRS], after=after, more=found[PAIRS - 1].cursor if len(found) > PAIRS else "",
        chosen=chosen, today=today, choices=await desk.ask(desk.choices),
        names=await desk.ask(pair_contacts.names_of, desk.archive, chosen),
        matrix=await desk.ask(pair_contacts.matrix, desk.archive, chosen),
    )  # fmt: skip


@shared
async def pair(request: web.Request) -> web.Response:
    """Return the page of one pair, given by ids or names: its events, and how often the two are in contact."""
    desk = desk_of(request)
    selection = EventFilters.parse([("pair", request.match_info["pair"])], people=desk.people)
    ids, today = selection.pair[0], desk.clock().date()
    resume = await desk.ask(desk.archive.version)
    page = await desk.ask(
        archive_queries.events, desk.archive, desk.people, selection, after=request.query.get("after", ""), limit=PAGE
    )
    months_ = await desk.ask(pair_contacts.by_month, desk.archive, ids, today)
    names = await desk.ask(pair_contacts.names_of, desk.archive, ids)
    return await render(
        request, "pair.html",
        ids=ids, names={leader: name_of(desk, leader, names) for leader in ids}, page=page, selection=selection,
        resume=resume, after=request.query.get("after", ""),
        cadence=await desk.ask(pair_contacts.cadence, desk.archive, ids, today),
        bars=bars(months_), card=cards_of(request),
    )  # fmt: skip


async def leaders(request: web.Request) -> web.Response:
    """Return the leaders who take part in events, or those whose name begins with the text that was typed."""
    desk = desk_of(request)
    typed = request.query.get("q", "")[:80]
    after = request.query.get("after", "")
    rows = await desk.ask(pair_contacts.leaders, desk.archive, desk.people, EventFilters(), LEADERS + 1, after)
    more = rows[LEADERS - 1].cursor if len(rows) > LEADERS else ""
    rows = rows[:LEADERS]
    matching = desk.people.suggest(typed, 40) if typed else []
    if len(matching) == 1:
        raise web.HTTPSeeOther(f"/leaders/{matching[0]}")
    if typed:
        wanted = EventFilters(leader=tuple(matching))
        found = await desk.ask(pair_contacts.leaders, desk.archive, desk.people, wanted) if matching else []
        known = {row.leader: row for row in found}
        rows, more = [known[leader] for leader in matching if leader in known], ""
    others = [desk.watchlist.leaders[leader] for leader in matching if leader not in {row.leader for row in rows}]
    return await render(request, "leaders.html", rows=rows, others=others, typed=typed, more=more)


@shared
async def leader(request: web.Request) -> web.Response:
    """Return the page of one leader: offices, events, most frequent counterparts, and a map."""
    desk = desk_of(request)
    named = EventFilters.parse([("leader", request.match_info["leader"])], people=desk.people)
    slug, today = named.leader[0], desk.clock().date()
    selection = EventFilters(leader=(slug,))
    resume = await desk.ask(desk.archive.version)
    page = await desk.ask(
        archive_queries.events, desk.archive, desk.people, selection, after=request.query.get("after", ""), limit=PAGE
    )
    known = desk.watchlist.leaders.get(slug)
    if known is None and not page.entries:
        raise web.HTTPNotFound(text="no such leader")
    names = await desk.ask(pair_contacts.names_of, desk.archive, [slug])
    recent = await desk.ask(
        archive_queries.events, desk.archive, desk.people, selection, limit=archive_queries.MAX_PAGE
    )
    return await render(
        request, "leader.html",
        slug=slug, known=known, name=name_of(desk, slug, names), page=page, selection=selection, today=today,
        resume=resume, after=request.query.get("after", ""),
        pairs=await desk.ask(pair_contacts.pairs, desk.archive, desk.people, selection, today, 12),
        card=cards_of(request), land=atlas.land(), dots=dots(recent.entries), view=atlas.VIEW,
    )  # fmt: skip
