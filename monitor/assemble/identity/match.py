"""Decides how well a mention fits an event: participants, medium class and time decide; place and forum add or deduct.

Status, title and the article's date alone never make two mentions one contact. A mention is compared with the summary
of an event's mentions (its anchor), never with a single other mention, so coverage can't chain from one contact to
the next (Allan, Topic Detection and Tracking, 2002).

`score` is None for a contradiction (another medium class, another day, another forum), else about 0 to 1. `THRESHOLD`
and the windows were set on a development stream; see docs/assembly.md.
"""

from __future__ import annotations

from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention, ordinal_of
from monitor.assemble.identity.anchor import PLANS, READ_OUT, Anchor
from monitor.assemble.identity.regions import capital, same_place

#: Time windows in days. THRESHOLD is the least score at which a mention joins an event.
LATE = 14
CALL_READ_OUT = 4
WAVE = 14
HOPE = 7
IMMINENT = 5
SOON = 2
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
#: Probability from which an announcement may well be a report.
LIKELY = 0.33
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


def _zones_apart(m: KeptMention, anchor: Anchor) -> bool:
    """Whether time zones can explain two different days: a call has a day at each end, a meeting only its place's day.

    A day that no words state is the article's, which at some hours is the same nearly everywhere.
    """
    if m.remote is False or anchor.medium is False:
        return False
    return bool(m.when and m.when.text) or not DAWN <= m.moment.hour < DUSK


def same_leaders(m: KeptMention, anchor: Anchor) -> bool:
    """Say whether both name the same leaders; an office without a name stands for the leader of its state.

    Both name the same states, because they are in the same group.
    """
    if len(m.leaders) == len(m.participants) and not anchor.offices:
        return m.leaders == anchor.leaders
    return m.leaders <= anchor.leaders or anchor.leaders <= m.leaders


def score(m: KeptMention, anchor: Anchor) -> float | None:
    """Return how well a mention fits an event of the same states; None if it is about another contact."""
    if not same_leaders(m, anchor):
        return None
    again = m.key in anchor.articles
    if again and not _same_contact(m, anchor):
        return None
    if m.remote is not None and anchor.medium is not None and m.remote != anchor.medium and not _online(m, anchor):
        return None
    if m.forum and anchor.forums and m.forum not in anchor.forums:
        return None
    if m.status == "past":
        base = _background(m, anchor)
    elif not anchor.live:
        base = _known_past(m, anchor)
    elif m.status in HAPPENED:
        later = m.span is not None and m.span[0] > anchor.first_held
        held = anchor.held and not (anchor.doubtful and later)
        base = _report_of_held(m, anchor) if held else _report_of_plan(m, anchor)
        if base is None and m.loose and not (anchor.held or anchor.only_denied):
            base = _plan_of_plan(m, anchor)
    else:
        base = _plan_of_held(m, anchor) if anchor.held else _plan_of_plan(m, anchor)
    return None if base is None else base + _support(m, anchor)


def _online(m: KeptMention, anchor: Anchor) -> bool:
    """Whether it tells that a meeting planned for that day is held by video."""
    if m.medium != "video" or anchor.held or m.status not in {"held", "ongoing", "planned", "rescheduled"}:
        return False
    told = (m.day, m.day) if m.span is None and m.status in HAPPENED else m.span
    return told is not None and told[0] == told[1] and told == anchor.plan


def _same_contact(m: KeptMention, anchor: Anchor) -> bool:
    """Whether an article that is part of an event may mention it again: a visit and its dinner, a plan said twice.

    An article with one past and one future contact, or with two days, reports two contacts.
    """
    if m.background or not anchor.live:
        return False
    before = anchor.last_told.get(m.key)
    if m.loose and before in _OPEN:
        return True  # "to visit Rome for talks with ..."
    if (m.status in _OPEN) != (before in _OPEN) and not (m.status == "planned" and before == "ongoing"):
        return False
    if m.hosts and anchor.hosts and not m.hosts & anchor.hosts.keys():
        return False
    if m.place is not None and anchor.countries and m.place.country not in anchor.countries:
        return False
    return m.span is None or anchor.settled is None or near(m.span, anchor.settled, 1)


def recency(m: KeptMention, anchor: Anchor) -> int:
    """Return the day of the latest contact that a report without a date can be about, 0 if there is none.

    A contact that was due the day before and has no report yet has priority, because its reports are expected.
    """
    if m.status not in HAPPENED or m.span is not None:
        return 0
    if anchor.held:
        return anchor.held_day
    plan = None if anchor.only_denied else anchor.plan
    if plan is None or plan[1] > m.day:
        return 0
    return m.day + 1 if plan == (m.day - 1, m.day - 1) else plan[1]


