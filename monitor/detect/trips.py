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
from monitor.detect.setting.where import place_names
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.language import Language
from monitor.records import Mention, Participant, Place, Status

#: Items between a trip and its destination ("trip to the United States", "Beijing visit").
_NEAR = 4
#: Classes that can't be between the verb and the trip. Prepositions can, if the trip's own destination follows.
_BARS = frozenset({"LEADER", "PAIR", "OWNER", "PERSON", "BREAK", "COMMA", "conj", "say"})
_LEADING = frozenset({"prep", "to", "during", "with", "of"})
_PLACES = frozenset({"STATE", "SEAT", "the", "det", "NAME", "place"})
#: Classes between a trip and the leader behind it who makes it: "the visit of President Modi", "visite de Meloni".
_BY = frozenset({"of", "by", "the", "det", "gen"})
_STRANGERS = 2
#: Tokens between a trip and the place to which it leads, and tokens of a place's name.
_BESIDE = 8
_LONGEST_NAME = 4
_CONFIDENCE = 0.8
_BODIES = frozenset({"EU", "UN", "NATO"})


def called_off(
    around: Surroundings, language: Language, setting: ArticleSetting, parts: Iterable[FieldText], day: date
) -> Mention | None:
    """Return the mention of a headline that cancels a leader's trip to another state, None for any other headline."""
    words, row = language.trips, around.row
    if words.unless.occur(row.words):
        return None
    days = _times_of(around)
    stated = _trip_status(row, language, days)
    if stated is None:
        return None
    status, at, trip = stated
    named = [item for item in row.items if item.class_ in ("LEADER", "OWNER") and item.leaders]
    traveller = next((item for item in named if _owns(row, item, trip)), next(iter(named), None))
    if traveller is None or len(traveller.leaders) != 1:
        return None
    own = setting.watchlist.office_on(traveller.leaders[0], day)
    home = own.country if own is not None else ""
    state = (
        _state_of(row, trip, home)
        or _subject_of(row, at, home)
        or _place_of(row, trip, home)
        or _host_of(row, trip, home, setting, day)
    )
    if state is None or own is None:
        return None
    when = None
    if status == "postponed":
        behind = row.tokens[trip].end - around.offset
        when = next(
            (
                new
                for hit in around.times
                if (hit.is_new or (language.crowds.verb_last and hit.start >= behind)) and (new := hit.moved_to(day))
            ),
            None,
        )
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


def is_trip_off(row: Row, language: Language) -> bool:
    """Say whether a headline cancels a trip of the leader named first, whether or not it says where to.

    Who "will not travel" to a meeting refuses it, and need not have planned it.
    """
    words = language.trips
    if not words.trip.occur(row.words) or words.unless.occur(row.words) or words.stays.occur(row.words):
        return False
    stated = _trip_status(row, language, frozenset())
    named = next((item for item in row.items if item.leaders), None)
    return stated is not None and stated[0] == "cancelled" and named is not None and named.first <= stated[1]


def may_call_off(row: Row, language: Language) -> bool:
    """Say whether a headline has a word for a trip, or for staying at home, without which `called_off` finds none."""
    return language.trips.trip.occur(row.words) or language.trips.stays.occur(row.words)


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


def _trip_status(row: Row, language: Language, days: frozenset[int]) -> tuple[Status, int, int] | None:
    """The status that is stated about a trip, the token that states it, and the trip's token; `days` are a time's."""
    words = language.trips
    size = len(row.words)
    trips = list(words.trip.spans(row.words))
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
                if _is_of(row, (at, found[0]), (trip, end), days):
                    return status, at, trip
    return next((("cancelled", at, end - 1) for at, end in words.stays.spans(row.words)), None)


def _times_of(around: Surroundings) -> frozenset[int]:
    """The tokens of the sentence's times."""
    spans = [(around.offset + hit.start, around.offset + hit.end) for hit in around.times]
    tokens = enumerate(around.row.tokens)
    return frozenset(at for at, token in tokens if any(low <= token.start < high for low, high in spans))


def _is_of(row: Row, verb: tuple[int, int], trip: tuple[int, int], days: frozenset[int]) -> bool:
    """Whether the trip is the object or subject of the verb: "scraps the long-planned trip", "trip is scrapped"."""
    behind = trip[1] <= verb[0]
    low, high = (trip[1], verb[0]) if behind else (verb[1], trip[0])
    if low > high or any(low <= at < high for at in (*row.joints, *row.breaks)):
        return False
    between = [item for item in row.items if item.first < high and item.last > low]
    strangers = 0
    for before, item, after in zip([None, *between], between, [*between[1:], None], strict=False):
        if item.first in days or _owns(row, item, trip[0]) or _leads_to_owner(row, item, trip[0]):
            continue
        by_day = any(one is not None and one.first in days for one in (before, after))
        leads = by_day or (behind and after is not None and after.class_ in _PLACES)
        if item.class_ in _LEADING and not leads:
            return False
        if item.class_ == "COMMA" and behind and by_day:  # "訪問、24日に延期"
            continue
        if item.class_ in _BARS or (item.trigger is not None and item.trigger.of.role != "visitor"):
            return False
        strangers += item.class_ == "WORD"
    return strangers <= _STRANGERS


def _place_of(row: Row, trip: int, home: str) -> str | None:
    """The foreign state of the place that is named nearest to the trip: "visite de Meloni à Alger", "ソウル訪問"."""
    names = place_names()
    found: list[tuple[int, str]] = []
    plain = {item.first for item in row.items if item.class_ not in _PLACES and item.word.isascii()}
    for at in range(max(0, trip - _BESIDE), min(len(row.words), trip + _BESIDE)):
        if at in plain:  # "a nice trip"
            continue
        for size in range(1, _LONGEST_NAME + 1):
            spaced = names.lookup(" ".join(row.words[at : at + size]))
            named = spaced or names.lookup("".join(row.words[at : at + size]))
            if named is not None and named.place.country not in ("", home):
                found.append((abs(at - trip), named.place.country))
    return min(found)[1] if found else None


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


def _owns(row: Row, item: RowItem, trip: int) -> bool:
    """Whether the leaders named right before or behind the trip make it: "Museveni's visit", "visite de Meloni"."""
    if item.class_ == "OWNER" and item.last == trip:
        return True
    return bool(item.leaders) and item is _behind(row, trip)


def _leads_to_owner(row: Row, item: RowItem, trip: int) -> bool:
    """Whether an item is a word such as "of" between a trip and the leader behind it who makes it."""
    owner = _behind(row, trip)
    return owner is not None and bool(owner.leaders) and trip < item.first < owner.first


def _behind(row: Row, trip: int) -> RowItem | None:
    """The first item behind a trip that is more than "of" or an article."""
    return next((item for item in row.items if item.first > trip and item.class_ not in _BY), None)


def _state_of(row: Row, trip: int, home: str) -> str | None:
    """The foreign state nearest to the trip, named directly or by its seat of government."""
    at = next(index for index, item in enumerate(row.items) if item.last > trip)
    near: list[tuple[int, RowItem]] = [
        (abs(index - at), item)
        for index, item in enumerate(row.items)
        if item.class_ in ("STATE", "SEAT") and item.word not in (home, *_BODIES) and abs(index - at) <= _NEAR
    ]
    return min(near, key=lambda one: one[0])[1].word if near else None
