"""Finds the dates and spans of time that a text names, relative to the article's date and time zone.

All words are data (`calendar:` of a language); `time_expressions` turns them into days. If the meaning depends on the
verb's tense ("on Friday", "in May"), a hit has both readings, and `TimeHit.read` picks one.

A rule's `match` is a template: `{slot}` stands for a number or a word of the tables, `[x]` is optional, `(x|y)` are
alternatives, a space is white space. Templates have no repetition, so they match in linear time.

General parsers were tried and are not good enough: dateparser 1.5 turns "next week" into one day, and does not read "el
viernes", "19日" or "weekend".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Any, Literal, TypeVar

import msgspec

from monitor.detect.setting.time_expressions import (
    Direction,
    Part,
    Season,
    TimeReading,
    TimeRule,
    TimeSlots,
    Unit,
    read_rule,
)
from monitor.detect.text.normal import fold, matched_form, normalise
from monitor.detect.text.scripts import marks
from monitor.errors import DataFileError
from monitor.records import Status, When

Tense = Literal["past", "future"]
#: How the words before a time change its meaning. `until` and `from` are bounds of a plan ("by March", "not before
#: March"), `around` makes the time vague, `to` is the new time of a postponed contact; `since`, `before` and `after`
#: give the time of something else.
Relation = Literal["on", "to", "since", "before", "after", "until", "from", "around", "not"]
V = TypeVar("V")

#: Statuses of contacts that took place: their times are in the past.
HAPPENED: frozenset[Status] = frozenset({"held", "ongoing", "past"})
#: Statuses of contacts that have moved: their day is the new one.
MOVED: frozenset[Status] = frozenset({"postponed", "rescheduled"})

#: Each rule with a slot has one of these slots, or a number.
_GATES = ("month", "weekday", "unit", "season", "quarter")
_DATES = frozenset({"date", "date_range", "none"})
#: Meanings whose rules may start with the relation's own word ("since 2018").
_LED = frozenset({"month", "year", "season"})
#: Relations whose words become part of the time's text.
_BOUNDS = frozenset({"until", "from", "around"})
_RANGES = frozenset({"date_range", "weekday_range", "month_range"})
#: Characters before a time in which a relation is looked for.
_PHRASE = 24
#: How long after "not before March" a plan may take place, and how far from "around 5 March".
_OPEN, _ABOUT = timedelta(days=365), timedelta(days=3)


class CalendarWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `calendar` section of a language. Weekdays count from Monday as 1, as in ISO 8601.

    `articles` may be between a relation and its time. `capitalised` forms are also other words ("may", "march"): they
    are months only with a capital, next to a digit, or after one of `leads` ("in may"). If one of `possessives` follows
    a time, a relation before it belongs to the next noun ("after Friday's call"). `spaced` is false for scripts without
    spaces.
    """

    months: Mapping[int, tuple[str, ...]]
    weekdays: Mapping[int, tuple[str, ...]]
    units: Mapping[Unit, tuple[str, ...]]
    rules: tuple[TimeRule, ...]
    numbers: Mapping[int, tuple[str, ...]] = {}
    quarters: Mapping[int, tuple[str, ...]] = {}
    seasons: Mapping[Season, tuple[str, ...]] = {}
    parts: Mapping[Part, tuple[str, ...]] = {}
    relations: Mapping[Relation, tuple[str, ...]] = {}
    day_suffixes: tuple[str, ...] = ()
    year_suffixes: tuple[str, ...] = ()
    possessives: tuple[str, ...] = ()
    articles: tuple[str, ...] = ()
    capitalised: tuple[str, ...] = ()
    leads: tuple[str, ...] = ()
    spaced: bool = True


