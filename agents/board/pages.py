"""The pages for people. Each works without JavaScript; filters are in the address, so that a view can be shared."""

from __future__ import annotations

import calendar as months
from collections.abc import Awaitable, Callable, Mapping
from datetime import date, timedelta
from typing import Any
from urllib.parse import quote

import msgspec
from aiohttp import web
from jinja2 import Environment

from agents.board.access import CSRF_COOKIE, NAME_COOKIE, SESSION_COOKIE, SESSION_SECONDS, Access, BoardReader, Limiter
from agents.board.desk import DESK, Desk, Recent
from agents.board.follower import ACK, DEAD_LETTER, DELIVERY, FEED, FEED_STATE, FEEDBACK, SILENCE, Letter, Told
from agents.board.live import Hub
from agents.board.views import EventView, bars, dots, in_days, where
from monitor.archive import NamedParticipants, SearchResult, SelectionError, archive_queries, atlas, pair_contacts
from monitor.archive.exports import FORMATS
from monitor.errors import SummitryError
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.notify import Ack, Feedback, Silence
from monitor.notify.policy.matching import matches
from monitor.records import EVENT_STATUSES, KINDS, MEDIA, decode

ACCESS = web.AppKey("access", Access)
HUB = web.AppKey("hub", Hub)
LIMITER = web.AppKey("limiter", Limiter)
TEMPLATES = web.AppKey("templates", Environment)
#: Who asks, and the cookie that a first visitor is given.
READER = web.RequestKey("reader", BoardReader)
NEW_COOKIE = web.RequestKey("new_cookie", str)

#: Pages that were just made, by address, theme and the archive's version.
RECENT: web.AppKey[Recent[str]] = web.AppKey("recent", Recent)

PAGE = 40
#: Leaders in the matrix of pairs.
MATRIX = 12
#: Pairs and leaders of one page.
PAIRS, LEADERS = 100, 200
_SOON = timedelta(days=14)
#: Statuses of what has still to come.
COMING = ("planned", "rescheduled", "proposed", "ongoing")
HEALTH_ORDER = ("DEAD", "GONE", "ERROR", "BLOCKED", "CHURNING", "MOVED", "STALE", "EMPTY", "NEW", "OK")


def _desk(request: web.Request) -> Desk:
    return request.app[DESK]


def selection_of(request: web.Request, *others: str) -> NamedParticipants:
    """Return the filters of a request's address, leaders by id or by any of their names. Raises SelectionError."""
    return NamedParticipants.parse(request.query.items(), others, _desk(request).people)


def local_path(path: str) -> str:
    """Return the path as a value of a query, where it is one of this board; `/` for anything else."""
    return quote(path if path.startswith("/") and not path.startswith(("//", "/\\")) else "/", safe="/")


def base_url(request: web.Request) -> str:
    """Return where readers reach the board, without a slash at the end."""
    return _desk(request).config.board.url.rstrip("/") or f"{request.scheme}://{request.host}"


def common(request: web.Request) -> dict[str, Any]:
    """Return what every template may use."""
    desk, access = _desk(request), request.app[ACCESS]
    cookie = request.cookies.get(CSRF_COOKIE) or request.get(NEW_COOKIE, "")
    theme = request.cookies.get("summitry_theme", "")
    reader: BoardReader | None = request.get(READER)
    return {
        "path": request.path,
        "here": request.path_qs,
        "now": desk.clock(),
        "csrf": access.form_token(cookie) if cookie else "",
        "reader": reader,
        "typed_name": request.cookies.get(NAME_COOKIE, "")[:80],
        "theme": theme if theme in {"light", "dark"} else "",
        "progress": desk.progress,
        "statuses": EVENT_STATUSES,
        "kinds": KINDS,
        "media": MEDIA,
        "formats": list(FORMATS),
        "written": desk.written,
        "written_pair": desk.written_pair,
        "selection": NamedParticipants(),
    }


async def render(request: web.Request, template: str, status: int = 200, **values: Any) -> web.Response:  # noqa: ANN401
    """Return a page from its template."""
    text = request.app[TEMPLATES].get_template(template).render({**common(request), **values})
    return web.Response(text=text, content_type="text/html", status=status)


