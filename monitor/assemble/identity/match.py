"""Decides how well a sighting fits an event: participants, medium class and time decide; place and forum add or deduct.

Status, title and the article's date alone never make two sightings one contact. A sighting is compared with the summary
of an event's sightings (its anchor), never with a single other sighting, so coverage can't chain from one contact to
the next (Allan, Topic Detection and Tracking, 2002).

`score` is None for a contradiction (another medium class, another day, another forum), else about 0 to 1. `THRESHOLD`
and the windows were set on a development stream; see docs/assembly.md.
"""

from __future__ import annotations

from monitor.assemble.claims.sighting import HAPPENED, Sighting, ordinal_of
from monitor.assemble.identity.anchor import PLANS, READ_OUT, Anchor
from monitor.assemble.identity.regions import capital, same_place

#: Time windows in days. THRESHOLD is the least score at which a sighting joins an event.
LATE = 14
CALL_READ_OUT = 4
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
#: Hours of the day in UTC between which the date is the same nearly everywhere (from UTC-9 to UTC+9).
DAWN, DUSK = 9, 15
#: Seconds between two reports of one call that each name the day at their own end.
TOGETHER = 6 * 3600
THRESHOLD = 0.5
#: Additions to and deductions from the score for place, forum, kind and medium.
SAME_PLACE, SAME_COUNTRY, OTHER_TOWN, OTHER_COUNTRY = 0.1, 0.05, -0.2, -0.45
SAME_FORUM, ONE_FORUM, OTHER_HOST = 0.2, -0.2, -0.3
SAME_MEDIUM, DENIED_MEDIUM = 0.1, -0.3
SAME_KIND, OTHER_VISIT, UNPLACED_VISIT = 0.05, -0.3, -0.1
#: Deduction for each day without news, for an undated report of an event with firm reports, and for a bare noun.
SLOW, SLOW_LOOSE = 0.09, 0.06

_AHEAD = frozenset({"proposed", "planned"})
_OPEN = frozenset({"proposed", "planned", "postponed", "rescheduled", "cancelled", "denied"})


def near(a: tuple[int, int], b: tuple[int, int], slack: int = 0) -> bool:
    """Say whether two spans of days overlap, or are at most `slack` days apart."""
    return days_between(a, b) <= slack


def days_between(a: tuple[int, int], b: tuple[int, int]) -> int:
    """Return the days from the end of the earlier span to the start of the later one, 0 where they share a day."""
    return max(a[0] - b[1], b[0] - a[1], 0)


def _zones_apart(s: Sighting, anchor: Anchor) -> bool:
    """Whether time zones can explain two different days: a call has a day at each end, a meeting only its place's day.

    A day that no words state is the article's, which at some hours is the same nearly everywhere.
    """
    if s.remote is False or anchor.medium is False:
        return False
    return bool(s.when and s.when.text) or not DAWN <= s.moment.hour < DUSK


def same_leaders(s: Sighting, anchor: Anchor) -> bool:
    """Say whether both name the same leaders; an office without a name stands for the leader of its state.

    Both name the same states, because they are in the same group.
    """
    if len(s.leaders) == len(s.participants) and not anchor.offices:
        return s.leaders == anchor.leaders
    return s.leaders <= anchor.leaders or anchor.leaders <= s.leaders


def score(s: Sighting, anchor: Anchor) -> float | None:
    """Return how well a sighting fits an event of the same states; None if it is about another contact."""
    if not same_leaders(s, anchor):
        return None
    again = s.key in anchor.articles
    if again and not _same_telling(s, anchor):
        return None
    if s.remote is not None and anchor.medium is not None and s.remote != anchor.medium and not _online(s, anchor):
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


def _online(s: Sighting, anchor: Anchor) -> bool:
    """Whether it tells that a meeting planned for that day is held by video."""
    if s.medium != "video" or anchor.held or s.status not in {"held", "ongoing", "planned", "rescheduled"}:
        return False
    told = (s.day, s.day) if s.span is None and s.status in HAPPENED else s.span
    return told is not None and told[0] == told[1] and told == anchor.plan