def _support(m: KeptMention, anchor: Anchor) -> float:
    """The sum of additions and deductions for place, forum, kind and medium."""
    # If two contacts fit equally well, prefer the one with more articles.
    total = 0.005 * min(len(anchor.articles), 10)
    ahead = m.status in _OPEN
    if m.remote is not True and anchor.medium is not True:
        place = _place_support(m, anchor)
        # If neither medium is known, a place only says where somebody was.
        total += max(place, 0.0) if m.remote is None and anchor.medium is None else place
    if ahead and m.hosts and anchor.hosts and not m.hosts & anchor.hosts.keys():
        total += OTHER_HOST
    if m.forum and m.forum in anchor.forums:
        total += SAME_FORUM
    elif bool(m.forum) != bool(anchor.forums) and ahead:
        total += ONE_FORUM
    if m.remote is not None and m.remote == anchor.medium:
        total += SAME_MEDIUM
    elif m.remote != anchor.medium and m.status == "denied" and anchor.statuses["planned"]:
        # A denial is about one contact: "no talks on this" does not deny a planned meeting.
        total += DENIED_MEDIUM
    if m.kind in anchor.kinds:
        total += SAME_KIND
    elif "visit" in {m.kind, *anchor.kinds} and m.status in _AHEAD and not _same_country(m, anchor):
        mild = m.place is None or _takes_over(m, anchor) or _is_imminent(m, anchor)
        total += UNPLACED_VISIT if mild else OTHER_VISIT
    return total


def _takes_over(m: KeptMention, anchor: Anchor) -> bool:
    """Whether it is the first date of a meeting of which there was only talk, without a date, place or forum."""
    return m.span is not None and not (anchor.plans or anchor.places or anchor.countries or anchor.forums)


def _is_imminent(m: KeptMention, anchor: Anchor) -> bool:
    """Whether the event is due today or tomorrow, and nobody has said where."""
    plan = anchor.plan
    return plan is not None and 0 <= plan[0] - m.day <= 1 and not anchor.countries


def _place_support(m: KeptMention, anchor: Anchor) -> float:
    if m.place is None:
        return 0.0
    if m.place.name and anchor.places and same_place(m.place.name, anchor.places):
        return SAME_PLACE
    if not (m.place.country and anchor.countries):
        return 0.0
    if m.place.country in anchor.countries:
        # Two towns in one country can be a seat and a residence; two countries are two meetings.
        return OTHER_TOWN if m.place.name and anchor.places else SAME_COUNTRY
    at_home = any(p.country == m.place.country for p in m.participants)
    if at_home and not m.place.name and m.kind != "visit" and not m.hosts:
        return OTHER_TOWN  # the state of one of them, without a town, may only be what they talk about
    # A country that only one article in ten names is not reliable.
    return OTHER_COUNTRY * min(1.0, 2 * anchor.countries.total() / len(anchor.articles))


def _background(m: KeptMention, anchor: Anchor) -> float | None:
    """The score of a background mention: with a date, for the contact of that date; else for the latest old enough."""
    settled = anchor.settled
    if not anchor.live:
        if m.span is not None and anchor.past_spans:
            return 0.9 if any(near(m.span, span) for span in anchor.past_spans) else None
        return (
            0.7
            if _same_occasion(m, anchor)
            else 0.45
            if not (_setting_words(m) or anchor.places or anchor.forums)
            else 0.2
        )
    if settled is None:
        return None
    if m.span is not None:
        return 0.9 if near(m.span, settled, 1) and settled[0] <= m.day else None
    age = m.day - settled[1]
    if not anchor.held or not 2 <= age <= BACKGROUND:
        return None
    return 0.5 - 0.1 * age / BACKGROUND


def _same_occasion(m: KeptMention, anchor: Anchor) -> bool:
    """Whether place or forum are the same."""
    if m.forum and m.forum in anchor.forums:
        return True
    return bool(m.place and m.place.name and same_place(m.place.name, anchor.places))


def _same_name(m: KeptMention, town: str) -> bool:
    return m.place is not None and m.place.name == town


def _same_country(m: KeptMention, anchor: Anchor) -> bool:
    return m.place is not None and m.place.country in anchor.countries