async def mistake(request: web.Request, status: int, detail: str, headers: Mapping[str, str]) -> web.Response:
    """Return the page for a mistake; it says what to do."""
    response = await render(request, "mistake.html", status=status, detail=detail, code=status)
    response.headers.update(headers)
    return response


def shared(
    handler: Callable[[web.Request], Awaitable[web.Response]],
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return a page without forms that act: the same for everybody who asks, until the archive changes."""

    async def share(request: web.Request) -> web.Response:
        desk, reader = _desk(request), request[READER]
        # A page of somebody who is logged in has their name in it.
        if reader.kind == "session" or not desk.progress.done or desk.progress.error:
            return await handler(request)

        async def make() -> str:
            return (await handler(request)).text or ""

        key = request.path_qs, request.cookies.get("summitry_theme", ""), desk.archive.version()
        return web.Response(text=await request.app[RECENT].get(key, make), content_type="text/html")

    return share


def card(environment: Environment, found: SearchResult, cache: dict[tuple[str, int], str]) -> str:
    """Return one event as it stands in a list. The same for every reader, so it is made once a change."""
    key = found.event.event_id, found.seq
    text = cache.get(key)
    if text is None:
        text = environment.get_template("card.html").render(found=found, event=found.event)
        if len(cache) > 5000:
            cache.clear()
        cache[key] = text
    return text


def cards_of(request: web.Request) -> Any:  # noqa: ANN401  # a function for templates
    """Return a function that gives the HTML of an event in a list."""
    environment, cache = request.app[TEMPLATES], request.app[CARDS]
    return lambda found: card(environment, found, cache)


CARDS: web.AppKey[dict[tuple[str, int], str]] = web.AppKey("cards", dict)


@shared
async def now(request: web.Request) -> web.Response:
    """Events by last change, with all filters, and what is coming."""
    desk = _desk(request)
    selection, after = selection_of(request, "after"), request.query.get("after", "")
    today = desk.clock().date()
    coming = selection.with_(status=selection.status or COMING)

    def look() -> dict[str, Any]:
        """Everything of the page in one visit to the archive."""
        archive, people = desk.archive, desk.people
        return {
            "resume": archive.version(),
            "page": archive_queries.events(archive, people, selection, after=after, limit=PAGE),
            "soon": archive_queries.between(archive, people, coming, (today, today + _SOON), 12),
            "choices": desk.choices(),
            "named": pair_contacts.names_of(archive, _leaders_in(selection)),
            "total": archive_queries.count(archive, people, selection),
        }

    return await render(
        request, "now.html", selection=selection, card=cards_of(request), after=after, **await desk.ask(look)
    )


def _leaders_in(selection: NamedParticipants) -> set[str]:
    return {*selection.leader, *(leader for pair in selection.pair for leader in pair)}


async def live(request: web.Request) -> web.StreamResponse:
    """Changes to the events of a view, as cards."""
    selection = selection_of(request, "last")
    environment, cache = request.app[TEMPLATES], request.app[CARDS]
    hub = request.app[HUB]
    return await hub.serve(request, selection, _Cards(environment, cache))


class _Cards:
    """Renders cards for live readers. All are equal, so readers of one view share what is made for them."""

    def __init__(self, environment: Environment, cache: dict[tuple[str, int], str]) -> None:
        self._environment, self._cache = environment, cache

    def __call__(self, found: SearchResult) -> bytes:
        return card(self._environment, found, self._cache).encode()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Cards)

    def __hash__(self) -> int:
        return hash(_Cards)


async def event(request: web.Request) -> web.StreamResponse:
    """Return one event, whole."""
    desk, event_id = _desk(request), request.match_info["event_id"]
    if other := await desk.ask(archive_queries.redirect, desk.archive, event_id):
        raise web.HTTPMovedPermanently(f"/events/{quote(other, safe='')}")
    found = await desk.ask(archive_queries.event, desk.archive, event_id)
    if found is None:
        raise web.HTTPNotFound(text="no such event")
    kept = {
        sort: await desk.ask(archive_queries.kept, desk.archive, sort, event_id=event_id)
        for sort in (DELIVERY, ACK, FEEDBACK)
    }
    silences = [
        silence
        for silence in await silences_of(desk)
        if silence.until > desk.clock() and matches(silence.match, found.event)
    ]
    return await render(
        request, "event.html",
        found=found, event=found.event, view=EventView.of(found), silences=silences,
        told=[msgspec.json.decode(each.body, type=Told) for each in kept[DELIVERY]],
        acks=[decode(Ack, each.body) for each in kept[ACK]],
        feedback=[decode(Feedback, each.body) for each in kept[FEEDBACK]],
        done=request.query.get("done", ""),
    )  # fmt: skip


async def silences_of(desk: Desk) -> list[Silence]:
    """Return all silences that were set while the service ran."""
    kept = await desk.ask(archive_queries.kept, desk.archive, SILENCE)
    return sorted((decode(Silence, each.body) for each in kept), key=lambda silence: silence.until)


@shared
async def calendar(request: web.Request) -> web.Response:
    """Return what is and was on which day of a month, and which plans passed unconfirmed."""
    desk = _desk(request)
    selection, today = selection_of(request, "month"), desk.clock().date()
    first = _month(request.query.get("month", ""), today)
    last = date(first.year, first.month, months.monthrange(first.year, first.month)[1])
    found = await desk.ask(archive_queries.between, desk.archive, desk.people, selection, (first, last))
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
    missed = await desk.ask(
        archive_queries.between, desk.archive, desk.people, selection.with_(status=("unconfirmed",)), (first, last)
    )
    weeks = months.Calendar().monthdatescalendar(first.year, first.month)
    return await render(
        request, "calendar.html",
        selection=selection, first=first, weeks=weeks, days=days, spans=spans, missed=missed, today=today,
        before=first - timedelta(days=1), after=last + timedelta(days=1), card=cards_of(request),
        listed=[each for each in found if each.event.status in COMING],
        choices=await desk.ask(desk.choices),
        named=await desk.ask(pair_contacts.names_of, desk.archive, _leaders_in(selection)),
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
async def pairs(request: web.Request) -> web.Response:
    """Return who was in contact with whom, and how long ago: a matrix of the busiest leaders, and all pairs."""
    desk = _desk(request)
    selection, after = selection_of(request, "after"), request.query.get("after", "")
    today = desk.clock().date()
    found = await desk.ask(pair_contacts.pairs, desk.archive, desk.people, selection, today, PAIRS + 1, after)
    chosen = await desk.ask(pair_contacts.busiest, desk.archive, today, MATRIX)
    return await render(
        request, "pairs.html",
        selection=selection, named=await desk.ask(pair_contacts.names_of, desk.archive, _leaders_in(selection)),
        pairs=found[:PAIRS], after=after, more=found[PAIRS - 1].cursor if len(found) > PAIRS else "",
        chosen=chosen, today=today, choices=await desk.ask(desk.choices),
        names=await desk.ask(pair_contacts.names_of, desk.archive, chosen),
        matrix=await desk.ask(pair_contacts.matrix, desk.archive, chosen),
    )  # fmt: skip


@shared
async def pair(request: web.Request) -> web.Response:
    """Return one pair, given by ids or by names: its rhythm and its history."""
    desk = _desk(request)
    selection = NamedParticipants.parse([("pair", request.match_info["pair"])], people=desk.people)
    ids, today = selection.pair[0], desk.clock().date()
    resume = await desk.ask(desk.archive.version)
    page = await desk.ask(
        archive_queries.events, desk.archive, desk.people, selection, after=request.query.get("after", ""), limit=PAGE
    )
    months_ = await desk.ask(pair_contacts.by_month, desk.archive, ids, today)
    names = await desk.ask(pair_contacts.names_of, desk.archive, ids)
    return await render(
        request, "pair.html",
        ids=ids, names={leader: _name(desk, leader, names) for leader in ids}, page=page, selection=selection,
        resume=resume, after=request.query.get("after", ""),
        cadence=await desk.ask(pair_contacts.cadence, desk.archive, ids, today),
        bars=bars(months_), card=cards_of(request),
    )  # fmt: skip


def _name(desk: Desk, leader: str, names: Mapping[str, str]) -> str:
    known = desk.watchlist.leaders.get(leader)
    return known.name if known else names.get(leader, leader)


async def leaders(request: web.Request) -> web.Response:
    """Everybody who takes part in an event; or those whose name begins with what was typed."""
    desk = _desk(request)
    typed = request.query.get("q", "")[:80]
    after = request.query.get("after", "")
    rows = await desk.ask(pair_contacts.leaders, desk.archive, desk.people, NamedParticipants(), LEADERS + 1, after)
    more = rows[LEADERS - 1].cursor if len(rows) > LEADERS else ""
    rows = rows[:LEADERS]
    matching = desk.people.suggest(typed, 40) if typed else []
    if len(matching) == 1:
        raise web.HTTPSeeOther(f"/leaders/{matching[0]}")
    if typed:
        wanted = NamedParticipants(leader=tuple(matching))
        found = await desk.ask(pair_contacts.leaders, desk.archive, desk.people, wanted) if matching else []
        known = {row.leader: row for row in found}
        rows, more = [known[leader] for leader in matching if leader in known], ""
    others = [desk.watchlist.leaders[leader] for leader in matching if leader not in {row.leader for row in rows}]
    return await render(request, "leaders.html", rows=rows, others=others, typed=typed, more=more)


@shared
async def leader(request: web.Request) -> web.Response:
    """Return one leader: offices, contacts, and where."""
    desk = _desk(request)
    named = NamedParticipants.parse([("leader", request.match_info["leader"])], people=desk.people)
    slug, today = named.leader[0], desk.clock().date()
    selection = NamedParticipants(leader=(slug,))
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
        slug=slug, known=known, name=_name(desk, slug, names), page=page, selection=selection, today=today,
        resume=resume, after=request.query.get("after", ""),
        pairs=await desk.ask(pair_contacts.pairs, desk.archive, desk.people, selection, today, 12),
        card=cards_of(request), land=atlas.land(), dots=dots(recent.entries), view=atlas.VIEW,
    )  # fmt: skip


@shared
async def map_(request: web.Request) -> web.Response:
    """Return where contacts take place."""
    desk, selection = _desk(request), selection_of(request)
    page = await desk.ask(archive_queries.events, desk.archive, desk.people, selection, limit=archive_queries.MAX_PAGE)
    return await render(
        request, "map.html",
        selection=selection, land=atlas.land(), dots=dots(page.entries), view=atlas.VIEW,
        placeless=sum(where(each.event) is None for each in page.entries), more=page.after,
        total=len(page.entries), named=await desk.ask(pair_contacts.names_of, desk.archive, _leaders_in(selection)),
        choices=await desk.ask(desk.choices),
    )  # fmt: skip


class FeedRow(msgspec.Struct, frozen=True):
    """One feed and how it fares."""

    feed: Subscription
    state: FeedState | None

    @property
    def health(self) -> str:
        """The feed's health; one that was never asked is new."""
        return self.state.health if self.state else "NEW"

    @property
    def place(self) -> tuple[int, str, str]:
        """The place in the list, the worst first: by health, the outlet's name, and the id."""
        return HEALTH_ORDER.index(self.health), self.feed.outlet.lower(), self.feed.id


async def feed_rows(desk: Desk) -> list[FeedRow]:
    """Return all feeds with their states, the worst first."""
    states: dict[str, FeedState] = {}
    for each in await desk.ask(archive_queries.kept, desk.archive, FEED_STATE):
        state = decode(FeedState, each.body)
        if state.feed not in states or states[state.feed].last_attempt < state.last_attempt:
            states[state.feed] = state
    rows = []
    for each in await desk.ask(archive_queries.kept, desk.archive, FEED):
        try:
            feed = decode(Subscription, each.body)
        except SummitryError:
            continue
        rows.append(FeedRow(feed, states.get(feed.id)))
    return sorted(rows, key=lambda row: row.place)


async def feeds(request: web.Request) -> web.Response:
    """Return every feed: health, last article, next poll and why."""
    rows = await feed_rows(_desk(request))
    health = request.query.get("health", "")
    counted: dict[str, int] = {}
    for row in rows:
        counted[row.health] = counted.get(row.health, 0) + 1
    shown = [row for row in rows if health in {"", row.health}]
    return await render(request, "feeds.html", rows=shown, counted=counted, health=health, total=len(rows))


async def system(request: web.Request) -> web.Response:
    """Lag, funnel, dead letters, deliveries, silences."""
    desk = _desk(request)
    counts = await desk.ask(archive_queries.counts, desk.archive, desk.people, NamedParticipants())
    told = [
        msgspec.json.decode(each.body, type=Told)
        for each in await desk.ask(archive_queries.kept, desk.archive, DELIVERY, newest=2000)
    ]
    by_receiver: dict[str, dict[str, int]] = {}
    for each in told:
        states = by_receiver.setdefault(each.receiver, {})
        states[each.state] = states.get(each.state, 0) + 1
    letters = [
        msgspec.json.decode(each.body, type=Letter)
        for each in await desk.ask(archive_queries.kept, desk.archive, DEAD_LETTER, newest=50)
    ]
    return await render(
        request, "system.html",
        counts=counts, flow=desk.flow, names=desk.names, by_receiver=by_receiver, letters=letters,
        failing=[each for each in told if each.state in {"failed", "retrying"}][:20],
        silences=[silence for silence in await silences_of(desk) if silence.until > desk.clock()],
        listeners=len(request.app[HUB]), archive=desk.archive,
    )  # fmt: skip


def _leads_to(path: str) -> web.Response:
    return web.Response(status=303, headers={"Location": path})


async def login(request: web.Request) -> web.StreamResponse:
    """Ask for a name and a password; give a session."""
    access = request.app[ACCESS]
    if request.method == "GET" or not access.passwords:
        return await render(request, "login.html", next=local_path(request.query.get("next", "/")), wrong=False)
    form = await request.post()
    name, password = str(form.get("name", ""))[:80], str(form.get("password", ""))[:1000]
    if not access.form_is_ours(request, str(form.get("csrf", ""))):
        raise web.HTTPForbidden(text="this form is too old; load the page again")
    if not await access.login(name, password):
        return await render(request, "login.html", status=403, next=local_path(str(form.get("next", "/"))), wrong=True)
    response = _leads_to(local_path(str(form.get("next", "/"))))
    secure = _desk(request).config.board.url.startswith("https://")
    response.set_cookie(
        SESSION_COOKIE, access.new_session(name), max_age=SESSION_SECONDS, httponly=True, samesite="Lax", secure=secure
    )
    return response


async def logout(request: web.Request) -> web.StreamResponse:
    """End the session."""
    form = await request.post()
    if not request.app[ACCESS].form_is_ours(request, str(form.get("csrf", ""))):
        raise web.HTTPForbidden(text="this form is too old; load the page again")
    response = _leads_to("/login")
    response.del_cookie(SESSION_COOKIE)
    return response


async def theme(request: web.Request) -> web.StreamResponse:
    """Choose light, dark, or the system's own, without JavaScript."""
    chosen = request.query.get("to", "")
    back = request.query.get("next", "/")
    response = _leads_to(back if local_path(back) != "/" else "/")
    if chosen in {"light", "dark"}:
        response.set_cookie("summitry_theme", chosen, max_age=365 * 86400, samesite="Lax")
    else:
        response.del_cookie("summitry_theme")
    return response


ROUTES = [
    web.get("/", now),
    web.get("/changes", live),
    web.get("/events/{event_id}", event),
    web.get("/calendar", calendar),
    web.get("/pairs", pairs),
    web.get("/pairs/{pair}", pair),
    web.get("/leaders", leaders),
    web.get("/leaders/{leader}", leader),
    web.get("/map", map_),
    web.get("/feeds", feeds),
    web.get("/system", system),
    web.get("/login", login),
    web.post("/login", login),
    web.post("/logout", logout),
    web.get("/theme", theme),
]
