"""Serve the pages behind the links in messages: GET shows a form, POST stores the acknowledgement or feedback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Literal

import structlog
from aiohttp import web

from agents.process.web import form_fields
from agents.stream.outbox import Outbox
from agents.stream.topics import TopicNames
from monitor.clock import Clock
from monitor.config import Match
from monitor.errors import BrokerError
from monitor.notify import Ack, AckLinks, Feedback, Notifier, Silence
from monitor.notify.harmless import clean
from monitor.notify.messages import answer_pages
from monitor.notify.replies.ack import FEEDBACK_PATH, PATH, AckRefusedError
from monitor.notify.replies.feedback import Verdict
from monitor.records import encode

logger = structlog.get_logger()

#: The most answers that are remembered until they have been read back from their topic.
_MAX_CLICKS = 10_000
#: How long an event is silenced after a reader's feedback.
_SILENCED = timedelta(days=30)
_SIGNED = ("event", "until", "sig")

Handler = Callable[[web.Request], Awaitable[web.Response]]


class AckPages:
    """Serves the pages of acknowledgement and feedback. A form that is sent twice makes one record."""

    def __init__(self, links: AckLinks, notifier: Notifier, outbox: Outbox, names: TopicNames, clock: Clock) -> None:
        self._links, self._notifier, self._outbox, self._names, self._clock = links, notifier, outbox, names, clock
        self._clicked: dict[str, Ack] = {}
        self._lock = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """Return the routes of the pages."""
        return [
            web.get(PATH, self._ask),
            web.post(PATH, self._acknowledge),
            web.get(FEEDBACK_PATH, self._ask_feedback),
            web.post(FEEDBACK_PATH, self._note_feedback),
        ]

    async def _ask(self, request: web.Request) -> web.Response:
        event_id, until, signature = (request.query.get(name, "") for name in _SIGNED)
        words = answer_pages.words_for(request.query.get("lang", ""))
        try:
            self._links.check(event_id, until, signature, self._clock())
        except AckRefusedError as error:
            return _page(answer_pages.refusal(words, error), 403)
        if ack := self._seen(event_id):
            return _page(answer_pages.thanks(words, ack))
        return _page(answer_pages.form(words, _link_fields(request)))

    async def _acknowledge(self, request: web.Request) -> web.Response:
        fields = await form_fields(request)
        if fields is None:
            return _page(answer_pages.trouble(answer_pages.words_for(""), "unreadable"), 400)
        event_id, words = fields.get("event", ""), answer_pages.words_for(fields.get("lang", ""))
        try:
            ack = self._links.acknowledged(
                event_id, fields.get("until", ""), fields.get("sig", ""), fields.get("by", ""), self._clock()
            )
        except AckRefusedError as error:
            return _page(answer_pages.refusal(words, error), 403)
        async with self._lock:
            if before := self._seen(event_id):
                return _page(answer_pages.thanks(words, before))
            try:
                await self._outbox.send(self._names.acks, event_id.encode(), encode(ack))
            except BrokerError as error:
                logger.warning("ack_not_noted", error=str(error))
                return _page(answer_pages.trouble(words, "busy"), 503)
            self._remember(event_id, ack)
        return _page(answer_pages.thanks(words, ack))

    async def _ask_feedback(self, request: web.Request) -> web.Response:
        verdict, event_id, until, signature = (request.query.get(name, "") for name in ("verdict", *_SIGNED))
        words = answer_pages.words_for(request.query.get("lang", ""))
        try:
            purpose = self._checked(verdict, event_id, until, signature)
        except AckRefusedError as error:
            return _page(answer_pages.refusal(words, error), 403)
        return _page(answer_pages.feedback_form(words, purpose, _link_fields(request)))

    async def _note_feedback(self, request: web.Request) -> web.Response:
        fields = await form_fields(request)
        if fields is None:
            return _page(answer_pages.trouble(answer_pages.words_for(""), "unreadable"), 400)
        event_id, until, signature = (fields.get(name, "") for name in _SIGNED)
        words = answer_pages.words_for(fields.get("lang", ""))
        try:
            verdict = self._checked(fields.get("verdict", ""), event_id, until, signature)
        except AckRefusedError as error:
            return _page(answer_pages.refusal(words, error), 403)
        by = clean(fields.get("by", ""), 80) or "somebody"
        async with self._lock:
            key = f"{verdict}|{event_id}|{by}"
            if key not in self._clicked:
                try:
                    self._remember(key, await self._note(verdict, event_id, by, fields))
                except BrokerError as error:
                    logger.warning("feedback_not_noted", error=str(error))
                    return _page(answer_pages.trouble(words, "busy"), 503)
        return _page(answer_pages.noted(words, by))

    async def _note(self, verdict: Verdict, event_id: str, by: str, fields: Mapping[str, str]) -> Ack:
        """Store a reader's feedback, silence the event, and mark its messages. Raises BrokerError."""
        now, event = self._clock(), self._notifier.last_sent(event_id)
        address = clean(fields.get("article", ""), 2000)
        article = next((source.article_id for source in event.sources if source.url == address), "") if event else ""
        comment = clean(" ".join(filter(None, (fields.get("comment", ""), "" if article else address))), 500)
        said = Feedback(
            event_id=event_id, verdict=verdict, by=by, at=now, article_id=article, comment=comment,
            revision=event.revision if event else 0,
        )  # fmt: skip
        silence = Silence(
            schema=Silence.SCHEMA, id=f"feedback-{event_id}", match=Match(), events=(event_id,), by=by, since=now,
            until=now + _SILENCED, reason=f"feedback: {verdict}",
        )  # fmt: skip
        ack = Ack(event_id=event_id, by=by, at=now, verdict=verdict)
        await self._outbox.send(self._names.feedback, said.key.encode(), encode(said))
        await self._outbox.send(self._names.silences, silence.id.encode(), encode(silence))
        await self._outbox.send(self._names.acks, event_id.encode(), encode(ack))
        return ack

    def _checked(self, verdict: str, event_id: str, until: str, signature: str) -> Literal["wrong", "not_this_event"]:
        """Check a feedback link and return its verdict. Raises AckRefusedError."""
        if verdict not in {"wrong", "not_this_event"}:
            raise AckRefusedError("this link is not valid")
        purpose: Literal["wrong", "not_this_event"] = "wrong" if verdict == "wrong" else "not_this_event"
        self._links.check(event_id, until, signature, self._clock(), purpose)
        return purpose

    def _remember(self, key: str, ack: Ack) -> None:
        if len(self._clicked) >= _MAX_CLICKS:
            self._clicked.clear()
        self._clicked[key] = ack

    def _seen(self, event_id: str) -> Ack | None:
        return self._notifier.acknowledged(event_id) or self._clicked.get(event_id)


def _link_fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a link that its form sends back: the signed ones, and the reader's language."""
    return {name: request.query[name] for name in (*_SIGNED, "lang") if name in request.query}


def _page(text: str, status: int = 200) -> web.Response:
    return web.Response(text=text, status=status, content_type="text/html")
