"""The pages behind the links in messages: GET shows a form, POST notes what the reader said."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from aiohttp import web

from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.clock import Clock
from monitor.errors import BrokerError
from monitor.notify import Ack, AckLinks, Notifier
from monitor.notify.replies.ack import PATH, AckRefusedError, form, refusal, thanks, trouble
from monitor.records import encode

logger = structlog.get_logger()

#: A form's fields have far fewer bytes than this.
_MAX_FORM = 8 * 1024
#: Clicks that are remembered until they have come back from their topic.
_MAX_CLICKS = 10_000

Handler = Callable[[web.Request], Awaitable[web.Response]]


class AckPages:
    """Serves the acknowledgement pages. One event is acknowledged once, however often its form is sent."""

    def __init__(self, links: AckLinks, notifier: Notifier, outbox: Outbox, names: TopicNames, clock: Clock) -> None:
        self._links, self._notifier, self._outbox, self._names, self._clock = links, notifier, outbox, names, clock
        self._clicked: dict[str, Ack] = {}
        self._lock = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages."""
        return [web.get(PATH, self._ask), web.post(PATH, self._acknowledge)]

    async def _ask(self, request: web.Request) -> web.Response:
        event_id, until, signature = (request.query.get(name, "") for name in ("event", "until", "sig"))
        try:
            self._links.check(event_id, until, signature, self._clock())
        except AckRefusedError as error:
            return _page(refusal(error), 403)
        if ack := self._seen(event_id):
            return _page(thanks(ack))
        return _page(form(event_id, until, signature))

    async def _acknowledge(self, request: web.Request) -> web.Response:
        fields = await _fields(request)
        if fields is None:
            return _page(trouble("This form can't be read."), 400)
        event_id = fields.get("event", "")
        try:
            ack = self._links.acknowledged(
                event_id, fields.get("until", ""), fields.get("sig", ""), fields.get("by", ""), self._clock()
            )
        except AckRefusedError as error:
            return _page(refusal(error), 403)
        async with self._lock:
            if before := self._seen(event_id):
                return _page(thanks(before))
            try:
                await self._outbox.send(self._names.acks, event_id.encode(), encode(ack))
            except BrokerError as error:
                logger.warning("ack_not_noted", error=str(error))
                return _page(trouble("This can't be noted right now. Try again in a minute."), 503)
            if len(self._clicked) >= _MAX_CLICKS:
                self._clicked.clear()
            self._clicked[event_id] = ack
        return _page(thanks(ack))

    def _seen(self, event_id: str) -> Ack | None:
        return self._notifier.acknowledged(event_id) or self._clicked.get(event_id)


async def _fields(request: web.Request) -> dict[str, str] | None:
    """Read the fields of a form as browsers send it; None for whatever is none, is too large or is not UTF-8."""
    if request.content_type != "application/x-www-form-urlencoded" or (request.content_length or 0) > _MAX_FORM:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > _MAX_FORM:
            return None
    try:
        text = body.decode("ascii")
        return dict(parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError:  # UnicodeDecodeError is one
        return None


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