def _same_telling(s: Sighting, anchor: Anchor) -> bool:
    """Whether an article that is part of an event may mention it again: a visit and its dinner, a plan said twice.

    An article with one past and one future contact, or with two days, reports two contacts.
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
    """Return the day of the latest contact that a report without a date can be about, 0 if there is none.

    A contact that was due the day before and has no report yet has priority, because its reports are expected.
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
    """The sum of additions and deductions for place, forum, kind and medium."""
    # If two contacts fit equally well, prefer the one with more articles.
    total = 0.005 * min(len(anchor.articles), 10)
    ahead = s.status in _OPEN
    if s.remote is not True and anchor.medium is not True:
        place = _place_support(s, anchor)
        # If neither medium is known, a place only says where somebody was.
        total += max(place, 0.0) if s.remote is None and anchor.medium is None else place
    if ahead and s.hosts and anchor.hosts and not s.hosts & anchor.hosts.keys():
        total += OTHER_HOST
    if s.forum and s.forum in anchor.forums:
        total += SAME_FORUM
    elif bool(s.forum) != bool(anchor.forums) and ahead:
        total += ONE_FORUM
    if s.remote is not None and s.remote == anchor.medium:
        total += SAME_MEDIUM
    elif s.remote != anchor.medium and s.status == "denied" and anchor.statuses["planned"]:
        # A denial is about one contact: "no talks on this" does not deny a planned meeting.
        total += DENIED_MEDIUM
    if s.kind in anchor.kinds:
        total += SAME_KIND
    elif "visit" in {s.kind, *anchor.kinds} and s.status in _AHEAD and not _same_country(s, anchor):
        total += UNPLACED_VISIT if s.place is None or _takes_over(s, anchor) else OTHER_VISIT
    return total


def _takes_over(s: Sighting, anchor: Anchor) -> bool:
    """Whether it is the first date of a meeting of which there was only talk, without a date, place or forum."""
    return s.span is not None and not (anchor.plans or anchor.places or anchor.countries or anchor.forums)


def _place_support(s: Sighting, anchor: Anchor) -> float:
    if s.place is None:
        return 0.0
    if s.place.name and anchor.places and same_place(s.place.name, anchor.places):
        return SAME_PLACE
    if not (s.place.country and anchor.countries):
        return 0.0
    if s.place.country in anchor.countries:
        # Two towns in one country can be a seat and a residence; two countries are two meetings.
        return OTHER_TOWN if s.place.name and anchor.places else SAME_COUNTRY
    # A country that only one article in ten names is not reliable.
    return OTHER_COUNTRY * min(1.0, 2 * anchor.countries.total() / len(anchor.articles))


def _background(s: Sighting, anchor: Anchor) -> float | None:
    """The score of a background mention: with a date, for the contact of that date; else for the latest old enough."""
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
    """Whether place or forum are the same."""
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
    """News joins background only if it is a report about exactly the day that the background names."""
    if s.status in HAPPENED and s.span is not None and anchor.past_spans:
        return 0.9 if any(span == s.span for span in anchor.past_spans) else None
    return None


def _report_of_held(s: Sighting, anchor: Anchor) -> float | None:
    """The score of a report for an event that was already reported as held."""
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
        # One day apart: another time zone if both days were named at about the same time, else another contact.
        if near(span, (day, day), 1) and _named_together(s, anchor, day) and not s.joins_only:
            return 0.5
        # A visit lasts for days.
        visit = s.kind == "visit" and any(near(span, (d, d), VISIT_DAYS) for d in anchor.visit_days)
        return 0.6 if visit else None
    if day is not None:
        age = s.day - day
        if READ_OUT < age <= LATE and (_same_occasion(s, anchor) or _same_country(s, anchor)):
            return 0.45
        if READ_OUT < age <= LATE and s.kind == anchor.kind == "visit":
            return 0.45  # nobody visits the same leader twice in two weeks
        if age < -1 or age > _read_out(s, anchor):
            return None
        return 0.8 - 0.04 * age if age >= 0 else 0.4
    if abs(s.day - anchor.first_held) > _read_out(s, anchor):
        return None
    gap = max(s.day - anchor.last_held, anchor.first_held - s.day, 0)
    # A read-out published days after firm reports names its day, or is about another contact.
    return 0.7 - (SLOW if anchor.firmly else SLOW_LOOSE) * gap


def _named_together(s: Sighting, anchor: Anchor, day: int) -> bool:
    """Whether it was published on the day on which another day was first named; for a call, or a few hours apart."""
    first = anchor.reported.get(day)
    if first is None:
        return False
    return s.day == ordinal_of(first) or (anchor.medium is True and abs(s.time - first) <= TOGETHER)


