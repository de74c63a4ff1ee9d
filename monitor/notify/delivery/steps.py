"""How a delivery record goes from one state to the next. Pure: (record, what happened, now) -> record."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.config import Reminder
from monitor.notify.logbook import Delivery, Handle, Pending, trimmed
from monitor.notify.policy.decision import Decision
from monitor.records import Event


def planned(delivery: Delivery, event: Event, decision: Decision, now: datetime) -> Delivery:
    """The record after a decision about `event`: a message that still waits is replaced by the newer one.

    What failed before keeps its place in the retry schedule, so that a receiver that is down gets the current state
    once, not every revision.
    """
    if decision.tell is None:
        return replace(delivery, pending=None, next=None)
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
        error=old.error if old else "",
        batch=decision.batch or (old.batch if old and decision.tell == "first" else ""),
    )
    return replace(delivery, pending=pending, next=None)


def succeeded(
    delivery: Delivery, pending: Pending, head: Handle | None, now: datetime, remind: Reminder | None
) -> Delivery:
    """The record after the receiver took `pending`."""
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
    """The record after an attempt failed; tried again after `wait`; `counts`: one step of the schedule is used up."""
    tried = replace(
        pending, attempts=pending.attempts + counts, due=now + wait, error=error, doubt=doubt or pending.doubt
    )
    return replace(delivery, pending=tried)


def given_up(delivery: Delivery, pending: Pending, now: datetime, error: str) -> Delivery:
    """The record after the last attempt."""
    return replace(delivery, pending=None, failed=replace(pending, error=error), failed_at=now, remind_at=None)


def retried(delivery: Delivery, now: datetime) -> Delivery:
    """The record when what was given up is to be sent after all."""
    if delivery.failed is None or delivery.pending is not None:
        return delivery
    again = replace(delivery.failed, attempts=0, due=now, since=now, error="")
    return replace(delivery, pending=again, failed=None, failed_at=None)


def loaded(delivery: Delivery, now: datetime) -> Delivery:
    """The record as a process finds it that did not write it: what was due may have been sent already."""
    pending = delivery.pending
    if pending is None or pending.doubt or pending.due > now:
        return delivery
    return replace(delivery, pending=replace(pending, doubt=True))


def reminder(delivery: Delivery, now: datetime) -> Delivery:
    """The record with its reminder waiting to be sent."""
    if delivery.told is None:
        return replace(delivery, remind_at=None)
    pending = Pending(event=delivery.told, tell="reminder", reason="reminder", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=pending, remind_at=None)


def acknowledged(delivery: Delivery, by: str, now: datetime, *, edits: bool) -> Delivery:
    """The record after somebody has seen the event: no more reminders, and the message says who it was."""
    delivery = replace(delivery, acknowledged=by, remind_at=None)
    pending = delivery.pending
    if pending and pending.tell == "reminder" and not pending.attempts:
        delivery = replace(delivery, pending=None)
    if not edits or delivery.pending or delivery.told is None:
        return delivery
    edit = Pending(event=delivery.told, tell="quiet", reason="acknowledged", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=edit)
