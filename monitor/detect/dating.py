"""Chooses which of an article's times is the time of a contact.

A headline names the leaders, and often only a later sentence names the day: "Raisi speaks with Sisi. ... in a phone
call Saturday". So each time in the article's opening is a candidate for each contact. A logistic model
(`data/dating.yaml`) gives each candidate a probability; the best one is taken if it is likely enough.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache, cached_property
from typing import Literal, NamedTuple, get_args

import msgspec

from monitor.detect.datafile import LogisticModel, read_model
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import find_cues
from monitor.detect.setting.when import HAPPENED, MOVED, TimeHit, find_times, reading
from monitor.detect.vocabulary.language import Language
from monitor.records import Field, Mention, Status, When

#: Sentences of each field in which a contact's time is looked for.
OPENING = 4
#: A contact further back than this is background (labelling guidelines: "about 7 days").
RECENT = timedelta(days=8)
#: A time at most this many characters from a verb of saying is the time when it was said.
_SAID = 4
_NEAR, _FAR = 3, 9
#: A span of at most this length may be the duration of a contact.
_SHORT = timedelta(days=5)

#: Features of a time. `both`, `one`, `none`: how many of the contact's leaders its sentence names; `crowd`: the
#: sentence names other leaders; `title`, `first`, `later`: where the sentence is; `near`, `far`: items to the nearest
#: trigger; `untold`: the sentence has no trigger; `ahead`: the time is before the trigger; `said`: next to a verb of
#: saying; `said_after`: the same, with "after the meeting" following; `walled`: "ahead of" is between time and trigger;
#: `dated`: a day of a month; `full`: with a year; `weekday`; `offset`: "today"; `same_day`: the article's day; `alone`:
#: no other day is named; `agreed`: two sentences name it; `stretch`: a span of a few days; `coarse`: a longer one;
#: `planned`: the contact is in the future; `planned_today`: and on the article's day; `ends`: it ends its part of the
#: sentence; `rival`: its sentence reports the contact, but in another clause.
Feature = Literal[
    "both", "one", "none", "crowd", "title", "first", "later", "near", "far", "untold", "ahead", "said", "said_after",
    "walled", "dated", "full", "weekday", "offset", "same_day", "alone", "agreed", "stretch", "coarse", "planned",
    "planned_today", "ends", "rival",
]  # fmt: skip


class DatedSentence(NamedTuple):
    """A sentence of the article: its field, its number in the field, its items and its times.

    `offset` is where it starts in the field's normalised text. `walls` are the places of words such as "ahead of"; they
    and the times count from `offset`.
    """

    field: Field
    number: int
    row: Row
    offset: int
    times: tuple[TimeHit, ...]
    walls: tuple[int, ...]


class OpeningSentences:
    """The opening sentences of one article, in which the times of its contacts are looked for.

    `moment` is the publication time in the outlet's time zone; without it no time is found.
    """

    def __init__(self, language: Language, moment: datetime | None) -> None:
        self._language = language
        self._moment = moment
        self._rows: list[tuple[Field, int, str, Row]] = []
        self._clauses: dict[tuple[int, frozenset[str]], tuple[set[int], set[int]]] = {}

    @property
    def day(self) -> date | None:
        """The article's day, on the outlet's clocks."""
        return self._moment.date() if self._moment is not None else None

    def add(self, field: Field, text: str, row: Row) -> None:
        """Add the next sentence of a field; `text` is the field's normalised text."""
        number = sum(one[0] == field for one in self._rows)
        if number < OPENING and self._moment is not None:
            self._rows.append((field, number, text, row))

    def note(self, row: Row, leaders: frozenset[str], times: Collection[int], foreign: Collection[int]) -> None:
        """Record that the rules found a contact of these leaders in a sentence.

        `times` are the places of the times in its clause, `foreign` those that belong to another predicate.
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
        """Return the day, or the few days, of a contact of these leaders.

        None if no time is likely enough.
        """
        likely = [
            (weights().probability(one.features), one)
            for one in self.candidates(leaders, status)
            if "coarse" not in one.features
        ]
        probability, best = max(likely, key=lambda one: one[0], default=(0.0, None))
        return best if probability >= weights().threshold else None

    def candidates(self, leaders: frozenset[str], status: Status) -> list[Candidate]:
        """Return the times that fit a contact with this status, with their features.

        Times that contradict the status are left out: past ones for a plan, future ones for a contact that took place.
        """
        if self._moment is None or status == "past":
            return []
        day = self._moment.date()
        given: list[tuple[DatedSentence, TimeHit, When, set[Feature]]] = []
        for sentence in self.sentences:
            about = _about(sentence, leaders)
            clause = self._clauses.get((id(sentence.row), leaders))
            own, foreign = clause if clause is not None else (set(), set())
            new = _new_time(sentence, day) if status in MOVED else None
            for hit in sentence.times:
                if new is not None and hit is not new:
                    continue
                when = reading(hit, status, day) or _attribute(sentence, hit, status)
                if when is None or hit.start in foreign or not _fits(hit, when, status, day):
                    continue
                features = about | _place(sentence, hit) | _form(hit, when, status, day)
                if clause is not None and hit.start not in own:
                    features.add("rival")
                given.append((sentence, hit, when, features))
        _compare(given)
        return [Candidate(sentence, hit, when, frozenset(features)) for sentence, hit, when, features in given]


def _new_time(sentence: DatedSentence, day: date) -> TimeHit | None:
    """The new time of what is moved, if its words say so: B of "from A to B", and of "set for A, put off to B"."""
    times = [hit for hit in sentence.times if hit.moved_to(day) is not None]
    last = max(times, key=lambda hit: (hit.between, hit.start), default=None)
    return last if last is not None and last.is_new else None


def _compare(given: Sequence[tuple[DatedSentence, TimeHit, When, set[Feature]]]) -> None:
    """Add the features that depend on the other times of the article."""
    days = {when.start for _, _, when, features in given if "coarse" not in features}
    told = [(when.start, sentence.field, sentence.number) for sentence, _, when, _ in given]
    for _, _, when, features in given:
        if len(days) == 1 and when.start in days:
            features.add("alone")
        if len({place for place in told if place[0] == when.start}) > 1:
            features.add("agreed")


class Candidate(NamedTuple):
    """A time that may be a contact's, with its features."""

    sentence: DatedSentence
    hit: TimeHit
    when: When
    features: frozenset[Feature]


