"""The pages of the service itself: feeds, system, login and logout, and the choice of a light or dark theme."""

from __future__ import annotations

import msgspec
from aiohttp import web

from agents.board.access import SESSION_COOKIE, SESSION_SECONDS
from agents.board.context import BoardContext
from agents.board.follower import DEAD_LETTER, DELIVERY, FEED, FEED_STATE, KeptDeadLetter, KeptDelivery
from agents.board.pages.event_pages import silences_of
from agents.board.pages.rendering import (
    ACCESS,
    BROADCASTER,
    context_of,
    local_path,
    render,
)
from agents.process.web import form_fields
from monitor.archive import EventFilters, archive_queries
from monitor.errors import SummitryError
from monitor.feeds.polling.feed_state import HEALTH_ORDER, FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.records import decode


class FeedRow(msgspec.Struct, frozen=True):
    """One feed and its state; None if it was never polled."""

    feed: Subscription
    state: FeedState | None

    @property
    def health(self) -> str:
        """The feed's health; NEW if it was never polled."""
        return self.state.health if self.state else "NEW"

    @property
    def place(self) -> tuple[int, str, str]:
        """The sort key in the list: by health (worst first), the outlet's name, and the id."""
        return HEALTH_ORDER.index(self.health), self.feed.outlet.lower(), self.feed.id


async def feed_rows(context: BoardContext) -> list[FeedRow]:
    """Return all feeds with their states, the worst first."""
    states: dict[str, FeedState] = {}
    for each in await context.ask(archive_queries.kept, context.archive, FEED_STATE):
        state = decode(FeedState, each.body)
        if state.feed not in states or states[state.feed].last_attempt < state.last_attempt:
            states[state.feed] = state
    rows = []
    for each in await context.ask(archive_queries.kept, context.archive, FEED):
        try:
            feed = decode(Subscription, each.body)
        except SummitryError:
            continue
        rows.append(FeedRow(feed, states.get(feed.id)))
    return sorted(rows, key=lambda row: row.place)


async def feeds(request: web.Request) -> web.Response:
    """Return all feeds: health, last new entry, next poll and the reason for its time."""
    rows = await feed_rows(context_of(request))
    health = request.query.get("health", "")
    counted: dict[str, int] = {}
    for row in rows:
        counted[row.health] = counted.get(row.health, 0) + 1
    shown = [row for row in rows if health in {"", row.health}]
    return await render(request, "feeds.html", rows=shown, counted=counted, health=health, total=len(rows))


async def system(request: web.Request) -> web.Response:
    """Return the state of the service: records waiting, counts by stage, dead letters, deliveries and silences."""
    context = context_of(request)
    counts = await context.ask(archive_queries.counts, context.archive, context.people, EventFilters())
    told = [
        msgspec.json.decode(each.body, type=KeptDelivery)
        for each in await context.ask(archive_queries.kept, context.archive, DELIVERY, newest=2000)
    ]
    by_receiver: dict[str, dict[str, int]] = {}
    for each in told:
        states = by_receiver.setdefault(each.receiver, {})
        states[each.state] = states.get(each.state, 0) + 1
    letters = [
        msgspec.json.decode(each.body, type=KeptDeadLetter)
        for each in await context.ask(archive_queries.kept, context.archive, DEAD_LETTER, newest=50)
    ]
    return await render(
        request, "system.html",
        counts=counts, flow=context.flow, names=context.names, by_receiver=by_receiver, letters=letters,
        failing=[each for each in told if each.state in {"failed", "retrying"}][:20],
        silences=[silence for silence in await silences_of(context) if silence.until > context.clock()],
        listeners=len(request.app[BROADCASTER]), archive=context.archive,
    )  # fmt: skip


def _leads_to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


async def login(request: web.Request) -> web.StreamResponse:
    """Show the login form, or check name and password and start a session."""
    access = request.app[ACCESS]
    if request.method == "GET" or not access.passwords:
        return await render(request, "login.html", next=local_path(request.query.get("next", "/")), wrong=False)
    form = await form_fields(request)
    if form is None:
        raise web.HTTPBadRequest(text="this form can't be read")
    name, password = str(form.get("name", ""))[:80], str(form.get("password", ""))[:1000]
    if not access.form_is_ours(request, str(form.get("csrf", ""))):
        raise web.HTTPForbidden(text="this form is no longer valid; load the page again")
    if not await access.login(name, password):
        return await render(request, "login.html", status=403, next=local_path(str(form.get("next", "/"))), wrong=True)
    response = _leads_to(local_path(str(form.get("next", "/"))))
    secure = context_of(request).config.board.url.startswith("https://")
    response.set_cookie(
        SESSION_COOKIE, access.new_session(name), max_age=SESSION_SECONDS, httponly=True, samesite="Lax", secure=secure
    )
    return response


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session."""
    form = await form_fields(request)
    if form is None:
        raise web.HTTPBadRequest(text="this form can't be read")
    if not request.app[ACCESS].form_is_ours(request, str(form.get("csrf", ""))):
        raise web.HTTPForbidden(text="this form is no longer valid; load the page again")
    response = _leads_to("/login")
    response.del_cookie(SESSION_COOKIE)
    return response


async def theme(request: web.Request) -> web.StreamResponse:
    """Set the theme to light, dark, or that of the reader's system, without JavaScript."""
    chosen = request.query.get("to", "")
    back = request.query.get("next", "/")
    response = _leads_to(back if local_path(back) != "/" else "/")
    if chosen in {"light", "dark"}:
        response.set_cookie("summitry_theme", chosen, max_age=365 * 86400, samesite="Lax")
    else:
        response.del_cookie("summitry_theme")
    return response
