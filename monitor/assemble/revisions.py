"""The next revision of an event: its number, what it changes, and the article that caused it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from monitor.assemble.claims.kept_mention import KeptMention
from monitor.assemble.facts.make import build, retracted, tracked
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.stored import EventState
from monitor.records import Change, Event

#: Revisions that an event's history keeps: the first one and the latest ones.
MAX_HISTORY = 40


class ChangeCause(msgspec.Struct, frozen=True):
    """Why an event changed: the article ('' when time passed), and the event time."""

    moment: datetime
    article_id: str = ""


def next_revision(state: EventState, event: Event, digest: bytes, cause: ChangeCause) -> Event:
    """Return the event as the next revision of `state`, with its history. Updates `state`."""
    values = tracked(event)
    names = dict.fromkeys((*values, *state.shown))
    changed = {k: (state.shown.get(k), values.get(k)) for k in names if state.shown.get(k) != values.get(k)}
    state.revision += 1
    change = Change(revision=state.revision, at=cause.moment, changed=changed, article_id=cause.article_id)
    history = (*state.history, change)
    state.history = history if len(history) <= MAX_HISTORY else (history[0], *history[1 - MAX_HISTORY :])
    state.digest, state.shown = digest, values
    return msgspec.structs.replace(event, revision=state.revision, history=state.history)


def retraction(
    state: EventState, mentions: Sequence[KeptMention], anchor: Anchor, today: int, cause: ChangeCause
) -> Event:
    """Return the revision that says that no article supports an event any more. Updates `state`.

    `mentions` are the event's last ones, summarised by `anchor`; `today` is a proleptic ordinal.
    """
    event = build(state.event_id, mentions, anchor, today, state.redirects)
    return next_revision(state, retracted(event), b"", cause)


def continuation(state: EventState, into: str, today: int, cause: ChangeCause) -> Event:
    """Return the revision that says that an event continues as the event `into`. Updates `state`."""
    event = build(state.event_id, state.mentions, Anchor(state.mentions), today, state.redirects)
    return next_revision(state, msgspec.structs.replace(event, merged_into=into, closed=True), b"", cause)
