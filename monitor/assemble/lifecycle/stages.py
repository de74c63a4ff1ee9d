"""What an event has come to, from what its sightings say over time.

    proposed ──▶ planned ──▶ (postponed | rescheduled | cancelled | denied)* ──▶ ongoing ──▶ held

Only the transitions of `ALLOWED` are taken, in event time; a report that would turn the event back (hopes for a meeting
that is agreed on already, an old plan told again) changes nothing. `held` is terminal, but for a denial by a side's own
office while no side's office and no second publisher reports the contact.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from monitor.assemble.claims.sighting import HAPPENED, Sighting, canonical_order
from monitor.assemble.identity.anchor import Anchor
from monitor.records import EventStatus

ALLOWED: dict[EventStatus, frozenset[EventStatus]] = {
    "past": frozenset({"proposed", "planned", "postponed", "cancelled", "denied", "ongoing", "held"}),
    "proposed": frozenset({"planned", "postponed", "cancelled", "denied", "ongoing", "held"}),
    "planned": frozenset({"rescheduled", "postponed", "cancelled", "denied", "ongoing", "held"}),
    "rescheduled": frozenset({"postponed", "cancelled", "denied", "ongoing", "held"}),
    "postponed": frozenset({"rescheduled", "cancelled", "denied", "ongoing", "held"}),
    "cancelled": frozenset({"proposed", "planned", "rescheduled", "ongoing", "held"}),
    "denied": frozenset({"proposed", "planned", "rescheduled", "ongoing", "held"}),
    "ongoing": frozenset({"held"}),
    "held": frozenset(),
    "unconfirmed": frozenset({"postponed", "cancelled", "denied", "ongoing", "held"}),
    "retracted": frozenset(),
}

#: Days after the planned date at which an event without a report becomes `unconfirmed`.
UNCONFIRMED_AFTER = 3

#: Of several statuses told at one time, the later stage of a contact counts last.
_RANK: dict[str, int] = {
    "past": 0, "denied": 1, "proposed": 2, "planned": 3, "postponed": 4, "rescheduled": 5, "cancelled": 6,
    "ongoing": 7, "held": 8,
}  # fmt: skip


class Step(msgspec.Struct, frozen=True):
    """One transition: the new status, and the sighting that brought it."""

    status: EventStatus
    sighting: Sighting


def steps(sightings: Sequence[Sighting]) -> list[Step]:
    """The transitions of an event, in event time."""
    taken: list[Step] = []
    plan: tuple[int, int] | None = None
    for s in sorted(sightings, key=lambda s: (s.time, _RANK[s.status], *canonical_order(s))):
        now: EventStatus = taken[-1].status if taken else "past"
        status: EventStatus = s.status
        if status == "past":
            continue
        if status == "planned" and now in {"planned", "postponed", "cancelled", "rescheduled"} and s.when is not None:
            moved = plan is not None and (s.span is not None and (s.span[0] > plan[1] or s.span[1] < plan[0]))
            if now == "postponed" or moved:
                status = "rescheduled"
        if status in {"planned", "proposed", "postponed"} and s.span is not None:
            plan = s.span
        if status == "planned" and now == "rescheduled":
            continue
        if not taken or status in ALLOWED[now]:
            taken.append(Step(status, s))
    return taken


def status_of(sightings: Sequence[Sighting], anchor: Anchor, today: int) -> EventStatus:
    """The status on a day (an ordinal, in event time); `anchor` is of the same sightings."""
    sightings = [s for s in sightings if anchor.counts(s)]
    taken = steps(sightings)
    if not taken:
        return "past"
    status = taken[-1].status
    if status in HAPPENED:
        return "denied" if _retracted(sightings) else status
    plan = anchor.plan
    due = plan is not None and today > plan[1] + UNCONFIRMED_AFTER
    return "unconfirmed" if due and status in {"proposed", "planned", "rescheduled"} else status


def _retracted(sightings: Sequence[Sighting]) -> bool:
    """Whether a side's office denies what a single publisher reports, and no side's office confirms it."""
    sides = {p.country for s in sightings for p in s.participants if p.country}
    own = {s.status for s in sightings if s.official and s.speaks_for in sides}
    if "denied" not in own or own & HAPPENED:
        return False
    return len({s.owner for s in sightings if s.status in HAPPENED}) == 1


def confirmed_by(sightings: Sequence[Sighting]) -> tuple[str, ...]:
    """The participants whose own office reported the contact (or, before it, announced it), sorted."""
    spoke = {s.speaks_for for s in sightings if s.official and s.status not in {"denied", "past"}}
    return tuple(sorted({p.leader for s in sightings for p in s.participants if p.country and p.country in spoke}))
