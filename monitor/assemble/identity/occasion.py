"""Finds two events that turn out to be one occasion: one plan, a meeting and its eve, a visit over several days.

Claims are assigned one by one, so an early claim may have opened an event of its own. All that is known about both
events shows later whether that was right.
"""

from __future__ import annotations

from collections import Counter

from monitor.assemble.identity.anchor import READ_OUT, Anchor
from monitor.assemble.identity.match import VISIT_DAYS, WAVE, near

#: Share of the claims that must name a place to make it the event's place.
_MOST = 0.5


def one_occasion(a: Anchor, b: Anchor) -> bool:
    """Say whether two events of the same states are one occasion."""
    if not (a.live and b.live) or a.leaders != b.leaders or len(a.leaders) < 2:  # two leaders
        return False
    if a.medium is not None and b.medium is not None and a.medium != b.medium:
        return False
    if _apart(a.forums, b.forums) or _apart(_most(a.hosts), _most(b.hosts)) or _apart(_firm(a), _firm(b)):
        return False
    if a.only_denied or b.only_denied:
        return False
    if (a.held or b.held) and _apart(a.countries, b.countries) and not _one_day(a, b):
        return False
    took_place = [x for x in (a, b) if x.held and not x.outvoted]
    if len(took_place) == 2:
        return _both_held(a, b)
    if took_place:
        return _plan_held(*(took_place[0], b if took_place[0] is a else a))
    return _both_ahead(a, b)


def _one_day(a: Anchor, b: Anchor) -> bool:
    """Whether both are on one day: then a country that only one of them names may be where somebody comes from."""
    first, second = (x.settled for x in (a, b))
    return a.medium is False and b.medium is False and first is not None and first == second and first[0] == first[1]


def _both_held(a: Anchor, b: Anchor) -> bool:
    """Whether two held events are days of a visit, or a meeting that one article dates differently; never for calls."""
    if a.medium is not False or b.medium is not False:
        return False
    if a.day is None or b.day is None:
        # Reports without a day, from one town, at most a day from the other event's day or from each other.
        return bool(set(a.places) & set(b.places)) and near((a.held_day, a.held_day), (b.held_day, b.held_day), 1)
    if a.day in a.visit_days and b.day in b.visit_days:
        return near((a.day, a.day), (b.day, b.day), VISIT_DAYS)
    # Two days that several articles name each are two meetings; a day that only one names may be a time-zone effect.
    return min(a.days[a.day], b.days[b.day]) <= 1 and near((a.day, a.day), (b.day, b.day), 1)


def _plan_held(held: Anchor, ahead: Anchor) -> bool:
    """Whether a meeting and a plan belong together: the plan is for its day, or for the day before or after."""
    plan = ahead.plan
    if held.medium is not False or ahead.medium is not False or plan is None or plan[1] - plan[0] > READ_OUT:
        return False
    day = held.day
    return day is not None and near(plan, (day, day), 1)


def _both_ahead(a: Anchor, b: Anchor) -> bool:
    """Whether both announce one plan: their days agree, or one has no day and the announcements continue."""
    if bool(a.forums) != bool(b.forums):
        return False
    if (a.kind == "visit") != (b.kind == "visit") and not set(a.countries) & set(b.countries):
        return False
    if a.plan is not None and b.plan is not None:
        return near(a.plan, b.plan, 1)
    if a.first - b.last > WAVE or b.first - a.last > WAVE:
        return False
    # A day that passed before the other's announcements ended is a different plan.
    return all(x.plan is None or x.plan[1] >= y.last for x, y in ((a, b), (b, a)))


def _most(counts: Counter[str]) -> set[str]:
    total = counts.total()
    return {name for name, n in counts.items() if n > _MOST * total}


def _firm(anchor: Anchor) -> set[str]:
    """The country that most claims with a country name, unless only one article names it."""
    return _most(anchor.countries) if anchor.countries.total() > 1 else set()


def _apart(a: set[str] | Counter[str], b: set[str] | Counter[str]) -> bool:
    return bool(a and b) and not set(a) & set(b)