def _setting_words(m: KeptMention) -> set[str]:
    return {word for word in (m.place.name if m.place else "", m.forum or "") if word}


def _known_past(m: KeptMention, anchor: Anchor) -> float | None:
    """News joins background only if it is a report about exactly the day that the background names."""
    if m.status in HAPPENED and m.span is not None and anchor.past_spans:
        return 0.9 if any(span == m.span for span in anchor.past_spans) else None
    return None


def _report_of_held(m: KeptMention, anchor: Anchor) -> float | None:
    """The score of a report for an event that was already reported as held."""
    day, span = anchor.day, m.span
    if span is not None:
        if day is None:
            if near(span, (anchor.first_held - READ_OUT, anchor.first_held)):
                return 0.8
            # "Today" in the morning of one end of a call is the evening before at the other end.
            overnight = anchor.medium is not False and m.day - anchor.last_held <= 1
            return 0.6 if overnight and span == (anchor.first_held + 1, anchor.first_held + 1) else None
        if span[0] == span[1] and (span[0] in anchor.days or span[0] == day):
            return 1.0
        if near(span, (day, day)):
            return 0.7
        # One day apart: another time zone if both days were named at about the same time, else another contact.
        if near(span, (day, day), 1) and _named_together(m, anchor, day) and not m.joins_only:
            return 0.5
        # A visit lasts for days.
        visit = m.kind == "visit" and any(near(span, (d, d), VISIT_DAYS) for d in anchor.visit_days)
        return 0.6 if visit or _during_visit(span, anchor) else None
    if day is not None:
        age = m.day - day
        if READ_OUT < age <= LATE and (_same_occasion(m, anchor) or _same_country(m, anchor)):
            return 0.45
        if READ_OUT < age <= LATE and m.kind == anchor.kind == "visit":
            return 0.45  # nobody visits the same leader twice in two weeks
        if age > 1 and m.one_more and not anchor.one_more:
            return None  # "speak again", said days after a call, is about the next one
        if age < -1 or age > _read_out(m, anchor):
            return None
        return 0.8 - 0.04 * age if age >= 0 else 0.4
    if abs(m.day - anchor.first_held) > _read_out(m, anchor):
        return None
    if m.day - anchor.last_held > 1 and m.one_more and not anchor.one_more:
        return None
    gap = max(m.day - anchor.last_held, anchor.first_held - m.day, 0)
    # A read-out published days after firm reports names its day, or is about another contact.
    return 0.7 - (SLOW if anchor.firmly else SLOW_LOOSE) * gap


def _during_visit(span: tuple[int, int], anchor: Anchor) -> bool:
    """Whether the days are among those for which a visit was announced, whose first day has come: it has many parts."""
    if "visit" not in anchor.kinds or anchor.medium is not False:
        return False
    return any(0 < last - first <= READ_OUT and first <= span[0] and span[1] <= last for first, last in anchor.plans)


def _named_together(m: KeptMention, anchor: Anchor, day: int) -> bool:
    """Whether it was published on the day on which another day was first named; for a call, or a few hours apart."""
    first = anchor.reported.get(day)
    if first is None:
        return False
    return m.day == ordinal_of(first) or (anchor.medium is True and abs(m.time - first) <= TOGETHER)


def _read_out(m: KeptMention, anchor: Anchor) -> int:
    """Return the days after a contact within which a report without a date is of it: those of a call come at once."""
    return CALL_READ_OUT if m.remote or anchor.medium else READ_OUT


def _report_of_plan(m: KeptMention, anchor: Anchor) -> float | None:
    """The score of a report for an event that was planned or proposed."""
    plan, span = anchor.plan, m.span
    if anchor.only_denied:
        return 0.7 if span is not None and span == plan else None
    if anchor.waits and not (span is not None and plan is not None and near(span, plan)):
        # It may take place weeks later; then it is in the town, or at least of the kind, of the plan.
        unplaced = m.place is None or not anchor.places
        alike = _same_occasion(m, anchor) or (unplaced and m.kind == anchor.kind)
        return 0.6 if alike and m.day - anchor.last <= PLAN_REACH else None
    if plan is not None:
        if span is not None:
            if near(span, plan):
                return 0.9
            if near(span, plan, 1):
                return 0.7 if _zones_apart(m, anchor) else 0.3
            return 0.4 if near(span, plan, 2) and plan[0] == plan[1] else None
        if plan[0] > m.day + 1 or plan[1] < m.day - READ_OUT:
            return None
        return 0.75
    when = span[0] if span is not None else m.day
    agreed = anchor.statuses.keys() & {"planned", "postponed", "rescheduled"}
    waited = m.day - anchor.last
    firm = anchor.statuses["planned"] > anchor.statuses["proposed"] and waited <= IMMINENT
    call = m.remote or (anchor.medium and waited <= SOON)
    if not (span or call or firm or _same_occasion(m, anchor)):
        # "At their meeting", while a next meeting is discussed, means an earlier one: a meeting is planned beforehand.
        return None
    if when < anchor.first - 1 or waited > (WAVE if agreed else HOPE):
        return None
    return 0.6 - 0.01 * max(0, waited)


