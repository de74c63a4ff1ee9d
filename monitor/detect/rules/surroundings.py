"""Medium, kind, time, place and forum of one contact, from the words of its clause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TypeVar

import msgspec

from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import Verdict
from monitor.detect.setting.forum import ForumHit
from monitor.detect.setting.when import HAPPENED, MOVED, TimeHit, find_times, reading
from monitor.detect.setting.where import PlaceHit, best_place
from monitor.detect.vocabulary.frame_shapes import ItemClass
from monitor.detect.vocabulary.language import Language
from monitor.records import Kind, Medium, Place, Status, When

#: A contact further back than this is background (labelling guidelines: "about 7 days").
RECENT = timedelta(days=8)
#: How long ago a contact would be that is denied without a day.
_LATELY = timedelta(days=6)
#: A longer span gives no date of a contact.
_LONG = timedelta(days=31)
#: A time that starts at most this many characters after a verb of saying is when it was said: "said on Tuesday".
_SAID = 4
#: Classes of people who are not leaders, or may be: "envoys", "officials".
_STRANGERS = frozenset({"PERSON", "WORD", "NAME"})
#: Most characters between a contact and a country in which it takes place: "talks with X in Malaysia".
_BESIDE = 4
#: Tokens before a noun in which its year may be.
_ATTRIBUTES = 3
#: Times that only a plan has: relations, and granularities.
_BOUNDS = frozenset({"until", "from", "around"})
_WIDE = frozenset({"half", "quarter", "until"})
_VERBS = frozenset({"past", "present"})
_REMOTE = frozenset({"phone", "video", "remote"})
#: Classes that may stand between a comma and the verb of the next clause.
_LEADS_IN: frozenset[ItemClass] = frozenset({"say", "pron", "adv", "conj"})


class ClauseFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What the clause says about a contact.

    `why` gives the words behind the status, and `stated` says that it is not only a default. `times` are the places in
    the sentence of the times in the clause, `foreign` those of times that belong to another predicate.
    """

    kind: Kind
    medium: Medium
    status: Status
    why: str
    stated: bool
    when: When | None = None
    place: Place | None = None
    forum: str | None = None
    other_forums: tuple[str, ...] = ()
    times: tuple[int, ...] = ()
    foreign: tuple[int, ...] = ()


class Surroundings:
    """The times, places and forums of one sentence, found at first use and once for all its contacts."""

    def __init__(self, text: str, row: Row, language: Language, published: datetime | None) -> None:
        self.row = row
        self.language = language
        self.published = published
        self.offset = row.tokens[0].start
        self._sentence = text[self.offset : row.tokens[-1].end]

    @cached_property
    def times(self) -> tuple[TimeHit, ...]:
        """The times, except those at which something was said."""
        calendar, published, sentence = self.language.calendar, self.published, self._sentence
        if published is None or calendar is None:
            return ()
        said = [self.row.tokens[item.last - 1].end - self.offset for item in self.row.items if item.class_ == "say"]
        return tuple(
            hit
            for hit in find_times(sentence, published, calendar, published.tzinfo or UTC)
            if not any(0 <= hit.start - end <= _SAID and "," not in sentence[end : hit.start] for end in said)
        )

    @cached_property
    def places(self) -> tuple[PlaceHit, ...]:
        """The places."""
        return self.language.places.find(self._sentence)

    @cached_property
    def forums(self) -> tuple[ForumHit, ...]:
        """The forums."""
        return self.language.forums.find(self._sentence)

    def clause(self, contact: Contact) -> tuple[int, int]:
        """Return where the contact's clause starts and ends in the sentence."""
        first, last = clause_of(self.row, contact)
        tokens = self.row.tokens
        return tokens[first].start - self.offset, tokens[last - 1].end - self.offset


