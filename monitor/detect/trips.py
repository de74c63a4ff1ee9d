"""Trips that are cancelled or postponed, which ends a plan to meet the visited state's leader, who need not be named.

The mention has two participants: the traveller, and that leader, or "whoever leads that state" if nobody names him. It
opens no event, because a trip is not a contact; assembly applies it to the plan that exists between the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.detect.merge import ArticleSetting, participant
from monitor.detect.reader.fusion import AHEAD
from monitor.detect.reader.passage import Word
from monitor.detect.reader_mentions import READER, FieldText, evidence_of
from monitor.detect.rules.rows import Row, RowItem
from monitor.detect.rules.surroundings import Surroundings
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.language import Language
from monitor.records import Mention, Participant, Place, Status

#: Items between a trip and its destination ("trip to the United States", "Beijing visit").
_NEAR = 4
#: Classes that can't be between the verb and the trip. Prepositions can, if the trip's own destination follows.
_BARS = frozenset({"LEADER", "PAIR", "OWNER", "PERSON", "BREAK", "COMMA", "conj", "say"})
_LEADING = frozenset({"prep", "to", "during", "with", "of"})
_PLACES = frozenset({"STATE", "SEAT", "the", "det", "NAME"})
_STRANGERS = 2
_CONFIDENCE = 0.8
_BODIES = frozenset({"EU", "UN", "NATO"})


def called_off(
    around: Surroundings, language: Language, setting: ArticleSetting, parts: Iterable[FieldText], day: date
) -> Mention | None:
    """Return the mention of a headline that cancels a leader's trip to another state, None for any other headline."""
    words, row = language.trips, around.row
    if any(words.unless.longest(row.words, at) is not None for at in range(len(row.words))):
        return None
    told = _told(row, language)
    if told is None:
        return None
    status, at, trip = told
    named = [item for item in row.items if item.class_ in ("LEADER", "OWNER") and item.leaders]
    traveller = next((item for item in named if _owns(item, trip)), next(iter(named), None))
    if traveller is None or len(traveller.leaders) != 1:
        return None
    own = setting.watchlist.office_on(traveller.leaders[0], day)
    home = own.country if own is not None else ""
    state = _state_of(row, trip, home) or _subject_of(row, at, home) or _host_of(row, trip, home, setting, day)
    if state is None or own is None:
        return None
    when = None
    if status == "postponed":
        when = next((new for hit in around.times if hit.is_new and (new := hit.moved_to(day)) is not None), None)
        status = "rescheduled" if when is not None else "postponed"
    token = row.tokens[at]
    host = next((one for item in row.items for one in item.leaders if _leads(one, state, setting, day)), None)
    office = Participant(leader=f"office:{state}", name=setting.watchlist.states[state].name, country=state)
    return Mention(
        article_id=setting.article.id,
        participants=(
            participant(traveller.leaders[0], setting),
            participant(host, setting) if host is not None else office,
        ),
        kind="visit",
        medium="in_person",
        status=status,
        when=when,
        place=Place(name="", country=state),
        topics=setting.topics,
        confidence=_CONFIDENCE,
        evidence=evidence_of((Word("title", token.start, token.end, ()),), tuple(parts), setting),
        rule="trip called off",
        language=setting.language,
        source=setting.source,
        joins_only=True,
    )


def without_the_plan(found: Iterable[Mention], trip: Mention) -> tuple[Mention, ...]:
    """Return the mentions except the plans that end with the trip: "puts off trip to Rome, where he was to meet X".

    What the reader alone took for a contact of the two is such a plan as well. A call is not.
    """
    both = {one.leader for one in trip.participants}
    return tuple(
        one
        for one in found
        if {p.leader for p in one.participants} != both
        or one.kind == "call"
        or not (one.status in AHEAD or one.rule == READER)
    )


def _leads(leader: str, state: str, setting: ArticleSetting, day: date) -> bool:
    office = setting.watchlist.office_on(leader, day)
    return office is not None and office.country == state


def _told(row: Row, language: Language) -> tuple[Status, int, int] | None:
    """The status that is stated about a trip, the token that states it, and the trip's token."""
    words = language.trips
    size = len(row.words)
    trips = [(at, found[0]) for at in range(size) if (found := words.trip.longest(row.words, at)) is not None]
    last = next((at for at in reversed(range(size)) if row.words[at][0].isalnum()), 0)
    ends = (last, *(item.first - 1 for item in row.items if item.class_ == "COMMA" and item.first))
    kinds: tuple[tuple[Status, Phrases[bool], Iterable[int]], ...] = (
        ("cancelled", words.off, range(size)),
        ("postponed", words.later, range(size)),
        ("cancelled", words.ends, ends),
    )
    for status, phrases, places in kinds:
        for at in places:
            found = phrases.longest(row.words, at)
            if found is None:
                continue
            for trip, end in trips:
                if _is_of(row, (at, found[0]), (trip, end)):
                    return status, at, trip
    return None


def _is_of(row: Row, verb: tuple[int, int], trip: tuple[int, int]) -> bool:
    """Whether the trip is the object or subject of the verb: "scraps the long-planned trip", "trip is scrapped"."""
    behind = trip[1] <= verb[0]
    low, high = (trip[1], verb[0]) if behind else (verb[1], trip[0])
    if low > high or any(low <= at < high for at in (*row.joints, *row.breaks)):
        return False
    between = [item for item in row.items if item.first < high and item.last > low]
    for number, item in enumerate(between, 1):
        leads = behind and number < len(between) and between[number].class_ in _PLACES
        if item.class_ in _LEADING and not leads:
            return False
        if _owns(item, trip[0]):
            continue
        if item.class_ in _BARS or (item.trigger is not None and item.trigger.of.role != "visitor"):
            return False
    return sum(item.class_ == "WORD" for item in between) <= _STRANGERS


def _subject_of(row: Row, verb: int, home: str) -> str | None:
    """The state that cancels a trip to itself: "Kigali calls off Museveni's visit"."""
    first = row.items[0]
    foreign = first.class_ in ("STATE", "SEAT") and first.word not in (home, *_BODIES)
    return first.word if foreign and first.last == verb else None


def _host_of(row: Row, trip: int, home: str, setting: ArticleSetting, day: date) -> str | None:
    """The state of the one leader in a clause such as "where he was to meet X", behind the trip."""
    where = next((item.last for item in row.items if item.class_ == "conj" and item.first > trip), len(row.words))
    leaders = {leader for item in row.items if item.first >= where for leader in item.leaders}
    office = setting.watchlist.office_on(leaders.pop(), day) if len(leaders) == 1 else None
    return office.country if office is not None and office.country not in (home, *_BODIES) else None


def _owns(item: RowItem, trip: int) -> bool:
    """Whether the leaders named right before the trip make it: "Museveni's visit"."""
    return item.class_ == "OWNER" and item.last == trip


def _state_of(row: Row, trip: int, home: str) -> str | None:
    """The foreign state nearest to the trip, named directly or by its seat of government."""
    at = next(index for index, item in enumerate(row.items) if item.last > trip)
    near: list[tuple[int, RowItem]] = [
        (abs(index - at), item)
        for index, item in enumerate(row.items)
        if item.class_ in ("STATE", "SEAT") and item.word not in (home, *_BODIES) and abs(index - at) <= _NEAR
    ]
    return min(near, key=lambda one: one[0])[1].word if near else None
