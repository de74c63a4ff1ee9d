"""Push: subscribe to a feed's hub, and receive the documents that the hub sends (W3C WebSub, 2018-01-23).

It is off by default, since hubs must be able to reach this poller. While push works, the feed is still polled, but
twelve times less often. Subscriptions are kept in the memory of this process, each with its own random callback URL and
secret. A poller that takes a feed over subscribes again; the old subscription expires at the hub.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from monitor.errors import HttpError
from monitor.feeds.polling.fetch import FetchResult, redacted
from monitor.feeds.subscriptions.subscription import Subscription

logger = structlog.get_logger()

#: The lease that is requested, in seconds.
LEASE_S = 864_000.0
#: The hub decides the lease; it is limited to this range. A longer one would hide a hub that has gone away.
_SHORTEST_LEASE_S, _LONGEST_LEASE_S = 300.0, 30 * 86400.0
#: A subscription is renewed after half of its lease (as Feedbin does), plus a random part of up to a tenth.
RENEW_AT, RENEW_SPREAD = 0.5, 0.1
#: Seconds until the next attempt after a hub failed, refused or never verified; and after it denied the subscription.
RETRY_S, DENIED_S = 6 * 3600.0, 7 * 86400.0
MAX_BODY = 4 * 1024 * 1024
#: Signature methods of the specification (section 7). Most hubs still use SHA-1.
_ALGORITHMS = frozenset({"sha1", "sha256", "sha384", "sha512"})


#: Takes a document that a hub sent for the feed with an id. Returns False when this poller does not poll the feed.
Deliver = Callable[[str, FetchResult], bool]


class FormSender(Protocol):
    """Sends forms; `monitor.feeds.polling.fetch.Fetcher` is the real one."""

    async def post(self, feed: Subscription, url: str, form: dict[str, str]) -> FetchResult:
        """Send one POST. Raises HttpError."""


@dataclass
class _PushSubscription:
    feed: Subscription
    hub: str
    topic: str
    token: str
    secret: str
    status: Literal["asking", "pending", "active", "refused"] = "asking"
    until: float = 0.0
    again_at: float = 0.0


class WebSub:
    """The push subscriptions of one poller.

    `callback` is the public URL at which `routes` can be reached, with the same path. `post` sends requests to hubs.
    `now` returns seconds since 1970, `draw` random numbers from 0 to 1.
    """

    def __init__(self, callback: str, post: FormSender, *, now: Callable[[], float], draw: Callable[[], float]) -> None:
        path = urlsplit(callback).path.rstrip("/")
        self._path = path or "/websub"
        self._callback = callback.rstrip("/") + ("" if path else self._path)
        self._post, self._now, self._draw = post, now, draw
        self._by_feed: dict[str, _PushSubscription] = {}
        self._by_token: dict[str, _PushSubscription] = {}

    def active_until(self, feed_id: str) -> float:
        """Return when the lease of a feed's subscription ends; 0.0 when there is none."""
        push = self._by_feed.get(feed_id)
        return push.until if push and push.until > self._now() else 0.0

    def subscribe(self, feed: Subscription, hub: str, topic: str) -> Coroutine[None, None, None] | None:
        """Subscribe a feed to the hub that its document names. Returns the request to await, None if none is due."""
        push = self._by_feed.get(feed.id)
        if push is not None and (push.hub, push.topic) == (hub, topic):
            push.feed = feed
            return self._ask(push) if self._now() >= push.again_at else None
        self.forget(feed.id)
        push = _PushSubscription(feed, hub, topic, secrets.token_urlsafe(32), secrets.token_urlsafe(48))
        self._by_feed[feed.id] = self._by_token[push.token] = push
        return self._ask(push)

    def forget(self, feed_id: str) -> None:
        """Forget the subscription of a feed; requests of the hub for it are then answered with 404."""
        push = self._by_feed.pop(feed_id, None)
        if push is not None:
            self._by_token.pop(push.token, None)

    async def _ask(self, push: _PushSubscription) -> None:
        """Send the hub a subscription request (section 5.1). The hub answers 202 and then verifies at the callback."""
        push.again_at = self._now() + RETRY_S
        push.status = "active" if push.until > self._now() else "pending"
        form = {
            "hub.mode": "subscribe",
            "hub.topic": push.topic,
            "hub.callback": f"{self._callback}/{push.token}",
            "hub.lease_seconds": f"{LEASE_S:.0f}",
            "hub.secret": push.secret,
        }
        try:
            answer = await self._post.post(push.feed, push.hub, form)
        except HttpError as error:
            logger.info("push_refused", feed=push.feed.id, hub=redacted(push.hub), error=str(error))
            return
        if answer.status // 100 != 2:
            logger.info("push_refused", feed=push.feed.id, hub=redacted(push.hub), status=answer.status)

    def verify(self, token: str, query: dict[str, str]) -> tuple[int, str]:
        """Answer a hub that verifies or denies a subscription (section 5.3). Returns status and body."""
        push = self._by_token.get(token)
        if push is None or query.get("hub.topic") != push.topic:
            return 404, ""
        if query.get("hub.mode") == "denied":
            push.status, push.until, push.again_at = "refused", 0.0, self._now() + DENIED_S
            logger.info("push_denied", feed=push.feed.id, why=query.get("hub.reason", "")[:200])
            return 200, ""
        challenge = query.get("hub.challenge", "")
        if query.get("hub.mode") != "subscribe" or push.status not in {"pending", "active"} or not challenge:
            return 404, ""
        try:
            asked = float(query.get("hub.lease_seconds", LEASE_S))
        except ValueError:
            return 404, ""
        lease = min(max(asked, _SHORTEST_LEASE_S), _LONGEST_LEASE_S)
        push.status, push.until = "active", self._now() + lease
        push.again_at = self._now() + lease * (RENEW_AT + RENEW_SPREAD * self._draw())
        logger.info("push_active", feed=push.feed.id, hours=round(lease / 3600))
        return 200, challenge

    def receive(self, token: str, signature: str, content_type: str, body: bytes, deliver: Deliver) -> int:
        """Receive a document from a hub (section 7), and deliver it. Returns the HTTP status of the answer.

        A document without a valid signature is dropped but answered with success, so that nobody can find a valid
        signature by trying.
        """
        push = self._by_token.get(token)
        if push is None or push.until <= self._now():
            return 404
        if not signed(push.secret, signature, body):
            logger.warning("push_unsigned", feed=push.feed.id)
            return 202
        fetched = FetchResult(200, push.topic, {"content-type": content_type}, body, conditional=True)
        return 202 if deliver(push.feed.id, fetched) else 404

    def routes(self, deliver: Deliver) -> list[web.RouteDef]:
        """Return the handlers for the web server of the process. They pass documents with a valid signature on."""

        async def ask_back(request: web.Request) -> web.Response:
            status, text = self.verify(request.match_info["token"], dict(request.query))
            return web.Response(status=status, text=text)

        async def delivery(request: web.Request) -> web.Response:
            token = request.match_info["token"]
            if token not in self._by_token:
                return web.Response(status=404)
            body = await _body(request)
            if body is None:
                return web.Response(status=413)
            signature = request.headers.get("X-Hub-Signature", "")
            return web.Response(status=self.receive(token, signature, request.content_type, body, deliver))

        path = f"{self._path}/{{token}}"
        return [web.get(path, ask_back, allow_head=False), web.post(path, delivery)]


def signed(secret: str, signature: str, body: bytes) -> bool:
    """Tell whether an X-Hub-Signature (`METHOD=HEX`) is valid for the body. Compares in constant time."""
    method, _, digest = signature.strip().partition("=")
    if method.lower() not in _ALGORITHMS:
        return False
    right = hmac.new(secret.encode(), body, getattr(hashlib, method.lower())).hexdigest()
    return hmac.compare_digest(right.encode(), digest.strip().lower().encode("utf-8", "replace"))


async def _body(request: web.Request) -> bytes | None:
    """Return the body of a request, None when it is too large."""
    body = bytearray()
    async for chunk in request.content.iter_chunked(65536):
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)