def facts_of(around: Surroundings, contact: Contact, contacts: Sequence[Contact], verdict: Verdict) -> ClauseFacts:
    """Return the facts of one contact; `contacts` are all of its sentence."""
    row, published = around.row, around.published
    status: Status = "held" if verdict.status == "generic" else verdict.status
    why, stated = verdict.words, verdict.stated
    when: When | None = None
    day = published.date() if published is not None else date.min
    may_be = [
        one for one in around.times if _may_be(one, verdict, day) and not (stated and _is_since(around, contact, one))
    ]
    moves = status in MOVED
    times = _own(around, contact, contacts, may_be, moves=moves)
    if status in HAPPENED:  # "their ninth meeting in 2025": a long span is not the date
        times = tuple(sorted(times, key=lambda one: one.when.end - one.when.start > _LONG))
    if moves:  # "due on Monday, slips to Thursday": the new day, which comes after the old one
        times = (*[one for one in sorted(times, key=lambda one: -one.start) if one.is_new], *times)
    hit = times[0] if times else None
    if hit is not None and published is not None:
        when = reading(hit, status, day, behind=verdict.behind)
        if status == "postponed" and hit.is_new:
            status = "rescheduled"
        if hit.direction == "future" and (status == "ongoing" or (status == "held" and not stated)):
            status, why, stated = "planned", hit.when.text, True
            when = hit.plan(day)
        elif status == "held" and hit.when.start > day and _is_default(around, contact, verdict):
            status, why, stated, when = "planned", hit.when.text, True, hit.when
        elif status == "held" and not stated and contact.trigger.tense == "present" and _lies_ahead(hit, day):
            status, why, stated, when = "planned", hit.when.text, True, hit.plan(day)
        elif status == "held" and when is not None and when.start > day:
            when = None
        elif status in ("held", "ongoing") and when is not None and when.end < day - RECENT:
            status, why, stated = "past", hit.when.text, True
    if status == "held" and not stated and (bound := _bound_ahead(around, contact, day)) is not None:
        status, why, stated, when = "planned", bound.when.text, True, bound.plan(day)
    if given_up := _given_up(around, status, when):
        status, why, stated = "rescheduled", given_up, True
    when = when or _of_its_status(status, verdict, published)
    year = _year_of(row, contact)
    if year is not None and published is not None and year < (published - RECENT).year:
        status, why, stated = "past", str(year), True
        when = when if when is not None and when.start.year == year else _whole(year)
    status = verdict.undated if status == "rescheduled" and when is None else status
    places = _places(around, contact, contacts, verdict)
    forums = _own(around, contact, contacts, around.forums)
    medium, kind = _medium(row, contact, contacts, around.language)
    end = row.tokens[row.items[contact.last - 1].last - 1].end - around.offset
    located = any(
        one.frame != "speaking" and (one.level in ("venue", "city") or 0 <= one.start - end <= _BESIDE)
        for one in places
    )
    if medium == "unknown" and (located or forums):
        medium = "in_person"
    return ClauseFacts(
        kind=kind, medium=medium, status=status, why=why, stated=stated, when=when,
        place=best_place(tuple(one for one in places if medium not in _REMOTE or one.frame == "speaking")),
        forum=forums[0].forum if forums and kind != "call" else None,
        other_forums=_other_forums(forums),
        times=tuple(one.start for one in _own(around, contact, contacts, around.times)),
        foreign=tuple(one.start for one in around.times if _is_apart(around, contact, one, moves=moves)),
    )  # fmt: skip


def _places(
    around: Surroundings, contact: Contact, contacts: Sequence[Contact], verdict: Verdict
) -> tuple[PlaceHit, ...]:
    """The places in the contact's clause.

    "Ministers meet in Geneva ahead of their leaders' summit" gives no place of the summit.
    """
    wall = around.row.tokens[verdict.wall].start - around.offset if verdict.wall >= 0 else 0
    own = _own(around, contact, contacts, [one for one in around.places if one.start >= wall])
    own = tuple(one for one in own if not _is_joined(around, contact, one))
    if verdict.status != "proposed":
        return own
    return tuple(one for one in own if not _is_where_others_are(around, contact, one))


def _may_be(hit: TimeHit, verdict: Verdict, day: date) -> bool:
    """Whether a time may be that of a contact with this status."""
    status: Status = "held" if verdict.status == "generic" else verdict.status
    if status in ("planned", "proposed") and hit.direction == "past":
        return False
    if status == "past" and hit.direction == "future":
        return False
    return reading(hit, status, day, behind=verdict.behind) is not None


def _lies_ahead(hit: TimeHit, day: date) -> bool:
    """Whether a weekday next to a verb in the present is the coming one: "visits on Tuesday", written on Monday."""
    past, ahead = hit.read("past"), hit.read("future").start
    return past.end < day < ahead and not hit.explicit and ahead - day < day - past.end


def _bound_ahead(around: Surroundings, contact: Contact, day: date) -> TimeHit | None:
    """The time right behind a contact in the present that only a plan has: "hosts X by the end of March"."""
    if contact.trigger.tense != "present":
        return None
    end = around.row.tokens[around.row.items[contact.last - 1].last - 1].end - around.offset
    for hit in around.times:
        if 0 <= hit.start - end <= _BESIDE and (
            hit.relation in _BOUNDS or (hit.plain and hit.when.granularity in _WIDE)
        ):
            plan = hit.plan(day)
            least = day if hit.plain and hit.when.granularity == "until" else day + RECENT
            return hit if plan is not None and plan.end > least else None
    return None


