"""Decides the status of an event from the claims of its articles.

    proposed ──▶ planned ──▶ (postponed | rescheduled | cancelled | denied)* ──▶ ongoing ──▶ held

Claims are applied in the order of event time, and only the transitions in `ALLOWED` are made. Claims of one moment have
no order: the one from a participant's own office is applied last, otherwise the status that more outlets state. A
refusal by a participant's own office holds until such an office says otherwise, or until two outlets report the
contact. A claim of low probability reverses nothing by itself.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from monitor.assemble.claims.sighting import HAPPENED, Sighting, canonical_order
from monitor.assemble.identity.anchor import PLANS, Anchor
from monitor.records import EventStatus, Status

ALLOWED: dict[EventStatus, frozenset[EventStatus]] = {
    "past": frozenset({"proposed", "planned", "postponed", "rescheduled", "cancelled", "denied", "ongoing", "held"}),
    "proposed": frozenset({"planned", "postponed", "rescheduled", "cancelled", "denied", "ongoing", "held"}),
    "planned": frozenset({"rescheduled", "postponed", "cancelled", "denied", "ongoing", "held"}),
    "rescheduled": frozenset({"postponed", "cancelled", "denied", "ongoing", "held"}),
    "postponed": frozenset({"rescheduled", "cancelled", "denied", "ongoing", "held"}),
    "cancelled": frozenset({"proposed", "planned", "rescheduled", "ongoing", "held"}),
    "denied": frozenset({"proposed", "planned", "rescheduled", "cancelled", "ongoing", "held"}),
    "ongoing": frozenset({"held"}),
    "held": frozenset(),
    "unconfirmed": frozenset({"postponed", "cancelled", "denied", "ongoing", "held"}),
    "retracted": frozenset(),
}

#: Days after the planned date at which an event without a report becomes `unconfirmed`.
UNCONFIRMED_AFTER = 3
#: Seconds after a refusal during which articles that still announce the plan count as not knowing of it.
STALE = 12 * 3600
#: Outlets that must report a contact to overrule a participant's own office that denies it.
WITNESSES = 2
#: A status with less probability reverses nothing unless another outlet states it too.
UNSURE = 0.5

REFUSED: frozenset[EventStatus] = frozenset({"denied", "cancelled"})
_DUE: frozenset[EventStatus] = frozenset({"proposed", "planned", "rescheduled"})
#: Of several statuses at one time, the later stage of a contact is applied last.
_RANK: dict[str, int] = {
    "past": 0, "denied": 1, "proposed": 2, "planned": 3, "postponed": 4, "rescheduled": 5, "cancelled": 6,
    "ongoing": 7, "held": 8,
}  # fmt: skip

Span = tuple[int, int]


class Step(msgspec.Struct, frozen=True):
    """One transition: the new status, and the claim that caused it."""

    status: EventStatus
    sighting: Sighting


def apart(a: Span, b: Span) -> bool:
    """Say whether two spans of days have no day in common."""
    return a[0] > b[1] or a[1] < b[0]


def ordered(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Sort claims by time; at the same moment, the weightier ones come later."""
    live = [s for s in sightings if s.status != "past"]
    owners: dict[tuple[int, str], set[str]] = {}
    for s in live:
        owners.setdefault((s.time, s.status), set()).add(s.owner)

    def rank(s: Sighting) -> tuple[int, bool, int, int, tuple[int, str, int, str]]:
        return s.time, bool(s.side), len(owners[s.time, s.status]), _RANK[s.status], canonical_order(s)

    return sorted(live, key=rank)


def steps(sightings: Sequence[Sighting]) -> list[Step]:
    """Return the transitions of an event in the order of event time."""
    claims = ordered(sightings)
    outlets = Counter(status for status, _ in {(s.status, s.owner) for s in claims})
    taken: list[Step] = []
    plan: Span | None = None
    own_plans: dict[str, tuple[int, Span]] = {}
    for s in claims:
        now: EventStatus = taken[-1].status if taken else "past"
        status = _moved(s, now, plan, own_plans.get(s.owner))
        if s.status in PLANS and s.span is not None:
            plan = s.span
            own_plans.setdefault(s.owner, (s.time, s.span))
            if s.span != own_plans[s.owner][1]:
                own_plans[s.owner] = (s.time, s.span)
        if taken and (status not in ALLOWED[now] or _is_outweighed(taken[-1], status, s, claims, outlets)):
            continue
        taken.append(Step(status, s))
    return taken