def _plan_of_held(m: KeptMention, anchor: Anchor) -> float | None:
    """The score of an announcement, made before or on the day, for an event that has taken place."""
    day = anchor.day if anchor.day is not None else anchor.first_held
    if m.span is not None and m.status in PLANS:
        if not near(m.span, (day, day), 1) or m.day > day + 1:
            return None
        if m.span[0] <= day and m.span[1] - day > HOPE and m.day >= anchor.first_held:
            return None  # "this year", said once a contact is reported, is about the next one
        return 0.9 if near(m.span, (day, day)) else 0.6 if _zones_apart(m, anchor) else 0.3
    if m.status == "denied" and m.span is not None:
        return 0.7 if near(m.span, (day, day)) else None
    if m.day > day:
        if m.span is None and m.day == day + 1 and _may_be_report(m):
            return 0.55
        return 0.55 if anchor.doubtful and m.day - anchor.last <= WAVE else None
    if m.day == day:
        return 0.55 if m.status == "planned" else 0.35
    return 0.5 if day - m.day <= WAVE else None


def _may_be_report(m: KeptMention) -> bool:
    """Whether an announcement may well be a report, by the probabilities of its statuses."""
    return m.statuses.get("held", 0.0) + m.statuses.get("ongoing", 0.0) >= LIKELY


def _plan_of_plan(m: KeptMention, anchor: Anchor) -> float | None:
    """The score of an announcement for an event in the future."""
    plan, span = anchor.plan, m.span
    gap = max(m.day - anchor.last, anchor.first - m.day, 0)
    visit = m.kind == "visit" and "visit" in anchor.kinds
    if plan is not None and span is not None:
        if near(span, plan, 1):
            width = max(span[1] - span[0], plan[1] - plan[0])
            return 0.9 if width <= WAVE else 0.7 if width <= MONTH else 0.5
        put_off = {"postponed", "rescheduled", "cancelled"}
        moved = m.status in {"postponed", "rescheduled"} or bool(put_off & anchor.statuses.keys())
        if moved and days_between(span, plan) <= PLAN_REACH:
            return 0.6
        if not _same_occasion(m, anchor):
            if gap <= 1 and m.kind in anchor.kinds and abs(span[0] - plan[0]) <= DISAGREE:
                return 0.5  # two outlets that name two days of one week at the same time disagree
            # If an outlet names another day than before, it moves the meeting, unless the old day has passed.
            moves = m.owner in anchor.owners and m.kind in anchor.kinds and plan[0] > m.day
            return 0.5 if moves and abs(span[0] - plan[0]) <= MOVED and gap <= WAVE else None
        # Two dates for one occasion, named on the same day, are a disagreement; named on different days, the second may
        # be the next occasion. In a capital there can always be a next one.
        special = m.forum in anchor.forums or not any(_same_name(m, capital(p.country)) for p in m.participants)
        if gap <= 1 and abs(span[0] - plan[0]) <= (FAR if special else PLAN_REACH):
            return 0.6
        return 0.35 if abs(span[0] - plan[0]) <= PLAN_REACH else None
    if plan is not None:
        if plan[1] < m.day:
            late = m.status in {"postponed", "rescheduled", "cancelled", "denied"} and plan[1] >= m.day - 3
            if late:
                return 0.5
            # Announcements of a meeting continue after a week or month has passed, but not after a day has.
            return 0.55 if plan[0] != plan[1] and gap <= HOPE else None
        return 0.65 if plan[0] - m.day <= WAVE else 0.5 if gap <= WAVE or visit else 0.3
    if gap > (VISIT_WAVE if visit else WAVE) or (m.status == "denied" and span is not None and span[0] == span[1]):
        return None
    if span is not None:
        ahead = span[0] - m.day
        return 0.55 if ahead <= PLAN_REACH or visit else 0.35
    return 0.6 - 0.01 * min(gap, WAVE)
