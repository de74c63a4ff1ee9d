"""Decide which message a receiver gets about an event, and why. Pure: (event, told, rules, now) -> Decision.

As in Prometheus Alertmanager there are several checks, each with its own reason. The first one that refuses decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias, get_args

from monitor.config import Config, QuietHours, Route, Threshold
from monitor.notify.logbook import Tell
from monitor.notify.policy.changes import changes
from monitor.notify.policy.hours import next_digest, quiet_until
from monitor.notify.policy.matching import matches
from monitor.notify.policy.silences import Silence, configured, silenced
from monitor.records import Event

#: Why a message is sent.
Why: TypeAlias = Literal[
    "first", "status", "time", "place", "medium", "participants", "threshold", "coverage", "text", "retracted",
    "merged", "reminder", "acknowledged",
]  # fmt: skip
#: Why nothing is sent: the label of summitry_notifications_suppressed_total.
WhyNot: TypeAlias = Literal[
    "unchanged", "backfill", "too_old", "background", "no_route", "status", "confidence", "publishers", "reports",
    "silenced", "merged", "no_edits", "disabled", "nothing_stood",
]  # fmt: skip
WHY_NOT: tuple[str, ...] = get_args(WhyNot)

#: What each reason of a suppressed event means, for people.
EXPLAINED: dict[str, str] = {
    "unchanged": "nothing changed since the receiver was told",
    "backfill": "was in the feed before the feed was first polled",
    "too_old": "older than alerts.max_age",
    "background": "background on an older contact, or a date that passed without a report",
    "nothing_stood": "a denial of a contact that no article had reported",
    "no_route": "no route to this receiver matches the event",
    "status": "the route does not tell events with this status",
    "confidence": "below the route's min_confidence",
    "publishers": "fewer publishers than the route's threshold",
    "reports": "fewer independent reports than the route's threshold",
    "silenced": "silenced",
    "merged": "turned out to be the same contact as another event",
    "no_edits": "new coverage only, and the receiver can't edit its messages",
    "disabled": "the receiver answered that it is gone (HTTP 410)",
}

#: An event that was alerted and gets one of these statuses is not true any more: the message is struck through, and
#: people are notified.
RETRACTED = frozenset({"denied", "cancelled", "retracted"})
#: No first message is sent for events with these statuses.
_NEVER_FIRST = frozenset({"past", "unconfirmed", "retracted"})
#: A contact that took place longer ago than this is background (the labelling guidelines say about a week).
_BACKGROUND_AFTER = timedelta(days=7)


@dataclass(frozen=True)
class Decision:
    """The kind of message to send (`tell`, None for none), why, and when. Messages of one `batch` are sent as one."""

    tell: Tell | None
    reason: str
    changed: tuple[str, ...] = ()
    route: str = ""
    due: datetime | None = None
    batch: str = ""


@dataclass(frozen=True)
class Policy:
    """The rules of one configuration."""

    routes: tuple[Route, ...]
    min_confidence: float
    max_age: timedelta
    update_wait: timedelta
    silences: tuple[Silence, ...] = ()

    @classmethod
    def of(cls, config: Config) -> Policy:
        """Return the rules of a configuration."""
        return cls(
            routes=config.all_routes(),
            min_confidence=config.detection.alert_threshold,
            max_age=config.alerts.max_age,
            update_wait=config.alerts.update_wait,
            silences=configured(config.silences),
        )

    def route(self, receiver: str, event: Event) -> Route | None:
        """Return the first route that names the receiver and matches the event."""
        for route in self.routes:
            excluded = route.exclude is not None and matches(route.exclude, event)
            if receiver in route.receivers and matches(route.match, event) and not excluded:
                return route
        return None

    def named(self, name: str) -> Route | None:
        """Return the route with this name, or None."""
        return next((route for route in self.routes if route.name == name), None)


def decide(
    policy: Policy,
    receiver: str,
    event: Event,
    told: Event | None,
    now: datetime,
    *,
    told_route: str = "",
    silences: Iterable[Silence] = (),
    edits: bool = True,
) -> Decision:
    """Decide which message `receiver` gets about `event`.

    `told` is the event as it was last sent to the receiver, by the route `told_route`; None if it never was. With
    `edits` the receiver can edit its message, so it takes updates that notify nobody.
    """
    silences = (*policy.silences, *silences)
    if told is None:
        return _first(policy, receiver, event, now, silences)
    return _update(policy, receiver, event, told, now, told_route=told_route, silences=silences, edits=edits)


def _first(policy: Policy, receiver: str, event: Event, now: datetime, silences: tuple[Silence, ...]) -> Decision:
    if event.merged_into:
        return Decision(None, "merged")
    if event.backfill:
        return Decision(None, "backfill")
    if event.status in _NEVER_FIRST or _long_ago(event, now):
        return Decision(None, "background")
    if event.status == "denied" and not _stood(event):
        return Decision(None, "nothing_stood")
    route = policy.route(receiver, event)
    if route is None:
        return Decision(None, "no_route")
    no = _below(policy, route, event) or ("too_old" if _too_old(policy, route, event, now) else None)
    if no is None and silenced(silences, receiver, event, now):
        no = "silenced"
    if no is not None:
        return Decision(None, no, route=route.name)
    if route.digest:
        due = next_digest(route.digest, now)
        return Decision("first", "first", route=route.name, due=due, batch=f"digest:{route.name}:{due.isoformat()}")
    return Decision("first", "first", route=route.name, due=_after_quiet_hours(route.quiet_hours, event, now))


def _update(
    policy: Policy,
    receiver: str,
    event: Event,
    told: Event,
    now: datetime,
    *,
    told_route: str,
    silences: tuple[Silence, ...],
    edits: bool,
) -> Decision:
    if event.merged_into:
        if told.merged_into == event.merged_into:
            return Decision(None, "unchanged", route=told_route)
        # Delayed, because the other event may take over this message first (`Notifier._adopt`).
        due = now + policy.update_wait
        return Decision("merged" if edits else None, "merged", route=told_route, due=due)
    new = changes(told, event)
    if not new:
        return Decision(None, "unchanged", route=told_route)
    if silenced(silences, receiver, event, now):
        return Decision(None, "silenced", route=told_route)
    route = policy.named(told_route)
    loud = bool(new.material) and not _too_old(policy, route, event, now)
    if "status" in new.material:
        if event.status in RETRACTED:
            loud = True
        elif event.status in _NEVER_FIRST:
            # That nobody confirmed it, or that it is past, alone is only worth an edit.
            loud = loud and len(new.material) > 1
    names = (*new.material, *new.quiet)
    if not loud:
        if not edits:
            return Decision(None, "no_edits", route=told_route)
        return Decision("quiet", names[0], names, told_route, now + policy.update_wait)
    due = _after_quiet_hours(route.quiet_hours if route else None, event, now) or now + policy.update_wait
    if event.status in RETRACTED and "status" in new.material:
        return Decision("retract", "retracted", names, told_route, due)
    return Decision("loud", new.material[0], names, told_route, due)


def _stood(event: Event) -> bool:
    """Tell whether the event had another status before it was denied. A denial alone ("no plans") is not an alert."""
    return any("status" in change.changed for change in event.history)


def _below(policy: Policy, route: Route, event: Event) -> str | None:
    if event.status not in route.statuses:
        return "status"
    wanted = policy.min_confidence if route.min_confidence is None else route.min_confidence
    if event.confidence < wanted:
        return "confidence"
    return _threshold(route.threshold, event)


def _threshold(threshold: Threshold, event: Event) -> str | None:
    if threshold.official and event.official:
        return None
    if event.publishers < threshold.publishers:
        return "publishers"
    return "reports" if event.reports < threshold.reports else None


def _too_old(policy: Policy, route: Route | None, event: Event, now: datetime) -> bool:
    """Tell whether the newest report of the event is older than `max_age`."""
    age = route.max_age if route and route.max_age else policy.max_age
    newest = event.last_seen or event.first_seen
    return newest is not None and now - newest > age


def _long_ago(event: Event, now: datetime) -> bool:
    """Tell whether the contact itself ended more than a week ago."""
    return event.when is not None and now.date() - event.when.end > _BACKGROUND_AFTER


def _after_quiet_hours(hours: QuietHours | None, event: Event, now: datetime) -> datetime | None:
    if hours is None or (hours.bypass is not None and matches(hours.bypass, event)):
        return None
    return quiet_until(hours, now)