def _read_out(s: Sighting, anchor: Anchor) -> int:
    """Return the days after a contact within which a report without a date is of it: those of a call come at once."""
    return CALL_READ_OUT if s.remote or anchor.medium else READ_OUT


def _report_of_plan(s: Sighting, anchor: Anchor) -> float | None:
    """The score of a report for an event that was planned or proposed."""
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
        # "At their meeting", while a next meeting is discussed, means an earlier one: a meeting is planned beforehand.
        return None
    if when < anchor.first - 1 or s.day - anchor.last > (WAVE if agreed else HOPE):
        return None
    return 0.6 - 0.01 * max(0, s.day - anchor.last)


def _plan_of_held(s: Sighting, anchor: Anchor) -> float | None:
    """The score of an announcement, made before or on the day, for an event that has taken place."""
    day = anchor.day if anchor.day is not None else anchor.first_held
    if s.span is not None and s.status in PLANS:
        if not near(s.span, (day, day), 1) or s.day > day + 1:
            return None
        if s.span[0] <= day and s.span[1] - day > HOPE and s.day >= anchor.first_held:
            return None  # "this year", said once a contact is reported, is about the next one
        return 0.9 if near(s.span, (day, day)) else 0.6 if _zones_apart(s, anchor) else 0.3
    if s.status == "denied" and s.span is not None:
        return 0.7 if near(s.span, (day, day)) else None
    if s.day > day:
        return 0.55 if anchor.doubtful and s.day - anchor.last <= WAVE else None
    if s.day == day:
        return 0.55 if s.status == "planned" else 0.35
    return 0.5 if day - s.day <= WAVE else None


def _plan_of_plan(s: Sighting, anchor: Anchor) -> float | None:
    """The score of an announcement for an event in the future."""
    plan, span = anchor.plan, s.span
    gap = max(s.day - anchor.last, anchor.first - s.day, 0)
    visit = s.kind == "visit" and "visit" in anchor.kinds
    if plan is not None and span is not None:
        if near(span, plan, 1):
            width = max(span[1] - span[0], plan[1] - plan[0])
            return 0.9 if width <= WAVE else 0.7 if width <= MONTH else 0.5
        put_off = {"postponed", "rescheduled", "cancelled"}
        moved = s.status in {"postponed", "rescheduled"} or bool(put_off & anchor.statuses.keys())
        if moved and days_between(span, plan) <= PLAN_REACH:
            return 0.6
        if not _same_occasion(s, anchor):
            if gap <= 1 and s.kind in anchor.kinds and abs(span[0] - plan[0]) <= DISAGREE:
                return 0.5  # two outlets that name two days of one week at the same time disagree
            # If an outlet names another day than before, it moves the meeting, unless the old day has passed.
            moves = s.owner in anchor.owners and s.kind in anchor.kinds and plan[0] > s.day
            return 0.5 if moves and abs(span[0] - plan[0]) <= MOVED and gap <= WAVE else None
        # Two dates for one occasion, named on the same day, are a disagreement; named on different days, the second may
        # be the next occasion. In a capital there can always be a next one.
        special = s.forum in anchor.forums or not any(_same_name(s, capital(p.country)) for p in s.participants)
        if gap <= 1 and abs(span[0] - plan[0]) <= (FAR if special else PLAN_REACH):
            return 0.6
        return 0.35 if abs(span[0] - plan[0]) <= PLAN_REACH else None
    if plan is not None:
        if plan[1] < s.day:
            late = s.status in {"postponed", "rescheduled", "cancelled", "denied"} and plan[1] >= s.day - 3
            if late:
                return 0.5
            # Announcements of a meeting continue after a week or month has passed, but not after a day has.
            return 0.55 if plan[0] != plan[1] and gap <= HOPE else None
        return 0.65 if plan[0] - s.day <= WAVE else 0.5 if gap <= WAVE or visit else 0.3
    if gap > (VISIT_WAVE if visit else WAVE) or (s.status == "denied" and span is not None and span[0] == span[1]):
        return None
    if span is not None:
        ahead = span[0] - s.day
        return 0.55 if ahead <= PLAN_REACH or visit else 0.35
    return 0.6 - 0.01 * min(gap, WAVE)
