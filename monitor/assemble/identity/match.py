"""Which event a sighting speaks of: the participants, the medium class and the time decide; place and forum support.

Status, title and the article's date alone never make two sightings one contact. A sighting is compared with what the
event's sightings say together (its anchor), never with a single other sighting, so coverage can't chain from one
contact to the next (Allan, Topic Detection and Tracking, 2002).

`score` is None for a contradiction (another medium class, another day, another forum) and otherwise how well the
sighting fits, about 0 to 1. `THRESHOLD` and the windows were set on a development stream; see docs/assembly.md.
"""

from __future__ import annotations

from monitor.assemble.claims.sighting import HAPPENED, Sighting
from monitor.assemble.identity.anchor import PLANS, READ_OUT, Anchor
from monitor.assemble.identity.regions import capital, same_place

#: Days, and the least score at which a sighting joins an event.
LATE = 14
WAVE = 14
HOPE = 7
IMMINENT = 5
MONTH = 31
VISIT_WAVE = 120
VISIT_DAYS = 2
BACKGROUND = 45
PLAN_REACH = 60
MOVED = 14
DISAGREE = 7
FAR = 400
#: Hours of a day in UTC at which it is that day nearly everywhere (from UTC-9 to UTC+9).
DAWN, DUSK = 9, 15
THRESHOLD = 0.5
#: What speaks for and against besides participants, medium class and time.
SAME_PLACE, SAME_COUNTRY, OTHER_TOWN, OTHER_COUNTRY = 0.1, 0.05, -0.2, -0.45
SAME_FORUM, ONE_FORUM, OTHER_HOST = 0.2, -0.2, -0.3
SAME_MEDIUM, DENIED_MEDIUM = 0.1, -0.3
SAME_KIND, OTHER_VISIT = 0.05, -0.3
#: What each day without news takes from how well an undated report fits firm reports, and a bare noun.
SLOW, SLOW_LOOSE = 0.09, 0.06

_AHEAD = frozenset({"proposed", "planned"})
_OPEN = frozenset({"proposed", "planned", "postponed", "rescheduled", "cancelled", "denied"})


def near(a: tuple[int, int], b: tuple[int, int], slack: int = 0) -> bool:
    """Say whether two spans of days share a day, give or take `slack`."""
    return a[0] <= b[1] + slack and b[0] <= a[1] + slack


def _zones_apart(s: Sighting, anchor: Anchor) -> bool:
    """Whether time zones can make two days of one: a call has the days of both its ends, a meeting its place's day.

    A day that no words tell is the article's, which at some hours is the same nearly everywhere.
    """
    if s.remote is False or anchor.medium is False:
        return False
    return bool(s.when and s.when.text) or not DAWN <= s.moment.hour < DUSK


def same_leaders(s: Sighting, anchor: Anchor) -> bool:
    """Return the same named leaders; an office without a name stands for the leader of its state.

    Both sides are known to name the same states (they share a group).
    """
    if len(s.leaders) == len(s.participants) and not anchor.offices:
        return s.leaders == anchor.leaders
    return s.leaders <= anchor.leaders or anchor.leaders <= s.leaders


def score(s: Sighting, anchor: Anchor) -> float | None:
    """Return how well a sighting fits an event of the same states; None when it speaks of another contact."""
    if not same_leaders(s, anchor):
        return None
    again = s.key in anchor.articles
    if again and not _same_telling(s, anchor):
        return None
    if s.remote is not None and anchor.medium is not None and s.remote != anchor.medium:
        return None
    if s.forum and anchor.forums and s.forum not in anchor.forums:
        return None
    if s.status == "past":
        base = _background(s, anchor)
    elif not anchor.live:
        base = _known_past(s, anchor)
    elif s.status in HAPPENED:
        later = s.span is not None and s.span[0] > anchor.first_held
        held = anchor.held and not (anchor.doubtful and later)
        base = _report_of_held(s, anchor) if held else _report_of_plan(s, anchor)
        if base is None and s.loose and not (anchor.held or anchor.only_denied):
            base = _plan_of_plan(s, anchor)
    else:
        base = _plan_of_held(s, anchor) if anchor.held else _plan_of_plan(s, anchor)
    return None if base is None else base + _support(s, anchor)