class TimeHit(msgspec.Struct, frozen=True):
    """A time named at `start:end` of the text.

    `when` is the reading without a tense: of two readings the nearer one, of a weekday the past one. `past` and
    `future` are the readings for a clause of that tense. `direction` is the side of the article's date on which the
    time lies, if the words say so, and `explicit` whether they do. `relation` is `since`, `before` or `after` if the
    words before it make it a bound instead of the time itself. `between`: it has the form "from A to B".
    """

    start: int
    end: int
    when: When
    direction: Direction
    explicit: bool
    past: When
    future: When
    relation: Relation = "on"
    between: bool = False

    def read(self, tense: Tense | None) -> When:
        """Return the reading for a clause of this tense."""
        return self.when if tense is None else self.past if tense == "past" else self.future

    def plan(self, day: date) -> When | None:
        """Return the days, none of them before `day`, on which a plan announced on `day` may take place.

        None if all of them are before `day`, or if it is the time of something else.
        """
        when = self.future
        before = self.relation == "before" and when.granularity not in ("day", "range")
        if self.relation in ("after", "not") or (self.relation == "before" and not before):
            return None
        if before:
            when = msgspec.structs.replace(when, start=day, end=when.start - timedelta(days=1), granularity="until")
        elif self.relation == "until":
            when = msgspec.structs.replace(when, start=day, granularity="until")
        elif self.relation == "from":
            when = msgspec.structs.replace(when, end=when.start + _OPEN, granularity="from")
        elif self.relation == "around" and when.granularity == "day":
            when = msgspec.structs.replace(
                when, start=when.start - _ABOUT, end=when.start + _ABOUT, granularity="around"
            )
        elif self.relation == "around" and when.granularity == "month":
            when = msgspec.structs.replace(when, granularity="around")
        if when.end < day:
            return None
        if when.start < day:
            vague = "range" if when.granularity in ("week", "weekend") else when.granularity
            when = msgspec.structs.replace(when, start=day, granularity=vague)
        return when

    @property
    def plain(self) -> bool:
        """Whether it is the time itself, not a bound."""
        return self.relation in ("on", "to")

    @property
    def is_new(self) -> bool:
        """Whether it is the new time, if the contact is postponed."""
        return self.between or self.relation in ("to", "until")

    def moved_to(self, day: date) -> When | None:
        """Return the new time of a postponed contact: B of "from A to B"."""
        if self.future.end < day or self.relation not in ("on", "to", "until"):
            return None
        if self.between:
            return msgspec.structs.replace(self.future, start=self.future.end, granularity="day")
        return self.future


def reading(hit: TimeHit, status: Status, day: date, *, behind: bool = False) -> When | None:
    """Return the days of a contact with this status; None if the time is that of something else.

    `behind`: a denied contact would have taken place ("denies that X met Y on Saturday"), or a cancelled one should
    have ("was to meet Y on Monday"). What was cancelled may still lie ahead, so that takes the nearer day.
    """
    if status in MOVED:
        return hit.moved_to(day)
    if status in ("planned", "proposed"):
        return hit.plan(day)
    if status in HAPPENED:  # "planned for December" is no day of what took place
        return hit.read("past") if hit.relation == "on" or (hit.relation == "to" and hit.explicit) else None
    past, ahead = hit.read("past"), hit.read("future")
    over = behind and (status == "denied" or day - past.end < ahead.start - day)
    return (past if over else ahead) if hit.plain else None


