"""Which of an article's times is the time of a contact.

Headlines name the leaders, and the sentence below them the day: "Raisi speaks with Sisi. ... in a phone call Saturday".
So each time in the article's opening is a candidate for each contact. A logistic model weighs what speaks for it
(`data/dating.yaml`); the best one counts if it is likely enough.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Literal, NamedTuple, get_args

import msgspec

from monitor.detect.datafile import read
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import find_cues
from monitor.detect.setting.when import HAPPENED, TimeHit, find_times, reading
from monitor.detect.vocabulary.language import Language
from monitor.errors import DataFileError
from monitor.records import Field, Mention, Status, When

#: Sentences of each field in which a contact's time is looked for.
OPENING = 4
#: A contact further back than this is background (labelling guidelines: "about 7 days").
RECENT = timedelta(days=8)
#: A time that starts this close to a verb of saying is when it was said.
_SAID = 4
_NEAR, _FAR = 3, 9
#: A stretch of time that a contact fills.
_SHORT = timedelta(days=5)

#: What may speak for or against a time. `both`, `one`, `none`: how many of the contact's leaders the sentence names;
#: `crowd`: it names others; `title`, `first`, `later`: where it stands; `near`, `far`: items to the nearest trigger;
#: `untold`: no trigger in the sentence; `ahead`: it stands before the trigger; `said`: beside a verb of saying;
#: `said_after`: such a time with "after the meeting" behind it; `walled`: "ahead of" between it and the trigger;
#: `dated`: a day of a month; `full`: with its year; `weekday`; `offset`: "today"; `same_day`: of the article's day;
#: `alone`: no other day is named; `agreed`: two sentences name it; `stretch`: a few days; `coarse`: more;
#: `planned`: the contact lies ahead; `planned_today`: and is of the article's day; `ends`: its part of the sentence
#: ends with it; `rival`: its sentence tells of the contact, in another clause.
Feature = Literal[
    "both", "one", "none", "crowd", "title", "first", "later", "near", "far", "untold", "ahead", "said", "said_after",
    "walled", "dated", "full", "weekday", "offset", "same_day", "alone", "agreed", "stretch", "coarse", "planned",
    "planned_today", "ends", "rival",
]  # fmt: skip


class DatedSentence(NamedTuple):
    """A sentence of the article: its field, its number there, its items, its times.

    `offset` is where it starts in the field's normalised text; times and `walls`, the places of words such as "ahead
    of", count from there.
    """

    field: Field
    number: int
    row: Row
    offset: int
    times: tuple[TimeHit, ...]
    walls: tuple[int, ...]


class Opening:
    """The opening sentences of one article, in which the times of its contacts are looked for.

    `moment` is when the article was published, on the outlet's clocks; without it no time is found.
    """

    def __init__(self, language: Language, moment: datetime | None) -> None:
        self._language = language
        self._moment = moment
        self._rows: list[tuple[Field, int, str, Row]] = []
        self._clauses: dict[tuple[int, frozenset[str]], tuple[set[int], set[int]]] = {}

    def add(self, field: Field, text: str, row: Row) -> None:
        """Take the next sentence of a field; `text` is the field's normalised text."""
        number = sum(one[0] == field for one in self._rows)
        if number < OPENING and self._moment is not None:
            self._rows.append((field, number, text, row))

    def note(self, row: Row, leaders: frozenset[str], times: Collection[int], foreign: Collection[int]) -> None:
        """Take what the rules found: a sentence tells of these leaders' contact.

        `times` are the places of the times in its clause, `foreign` of those that another predicate has.
        """
        own, others = self._clauses.setdefault((id(row), leaders), (set(), set()))
        own.update(times)
        others.update(foreign)

    @cached_property
    def sentences(self) -> tuple[DatedSentence, ...]:
        """The sentences that name a time."""
        return tuple(found for one in self._rows if (found := self._read(*one)) is not None)

    def _read(self, field: Field, number: int, text: str, row: Row) -> DatedSentence | None:
        calendar, moment = self._language.calendar, self._moment
        if calendar is None or moment is None:
            return None
        offset = row.tokens[0].start
        times = find_times(text[offset : row.tokens[-1].end], moment, calendar, moment.tzinfo or UTC)
        if not times:
            return None
        walls = tuple(
            row.tokens[one.first].start - offset
            for one in find_cues(row, self._language)
            if one.cue.of.barrier and one.cue.of.status == "planned"
        )
        return DatedSentence(field, number, row, offset, times, walls)

    def time_of(self, leaders: frozenset[str], status: Status) -> Candidate | None:
        """Return the day, or the few days, on which a contact of these leaders takes or took place.

        None where no time is likely enough.
        """
        likely = [
            (weights().probability(one.features), one)
            for one in self.candidates(leaders, status)
            if "coarse" not in one.features
        ]
        probability, best = max(likely, key=lambda one: one[0], default=(0.0, None))
        return best if probability >= weights().threshold else None

    def candidates(self, leaders: frozenset[str], status: Status) -> list[Candidate]:
        """Return the times that may be those of a contact with this status, with their features.

        A time that contradicts the status (a past one of a plan, a future one of what happened) is left out.
        """
        if self._moment is None or status == "past":
            return []
        day = self._moment.date()
        given: list[tuple[DatedSentence, TimeHit, When, set[Feature]]] = []
        for sentence in self.sentences:
            about = _about(sentence, leaders)
            clause = self._clauses.get((id(sentence.row), leaders))
            own, foreign = clause if clause is not None else (set(), set())
            for hit in sentence.times:
                when = reading(hit, status, day) or _attribute(sentence, hit, status)
                if when is None or hit.start in foreign or not _fits(hit, when, status, day):
                    continue
                features = about | _place(sentence, hit) | _form(hit, when, status, day)
                if clause is not None and hit.start not in own:
                    features.add("rival")
                given.append((sentence, hit, when, features))
        _compare(given)
        return [Candidate(sentence, hit, when, frozenset(features)) for sentence, hit, when, features in given]