def _same_telling(s: Sighting, anchor: Anchor) -> bool:
    """Whether an article that is of an event already may speak of it once more: a visit and its dinner, a plan retold.

    An article that tells of a contact behind and of one ahead, or names two days, tells them apart.
    """
    if s.background or not anchor.live:
        return False
    before = anchor.last_told.get(s.key)
    if s.loose and before in _OPEN:
        return True  # "to visit Rome for talks with ..."
    if (s.status in _OPEN) != (before in _OPEN) and not (s.status == "planned" and before == "ongoing"):
        return False
    if s.hosts and anchor.hosts and not s.hosts & anchor.hosts.keys():
        return False
    if s.place is not None and anchor.countries and s.place.country not in anchor.countries:
        return False
    return s.span is None or anchor.settled is None or near(s.span, anchor.settled, 1)


def recency(s: Sighting, anchor: Anchor) -> int:
    """Return a report without a date is of the latest contact that it can be of: the day of that one, else 0.

    A contact that was due the day before, and of which no report has come, comes first: its reports are awaited.
    """
    if s.status not in HAPPENED or s.span is not None:
        return 0
    if anchor.held:
        return anchor.held_day
    plan = None if anchor.only_denied else anchor.plan
    if plan is None or plan[1] > s.day:
        return 0
    return s.day + 1 if plan == (s.day - 1, s.day - 1) else plan[1]


def _support(s: Sighting, anchor: Anchor) -> float:
    """Place, forum, kind and medium, for and against."""
    # Of two contacts that fit alike, it is rather the one that everybody speaks of.
    total = 0.005 * min(len(anchor.articles), 10)
    ahead = s.status in _OPEN
    if s.remote is not True and anchor.medium is not True:
        place = _place_support(s, anchor)
        # Of talks by no medium that is told, a place says where somebody was.
        total += max(place, 0.0) if s.remote is None and anchor.medium is None else place
    if ahead and s.hosts and anchor.hosts and not s.hosts & anchor.hosts.keys():
        total += OTHER_HOST
    if s.forum and s.forum in anchor.forums:
        total += SAME_FORUM
    elif bool(s.forum) != bool(anchor.forums) and ahead:
        total += ONE_FORUM
    if s.remote is not None and s.remote == anchor.medium:
        total += SAME_MEDIUM
    elif s.remote != anchor.medium and s.status == "denied":
        # A denial is of one contact: "no talks on this" says nothing of a meeting that lies ahead.
        total += DENIED_MEDIUM
    if s.kind in anchor.kinds:
        total += SAME_KIND
    elif "visit" in {s.kind, *anchor.kinds} and s.status in _AHEAD and not _same_country(s, anchor):
        total += OTHER_VISIT
    return total


def _place_support(s: Sighting, anchor: Anchor) -> float:
    if s.place is None:
        return 0.0
    if s.place.name and anchor.places and same_place(s.place.name, anchor.places):
        return SAME_PLACE
    if not (s.place.country and anchor.countries):
        return 0.0
    if s.place.country in anchor.countries:
        # Two towns of one country can be a seat and a residence; two countries are two meetings.
        return OTHER_TOWN if s.place.name and anchor.places else SAME_COUNTRY
    # A country that one article in ten names is no firm knowledge of the others.
    return OTHER_COUNTRY * min(1.0, 2 * anchor.countries.total() / len(anchor.articles))