class _TimeTemplate:
    """A rule of a calendar, whose expression is compiled for the first text that has words for its slots."""

    def __init__(self, rule: TimeRule, expression: str, source: str) -> None:
        self.rule = rule
        self.expression = expression
        self.needs = _needed(rule.match)
        self._source = source

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The expression, compiled. Raises DataFileError when it is none."""
        try:
            return re.compile(self.expression)
        except re.error as error:
            raise DataFileError(self._source, self.rule.match, f"not a template: {error}") from error


class Calendar:
    """The calendar words of one language, ready for matching.

    Raises DataFileError when a template names an unknown slot, or a table that it needs is empty.
    """

    def __init__(self, words: CalendarWords, source: str = "calendar") -> None:
        self.words = words
        self._tables: dict[str, dict[str, Any]] = {
            "month": _table(words.months),
            "weekday": _table(words.weekdays),
            "unit": _table(words.units),
            "n": _table(words.numbers),
            "quarter": _table(words.quarters),
            "season": _table(words.seasons),
            "part": _table(words.parts),
        }
        self._slots = {name: _either(table) for name, table in self._tables.items() if table}
        self._slots["n"] = "|".join(filter(None, [r"\d{1,3}", self._slots.get("n", "")]))
        self._slots["day"] = r"(?:3[01]|[12]\d|0?[1-9])" + _optional(words.day_suffixes)
        self._slots["monthnumber"] = r"1[0-2]|0?[1-9]"
        self._slots["year"] = r"(?:19|20)\d\d" + _optional(words.year_suffixes)
        self._templates = [_TimeTemplate(rule, self._expression(rule, source), source) for rule in words.rules]
        self._words = {name: re.compile(either) for name, either in self._slots.items()}
        self._relations = _table(words.relations)
        articles = "".join(rf"(?:{_either(_table({1: words.articles}))}\s)?" for _ in words.articles[:1])
        relations = _either(self._relations)
        gap, far = (r"(?:^|\W)", r"\s{1,2}") if words.spaced else ("", r"\s?")
        self._ahead = re.compile(rf"{gap}({relations}){far}{articles}$") if relations else None
        self._led = re.compile(rf"({relations}){far}") if relations else None
        self._possessives = tuple(normalise(mark).text for mark in words.possessives)
        self._capitalised = frozenset(matched_form(form) for form in words.capitalised)
        self._leads = frozenset(matched_form(form) for form in words.leads)

    @classmethod
    def of(cls, section: object, source: str = "calendar") -> Calendar:
        """Return the calendar from a decoded `calendar` section. Raises DataFileError when it is not valid."""
        try:
            calendar = cls(msgspec.convert(section, CalendarWords, strict=False), source)
        except msgspec.ValidationError as error:
            problem, _, where = str(error).partition(" - at ")
            raise DataFileError(source, where.strip("`"), problem) from error
        calendar.compile()
        return calendar

    def compile(self) -> None:
        """Compile every rule now. Raises DataFileError for one that is no template."""
        for template in self._templates:
            template.pattern  # noqa: B018  # makes it

    def matches(self, folded: str) -> Iterator[tuple[TimeRule, re.Match[str]]]:
        """Return where each rule matches, rule by rule. Rules for whose slots the text has no word are not tried."""
        there = {name for name, word in self._words.items() if word.search(folded)}
        for template in self._templates:
            if template.needs <= there:
                for match in template.pattern.finditer(folded):
                    yield template.rule, match

    @cached_property
    def gate(self) -> re.Pattern[str]:
        """Matches what every expression contains: a digit, a word of a table, or all of a rule without slots."""
        own = [one.expression for one in self._templates if "{" not in one.rule.match]
        needed = (*_GATES, "part") if any(map(_is_part_alone, self.words.rules)) else _GATES
        return re.compile("|".join([r"\d", *(self._slots[name] for name in needed if name in self._slots), *own]))

    def _expression(self, rule: TimeRule, source: str) -> str:
        seen: dict[str, int] = {}

        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self._slots:
                raise DataFileError(source, rule.match, f"unknown or empty slot {{{name}}}")
            seen[name] = seen.get(name, 0) + 1
            group = name if seen[name] == 1 else f"{name}{seen[name]}"
            return f"(?P<{group}>{self._slots[name]})"

        pieces = re.split(r"(\{\w+\}|[\[\]()| ])", matched_form(rule.match))
        known = {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|", " ": r"\s{1,2}"}
        pattern = "".join(
            known[piece]
            if piece in known
            else re.sub(r"\{(\w+)\}", slot, piece)
            if piece.startswith("{")
            else re.escape(piece)
            for piece in pieces
        )
        return rf"(?<!\w){pattern}(?![\w{marks()}])" if self.words.spaced else pattern

    def means(self, rule: TimeRule, match: re.Match[str], text: str) -> bool:
        """Say whether the words mean a time here: they need capitals, and no word before them changes the sense."""
        if self._capitalised:
            for name, words in match.groupdict().items():
                if words in self._capitalised and not self._is_month(match, match.start(name), text):
                    return False
        if rule.unless_before:
            ahead = fold(text[max(0, match.start() - 60) : match.start()]).split()[-5:]
            return not any(word in ahead for word in rule.unless_before)
        return True

    def _is_month(self, match: re.Match[str], at: int, text: str) -> bool:
        """Whether a word with several senses is a month here: by its neighbours, else by its capital."""
        words = match.group()
        if any(letter.isdigit() for letter in words) or not self._leads.isdisjoint(words.split()):
            return True
        return text[at].isupper() and not text.istitle() and not text.isupper()

    def relation(self, folded: str, start: int, end: int, *, led: bool) -> tuple[Relation, int]:
        """Return the relation of the time at `start:end`, and where the words of the relation begin.

        With `led`, the first words of the time itself give the relation.
        """
        if self._ahead is None or self._led is None or folded.startswith(self._possessives, end):
            return "on", start
        if led and (own := self._led.match(folded, start, end)):
            return self._relations[own[1]], start
        low = max(0, start - _PHRASE)
        ahead = self._ahead.search(folded[low:start])
        return (self._relations[ahead[1]], low + ahead.start(1)) if ahead else ("on", start)

    def is_between(self, rule: TimeRule, folded: str, start: int) -> bool:
        """Say whether the range at `start` begins with a word for "from", or is only written of what moves."""
        if rule.moved:
            return True
        own = self._led.match(folded, start) if self._led is not None and rule.mean in _RANGES else None
        return own is not None and self._relations[own[1]] == "since"

    def month_words(self, text: str, folded: str) -> frozenset[int]:
        """Return the places in the text at which words with several senses ("may") are months."""
        if not any(form in folded for form in self._capitalised):
            return frozenset()
        return frozenset(
            match.start(name)
            for rule, match in self.matches(folded)
            if "{month}" in rule.match and self.means(rule, match, text)
            for name, words in match.groupdict().items()
            if words in self._capitalised
        )

    def groups(self, match: re.Match[str]) -> TimeSlots:
        """Return the values of the match's slots."""
        values: dict[str, Any] = {}
        for name, text in match.groupdict().items():
            if text is None:
                continue
            kind = name.rstrip("23")
            if kind in {"day", "year", "monthnumber"}:
                number = re.match(r"\d+", text)
                values[name.replace("monthnumber", "month")] = int(number[0]) if number else 0
            elif kind == "n" and text.isdigit():
                values[name] = int(text)
            else:
                values[name] = self._tables[kind][text]
        return msgspec.convert(values, TimeSlots)


