"""How a delivery record goes from one state to the next. Pure: (record, what happened, now) -> record."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.config import Reminder
from monitor.notify.delivery.batch import thawed
from monitor.notify.logbook import Delivery, Handle, Pending, trimmed
from monitor.notify.policy.decision import Decision
from monitor.notify.replies.ack import Ack
from monitor.records import Event

#: How `error` begins in the record of a message that was set aside because its receiver said that it is gone.
GONE = "gone"


def planned(delivery: Delivery, event: Event, decision: Decision, now: datetime, trace: str = "") -> Delivery:
    """Return the record after a decision about `event`: a message that still waits is replaced by the newer one.

    What failed before keeps its place in the retry schedule, so that a receiver that is down gets the current state
    once, not every revision. A first message that was given up and may have arrived is sent again as it was, before
    anything newer: its id must not come to stand for two contents. `trace` is the `traceparent` of the event.
    """
    if decision.tell is None:
        up_to_date = replace(delivery, pending=None, next=None, next_trace="")
        return passed_over(closed(up_to_date, event), event, decision)
    if delivery.pending is None and must_come_first(delivery):
        return replace(retried(delivery, now), next=event, next_trace=trace)
    old = delivery.pending
    due = max(decision.due or now, old.due) if old and old.attempts else decision.due or now
    if old and not old.attempts and old.tell == decision.tell == "first":
        due = max(due, old.due)  # held back by quiet hours, a digest or a storm: a revision does not free it
    pending = Pending(
        event=event,
        tell=decision.tell,
        reason=decision.reason,
        changed=decision.changed,
        route=decision.route,
        since=old.since if old else now,
        due=due,
        attempts=old.attempts if old else 0,
        begun=due <= now,
        error=old.error if old else "",
        batch=decision.batch or (old.batch if old and decision.tell == "first" else ""),
        trace=trace,
    )
    return replace(delivery, pending=pending, next=None, next_trace="")


def passed_over(delivery: Delivery, event: Event, decision: Decision) -> Delivery:
    """Return the record after nothing is told of a newer state of its event.

    What was given up before is void when the receiver knows as much as there is to tell. Else, or when the message may
    have arrived, the newer state waits behind it: whoever asks for the message again gets the newest state at last.
    """
    if delivery.failed is None:
        return delivery
    if decision.reason in {"unchanged", "no_edits"} and not delivery.failed.doubt:
        return replace(delivery, failed=None, failed_at=None)
    return replace(delivery, next=event)


def begun(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record right before an attempt: from now on its message may have arrived."""
    pending = delivery.pending
    if pending is None or pending.begun:
        return delivery
    return replace(delivery, pending=replace(pending, begun=True, due=min(pending.due, now)))


def succeeded(
    delivery: Delivery, pending: Pending, head: Handle | None, now: datetime, remind: Reminder | None
) -> Delivery:
    """Return the record after the receiver took `pending`."""
    remind_at, reminders = delivery.remind_at, delivery.reminders
    if pending.tell == "first":
        remind_at, reminders = (now + remind.every if remind else None), 0
    elif pending.tell == "reminder":
        reminders += 1
        remind_at = now + remind.every if remind and reminders < remind.times else None
    elif pending.tell in {"retract", "merged"}:
        remind_at = None
    return replace(
        delivery,
        told=trimmed(pending.event),
        told_at=now,
        route=pending.route or delivery.route,
        head=delivery.head if head is None else head,
        pending=None,
        failed=None,
        failed_at=None,
        remind_at=remind_at,
        reminders=reminders,
    )


def refused(
    delivery: Delivery, pending: Pending, now: datetime, wait: timedelta, *, error: str, doubt: bool, counts: bool
) -> Delivery:
    """Return the record after an attempt failed; it is tried again after `wait`.

    `doubt` says that the message may have arrived all the same; `counts`, that a step of the schedule is used up. A
    batch that was refused for certain is taken apart: at the next attempt it is gathered anew, from what is here then.
    """
    tried = replace(pending, attempts=pending.attempts + counts, due=now + wait, error=error)
    tried = replace(tried, doubt=True) if doubt else thawed(tried)
    return replace(delivery, pending=tried)


