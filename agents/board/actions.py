"""What a reader can do on the board: acknowledge an event, silence events like it, and give feedback.

Each action writes one record to a topic: `acks`, `silences` or `feedback`. The answer is sent once the board has read
this record back from the topic, so the next page already shows it.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import msgspec
from aiohttp import web

from agents.board.access import NAME_COOKIE, BoardReader
from agents.board.context import CONTEXT, BoardContext
from agents.board.follower import ACK, FEEDBACK, SILENCE
from agents.board.pages.rendering import ACCESS, READER
from agents.process.web import form_fields
from monitor.archive import archive_queries
from monitor.config import Match
from monitor.config.durations import parse_duration
from monitor.notify import Ack, Feedback, Silence
from monitor.notify.harmless import clean
from monitor.notify.replies.feedback import VERDICTS
from monitor.records import Event, Record, encode

_LONGEST_SILENCE = timedelta(days=30)
#: Seconds to wait until the follower has read back a record that was written.
_PATIENCE = 3.0


async def _event(request: web.Request) -> Event:
    context = request.app[CONTEXT]
    found = await context.ask(archive_queries.event, context.archive, request.match_info["event_id"])
    if found is None:
        raise web.HTTPNotFound(text="no such event")
    return found.event


async def _put(context: BoardContext, topic: str, sort: str, key: str, record: Record) -> None:
    """Write a record and wait up to `_PATIENCE` seconds until the archive has it. Raises BrokerError."""
    body = encode(record)
    await context.outbox.send(topic, key.encode(), body)

    def known() -> bool:
        return any(each.key == key and each.body == body for each in archive_queries.kept(context.archive, sort))

    waited = 0.0
    while waited < _PATIENCE and not await context.ask(known):
        await asyncio.sleep(0.05)
        waited += 0.05


async def seen(context: BoardContext, event: Event, by: str) -> Ack:
    """Acknowledge an event: its reminders stop, and its messages name who has seen it."""
    ack = Ack(event_id=event.event_id, by=by, at=context.clock())
    await _put(context, context.names.acks, ACK, event.event_id, ack)
    return ack


def silence_match(event: Event) -> Match:
    """Return which events a silence of this event matches: those of its kind and forum with its first two leaders.

    If the event has more than two participants, only events with at least as many match.
    """
    first, second = (participant.leader for participant in event.participants[:2])
    many = len(event.participants)
    return Match(
        pairs=(f"{first}+{second}",),
        kinds=(event.kind,),
        forums=(event.forum,) if event.forum else (),
        min_participants=many if many > 2 else 0,
    )


async def silence(context: BoardContext, event: Event, by: str, length: str, reason: str) -> Silence:
    """Silence events like this one for a time such as `2h`.

    Raises HTTPBadRequest if `length` is not a duration of up to 30 days, or the event has fewer than two leaders.
    """
    try:
        lasting = parse_duration(length)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    if not timedelta(0) < lasting <= _LONGEST_SILENCE:
        raise web.HTTPBadRequest(text="a silence must be longer than 0 and not longer than 30 days")
    if len(event.participants) < 2:
        raise web.HTTPBadRequest(text="this event has fewer than two leaders, so it can't be silenced")
    now = context.clock()
    made = Silence(
        id=uuid.uuid4().hex[:8],
        match=silence_match(event),
        until=now + lasting,
        reason=clean(reason, 200) or "silenced on the board",
        by=by,
        since=now,
    )
    await _put(context, context.names.silences, SILENCE, made.id, made)
    return made


async def feedback(
    context: BoardContext, event: Event, by: str, verdict: str, *, article_id: str = "", comment: str = ""
) -> Feedback:
    """Store a reader's verdict on an event. Raises HTTPBadRequest for an unknown verdict or article."""
    if verdict not in VERDICTS:
        raise web.HTTPBadRequest(text=f"verdict: must be one of {', '.join(VERDICTS)}")
    if article_id and article_id not in {source.article_id for source in event.sources}:
        raise web.HTTPBadRequest(text="article_id: not an article of this event")
    if verdict == "not_this_event" and not article_id:
        raise web.HTTPBadRequest(text="article_id: say which article belongs to another event")
    said = msgspec.convert(
        {
            "event_id": event.event_id, "verdict": verdict, "by": by, "at": context.clock(), "revision": event.revision,
            "article_id": article_id, "comment": clean(comment, 500),
        },
        Feedback,
    )  # fmt: skip
    await _put(context, context.names.feedback, FEEDBACK, said.key, said)
    return said


async def _form(request: web.Request) -> tuple[Event, str, dict[str, str]]:
    """Return the event, who acts, and the form's fields. Raises HTTPForbidden if no page of the board made the form."""
    form = await form_fields(request)
    if form is None:
        raise web.HTTPBadRequest(text="this form can't be read")
    if not request.app[ACCESS].form_is_ours(request, form.get("csrf", "")):
        raise web.HTTPForbidden(text="this form is no longer valid; load the page again")
    reader: BoardReader = request[READER]
    if "act" not in reader.scopes:
        raise web.HTTPForbidden(text="you may read this board, but not acknowledge, silence or give feedback")
    name = reader.name or clean(form.get("by", ""), 80) or "somebody"
    return await _event(request), name, form


def _back(request: web.Request, event: Event, done: str, by: str) -> web.Response:
    response = web.Response(status=303, headers={"Location": f"/events/{event.event_id}?done={done}"})
    if not request[READER].name:
        response.set_cookie(NAME_COOKIE, by.encode("ascii", "ignore").decode(), max_age=365 * 86400, samesite="Lax")
    return response


async def post_seen(request: web.Request) -> web.Response:
    """Answer the button "Seen": store who has seen the event, and lead back to its page."""
    event, by, _ = await _form(request)
    await seen(request.app[CONTEXT], event, by)
    return _back(request, event, "seen", by)


async def post_silence(request: web.Request) -> web.Response:
    """Answer the button "Silence": store the silence, and lead back to the event's page."""
    event, by, form = await _form(request)
    await silence(request.app[CONTEXT], event, by, form.get("for", ""), form.get("reason", ""))
    return _back(request, event, "silenced", by)


async def post_feedback(request: web.Request) -> web.Response:
    """Answer "Wrong", "Right" and "Not this event": store the verdict, and lead back to the event's page."""
    event, by, form = await _form(request)
    verdict = form.get("verdict", "")
    await feedback(
        request.app[CONTEXT], event, by, verdict, article_id=form.get("article_id", ""), comment=form.get("comment", "")
    )
    return _back(request, event, verdict, by)


ROUTES = [
    web.post("/events/{event_id}/seen", post_seen),
    web.post("/events/{event_id}/silence", post_silence),
    web.post("/events/{event_id}/feedback", post_feedback),
]
