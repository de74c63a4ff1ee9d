"""The words of headlines and briefs in one language: templates from a data file, dates and lists from CLDR.

A language is one file in `data/`; nothing here knows a word of any.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from typing import Literal

import msgspec
import yaml
from babel import Locale
from babel.dates import format_date, format_skeleton, get_month_names
from babel.lists import format_list

from monitor.errors import DataFileError
from monitor.records import Participant, When
from monitor.watchlist import bundled
from monitor.watchlist.writing import written, written_short

#: The prefix of a leader's id when a text names an office and nobody knows who holds it.
_OFFICE_ONLY = "office"
#: Shapes of a time that keep the source's words.
_BOUNDS = frozenset({"until", "from", "around"})
#: The number of a king or pope, which is no surname.
_NUMERAL = re.compile("[IVX]+")


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template by number."""

    one: str
    many: str

    def of(self, count: int) -> str:
        """The template for `count` things."""
        return self.one if count == 1 else self.many


Template = str | Forms


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which leaders are in contact.

    `acting`: some of them act and the others are acted on. `alone`: the noun belongs to those who act. `plural`: the
    noun takes the plural. A form of the verb may be told by the number of those who act.
    """

    do: Template
    did: Template
    doing: Template
    noun: str
    acting: bool = False
    alone: bool = False
    plural: bool = False

    def form(self, name: Literal["do", "did", "doing", "noun"], count: int) -> str:
        """A form of the deed, where `count` leaders act."""
        template: Template = getattr(self, name)
        return template.of(count) if isinstance(template, Forms) else template


class BriefPhrases(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of one language's file; `data/en.yaml` explains the templates."""

    locale: str
    deeds: Mapping[str, Deed]
    headline: Mapping[str, Template]
    brief: Mapping[str, Template]
    whose: Forms
    between: str
    others: Forms
    unnamed: str
    sources: Forms
    time: Mapping[str, str]
    time_short: Mapping[str, str]
    bounds: tuple[str, ...]
    seasons: tuple[str, ...]
    halves: tuple[str, str]
    quarters: tuple[str, str, str, str]
    place: str
    occasion: str
    topics: Forms
    quotation: str
    confirmed: Forms
    unconfirmed: Forms
    refused: Forms
    alternatives: Mapping[str, Forms]
    values: Mapping[str, str]
    due: str
    no_report: str
    retraction: str
    adjectives: Mapping[str, str]
    since: Mapping[Literal["another", "first"], str]
    count: str
    counted: tuple[str, ...]
    counted_on: Mapping[str, str]
    nouns: Mapping[str, str]
    definite: tuple[str, ...] = ()
    definite_endings: tuple[str, ...] = ()
    article: str = "{name}"
    #: Whether a comma stands between weekday and date.
    weekday_comma: bool = False
    #: Words of any headline of a contact: a title that has no others is not worth a quotation.
    plain: tuple[str, ...] = ()
    #: Whether people are told with their offices: the roster has titles in English only, so others name the state.
    titled: bool = True

    @property
    def language(self) -> str:
        """The language's code: `en` of `en_GB`."""
        return self.locale.partition("_")[0]

    def listed(self, words: Sequence[str]) -> str:
        """`a`, `a and b`, `a, b and c`."""
        return format_list(list(words), locale=self.locale)

    def day(self, day: date) -> str:
        """`Wednesday 3 December 2025`: the weekday stands with each date."""
        return _full_day(day, self.locale) if self.weekday_comma else _full_day(day, self.locale).replace(",", "")

    def short_day(self, day: date, now: date | None) -> str:
        """`Wed 3 Dec`, with the year if it is not that of `now`."""
        same_year = now is not None and now.year == day.year
        return _day("MMMEd" if same_year else "yMMMEd", day, self.locale)

    def plain_day(self, day: date) -> str:
        """`3 December 2025`."""
        return format_date(day, "long", locale=self.locale)

    def ordinal(self, n: int) -> str:
        """`second` for 2, `12th` for 12."""
        if n <= len(self.counted):
            return self.counted[n - 1]
        form = Locale.parse(self.locale).ordinal_form(n)
        return self.counted_on.get(form, self.counted_on["other"]).format(n=n)

    def month(self, day: date) -> str:
        """`December 2025`."""
        return _day("yMMMM", day, self.locale)

    def when(self, when: When, *, short: bool = False, now: date | None = None) -> str:
        """A time with its preposition: `on Wednesday 3 December 2025`, `in the first half of 2026`."""
        templates = {**self.time, **self.time_short} if short else self.time

        def told(day: date) -> str:
            return self.short_day(day, now) if short else self.day(day)

        season = when.granularity == "range" and any(word in when.text.lower() for word in self.seasons)
        if season or (when.granularity in _BOUNDS and self._own_words(when.text)):
            text = when.text
            return text if str(when.end.year) in text else f"{text} {when.end.year}"
        shape = "day" if when.start == when.end and when.granularity == "range" else when.granularity
        nth = ""
        if shape == "half":
            nth = self.halves[when.end.month > 6]
        elif shape == "quarter":
            nth = self.quarters[(when.end.month - 1) // 3]
        return templates[shape].format(
            day=told(when.day), first=told(when.start), last=told(when.end), month=self.month(when.end), nth=nth,
            year=when.end.year,
        )  # fmt: skip

    def _own_words(self, text: str) -> bool:
        """Whether a source's words for a bound are of this language and stand by themselves: `by end of March`."""
        months = get_month_names("wide", locale=self.locale).values()
        return text.startswith(self.bounds) and any(month in text for month in months)

    def country(self, code: str) -> str:
        """A state's name in running text: `Russia`, `the United States`; the code itself for an unknown one."""
        name = _state_name(self, code)
        definite = name.startswith(self.definite) or name.endswith(self.definite_endings)
        return self.article.format(name=name) if definite else name

    def nationality(self, code: str) -> str:
        """`Russian` for RU, `US` for US, '' for a code that nobody knows."""
        if code in self.adjectives:
            return self.adjectives[code]
        state = bundled().states.get(code)
        return next(iter(state.adjectives.get(self.language, ())), "") if state is not None else ""

    def surname(self, participant: Participant) -> str:
        """The name by which headlines call a leader: `Macron`, `Xi`, `von der Leyen`."""
        if participant.leader.startswith(_OFFICE_ONLY):
            return self.unnamed.format(country=self.country(participant.country))
        known = _surname(participant.leader, self.language)
        last = (participant.name.split() or [participant.leader])[-1]
        return known or (participant.name if _NUMERAL.fullmatch(last) else last)

    def surnames(self, participants: Sequence[Participant], most: int) -> str:
        """Surnames in a list; beyond `most` the rest are counted."""
        named = [self.surname(p) for p in participants[:most]]
        return self.listed([*named, *self._rest(len(participants) - len(named))])

    def full_names(self, participants: Sequence[Participant], most: int, *, abroad: bool = True) -> str:
        """Names with office and state in a list; without the state where `abroad` is false."""
        named = [self.full_name(p, abroad=abroad) for p in participants[:most]]
        return self.listed([*named, *self._rest(len(participants) - len(named))])

    def _rest(self, n: int) -> Iterable[str]:
        return [self.others.of(n).format(n=n)] if n else []

    def full_name(self, participant: Participant, *, abroad: bool = True) -> str:
        """`Russian President Vladimir Putin`, `NATO Secretary General Mark Rutte`; a pope stands alone."""
        if participant.leader.startswith(_OFFICE_ONLY):
            return self.surname(participant)
        if not self.titled:
            name = written(participant.leader, self.language) or participant.name
            return f"{name} ({self.country(participant.country)})" if abroad and participant.country else name
        title, _, body = participant.office.partition(" of the ")
        office = f"{body} {title}" if body else title
        if not office or participant.name.startswith(f"{title} "):
            return participant.name
        state = bundled().states.get(participant.country)
        of_state = state is not None and state.kind == "state"
        # An office that names what it leads needs no state: "European Commission President".
        alone = title == "Pope" or " of " in title or (bool(body) and not of_state)
        if participant.name.endswith(f" of {self.country(participant.country)}"):
            alone = True
        national = self.nationality(participant.country) if abroad and not alone else ""
        return " ".join(word for word in (national, office, participant.name) if word)


@lru_cache(maxsize=4096)
def _full_day(day: date, locale: str) -> str:
    return format_date(day, "full", locale=locale)


@lru_cache(maxsize=4096)
def _day(skeleton: str, day: date, locale: str) -> str:
    """A date by a CLDR skeleton; formatting costs 50 µs, and one day's events name the same days."""
    return format_skeleton(skeleton, day, locale=locale).replace(",", "")


def _state_name(phrases: BriefPhrases, code: str) -> str:
    state = bundled().states.get(code)
    if state is None:
        return code
    names = state.names.get(phrases.language, ())
    return names[0] if names else state.name


@cache
def _surname(leader: str, language: str) -> str:
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    if language != "en":
        return written_short(leader, language)
    shorter = (alias.text for alias in known.aliases if alias.language == "en" and alias.text != known.name)
    return next((text for text in shorter if text in known.name), "")


@cache
def phrases(language: str = "en") -> BriefPhrases:
    """The words of one language. Raises DataFileError when its file is damaged, or missing."""
    name = f"{language}.yaml"
    try:
        text = resources.files(__package__).joinpath("data", name).read_text(encoding="utf-8")
        return msgspec.convert(yaml.safe_load(text), BriefPhrases)
    except (OSError, yaml.YAMLError, msgspec.ValidationError) as error:
        raise DataFileError(name, "", str(error)) from error


@cache
def plain_words(language: str) -> tuple[str, ...]:
    """The words of any headline of a contact in a language, none for one without a file."""
    known = resources.files(__package__).joinpath("data", f"{language}.yaml").is_file()
    return phrases(language).plain if known else ()