def _background(s: Sighting, anchor: Anchor) -> float | None:
    """A background mention: of the contact on its date; undated, of the last one that is old enough."""
    settled = anchor.settled
    if not anchor.live:
        if s.span is not None and anchor.past_spans:
            return 0.9 if any(near(s.span, span) for span in anchor.past_spans) else None
        return 0.7 if _same_occasion(s, anchor) else 0.45 if not (_told(s) or anchor.places or anchor.forums) else 0.2
    if settled is None:
        return None
    if s.span is not None:
        return 0.9 if near(s.span, settled, 1) and settled[0] <= s.day else None
    age = s.day - settled[1]
    if not anchor.held or not 2 <= age <= BACKGROUND:
        return None
    return 0.5 - 0.1 * age / BACKGROUND


def _same_occasion(s: Sighting, anchor: Anchor) -> bool:
    """The same place or the same forum."""
    if s.forum and s.forum in anchor.forums:
        return True
    return bool(s.place and s.place.name and same_place(s.place.name, anchor.places))


def _same_name(s: Sighting, town: str) -> bool:
    return s.place is not None and s.place.name == town


def _same_country(s: Sighting, anchor: Anchor) -> bool:
    return s.place is not None and s.place.country in anchor.countries


def _told(s: Sighting) -> set[str]:
    return {word for word in (s.place.name if s.place else "", s.forum or "") if word}


def _known_past(s: Sighting, anchor: Anchor) -> float | None:
    """News never joins background, but for a report of the very day that the background names."""
    if s.status in HAPPENED and s.span is not None and anchor.past_spans:
        return 0.9 if any(span == s.span for span in anchor.past_spans) else None
    return None


def _report_of_held(s: Sighting, anchor: Anchor) -> float | None:
    """Two reports of a contact that took place."""
    day, span = anchor.day, s.span
    if span is not None:
        if day is None:
            if near(span, (anchor.first_held - READ_OUT, anchor.first_held)):
                return 0.8
            # "Today" in the morning of one end of a call is the evening before at the other end.
            overnight = anchor.medium is not False and s.day - anchor.last_held <= 1
            return 0.6 if overnight and span == (anchor.first_held + 1, anchor.first_held + 1) else None
        if span[0] == span[1] and (span[0] in anchor.days or span[0] == day):
            return 1.0
        if near(span, (day, day)):
            return 0.7
        # One day apart is another time zone when both were told on one day, and else another contact.
        if near(span, (day, day), 1) and s.day == anchor.reported.get(day):
            return 0.5
        # A visit lasts for days.
        visit = s.kind == "visit" and any(near(span, (d, d), VISIT_DAYS) for d in anchor.visit_days)
        return 0.6 if visit else None
    if day is not None:
        age = s.day - day
        if READ_OUT < age <= LATE and (_same_occasion(s, anchor) or _same_country(s, anchor)):
            return 0.45
        if READ_OUT < age <= LATE and s.kind == anchor.kind == "visit":
            return 0.45  # nobody pays the same leader two visits in a fortnight
        if age < -1 or age > READ_OUT:
            return None
        return 0.8 - 0.04 * age if age >= 0 else 0.4
    if s.day - anchor.first_held > READ_OUT or anchor.first_held - s.day > READ_OUT:
        return None
    gap = max(s.day - anchor.last_held, anchor.first_held - s.day, 0)
    # A read-out that comes days after firm reports names its day, or is of another contact.
    return 0.7 - (SLOW if anchor.firmly else SLOW_LOOSE) * gap


