"""The state transitions of a delivery record. Pure functions: (record, what happened, now) -> new record."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec.structs import replace

from monitor.config import Reminder
from monitor.notify.delivery.batch import unfrozen
from monitor.notify.logbook import Delivery, Handle, Pending, trimmed
from monitor.notify.policy.decision import Decision
from monitor.notify.replies.ack import Ack
from monitor.records import Event

#: `error` begins with this when a message was set aside because its receiver answered that it is gone.
GONE = "gone"


def planned(delivery: Delivery, event: Event, decision: Decision, now: datetime, trace: str = "") -> Delivery:
    """Return the record after a decision about `event`. A pending message is replaced by the newer one.

    The newer message keeps the number of failed attempts, so a receiver that is down later gets the current state once,
    not every revision. A first message that was given up and may have arrived is sent again unchanged before any newer
    one, since its id must not stand for two contents. `trace` is the `traceparent` of the event.
    """
    if decision.tell is None:
        up_to_date = replace(delivery, pending=None, next=None, next_trace="")
        return passed_over(closed(up_to_date, event), event, decision)
    if delivery.pending is None and must_come_first(delivery):
        return replace(retried(delivery, now), next=event, next_trace=trace)
    old = delivery.pending
    due = max(decision.due or now, old.due) if old and old.attempts else decision.due or now
    if old and not old.attempts and old.tell == decision.tell == "first":
        due = max(due, old.due)  # a revision does not release a message that quiet hours, digest or storm hold back
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
    """Return the record after the decision to send nothing about a newer state of its event.

    A message that was given up is dropped when the receiver already knows everything. Otherwise, or when the message
    may have arrived, the newer state is kept, so that a later `summitry deliveries retry` sends it in the end.
    """
    if delivery.failed is None:
        return delivery
    if decision.reason in {"unchanged", "no_edits"} and not delivery.failed.doubt:
        return replace(delivery, failed=None, failed_at=None)
    return replace(delivery, next=event)


def begun(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record to store right before an attempt. From then on its message may have arrived."""
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
    """Return the record after a failed attempt, which is repeated after `wait`.

    `doubt` means that the message may have arrived nevertheless. `counts` means that the attempt counts towards the
    retry schedule. A batch that was certainly refused is taken apart; at the next attempt it is collected again.
    """
    tried = replace(pending, attempts=pending.attempts + counts, due=now + wait, error=error)
    tried = replace(tried, doubt=True) if doubt else unfrozen(tried)
    return replace(delivery, pending=tried)


def given_up(delivery: Delivery, pending: Pending, now: datetime, error: str) -> Delivery:
    """Return the record after the last attempt failed. A message of a batch does not belong to it any more."""
    alone = replace(pending, error=error, batch="", sent_as="", members=())
    return replace(delivery, pending=None, failed=alone, failed_at=now, remind_at=None)


def set_aside(delivery: Delivery, event: Event, decision: Decision, now: datetime) -> Delivery:
    """Return the record when there is something to send, but the receiver answered that it is gone.

    It keeps the newest state of the event, which is sent when the receiver works again.
    """
    if delivery.failed is not None and must_come_first(delivery):
        gone = replace(delivery.failed, error=f"{GONE}: the receiver said so")
        return replace(delivery, failed=gone, failed_at=now, next=event)
    waiting = planned(replace(delivery, failed=None, failed_at=None), event, decision, now)
    if waiting.pending is None:
        return delivery
    return given_up(waiting, replace(waiting.pending, begun=False), now, f"{GONE}: the receiver said so")


def must_come_first(delivery: Delivery) -> bool:
    """Tell whether a first message was given up that may have arrived. It is then sent again before any newer one."""
    return delivery.told is None and delivery.failed is not None and delivery.failed.doubt


def is_set_aside(delivery: Delivery) -> bool:
    """Tell whether the record's message was set aside because the receiver answered that it is gone."""
    return delivery.failed is not None and delivery.failed.error.startswith(GONE)


def retried(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record with the message that was given up pending again, to be sent now."""
    if delivery.failed is None or delivery.pending is not None:
        return delivery
    # A message in doubt is looked up at the receiver from the time when it was first sent.
    since = delivery.failed.since if delivery.failed.doubt else now
    again = replace(delivery.failed, attempts=0, due=now, since=since, begun=True, deaths=0, error="")
    return replace(delivery, pending=again, failed=None, failed_at=None)


def loaded(delivery: Delivery) -> Delivery:
    """Return the record as another process reads it from the log: a message whose attempt had begun is in doubt."""
    pending = delivery.pending
    if pending is None or pending.doubt or not pending.begun:
        return delivery
    return replace(delivery, pending=replace(pending, doubt=True))


def reminder(delivery: Delivery, now: datetime) -> Delivery:
    """Return the record with its reminder as the pending message."""
    if delivery.told is None:
        return replace(delivery, remind_at=None)
    pending = Pending(event=delivery.told, tell="reminder", reason="reminder", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=pending, remind_at=None)


def acknowledged(delivery: Delivery, ack: Ack, now: datetime, *, edits: bool) -> Delivery:
    """Return the record after a reader's answer: without reminders, and with an edit that shows who answered what."""
    delivery = replace(delivery, acknowledged=ack.by, verdict=ack.verdict, remind_at=None)
    pending = delivery.pending
    if pending and pending.tell == "reminder" and not pending.attempts:
        delivery = replace(delivery, pending=None)
    if not edits or delivery.pending or delivery.told is None:
        return delivery
    edit = Pending(event=delivery.told, tell="quiet", reason="acknowledged", route=delivery.route, since=now, due=now)
    return replace(delivery, pending=edit)


def closed(delivery: Delivery, event: Event) -> Delivery:
    """Return the record, marked as closed when its event is closed, so that no more updates are expected."""
    if not event.closed or delivery.told is None or delivery.told.closed:
        return delivery
    revision = max(delivery.told.revision, event.revision)
    # Sources and texts are the largest part of a record, and no message about a closed event needs them.
    told = replace(delivery.told, closed=True, revision=revision, sources=(), brief="", context="", alternatives={})
    return replace(delivery, told=told)


def forgettable(delivery: Delivery, now: datetime, keep: timedelta) -> bool:
    """Tell whether the record may be deleted: its event is closed, nothing is pending, and `keep` has passed since."""
    if delivery.pending or delivery.remind_at or (delivery.next and not delivery.failed):
        return False
    # The end of an event may be in an update that was given up.
    states = (delivery.told, delivery.failed.event if delivery.failed else None, delivery.next)
    events = [event for event in states if event is not None]
    if not events:
        return True
    if not (delivery.told is None or any(event.closed or event.merged_into for event in events)):
        return False
    moments = [delivery.told_at, delivery.failed_at, *(m for e in events for m in (e.last_seen, e.first_seen))]
    return now - max((moment for moment in moments if moment), default=now) > keep
