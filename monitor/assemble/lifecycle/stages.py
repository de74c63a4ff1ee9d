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

from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention, canonical_order
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


class StatusStep(msgspec.Struct, frozen=True):
    """One transition: the new status, and the claim that caused it."""

    status: EventStatus
    mention: KeptMention


def apart(a: Span, b: Span) -> bool:
    """Say whether two spans of days have no day in common."""
    return a[0] > b[1] or a[1] < b[0]


def ordered(mentions: Iterable[KeptMention]) -> list[KeptMention]:
    """Sort claims by time; at the same moment, the weightier ones come later."""
    live = [m for m in mentions if m.status != "past"]
    owners: dict[tuple[int, str], set[str]] = {}
    for m in live:
        owners.setdefault((m.time, m.status), set()).add(m.owner)

    def rank(m: KeptMention) -> tuple[int, bool, int, int, tuple[int, str, int, str]]:
        return m.time, bool(m.side), len(owners[m.time, m.status]), _RANK[m.status], canonical_order(m)

    return sorted(live, key=rank)


def steps(mentions: Sequence[KeptMention]) -> list[StatusStep]:
    """Return the transitions of an event in the order of event time."""
    claims = ordered(mentions)
    outlets = Counter(status for status, _ in {(m.status, m.owner) for m in claims})
    taken: list[StatusStep] = []
    plan: Span | None = None
    own_plans: dict[str, tuple[int, Span]] = {}
    for m in claims:
        now: EventStatus = taken[-1].status if taken else "past"
        status = _moved(m, now, plan, own_plans.get(m.owner))
        if m.status in PLANS and m.span is not None:
            plan = m.span
            own_plans.setdefault(m.owner, (m.time, m.span))
            if m.span != own_plans[m.owner][1]:
                own_plans[m.owner] = (m.time, m.span)
        if taken and (status not in ALLOWED[now] or _is_outweighed(taken[-1], status, m, claims, outlets)):
            continue
        taken.append(StatusStep(status, m))
    return taken


def _moved(m: KeptMention, now: EventStatus, plan: Span | None, own: tuple[int, Span] | None) -> EventStatus:
    """The status of a claim, which is `rescheduled` if it moves the contact to another day.

    It does if the text says so (a postponement to another day than planned, or a day after a postponement), or if the
    same outlet names another day than before. Two outlets that name two days disagree.
    """
    if m.span is None:
        return m.status
    if m.status == "postponed":
        return "rescheduled" if plan is not None and apart(m.span, plan) else "postponed"
    if m.status == "planned" and now in {"planned", "postponed", "rescheduled"}:
        itself = own is not None and own[0] < m.time and apart(m.span, own[1])
        return "rescheduled" if now == "postponed" or itself else "planned"
    return m.status


def _is_outweighed(
    last: StatusStep, status: EventStatus, m: KeptMention, claims: Sequence[KeptMention], outlets: Counter[Status]
) -> bool:
    """Whether a claim is too weak to reverse the current status."""
    if last.status in REFUSED and last.mention.side and not m.side and status not in REFUSED:
        told = {c.owner for c in claims if _contradicts(c, status, last.mention)}
        return len(told) < WITNESSES
    # Denials and cancellations support each other: either reverses the status.
    meant = ("denied", "cancelled") if status in REFUSED else (m.status,)
    unsure = bool(m.statuses) and sum(share for one, share in m.statuses.items() if one in meant) < UNSURE
    return unsure and outlets[m.status] < WITNESSES and (status in REFUSED or last.status in REFUSED)


def _contradicts(claim: KeptMention, status: EventStatus, refusal: KeptMention) -> bool:
    """Whether a claim supports a status against a refusal that it could know."""
    if status in HAPPENED:
        return claim.status in HAPPENED
    return claim.status not in REFUSED and claim.time >= refusal.time + STALE


def last_move(taken: Sequence[StatusStep]) -> StatusStep | None:
    """Return the transition that gave the contact its new date, None if it was not moved."""
    return next((step for step in reversed(taken) if step.status == "rescheduled" and step.mention.span), None)


def status_of(mentions: Sequence[KeptMention], anchor: Anchor, today: int) -> EventStatus:
    """Return the status on a day (an ordinal in event time); `anchor` summarises the same claims."""
    mentions = [m for m in mentions if anchor.counts(m)]
    taken = steps(mentions)
    if not taken:
        return "past"
    status = taken[-1].status
    if status in HAPPENED:
        return "denied" if _is_refuted(mentions) else status
    plan = anchor.plan
    due = plan is not None and today > plan[1] + UNCONFIRMED_AFTER
    return "unconfirmed" if due and status in _DUE else status


def _is_refuted(mentions: Sequence[KeptMention]) -> bool:
    """Whether a report by a single outlet is denied, and no participant's office confirms it.

    A participant's office denies it, or an outlet says that the contact did not take place.
    """
    own = {m.status for m in mentions if m.side}
    if own & HAPPENED or not ("denied" in own or any(m.denies_report for m in mentions)):
        return False
    return len({m.owner for m in mentions if m.status in HAPPENED}) < WITNESSES


def confirmed_by(mentions: Sequence[KeptMention]) -> tuple[str, ...]:
    """Return the participants whose own office reported the contact and has not refused it since, sorted."""
    latest: dict[str, KeptMention] = {}
    for m in sorted(mentions, key=canonical_order):
        if m.side and m.status != "past":
            latest[m.side] = m
    spoke = {side for side, m in latest.items() if m.status not in REFUSED}
    return tuple(sorted({p.leader for m in mentions for p in m.participants if p.country and p.country in spoke}))
