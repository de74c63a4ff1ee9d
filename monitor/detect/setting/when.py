"""When: the dates and spans of time that a text names, against the article's own date and time zone.

All words are data (`calendar:` in a language's file); `meaning` knows what they come to. What depends on the verb's
tense ("on Friday", "in May") carries both readings, and `TimeHit.read` picks one.

A rule's `match` is a template: `{slot}` stands for a value or a word of the tables, `[x]` is optional, `(x|y)` are
alternatives, a space is white space. Templates have no repetition, so they match in linear time.

The general parsers were tried and are not enough: dateparser 1.5 turns "next week" into one day, and reads neither
"el viernes" nor "19日" nor "weekend".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any, Literal, TypeVar

import msgspec

from monitor.detect.setting.time_expressions import Direction, Groups, Part, Rule, Season, TimeReading, Unit, read_rule
from monitor.detect.text.normal import fold, normalise
from monitor.errors import DataFileError
from monitor.records import Status, When

Tense = Literal["past", "future"]
#: What the words in front of a time make of it. `until` and `from` are bounds of a plan ("by March", "not before
#: March"), `around` makes it vague, `to` is the new time of what is put off; `since`, `before` and `after` tell the
#: time of something else.
Relation = Literal["on", "to", "since", "before", "after", "until", "from", "around", "not"]
V = TypeVar("V")

#: Statuses of what took place: their times lie behind.
HAPPENED: frozenset[Status] = frozenset({"held", "ongoing", "past"})

#: Of these slots every rule with a slot has one, or a number.
_GATES = ("month", "weekday", "unit", "season", "quarter")
_DATES = frozenset({"date", "date_range", "none"})
#: Meanings whose rules may begin with the word that makes them a bound ("since 2018").
_LED = frozenset({"month", "year", "season"})
#: Relations whose words are kept as the source's words for the time.
_BOUNDS = frozenset({"until", "from", "around"})
_RANGES = frozenset({"date_range", "weekday_range", "month_range"})
#: Characters in front of a time in which a relation stands.
_PHRASE = 24
#: How long after "not before March" a plan may take place, and how far from "around 5 March".
_OPEN, _ABOUT = timedelta(days=365), timedelta(days=3)


class CalendarWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `calendar` section of a language's file. Weekdays count from Monday as 1, as in ISO 8601.

    `articles` may stand between a relation and its time. `capitalised` forms are other words too ("may", "march"):
    they are months with a capital, with a digit beside them, or behind one of `leads` ("in may"). Behind a time with
    one of `possessives` a relation is to what follows ("after Friday's call"). `spaced` is false for scripts that write
    no spaces.
    """

    months: Mapping[int, tuple[str, ...]]
    weekdays: Mapping[int, tuple[str, ...]]
    units: Mapping[Unit, tuple[str, ...]]
    rules: tuple[Rule, ...]
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

    `when` is the reading without regard to tense (of two, the nearer one, and of a weekday the past one), `past` and
    `future` are the readings for a clause of that tense. `direction` says on which side of the article's date it lies
    where the words settle that, `explicit` whether they do. `relation` is `since`, `before` or `after` when the words
    in front make it a bound rather than the time itself. `between`: it reads "from A to B".
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
        """Return the days on which a plan told on `day` may take place: none of them before that day.

        None where all lie before it, or where the time is that of something else.
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
        if when.end < day:
            return None
        if when.start < day:
            vague = "range" if when.granularity in ("week", "weekend") else when.granularity
            when = msgspec.structs.replace(when, start=day, granularity=vague)
        return when

    @property
    def plain(self) -> bool:
        """Whether it is the time itself, and no bound."""
        return self.relation in ("on", "to")

    @property
    def is_new(self) -> bool:
        """Whether, said of what is put off, it is the new time."""
        return self.between or self.relation in ("to", "until")

    def moved_to(self, day: date) -> When | None:
        """Return the new time of a contact that is put off: B of "from A to B"."""
        if self.future.end < day or self.relation not in ("on", "to", "until"):
            return None
        if self.between:
            return msgspec.structs.replace(self.future, start=self.future.end, granularity="day")
        return self.future


def reading(hit: TimeHit, status: Status, day: date) -> When | None:
    """Return what a time says of a contact with this status; None where it is the time of something else."""
    if status in ("postponed", "rescheduled"):
        return hit.moved_to(day)
    if status in ("planned", "proposed"):
        return hit.plan(day)
    return hit.read("past" if status in HAPPENED else "future") if hit.plain else None


class Calendar:
    """The calendar words of one language, ready for matching.

    Raises DataFileError when a template names an unknown slot or a table it needs is empty.
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
        self.rules = [(self._compile(rule, source), rule) for rule in words.rules]
        self._relations = _table(words.relations)
        articles = "".join(rf"(?:{_either(_table({1: words.articles}))}\s)?" for _ in words.articles[:1])
        relations = _either(self._relations)
        gap, far = (r"(?:^|\W)", r"\s{1,2}") if words.spaced else ("", r"\s?")
        self._ahead = re.compile(rf"{gap}({relations}){far}{articles}$") if relations else None
        self._led = re.compile(rf"({relations}){far}") if relations else None
        self._possessives = tuple(normalise(mark).text for mark in words.possessives)
        self._capitalised = frozenset(fold(normalise(form).text) for form in words.capitalised)
        self._leads = frozenset(fold(normalise(form).text) for form in words.leads)
        self.gate = re.compile("|".join(self._gate_words()))

    @classmethod
    def of(cls, section: object, source: str = "calendar") -> Calendar:
        """Return the calendar of a decoded `calendar` section. Raises DataFileError when it is not valid."""
        try:
            return cls(msgspec.convert(section, CalendarWords, strict=False), source)
        except msgspec.ValidationError as error:
            problem, _, where = str(error).partition(" - at ")
            raise DataFileError(source, where.strip("`"), problem) from error

    def _gate_words(self) -> list[str]:
        """What stands in every expression: a digit, a word of a table, or the whole of a rule without slots."""
        own = [pattern.pattern for pattern, rule in self.rules if "{" not in rule.match]
        return [r"\d", *(self._slots[name] for name in _GATES if name in self._slots), *own]

    def _compile(self, rule: Rule, source: str) -> re.Pattern[str]:
        seen: dict[str, int] = {}

        def slot(match: re.Match[str]) -> str:
            name = match[1]
            if name not in self._slots:
                raise DataFileError(source, rule.match, f"unknown or empty slot {{{name}}}")
            seen[name] = seen.get(name, 0) + 1
            group = name if seen[name] == 1 else f"{name}{seen[name]}"
            return f"(?P<{group}>{self._slots[name]})"

        pieces = re.split(r"(\{\w+\}|[\[\]()| ])", fold(normalise(rule.match).text))
        known = {"[": "(?:", "]": ")?", "(": "(?:", ")": ")", "|": "|", " ": r"\s{1,2}"}
        pattern = "".join(
            known[piece]
            if piece in known
            else re.sub(r"\{(\w+)\}", slot, piece)
            if piece.startswith("{")
            else re.escape(piece)
            for piece in pieces
        )
        try:
            return re.compile(rf"(?<!\w){pattern}(?!\w)" if self.words.spaced else pattern)
        except re.error as error:
            raise DataFileError(source, rule.match, f"not a template: {error}") from error

    def means(self, rule: Rule, match: re.Match[str], text: str) -> bool:
        """Say whether the words are meant as a time: capitals where they matter, no other sense by a word in front."""
        if self._capitalised:
            for name, words in match.groupdict().items():
                if words in self._capitalised and not self._is_month(match, match.start(name), text):
                    return False
        if rule.unless_before:
            ahead = fold(text[max(0, match.start() - 60) : match.start()]).split()[-5:]
            return not any(word in ahead for word in rule.unless_before)
        return True

    def _is_month(self, match: re.Match[str], at: int, text: str) -> bool:
        """Whether a word that is more than a month is one here: by its neighbours, else by its capital."""
        words = match.group()
        if any(letter.isdigit() for letter in words) or not self._leads.isdisjoint(words.split()):
            return True
        return text[at].isupper() and not text.istitle() and not text.isupper()

    def relation(self, folded: str, start: int, end: int, *, led: bool) -> tuple[Relation, int]:
        """Return what the words in front of the time at `start:end` make of it, and where they begin.

        When it is `led`, its own first words tell.
        """
        if self._ahead is None or self._led is None or folded.startswith(self._possessives, end):
            return "on", start
        if led and (own := self._led.match(folded, start, end)):
            return self._relations[own[1]], start
        low = max(0, start - _PHRASE)
        ahead = self._ahead.search(folded[low:start])
        return (self._relations[ahead[1]], low + ahead.start(1)) if ahead else ("on", start)

    def is_between(self, rule: Rule, folded: str, start: int) -> bool:
        """Say whether the range at `start` begins with a word for "from"."""
        own = self._led.match(folded, start) if self._led is not None and rule.mean in _RANGES else None
        return own is not None and self._relations[own[1]] == "since"

    def month_words(self, text: str, folded: str) -> frozenset[int]:
        """Return where in the text words that are more than months ("may") stand for months."""
        if not any(form in folded for form in self._capitalised):
            return frozenset()
        return frozenset(
            match.start(name)
            for pattern, rule in self.rules
            if "{month}" in rule.match
            for match in pattern.finditer(folded)
            if self.means(rule, match, text)
            for name, words in match.groupdict().items()
            if words in self._capitalised
        )

    def groups(self, match: re.Match[str]) -> Groups:
        """Return what the match's slots stand for."""
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
        return msgspec.convert(values, Groups)


def _table(words: Mapping[V, tuple[str, ...]]) -> dict[str, V]:
    return {fold(normalise(form).text): value for value, forms in words.items() for form in forms}


def _either(words: Mapping[str, Any]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


def _optional(suffixes: tuple[str, ...]) -> str:
    return f"(?:{_either({fold(normalise(suffix).text): 0 for suffix in suffixes})})?" if suffixes else ""


def find_times(
    text: str,
    published: datetime,
    calendar: Calendar,
    zone: tzinfo = UTC,
    tense: Tense | None = None,
) -> tuple[TimeHit, ...]:
    """Return the times that normalised `text` names, in order, read against `published` in the article's time zone.

    Of expressions that overlap the longest counts. With `tense`, `when` is the reading for that tense.
    """
    folded = fold(text)
    if not calendar.gate.search(folded):
        return ()
    base = published.astimezone(zone).date()
    hits = [
        (rule.mean not in _DATES, match.start() - match.end(), match.start(), rule, reading)
        for pattern, rule in calendar.rules
        for match in pattern.finditer(folded)
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
            chosen.append(_hit(text, (first, end), reading, base, relation, between=between))
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
