"""Silences: events that must not be told until a moment, by whom and why."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TypeAlias

from monitor.config import Match, SilenceRule
from monitor.notify.policy.matching import matches
from monitor.records import Event, Record, utc


class Silence(Record, frozen=True, kw_only=True, tag_field="note", tag="silence"):
    """One silence, as it is kept in the topic of silences under its id. Without receivers it holds for all."""

    id: str
    match: Match
    until: datetime
    reason: str
    receivers: tuple[str, ...] = ()
    by: str = ""
    since: datetime | None = None


class Retry(Record, frozen=True, kw_only=True, tag_field="note", tag="retry"):
    """Asks the workers to send again what was given up before `at`: `summitry deliveries retry`."""

    id: str
    at: datetime
    receiver: str = ""
    event_id: str = ""


#: What the topic of silences holds.
Note: TypeAlias = Silence | Retry


def configured(rules: Iterable[SilenceRule]) -> tuple[Silence, ...]:
    """The silences that stand in the configuration."""
    return tuple(
        Silence(
            id=f"config-{number}",
            match=rule.match,
            until=utc(datetime.fromisoformat(rule.until)),
            reason=rule.reason,
            receivers=rule.receivers,
        )
        for number, rule in enumerate(rules)
    )


def silenced(silences: Iterable[Silence], receiver: str, event: Event, now: datetime) -> Silence | None:
    """The silence that holds for this event and receiver now, None when there is none."""
    for silence in silences:
        holds = now < silence.until and (not silence.receivers or receiver in silence.receivers)
        if holds and matches(silence.match, event):
            return silence
    return None