def given_up(delivery: Delivery, pending: Pending, now: datetime, error: str) -> Delivery:
    """Return the record after the last attempt. A message of a batch stands for itself from now on."""
    alone = replace(pending, error=error, batch="", sent_as="", members=())
    return replace(delivery, pending=None, failed=alone, failed_at=now, remind_at=None)


def set_aside(delivery: Delivery, event: Event, decision: Decision, now: datetime) -> Delivery:
    """Return the record when there is something to tell to a receiver that said that it is gone.

    It keeps the newest state, which is told when the receiver comes back.
    """
    if delivery.failed is not None and must_come_first(delivery):
        gone = replace(delivery.failed, error=f"{GONE}: the receiver said so")
        return replace(delivery, failed=gone, failed_at=now, next=event)
    waiting = planned(replace(delivery, failed=None, failed_at=None), event, decision, now)
    if waiting.pending is None:
        return delivery
    return given_up(waiting, replace(waiting.pending, begun=False), now, f"{GONE}: the receiver said so")


def must_come_first(delivery: Delivery) -> bool:
    """Say whether a first message was given up that may have arrived: it is sent again, before anything newer."""
    return delivery.told is None and delivery.failed is not None and delivery.failed.doubt


def is_set_aside(delivery: Delivery) -> bool:
    """Say whether the record's message waits for a receiver that said that it is gone."""
    return delivery.failed is not None and delivery.failed.error.startswith(GONE)


def retried(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record when what was given up is to be sent after all."""
    if delivery.failed is None or delivery.pending is not None:
        return delivery
    # One that may have arrived is looked for from when it was first sent.
    since = delivery.failed.since if delivery.failed.doubt else now
    again = replace(delivery.failed, attempts=0, due=now, since=since, begun=True, error="")
    return replace(delivery, pending=again, failed=None, failed_at=None)


def loaded(delivery: Delivery) -> Delivery:
    """Return the record as a process finds it that did not write it: an attempt that was begun may have arrived."""
    pending = delivery.pending
    if pending is None or pending.doubt or not pending.begun:
        return delivery
    return replace(delivery, pending=replace(pending, doubt=True))


def reminder(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record with its reminder waiting to be sent."""
    if delivery.told is None:
        return replace(delivery, remind_at=None)
    pending = Pending(event=delivery.told, tell="reminder", reason="reminder", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=pending, remind_at=None)


def acknowledged(delivery: Delivery, ack: Ack, now: datetime, *, edits: bool) -> Delivery:
    """Return the record after somebody answered: reminders stop, and the message says who it was, and what of it."""
    delivery = replace(delivery, acknowledged=ack.by, verdict=ack.verdict, remind_at=None)
    pending = delivery.pending
    if pending and pending.tell == "reminder" and not pending.attempts:
        delivery = replace(delivery, pending=None)
    if not edits or delivery.pending or delivery.told is None:
        return delivery
    edit = Pending(event=delivery.told, tell="quiet", reason="acknowledged", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=edit)


def closed(delivery: Delivery, event: Event) -> Delivery:
    """Return the record, marked when its event has left the working state: nothing more is expected of it."""
    if not event.closed or delivery.told is None or delivery.told.closed:
        return delivery
    revision = max(delivery.told.revision, event.revision)
    # Sources and texts are most of a record, and nothing is sent of a closed event any more.
    told = replace(delivery.told, closed=True, revision=revision, sources=(), brief="", context="", alternatives={})
    return replace(delivery, told=told)


def forgettable(delivery: Delivery, now: datetime, keep: timedelta) -> bool:
    """Say whether the record may leave the log: its event was closed, nothing waits, and `keep` has passed since."""
    if delivery.pending or delivery.remind_at or (delivery.next and not delivery.failed):
        return False
    event = delivery.told or (delivery.failed.event if delivery.failed else None)
    if event is None:
        return True
    if not (event.closed or event.merged_into or delivery.told is None):
        return False
    moments = [delivery.told_at, delivery.failed_at, event.last_seen, event.first_seen]
    return now - max((moment for moment in moments if moment), default=now) > keep
