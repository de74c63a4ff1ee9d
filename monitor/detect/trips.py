"""A trip that is called off or put off: it ends the plan to meet the leader of that state, who need not be named.

The mention has the traveller and "whoever leads that state" as participants. It opens no event, since a trip is no
contact; assembly puts it to the plan that stands between the two.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.detect.alone import FieldText, evidence_of
from monitor.detect.merge import ArticleSetting, participant
from monitor.detect.reader.passage import Word
from monitor.detect.rules.rows import Row, RowItem
from monitor.detect.rules.surroundings import Surroundings
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.language import Language
from monitor.records import Mention, Participant, Place, Status

#: Items between a trip and where it leads ("trip to the United States", "Beijing visit").
_NEAR = 4
#: What can't stand between the verb and the trip; prepositions can where the trip's own goal follows.
_BARS = frozenset({"LEADER", "PAIR", "OWNER", "PERSON", "BREAK", "COMMA", "conj", "say"})
_LEADING = frozenset({"prep", "to", "during", "with", "of"})
_PLACES = frozenset({"STATE", "SEAT", "the", "det", "NAME"})
_STRANGERS = 2
_CONFIDENCE = 0.8
_BODIES = frozenset({"EU", "UN", "NATO"})


def called_off(
    around: Surroundings, language: Language, setting: ArticleSetting, parts: Iterable[FieldText], day: date
) -> Mention | None:
    """Return the mention of a headline that calls a leader's trip to another state off, None for any other headline."""
    words, row = language.trips, around.row
    if any(words.unless.longest(row.words, at) is not None for at in range(len(row.words))):
        return None
    told = _told(row, language)
    if told is None:
        return None
    status, at, trip = told
    traveller = next((item for item in row.items if item.class_ in ("LEADER", "OWNER") and item.leaders), None)
    if traveller is None or len(traveller.leaders) != 1:
        return None
    own = setting.watchlist.office_on(traveller.leaders[0], day)
    state = _state_of(row, trip, own.country if own is not None else "")
    if state is None or own is None:
        return None
    when = None
    if status == "postponed":
        when = next((new for hit in around.times if hit.is_new and (new := hit.moved_to(day)) is not None), None)
        status = "rescheduled" if when is not None else "postponed"
    token = row.tokens[at]
    return Mention(
        article_id=setting.article.id,
        participants=(
            participant(traveller.leaders[0], setting),
            Participant(leader=f"office:{state}", name=setting.watchlist.states[state].name, country=state),
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


def _told(row: Row, language: Language) -> tuple[Status, int, int] | None:
    """What is said of a trip, the token that says so, and the trip's."""
    words = language.trips
    size = len(row.words)
    trips = [(at, found[0]) for at in range(size) if (found := words.trip.longest(row.words, at)) is not None]
    last = next((at for at in reversed(range(size)) if row.words[at][0].isalnum()), 0)
    kinds: tuple[tuple[Status, Phrases[bool], Iterable[int]], ...] = (
        ("cancelled", words.off, range(size)),
        ("postponed", words.later, range(size)),
        ("cancelled", words.ends, (last,)),
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
    """Whether a verb's object or subject is the trip: "scraps the long-planned trip", "trip to Japan is scrapped"."""
    behind = trip[1] <= verb[0]
    low, high = (trip[1], verb[0]) if behind else (verb[1], trip[0])
    if low > high or any(low <= at < high for at in (*row.joints, *row.breaks)):
        return False
    between = [item for item in row.items if item.first < high and item.last > low]
    for number, item in enumerate(between, 1):
        leads = behind and number < len(between) and between[number].class_ in _PLACES
        if item.class_ in _LEADING and not leads:
            return False
        if item.class_ in _BARS or (item.trigger is not None and item.trigger.of.role != "visitor"):
            return False
    return sum(item.class_ == "WORD" for item in between) <= _STRANGERS


def _state_of(row: Row, trip: int, home: str) -> str | None:
    """The foreign state nearest to the trip, by itself or by its seat of government."""
    at = next(index for index, item in enumerate(row.items) if item.last > trip)
    near: list[tuple[int, RowItem]] = [
        (abs(index - at), item)
        for index, item in enumerate(row.items)
        if item.class_ in ("STATE", "SEAT") and item.word not in (home, *_BODIES) and abs(index - at) <= _NEAR
    ]
    return min(near, key=lambda one: one[0])[1].word if near else None