def _given_up(around: Surroundings, status: Status, when: When | None) -> str:
    """The time that a plan's text names only to say that another one holds: "on Friday instead of Thursday"."""
    if status != "planned" or when is None or around.published is None:
        return ""
    day = around.published.date()
    return next((one.when.text for one in around.times if one.relation == "not" and one.future.end >= day), "")


def _of_its_status(status: Status, verdict: Verdict, published: datetime | None) -> When | None:
    """The days of a contact without a named time: of an ongoing one the article's, of a denied report the last days.

    None for any other status.
    """
    if published is None:
        return None
    day = published.date()
    if status == "denied" and verdict.behind:
        return When(start=day - _LATELY, end=day, granularity="reported")
    return When(start=day, end=day) if status == "ongoing" else None


def _is_default(around: Surroundings, contact: Contact, verdict: Verdict) -> bool:
    """Whether only the trigger itself says that it happened, in a script without spaces, where no tense is visible."""
    calendar = around.language.calendar
    return calendar is not None and not calendar.words.spaced and verdict.words == contact.trigger.tense


def _year_of(row: Row, contact: Contact) -> int | None:
    """The year in front of the contact's noun: "the 2019 summit", "their 2018 Singapore meeting"."""
    first = row.items[contact.at].first
    if contact.trigger.tense not in ("noun", "plural"):
        return None
    for word in reversed(row.words[max(0, first - _ATTRIBUTES) : first]):
        if word.isascii() and word.isdigit() and len(word) == 4 and word[:2] in ("19", "20"):
            return int(word)
    return None


def _whole(year: int) -> When:
    return When(start=date(year, 1, 1), end=date(year, 12, 31), granularity="year", text=str(year))


def _other_forums(forums: Sequence[ForumHit]) -> tuple[str, ...]:
    """Further forums on whose sidelines the contact takes place: "on the sidelines of the SCO and BRICS summits"."""
    if not all(one.sidelines for one in forums):
        return ()
    return tuple(dict.fromkeys(one.forum for one in forums if one.forum != forums[0].forum))


def clause_of(row: Row, contact: Contact) -> tuple[int, int]:
    """Return the tokens of the contact's clause, from one certain end to the next, with its fronted phrase."""
    first, last = row.items[contact.first].first, row.items[contact.last - 1].last
    before = [at for at in row.breaks if at < first]
    behind = [at for at in row.breaks if at >= last]
    return (before[-1] + 1 if before else 0), (behind[0] if behind else len(row.words))


def _medium(row: Row, contact: Contact, contacts: Sequence[Contact], language: Language) -> tuple[Medium, Kind]:
    medium, kind = contact.trigger.medium, contact.trigger.kind
    first, last = clause_of(row, contact)
    center = row.items[contact.at].first
    own = row.items[contact.first].first - 1  # "a virtual X-Y summit"
    stated = {one.at for one in contacts if one.at != contact.at}
    others = [
        item
        for index, item in enumerate(row.items)
        if index in stated or (index != contact.at and item.trigger is not None and item.trigger.tense in _VERBS)
    ]
    behind = range(row.items[contact.at].last, len(row.words))
    if instead := next((found for at in behind if (found := language.becomes.longest(row.words, at))), None):
        medium = instead[1][0]
        return medium, "call" if medium in _REMOTE else "meeting" if kind == "call" else kind
    done, told = first, []
    for at in range(first, last):
        found = language.media.longest(row.words, at) if at >= done else None
        if found is not None:
            done = found[0]  # "over the phone" is one cue, not two
            told.append((at, found[1][0]))
    nearest = sorted(told, key=lambda one: one[0] - center if one[0] > center else 2 * (center - one[0]))
    for at, said in nearest:  # "visit to Rome, will speak by phone": what follows its verb is nearer to it
        if not own <= at < center and any(abs(at - one.first) < abs(at - center) for one in others):
            continue
        if medium != "unknown" and _in_trigger(row, at, contact):
            continue
        if said in ("phone", "video") and medium in ("unknown", "in_person", "phone"):
            return said, "call"
        if medium == "unknown":
            return said, kind
    return medium, kind


def _in_trigger(row: Row, at: int, contact: Contact) -> bool:
    """Whether the token belongs to another trigger: "meets X before a phone call"."""
    return any(
        one.first <= at < one.last
        for index, one in enumerate(row.items)
        if one.trigger is not None and not contact.first <= index < contact.last
    )


Hit = TypeVar("Hit", TimeHit, PlaceHit, ForumHit)