def _is_part_alone(rule: TimeRule) -> bool:
    """Whether the rule works with only the slot `part`: "au second semestre"."""
    return set(re.findall(r"\{(\w+)\}", re.sub(r"\[[^\[\]]*\]", "", rule.match))) == {"part"}


def _needed(template: str) -> frozenset[str]:
    """The slots that each match of a template fills: those outside of optional and alternative parts."""
    inner = re.compile(r"\[[^\[\]()]*\]|\([^\[\]()]*\)")
    while (outer := inner.sub("", template)) != template:
        template = outer
    return frozenset() if "|" in template else frozenset(re.findall(r"\{(\w+)\}", template))


def _table(words: Mapping[V, tuple[str, ...]]) -> dict[str, V]:
    return {matched_form(form): value for value, forms in words.items() for form in forms}


def _either(words: Mapping[str, Any]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _optional(suffixes: tuple[str, ...]) -> str:
    return f"(?:{_either({matched_form(suffix): 0 for suffix in suffixes})})?" if suffixes else ""


def find_times(
    text: str,
    published: datetime,
    calendar: Calendar,
    zone: tzinfo = UTC,
    tense: Tense | None = None,
) -> tuple[TimeHit, ...]:
    """Return the times that normalised `text` names, in order, relative to `published` in the article's time zone.

    Of overlapping expressions the longest counts. With `tense`, `when` is the reading for that tense.
    """
    folded = fold(text)
    if not calendar.gate.search(folded):
        return ()
    local = published.astimezone(zone)
    base = local.date()
    hits = [
        (rule.mean not in _DATES, match.start() - match.end(), match.start(), rule, reading)
        for rule, match in calendar.matches(folded)
        if calendar.means(rule, match, text) and (reading := read_rule(rule, calendar.groups(match), base))
    ]
    hits.sort(key=lambda hit: hit[:3])
    taken = bytearray(len(text))
    chosen: list[TimeHit] = []
    for _, length, start, rule, reading in hits:
        end = start - length
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * -length
            if rule.mean == "none":
                continue
            relation, first = calendar.relation(folded, start, end, led=rule.mean in _LED)
            between = calendar.is_between(rule, folded, start)
            first = first if relation in _BOUNDS else start
            ahead = local.hour < rule.hour
            told = msgspec.structs.replace(reading, direction="future") if ahead else reading
            chosen.append(_hit(text, (first, end), told, base, relation, between=between))
    chosen.sort(key=lambda hit: hit.start)
    return tuple(chosen if tense is None else [msgspec.structs.replace(hit, when=hit.read(tense)) for hit in chosen])


def _hit(
    text: str, span: tuple[int, int], reading: TimeReading, base: date, relation: Relation, *, between: bool
) -> TimeHit:
    words = text[slice(*span)]
    past, future = reading.past or reading.default, reading.future or reading.default
    explicit = reading.explicit and past == future
    direction: Direction = reading.direction or "none"
    if explicit and direction == "none":
        direction = "past" if reading.default.end < base else "future" if reading.default.start > base else "none"
    return TimeHit(
        *span, reading.default.when(words), direction, explicit, past.when(words), future.when(words), relation, between
    )
