"""What a reader can do: mark an event as seen, silence its kind, say that it is wrong.

Each is one record on a topic that the service has anyway. The answer comes when the board has read it back, so the next
page shows it.
"""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta

import msgspec
from aiohttp import web

from agents.board.access import NAME_COOKIE, BoardReader
from agents.board.desk import DESK, Desk
from agents.board.follower import ACK, FEEDBACK, SILENCE
from agents.board.pages import ACCESS, READER
from monitor.archive import archive_queries
from monitor.config import Match
from monitor.config.durations import parse_duration
from monitor.notify import Ack, Feedback, Silence
from monitor.notify.harmless import clean
from monitor.notify.replies.feedback import VERDICTS
from monitor.records import Event, Record, encode

_LONGEST_SILENCE = timedelta(days=30)
_PATIENCE = 3.0


async def _event(request: web.Request) -> Event:
    desk = request.app[DESK]
    found = await desk.ask(archive_queries.event, desk.archive, request.match_info["event_id"])
    if found is None:
        raise web.HTTPNotFound(text="no such event")
    return found.event


async def _put(desk: Desk, topic: str, sort: str, key: str, record: Record) -> None:
    """Write a record and wait a moment until the follower has it. Raises BrokerError."""
    body = encode(record)
    await desk.outbox.send(topic, key.encode(), body)

    def known() -> bool:
        return any(each.key == key and each.body == body for each in archive_queries.kept(desk.archive, sort))

    waited = 0.0
    while waited < _PATIENCE and not await desk.ask(known):
        await asyncio.sleep(0.05)
        waited += 0.05


async def seen(desk: Desk, event: Event, by: str) -> Ack:
    """Acknowledge an event: its reminders stop, and its messages say who has seen it."""
    ack = Ack(event_id=event.event_id, by=by, at=desk.clock())
    await _put(desk, desk.names.acks, ACK, event.event_id, ack)
    return ack


def silence_match(event: Event) -> Match:
    """What silencing an event means: contacts of its kind between its first two leaders; of a larger one, its like."""
    first, second = (participant.leader for participant in event.participants[:2])
    many = len(event.participants)
    return Match(
        pairs=(f"{first}+{second}",),
        kinds=(event.kind,),
        forums=(event.forum,) if event.forum else (),
        min_participants=many if many > 2 else 0,
    )


async def silence(desk: Desk, event: Event, by: str, length: str, reason: str) -> Silence:
    """Keep events like this one from being told for a while. Raises HTTPBadRequest for a length that is none."""
    try:
        lasting = parse_duration(length)
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
    if not timedelta(0) < lasting <= _LONGEST_SILENCE:
        raise web.HTTPBadRequest(text="a silence lasts up to 30 days")
    if len(event.participants) < 2:
        raise web.HTTPBadRequest(text="this event names no two leaders")
    now = desk.clock()
    made = Silence(
        id=uuid.uuid4().hex[:8],
        match=silence_match(event),
        until=now + lasting,
        reason=clean(reason, 200) or "silenced on the board",
        by=by,
        since=now,
    )
    await _put(desk, desk.names.silences, SILENCE, made.id, made)
    return made


async def feedback(
    desk: Desk, event: Event, by: str, verdict: str, *, article_id: str = "", comment: str = ""
) -> Feedback:
    """Keep what a reader says of an event. Raises HTTPBadRequest for an unknown verdict or article."""
    if verdict not in VERDICTS:
        raise web.HTTPBadRequest(text=f"verdict: one of {', '.join(VERDICTS)}")
    if article_id and article_id not in {source.article_id for source in event.sources}:
        raise web.HTTPBadRequest(text="article_id: not an article of this event")
    if verdict == "not_this_event" and not article_id:
        raise web.HTTPBadRequest(text="article_id: say which article belongs to another event")
    said = msgspec.convert(
        {
            "event_id": event.event_id, "verdict": verdict, "by": by, "at": desk.clock(), "revision": event.revision,
            "article_id": article_id, "comment": clean(comment, 500),
        },
        Feedback,
    )  # fmt: skip
    await _put(desk, desk.names.feedback, FEEDBACK, said.key, said)
    return said


async def _form(request: web.Request) -> tuple[Event, str, dict[str, str]]:
    """The event, who acts, and the fields of a form of ours. Raises HTTPForbidden for a form of somebody else."""
    form = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    if not request.app[ACCESS].form_is_ours(request, form.get("csrf", "")):
        raise web.HTTPForbidden(text="this form is too old; load the page again")
    reader: BoardReader = request[READER]
    if "act" not in reader.scopes:
        raise web.HTTPForbidden(text="this may only read")
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
    await seen(request.app[DESK], event, by)
    return _back(request, event, "seen", by)


async def post_silence(request: web.Request) -> web.Response:
    """Answer the button "Silence": store the silence, and lead back to the event's page."""
    event, by, form = await _form(request)
    await silence(request.app[DESK], event, by, form.get("for", ""), form.get("reason", ""))
    return _back(request, event, "silenced", by)


async def post_feedback(request: web.Request) -> web.Response:
    """Answer "Wrong", "Right" and "Not this event": store the verdict, and lead back to the event's page."""
    event, by, form = await _form(request)
    verdict = form.get("verdict", "")
    await feedback(
        request.app[DESK], event, by, verdict, article_id=form.get("article_id", ""), comment=form.get("comment", "")
    )
    return _back(request, event, verdict, by)


ROUTES = [
    web.post("/events/{event_id}/seen", post_seen),
    web.post("/events/{event_id}/silence", post_silence),
    web.post("/events/{event_id}/feedback", post_feedback),
]