def _own(
    around: Surroundings, contact: Contact, contacts: Sequence[Contact], hits: Sequence[Hit], *, moves: bool = False
) -> tuple[Hit, ...]:
    """The hits in the contact's clause that are nearer to its trigger than to another contact's, nearest first.

    `moves`: the contact is put off or brought forward.
    """
    low, high = around.clause(contact)
    row = around.row

    def distance(hit: Hit, one: Contact) -> int:
        place = row.tokens[row.items[one.at].first].start - around.offset
        return hit.start - place if hit.start > place else 2 * (place - hit.start)  # facts mostly follow their contact

    others = [one for one in contacts if one.at != contact.at]
    own = [
        hit
        for hit in hits
        if (low <= hit.start < high or _stands_alone(around, hit))
        and not _is_apart(around, contact, hit, moves=moves)
        and not _is_of_another(around, contact, hit)
        and not any(distance(hit, one) < distance(hit, contact) for one in others)
    ]
    return tuple(sorted(own, key=lambda hit: distance(hit, contact)))


def _is_apart(
    around: Surroundings, contact: Contact, hit: TimeHit | PlaceHit | ForumHit, *, moves: bool = False
) -> bool:
    """Whether another predicate is in between, and the hit is not the new day of a contact that moves.

    "The talks, planned for Monday, are put off to Friday" has another predicate before Friday.
    """
    new_day = moves and isinstance(hit, TimeHit) and hit.is_new
    return not new_day and _begins_anew(around, contact, hit)


def _begins_anew(around: Surroundings, contact: Contact, hit: TimeHit | PlaceHit | ForumHit) -> bool:
    """Whether another predicate is in between: "had a call with X, will fly to Rome on Monday"."""
    row = around.row
    behind = [
        index
        for index, item in enumerate(row.items)
        if index >= contact.last and row.tokens[item.first].start - around.offset < hit.start
    ]
    for index in behind:
        if row.items[index].class_ not in ("COMMA", "and"):
            continue
        then = next((one for one in behind if one > index and row.items[one].class_ not in _LEADS_IN), None)
        if then is None or row.items[then].class_ != "aux":
            continue
        if around.language.goes_on.longest(row.words, row.items[then].last) is None:
            return True
    return False


def _is_since(around: Surroundings, contact: Contact, hit: TimeHit) -> bool:
    """Whether a time long past is in a clause after the contact: "met X for the first time since oil fell in May"."""
    row, published = around.row, around.published
    if published is None or hit.when.end >= published.date() - RECENT:
        return False
    end = row.items[contact.last - 1].last
    return any(end <= at and row.tokens[at].start - around.offset < hit.start for at in row.joints)


def _is_joined(around: Surroundings, contact: Contact, hit: PlaceHit) -> bool:
    """Whether a word that begins its own clause is in between: "envoys gather in Vienna as X-Y talks loom"."""
    row = around.row
    own = row.items[contact.first].first
    return any(hit.end <= row.tokens[at].start - around.offset and at < own for at in row.joints)


def _is_where_others_are(around: Surroundings, contact: Contact, hit: PlaceHit) -> bool:
    """Whether a place only says where people are who speak of the contact: "envoys in Geneva discuss an X-Y summit".

    They open the sentence, none of them is a leader, and no noun of contact and no host is named before the place.
    """
    row = around.row
    own = row.items[contact.first].first
    before = [one for one in row.items[: contact.first] if row.tokens[one.first].start - around.offset < hit.start]
    ahead = hit.end <= row.tokens[own].start - around.offset
    strangers = any(one.class_ in _STRANGERS for one in before)
    met = any(one.trigger and (one.trigger.tense not in _VERBS or one.trigger.of.role == "host") for one in before)
    return ahead and hit.frame == "in" and strangers and not met and not any(one.leaders for one in before)


def _is_of_another(around: Surroundings, contact: Contact, hit: TimeHit | PlaceHit | ForumHit) -> bool:
    """Whether the hit belongs to a noun after another preposition: "speaks with X after Paris meeting"."""
    row = around.row
    starts = [row.tokens[item.first].start - around.offset for item in row.items]
    index = next((at for at, start in enumerate(starts) if start >= hit.end), None)
    if index is None or contact.first <= index < contact.last or contact.trigger.of.weak:
        return False
    trigger = row.items[index].trigger
    before = [item for item, start in zip(row.items, starts, strict=True) if start < hit.start]
    apart = bool(before) and before[-1].class_ == "prep"
    return apart and trigger is not None and trigger.tense in ("noun", "plural")


def _stands_alone(around: Surroundings, hit: TimeHit | PlaceHit | ForumHit) -> bool:
    """Whether the hit is a time that fills the last part of a headline alone: "Call with X: 5 March 2022"."""
    tokens = around.row.tokens
    before = [at for at in around.row.breaks if tokens[at].start - around.offset < hit.start]
    opens = bool(before) and tokens[before[-1]].end - around.offset == hit.start - 1
    return isinstance(hit, TimeHit) and opens and hit.end == tokens[-1].end - around.offset