def _report_of_plan(s: Sighting, anchor: Anchor) -> float | None:
    """A report of a contact that was planned or proposed."""
    plan, span = anchor.plan, s.span
    if anchor.only_denied:
        return 0.7 if span is not None and span == plan else None
    if plan is not None:
        if span is not None:
            if near(span, plan):
                return 0.9
            if near(span, plan, 1):
                return 0.7 if _zones_apart(s, anchor) else 0.3
            return 0.4 if near(span, plan, 2) and plan[0] == plan[1] else None
        if plan[0] > s.day + 1 or plan[1] < s.day - READ_OUT:
            return None
        return 0.75
    when = span[0] if span is not None else s.day
    agreed = anchor.statuses.keys() & {"planned", "postponed", "rescheduled"}
    firm = anchor.statuses["planned"] > anchor.statuses["proposed"] and s.day - anchor.last <= IMMINENT
    if not (span or anchor.medium or firm or _same_occasion(s, anchor)):
        # "At their meeting" amid talk of a next meeting means an earlier one; a meeting that takes place was planned.
        return None
    if when < anchor.first - 1 or s.day - anchor.last > (WAVE if agreed else HOPE):
        return None
    return 0.6 - 0.01 * max(0, s.day - anchor.last)


def _plan_of_held(s: Sighting, anchor: Anchor) -> float | None:
    """What was said before (or on the day) about a contact that took place by now."""
    day = anchor.day if anchor.day is not None else anchor.first_held
    if s.span is not None and s.status in PLANS:
        if not near(s.span, (day, day), 1) or s.day > day + 1:
            return None
        return 0.9 if near(s.span, (day, day)) else 0.6 if _zones_apart(s, anchor) else 0.3
    if s.day > day:
        return 0.55 if anchor.doubtful and s.day - anchor.last <= WAVE else None
    if s.day == day:
        return 0.55 if s.status == "planned" else 0.35
    return 0.5 if day - s.day <= WAVE else None


def _plan_of_plan(s: Sighting, anchor: Anchor) -> float | None:
    """Two sightings of a contact that lies ahead."""
    plan, span = anchor.plan, s.span
    gap = max(s.day - anchor.last, anchor.first - s.day, 0)
    visit = s.kind == "visit" and "visit" in anchor.kinds
    if plan is not None and span is not None:
        if near(span, plan, 1):
            width = max(span[1] - span[0], plan[1] - plan[0])
            return 0.9 if width <= WAVE else 0.7 if width <= MONTH else 0.5
        put_off = {"postponed", "rescheduled", "cancelled"}
        moved = s.status in {"postponed", "rescheduled"} or bool(put_off & anchor.statuses.keys())
        if moved and abs(span[0] - plan[0]) <= PLAN_REACH:
            return 0.6
        if not _same_occasion(s, anchor):
            if gap <= 1 and s.kind in anchor.kinds and abs(span[0] - plan[0]) <= DISAGREE:
                return 0.5  # two outlets that name two days of a week at once disagree
            # An outlet that names another day than it did before moves the meeting, unless the old day has come.
            moves = s.owner in anchor.owners and s.kind in anchor.kinds and plan[0] > s.day
            return 0.5 if moves and abs(span[0] - plan[0]) <= MOVED and gap <= WAVE else None
        # One occasion told on one day with two dates is a disagreement, and on different days maybe the next one; in a
        # capital there can always be a next one.
        special = s.forum in anchor.forums or not any(_same_name(s, capital(p.country)) for p in s.participants)
        if gap <= 1 and abs(span[0] - plan[0]) <= (FAR if special else PLAN_REACH):
            return 0.6
        return 0.35 if abs(span[0] - plan[0]) <= PLAN_REACH else None
    if plan is not None:
        if plan[1] < s.day:
            late = s.status in {"postponed", "rescheduled", "cancelled", "denied"} and plan[1] >= s.day - 3
            if late:
                return 0.5
            # A week or month that passed ends no talk of a meeting; a day that passed does.
            return 0.55 if plan[0] != plan[1] and gap <= HOPE else None
        return 0.65 if plan[0] - s.day <= WAVE else 0.5 if gap <= WAVE or visit else 0.3
    if gap > (VISIT_WAVE if visit else WAVE) or (s.status == "denied" and span is not None and span[0] == span[1]):
        return None
    if span is not None:
        ahead = span[0] - s.day
        return 0.55 if ahead <= PLAN_REACH or visit else 0.35
    return 0.6 - 0.01 * min(gap, WAVE)
