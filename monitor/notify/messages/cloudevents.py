"""The body of messages for machines, sent by webhook and to Kafka topics: a CloudEvents 1.0 structured event.

https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md. `source` and `id` identify a message; a repetition
has the same ones. `schema()` makes the JSON Schema of the body from these types; a copy of it is
monitor/notify/data/event.schema.json.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, TypeAlias

import msgspec

from monitor.notify.logbook import Tell
from monitor.notify.messages.compose import Message
from monitor.records import Event

SOURCE = "urn:summitry"
DATA_SCHEMA = "urn:summitry:schema:alert:1"

Type: TypeAlias = Literal[
    "summitry.event.new",
    "summitry.event.changed",
    "summitry.event.coverage",
    "summitry.event.retracted",
    "summitry.event.merged",
    "summitry.event.reminder",
    "summitry.digest",
    "summitry.notice",
]
_TYPES: dict[Tell, Type] = {
    "first": "summitry.event.new",
    "loud": "summitry.event.changed",
    "quiet": "summitry.event.coverage",
    "retract": "summitry.event.retracted",
    "merged": "summitry.event.merged",
    "reminder": "summitry.event.reminder",
    "notice": "summitry.notice",
}


class AlertData(msgspec.Struct, frozen=True, kw_only=True):
    """An alert about one event: its kind (`tell`), its reason, what changed since the last one, and the whole event.

    `id` is the message's id. Inside a digest it is the id that the message would have, or will have, when sent alone.
    """

    id: str
    tell: Tell
    reason: str
    changed: tuple[str, ...]
    headline: str
    why: str
    route: str
    acknowledge: str | None
    acknowledged: str | None
    feedback: dict[str, str]
    page: str | None
    event: Event


class DigestData(msgspec.Struct, frozen=True, kw_only=True):
    """Several events that a digest, quiet hours or a storm held back."""

    items: tuple[AlertData, ...]


class NoticeData(msgspec.Struct, frozen=True, kw_only=True):
    """A notice about the service itself."""

    tell: Literal["notice"]
    headline: str
    text: str


class Body(msgspec.Struct, frozen=True, kw_only=True):
    """The CloudEvent. `subject` is the event's id, or `service`."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: Type
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    dataschema: str = DATA_SCHEMA
    data: Any


def body(message: Message) -> Body:
    """Return the message as a CloudEvent."""
    event = message.event
    data: AlertData | DigestData | NoticeData
    if event is None:
        data = NoticeData(tell="notice", headline=message.headline, text=message.brief)
    elif message.items:
        data = DigestData(items=tuple(_alert(item, item.event) for item in message.items if item.event))
    else:
        data = _alert(message, event)
    return Body(
        id=message.id,
        type="summitry.digest" if message.items else _TYPES[message.tell],
        subject=event.event_id if event else "service",
        time=message.at,
        data=data,
    )


def _alert(message: Message, event: Event) -> AlertData:
    return AlertData(
        id=message.id,
        tell=message.tell,
        reason=message.reason,
        changed=message.changed,
        headline=message.headline,
        why=message.why,
        route=message.route,
        acknowledge=message.ack_url or None,
        acknowledged=message.acknowledged or None,
        feedback=dict(message.feedback),
        page=message.page or None,
        event=event,
    )


def schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of a body."""
    (whole, alert, digest, notice), components = msgspec.json.schema_components(
        (Body, AlertData, DigestData, NoticeData), ref_template="#/$defs/{name}"
    )
    components["Body"]["properties"]["data"] = {"anyOf": [alert, digest, notice]}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": DATA_SCHEMA,
        "title": "Summitry alert",
        **whole,
        "$defs": components,
    }