class DateWeights(LogisticModel, frozen=True, forbid_unknown_fields=True):
    """The weights of the model, and the lowest probability at which a time is taken."""

    threshold: float


@cache
def weights() -> DateWeights:
    """Return the bundled model. Raises DataFileError when the file is not valid."""
    return read_model("dating.yaml", DateWeights, get_args(Feature))


def _attribute(sentence: DatedSentence, hit: TimeHit, status: Status) -> When | None:
    """The time that belongs to a noun of contact: "until after the March 31 summit"."""
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
    """Features of the sentence: whom it names, and where it is."""
    named = {one for item in sentence.row.items for one in item.leaders}
    own = len(named & leaders)
    features: set[Feature] = {"both" if own == len(leaders) else "one" if own else "none"}
    if named - leaders or any(item.class_ == "PERSON" and not item.others for item in sentence.row.items):
        features.add("crowd")
    features.add("title" if sentence.field == "title" else "first" if sentence.number == 0 else "later")
    return features


def _place(sentence: DatedSentence, hit: TimeHit) -> set[Feature]:
    """Features of the time's place in its sentence: distance to a trigger, neighbours."""
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
    """Whether the time is next to a verb of saying, without a comma between them."""
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
    """Features of the form of the time: weekday, date, offset, and so on."""
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


def dated(mention: Mention, opening: OpeningSentences) -> Mention:
    """Return the mention with the time from the article's opening, if one is likely enough.

    A meeting that only counts as held because no word says otherwise becomes planned if its time is in the future.
    """
    leaders = frozenset(one.leader for one in mention.participants)
    found = opening.time_of(leaders, "held" if _is_behind(mention, opening) else mention.status)
    if mention.status == "held" and mention.assumed and (found is None or not found.hit.explicit):
        ahead = opening.time_of(leaders, "planned")
        if ahead is not None and ahead.hit.direction == "future":
            return msgspec.structs.replace(mention, status="planned", when=ahead.when, assumed=False)
    if found is None or (mention.when is not None and not _agree(mention.when, found.when)):
        return mention
    return msgspec.structs.replace(mention, when=found.when)


def _is_behind(mention: Mention, opening: OpeningSentences) -> bool:
    """Whether a contact that is denied or cancelled would have taken place by now, as its clause says."""
    day, when = opening.day, mention.when
    return mention.status in ("denied", "cancelled") and day is not None and when is not None and when.start < day


def _agree(clause: When, found: When) -> bool:
    """Whether the day may be the one that the contact's clause names less precisely."""
    return clause.granularity == "day" or (clause.start <= found.end and found.start <= clause.end)