def _compare(given: Sequence[tuple[DatedSentence, TimeHit, When, set[Feature]]]) -> None:
    """Add what the times of an article say about each other."""
    days = {when.start for _, _, when, features in given if "coarse" not in features}
    told = [(when.start, sentence.field, sentence.number) for sentence, _, when, _ in given]
    for _, _, when, features in given:
        if len(days) == 1 and when.start in days:
            features.add("alone")
        if len({place for place in told if place[0] == when.start}) > 1:
            features.add("agreed")


class Candidate(NamedTuple):
    """A time that may be a contact's, and what speaks for or against it."""

    sentence: DatedSentence
    hit: TimeHit
    when: When
    features: frozenset[Feature]


class DateWeights(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The model's weights and the probability from which a time is taken."""

    bias: float
    threshold: float
    weights: Mapping[Feature, float]

    def probability(self, features: Collection[Feature]) -> float:
        """Return how likely it is that a time with these features is the contact's, between 0 and 1."""
        return 1 / (1 + math.exp(-self.bias - sum(self.weights[one] for one in features)))


@cache
def weights() -> DateWeights:
    """Return the bundled model. Raises DataFileError when the file is not valid."""
    found = read("dating.yaml", DateWeights)
    missing = set(get_args(Feature)) - set(found.weights)
    if missing:
        raise DataFileError("dating.yaml", "weights", f"no weight for {', '.join(sorted(missing))}")
    return found


def _attribute(sentence: DatedSentence, hit: TimeHit, status: Status) -> When | None:
    """The time that is an attribute of a noun of contact: "until after the March 31 summit"."""
    for item in sentence.row.items:
        if sentence.row.tokens[item.first].start - sentence.offset >= hit.end:
            noun = item.trigger is not None and item.trigger.tense in ("noun", "plural")
            return hit.read("past" if status in HAPPENED else "future") if noun else None
    return None


def _fits(hit: TimeHit, when: When, status: Status, day: date) -> bool:
    if status in HAPPENED:
        return hit.direction != "future" and when.start <= day and when.end >= day - RECENT
    return hit.direction != "past" and when.end >= day


def _about(sentence: DatedSentence, leaders: frozenset[str]) -> set[Feature]:
    """Whom the sentence names, and where it stands."""
    named = {one for item in sentence.row.items for one in item.leaders}
    own = len(named & leaders)
    features: set[Feature] = {"both" if own == len(leaders) else "one" if own else "none"}
    if named - leaders or any(item.class_ == "PERSON" and not item.others for item in sentence.row.items):
        features.add("crowd")
    features.add("title" if sentence.field == "title" else "first" if sentence.number == 0 else "later")
    return features


def _place(sentence: DatedSentence, hit: TimeHit) -> set[Feature]:
    """Where the time stands in its sentence: how near to a trigger, beside what."""
    row = sentence.row
    starts = [row.tokens[item.first].start - sentence.offset for item in row.items]
    at = next((index for index, start in enumerate(starts) if start >= hit.start), len(starts))
    behind = next((index for index, start in enumerate(starts) if start >= hit.end), len(starts))
    triggers = [index for index, item in enumerate(row.items) if item.trigger is not None]
    features: set[Feature] = set()
    if not triggers:
        features.add("untold")
    else:
        nearest = min(triggers, key=lambda index: _distance(index, at, behind))
        steps = _distance(nearest, at, behind)
        if steps <= _FAR:
            features.add("near" if steps <= _NEAR else "far")
        if nearest >= behind:
            features.add("ahead")
            if any(hit.end <= wall < starts[nearest] for wall in sentence.walls):
                features.add("walled")
    if _is_said(sentence, hit):
        leads_on = any(row.items[index].class_ in ("prep", "during") for index in range(behind, len(starts)))
        features.add("said_after" if leads_on and any(index >= behind for index in triggers) else "said")
    if behind >= len(starts) or row.items[behind].class_ in ("END", "BREAK"):
        features.add("ends")
    return features


def _distance(index: int, at: int, behind: int) -> int:
    return index - behind if index >= behind else at - index - 1


def _is_said(sentence: DatedSentence, hit: TimeHit) -> bool:
    """Whether the time stands beside a verb of saying, with no comma between."""
    row = sentence.row
    for item in row.items:
        if item.class_ != "say":
            continue
        start = row.tokens[item.first].start - sentence.offset
        end = row.tokens[item.last - 1].end - sentence.offset
        low, high = (end, hit.start) if hit.start >= end else (hit.end, start)
        if 0 <= high - low <= _SAID and not any(
            low <= one.start - sentence.offset < high and one.text == "," for one in row.tokens
        ):
            return True
    return False


def _form(hit: TimeHit, when: When, status: Status, day: date) -> set[Feature]:
    """What kind of a time it is."""
    features: set[Feature] = {"planned"} if status not in HAPPENED else set()
    if when.granularity != "day":
        return features | {"stretch" if when.granularity == "range" and when.end - when.start <= _SHORT else "coarse"}
    if any(letter.isdigit() for letter in when.text):
        features.add("dated")
        if str(when.start.year) in when.text:
            features.add("full")
    else:
        features.add("offset" if hit.explicit and hit.past == hit.future else "weekday")
    if when.start == day:
        features.add("same_day")
        if "planned" in features:
            features.add("planned_today")
    return features


def dated(mention: Mention, opening: Opening) -> Mention:
    """Return the mention with the time that its article's opening tells, if a time is likely enough.

    A meeting that is only taken for held because no word says otherwise is planned if its time lies ahead.
    """
    leaders = frozenset(one.leader for one in mention.participants)
    found = opening.time_of(leaders, mention.status)
    if mention.status == "held" and mention.assumed and (found is None or not found.hit.explicit):
        ahead = opening.time_of(leaders, "planned")
        if ahead is not None and ahead.hit.direction == "future":
            return msgspec.structs.replace(mention, status="planned", when=ahead.when, assumed=False)
    if found is None or (mention.when is not None and not _agree(mention.when, found.when)):
        return mention
    return msgspec.structs.replace(mention, when=found.when)


def _agree(clause: When, found: When) -> bool:
    """Whether the day may be the one that the contact's clause tells less precisely."""
    return clause.granularity == "day" or (clause.start <= found.end and found.start <= clause.end)
