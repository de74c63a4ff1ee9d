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
from datetime import UTC, date, datetime, tzinfo
from typing import Any, Literal, TypeVar

import msgspec

from monitor.detect.setting.time_expressions import Direction, Groups, Part, Reading, Rule, Season, Unit, read_rule
from monitor.detect.text.normal import fold, normalise
from monitor.errors import DataFileError
from monitor.records import When

Tense = Literal["past", "future"]
Relation = Literal["on", "since", "before", "after"]
V = TypeVar("V")

#: Of these slots every rule with a slot has one, or a number.
_GATES = ("month", "weekday", "unit", "season", "quarter")
_DATES = frozenset({"date", "date_range"})
#: Meanings whose rules may begin with the word that makes them a bound ("since 2018").
_LED = frozenset({"month", "year", "season"})


class CalendarWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `calendar` section of a language's file. Weekdays count from Monday as 1, as in ISO 8601.

    `capitalised` forms mean something else in lower case ("may", "march"); behind a time with one of `possessives` a
    relation is to what follows ("after Friday's call"); `spaced` is false for scripts that write no spaces.
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
    capitalised: tuple[str, ...] = ()
    spaced: bool = True


class TimeHit(msgspec.Struct, frozen=True):
    """A time named at `start:end` of the text.

    `when` is the reading without regard to tense (of two, the nearer one, and of a weekday the past one), `past` and
    `future` are the readings for a clause of that tense. `direction` says on which side of the article's date it lies
    where the words settle that, `explicit` whether they do. `relation` is `since`, `before` or `after` when the words
    in front make it a bound rather than the time itself.
    """

    start: int
    end: int
    when: When
    direction: Direction
    explicit: bool
    past: When
    future: When
    relation: Relation = "on"

    def read(self, tense: Tense | None) -> When:
        """The reading for a clause of this tense."""
        return self.when if tense is None else self.past if tense == "past" else self.future


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
        self._ahead = (
            re.compile(rf"(?:^|\W)({_either(self._relations)})\s{{1,2}}(?:the\s)?$") if self._relations else None
        )
        self._possessives = tuple(normalise(mark).text for mark in words.possessives)
        self._capitalised = frozenset(fold(normalise(form).text) for form in words.capitalised)
        self.gate = re.compile("|".join(self._gate_words()))

    @classmethod
    def of(cls, section: object, source: str = "calendar") -> Calendar:
        """The calendar of a decoded `calendar` section. Raises DataFileError when it is not valid."""
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
        """Whether the words are meant as a time: capitals where they matter, no other sense by a word in front."""
        if self._capitalised and not text.islower():
            for name, words in match.groupdict().items():
                if words in self._capitalised and not text[match.start(name)].isupper():
                    return False
        if rule.unless_before:
            ahead = fold(text[max(0, match.start() - 60) : match.start()]).split()[-5:]
            return not any(word in ahead for word in rule.unless_before)
        return True

    def relation(self, folded: str, start: int, end: int, *, led: bool) -> Relation:
        """What the words in front of the time at `start:end` make of it, or, when it is `led`, its own first word."""
        if self._ahead is None or folded.startswith(self._possessives, end):
            return "on"
        if led and (first := folded[start:end].split(None, 1)[0]) in self._relations:
            return self._relations[first]
        ahead = self._ahead.search(folded[max(0, start - 24) : start])
        return self._relations[ahead[1]] if ahead else "on"

    def groups(self, match: re.Match[str]) -> Groups:
        """What the match's slots stand for."""
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
    """The times that normalised `text` names, in order, read against `published` in the article's time zone.

    Of expressions that overlap the longest counts. With `tense`, `when` is the reading for that tense.
    """
    folded = fold(text)
    if not calendar.gate.search(folded):
        return ()
    base = published.astimezone(zone).date()
    hits = [
        (rule.mean not in _DATES, match.start() - match.end(), match.start(), rule.mean in _LED, reading)
        for pattern, rule in calendar.rules
        for match in pattern.finditer(folded)
        if calendar.means(rule, match, text) and (reading := read_rule(rule, calendar.groups(match), base))
    ]
    hits.sort(key=lambda hit: hit[:3])
    taken = bytearray(len(text))
    chosen: list[TimeHit] = []
    for _, length, start, led, reading in hits:
        end = start - length
        if not any(taken[start:end]):
            taken[start:end] = b"\1" * -length
            chosen.append(_hit(text, (start, end), reading, base, calendar.relation(folded, start, end, led=led)))
    chosen.sort(key=lambda hit: hit.start)
    return tuple(chosen if tense is None else [msgspec.structs.replace(hit, when=hit.read(tense)) for hit in chosen])


def _hit(text: str, span: tuple[int, int], reading: Reading, base: date, relation: Relation) -> TimeHit:
    words = text[slice(*span)]
    past, future = reading.past or reading.default, reading.future or reading.default
    explicit = reading.explicit and past == future
    direction: Direction = reading.direction or "none"
    if explicit and direction == "none":
        direction = "past" if reading.default.end < base else "future" if reading.default.start > base else "none"
    return TimeHit(
        *span, reading.default.when(words), direction, explicit, past.when(words), future.when(words), relation
    )