def _moved(s: Sighting, now: EventStatus, plan: Span | None, own: tuple[int, Span] | None) -> EventStatus:
    """The status of a claim, which is `rescheduled` if it moves the contact to another day.

    It does if the text says so (a postponement to another day than planned, or a day after a postponement), or if the
    same outlet names another day than before. Two outlets that name two days disagree.
    """
    if s.span is None:
        return s.status
    if s.status == "postponed":
        return "rescheduled" if plan is not None and apart(s.span, plan) else "postponed"
    if s.status == "planned" and now in {"planned", "postponed", "rescheduled"}:
        itself = own is not None and own[0] < s.time and apart(s.span, own[1])
        return "rescheduled" if now == "postponed" or itself else "planned"
    return s.status


def _is_outweighed(
    last: Step, status: EventStatus, s: Sighting, claims: Sequence[Sighting], outlets: Counter[Status]
) -> bool:
    """Whether a claim is too weak to reverse the current status."""
    if last.status in REFUSED and last.sighting.side and not s.side and status not in REFUSED:
        told = {c.owner for c in claims if _contradicts(c, status, last.sighting)}
        return len(told) < WITNESSES
    # Denials and cancellations support each other: either reverses the status.
    meant = ("denied", "cancelled") if status in REFUSED else (s.status,)
    unsure = bool(s.statuses) and sum(share for one, share in s.statuses.items() if one in meant) < UNSURE
    return unsure and outlets[s.status] < WITNESSES and (status in REFUSED or last.status in REFUSED)


def _contradicts(claim: Sighting, status: EventStatus, refusal: Sighting) -> bool:
    """Whether a claim supports a status against a refusal that it could know."""
    if status in HAPPENED:
        return claim.status in HAPPENED
    return claim.status not in REFUSED and claim.time >= refusal.time + STALE


def last_move(taken: Sequence[Step]) -> Step | None:
    """Return the transition that gave the contact its new date, None if it was not moved."""
    return next((step for step in reversed(taken) if step.status == "rescheduled" and step.sighting.span), None)


def status_of(sightings: Sequence[Sighting], anchor: Anchor, today: int) -> EventStatus:
    """Return the status on a day (an ordinal in event time); `anchor` summarises the same claims."""
    sightings = [s for s in sightings if anchor.counts(s)]
    taken = steps(sightings)
    if not taken:
        return "past"
    status = taken[-1].status
    if status in HAPPENED:
        return "denied" if _is_refuted(sightings) else status
    plan = anchor.plan
    due = plan is not None and today > plan[1] + UNCONFIRMED_AFTER
    return "unconfirmed" if due and status in _DUE else status


def _is_refuted(sightings: Sequence[Sighting]) -> bool:
    """Whether a report by a single outlet is denied, and no participant's office confirms it.

    A participant's office denies it, or an outlet says that the contact did not take place.
    """
    own = {s.status for s in sightings if s.side}
    if own & HAPPENED or not ("denied" in own or any(s.denies_report for s in sightings)):
        return False
    return len({s.owner for s in sightings if s.status in HAPPENED}) < WITNESSES


def confirmed_by(sightings: Sequence[Sighting]) -> tuple[str, ...]:
    """Return the participants whose own office reported the contact and has not refused it since, sorted."""
    latest: dict[str, Sighting] = {}
    for s in sorted(sightings, key=canonical_order):
        if s.side and s.status != "past":
            latest[s.side] = s
    spoke = {side for side, s in latest.items() if s.status not in REFUSED}
    return tuple(sorted({p.leader for s in sightings for p in s.participants if p.country and p.country in spoke}))
