"""The HTTP server of the demonstration, on loopback: feeds that change from act to act, and a webhook for alerts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from aiohttp import web
from standardwebhooks import Webhook, WebhookVerificationError

from agents.demo.sample_feeds import DemoItem, document
from agents.demo.story import DemoOutlet, StoryAct, StoryEntry
from monitor.clock import Clock

_BROKEN = b"<!doctype html><html><body><h1>Be back soon</h1><p>This feed is being repaired.</p></body></html>"


class SampleWorld:
    """Serves the outlets' feeds, and receives the service's alerts at `/alerts`.

    `deliveries` are the bodies of the webhook calls in order. A call with a wrong signature is answered with 401.
    """

    def __init__(self, outlets: Sequence[DemoOutlet], clock: Clock, secret: str) -> None:
        self._outlets = {outlet.id: outlet for outlet in outlets}
        self._items: dict[str, dict[str, DemoItem]] = {outlet.id: {} for outlet in outlets}
        self._failing: set[str] = set()
        self._broken: set[str] = set()
        self._unread: set[str] = set(self._outlets)
        self._clock = clock
        self._webhook = Webhook(secret)
        self._runner: web.AppRunner | None = None
        self.base = ""
        self.deliveries: list[dict[str, Any]] = []
        self.requests = 0

    async def start(self) -> None:
        """Listen on a free port of 127.0.0.1."""
        app = web.Application()
        app.router.add_get("/feeds/{outlet}", self._feed)
        app.router.add_get("/moved/{outlet}", self._feed)
        app.router.add_post("/alerts", self._alert)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.base = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        """Stop listening."""
        if self._runner:
            await self._runner.cleanup()

    def feed_url(self, outlet: DemoOutlet) -> str:
        """Return the URL of the outlet's feed for subscribers."""
        return f"{self.base}/feeds/{outlet.id}"

    def play(self, act: StoryAct) -> None:
        """Publish and correct the act's entries, break its feeds. Changed feeds are `unread` until fetched again."""
        now = self._clock().replace(microsecond=0)
        for entry in act.entries:
            self._items[entry.outlet][entry.id] = _item(entry, entry.at or now, entry.at or now)
        for entry in act.corrections:
            before = self._items[entry.outlet][entry.id]
            self._items[entry.outlet][entry.id] = _item(entry, before.published, now)
        self._failing |= set(act.fail)
        self._broken |= set(act.break_)
        changed = {entry.outlet for entry in (*act.entries, *act.corrections)}
        self._unread = changed | set(act.fail) | set(act.break_)

    @property
    def unread(self) -> frozenset[str]:
        """The outlets whose latest change was not fetched yet."""
        return frozenset(self._unread)

    async def _feed(self, request: web.Request) -> web.Response:
        outlet = self._outlets.get(request.match_info["outlet"])
        if outlet is None:
            raise web.HTTPNotFound
        if outlet.moved and request.path.startswith("/feeds/"):
            raise web.HTTPMovedPermanently(f"{self.base}/moved/{outlet.id}")
        self.requests += 1
        self._unread.discard(outlet.id)
        if outlet.id in self._failing:
            return web.Response(status=500, text="out of order")
        if outlet.id in self._broken:
            return web.Response(body=_BROKEN, content_type="text/html")
        newest_first = sorted(self._items[outlet.id].values(), key=lambda item: item.published, reverse=True)
        content_type, body = document(outlet, newest_first, self.base)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == etag:
            return web.Response(status=304, headers={"ETag": etag})
        return web.Response(body=body, content_type=content_type, charset="utf-8", headers={"ETag": etag})

    async def _alert(self, request: web.Request) -> web.Response:
        body = await request.read()
        try:
            self._webhook.verify(body, dict(request.headers))
        except WebhookVerificationError:
            return web.Response(status=401)
        self.deliveries.append(msgspec.json.decode(body))
        return web.Response(status=204)


def _item(entry: StoryEntry, published: datetime, updated: datetime) -> DemoItem:
    return DemoItem(id=entry.id, title=entry.title, summary=entry.summary, published=published, updated=updated)
