"""The HTML pages. Each works without JavaScript; filters are in the address, so that a link to a view can be shared."""

from __future__ import annotations

from aiohttp import web

from agents.board.pages import event_pages, leader_pages, service_pages

ROUTES = [
    web.get("/", event_pages.now),
    web.get("/changes", event_pages.live),
    web.get("/events/{event_id}", event_pages.event),
    web.get("/calendar", event_pages.calendar),
    web.get("/pairs", leader_pages.pairs),
    web.get("/pairs/{pair}", leader_pages.pair),
    web.get("/leaders", leader_pages.leaders),
    web.get("/leaders/{leader}", leader_pages.leader),
    web.get("/map", event_pages.map_),
    web.get("/feeds", service_pages.feeds),
    web.get("/system", service_pages.system),
    web.get("/login", service_pages.login),
    web.post("/login", service_pages.login),
    web.post("/logout", service_pages.logout),
    web.get("/theme", service_pages.theme),
]
