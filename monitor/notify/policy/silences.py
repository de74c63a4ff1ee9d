"""Silences: events about which nothing is sent before a given time; and the records of the topic of silences."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar, TypeAlias

import msgspec

from monitor.config import Match, SilenceRule
from monitor.errors import DecodeError, NewerSchemaError
from monitor.notify.policy.matching import matches
from monitor.records import Event, Moment, Record, utc


class Silence(Record, frozen=True, kw_only=True, tag_field="note", tag="silence"):
    """One silence, as it is stored in the topic of silences under its id. Without `receivers` it applies to all.

    With `events` it applies only to events with these ids, or to events that these were merged into. A silence with
    `events` is written with schema 2, because older versions would ignore the key and silence everything.
    """

    SCHEMA: ClassVar[int] = 2

    id: str
    match: Match
    events: tuple[str, ...] = ()
    until: Moment
    reason: str
    receivers: tuple[str, ...] = ()
    by: str = ""
    since: Moment | None = None


class Retry(Record, frozen=True, kw_only=True, tag_field="note", tag="retry"):
    """A request to send messages again that were given up before `at` (`summitry deliveries retry`)."""

    id: str
    at: Moment
    receiver: str = ""
    event_id: str = ""


#: The records of the topic of silences.
Note: TypeAlias = Silence | Retry


def decode_note(data: bytes) -> Note:
    """Read a record of the topic of silences.

    Raises DecodeError when it is not valid, for example has a time without a zone, and NewerSchemaError when a newer
    version wrote it.
    """
    try:
        note = msgspec.json.decode(data, type=Silence | Retry)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise DecodeError(f"not a valid silence or retry request: {error}") from error
    if note.schema > note.SCHEMA:
        raise NewerSchemaError(f"{type(note).__name__} of schema {note.schema}: upgrade this version to read it")
    return note


def configured(rules: Iterable[SilenceRule]) -> tuple[Silence, ...]:
    """Return the silences of the configuration."""
    return tuple(
        Silence(
            id=f"config-{number}",
            match=rule.match,
            until=utc(datetime.fromisoformat(rule.until)),
            reason=rule.reason,
            receivers=rule.receivers,
            by="configuration",
        )
        for number, rule in enumerate(rules)
    )


def silenced(silences: Iterable[Silence], receiver: str, event: Event, now: datetime) -> Silence | None:
    """Return the silence that applies to this event and receiver now, or None."""
    for silence in silences:
        holds = now < silence.until and (not silence.receivers or receiver in silence.receivers)
        meant = not silence.events or not {event.event_id, *event.redirects}.isdisjoint(silence.events)
        if holds and meant and matches(silence.match, event):
            return silence
    return None
