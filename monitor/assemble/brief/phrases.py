"""The words of headlines and briefs in one language: templates from a data file, dates and lists from CLDR.

Each language is one file in `data/`; this code knows no language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from babel import Locale
from babel.dates import format_date, format_skeleton, get_month_names
from babel.lists import format_list

from monitor.records import Participant, Place, When
from monitor.watchlist import bundled
from monitor.watchlist.press_names import press_name, short_press_name
from monitor.yaml_text import read_data_file

_DATA = Path(__file__).parent / "data"

#: Prefix of a leader's id if a text names an office and its holder is unknown.
_OFFICE_ONLY = "office"
#: Granularities of a time that keep the source's words.
_BOUNDS = frozenset({"until", "from", "around"})
#: The number of a king or pope, which is not a surname.
_NUMERAL = re.compile("[IVX]+")


class Forms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A template by number, and by gender if the language needs it: `woman` for one, `women` for several."""

    one: str
    many: str
    woman: str = ""
    women: str = ""

    def of(self, count: int, *, women: bool = False) -> str:
        """Return the template for `count` things, or for `count` people, who are all women if `women` is set."""
        own = self.woman if count == 1 else self.women
        return own if women and own else self.one if count == 1 else self.many


Template = str | Forms
DeedForm = Literal["do", "did", "doing", "may", "noun", "the"]
#: Forms of a name: as object of a visit, as place, as partner, as owner of a month ...
Inflected = Literal[
    "country", "in_country", "to_country", "in_place", "with", "of", "on_day", "in_month", "of_month", "forum", "topic"
]


class Deed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One way in which leaders are in contact.

    `may` is the verb form after "may" (default: `do`), `the` the noun with its article. `acting`: some leaders act and
    the others are acted on. `alone`: the noun belongs to those who act. `plural`: the noun takes the plural. A verb
    form may depend on the number of those who act.
    """

    do: Template
    did: Template
    doing: Template
    noun: str
    may: Template = ""
    the: str = ""
    acting: bool = False
    alone: bool = False
    plural: bool = False

    def form(self, name: DeedForm, count: int, *, women: bool = False) -> str:
        """Return a form of the deed for `count` acting leaders."""
        template: Template = getattr(self, name) or (self.do if name == "may" else self.noun)
        return template.of(count, women=women) if isinstance(template, Forms) else template


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
    occasion: str
    topics: Forms
    quotation: str
    confirmed: Forms
    unconfirmed: Forms
    refused: Forms
    alternatives: Mapping[str, Forms]
    values: Mapping[str, str]
    due: str
    said: str
    no_report: str
    retraction: str
    adjectives: Mapping[str, str]
    since: Mapping[Literal["another", "first"], str]
    count: str
    counted: tuple[str, ...]
    counted_on: Mapping[str, str]
    nouns: Mapping[str, str]
    #: For each kind of form, patterns of whole names and their replacement; the first match counts.
    inflect: Mapping[Inflected, tuple[tuple[str, str], ...]] = {}
    #: The owners of a contact, within a sentence.
    sides: Forms = Forms("{names}", "{names}")
    #: A person with the state, and the separator between the parts of a line.
    of_state: str = "{name} ({state})"
    comma: str = ", "
    semicolon: str = ";"
    stop: str = "."
    #: Whether time and place come first in the sentence.
    time_first: bool = False
    #: Whether a comma separates weekday and date.
    weekday_comma: bool = False
    #: Words that any headline of a contact has: a title with no other words is not worth quoting.
    plain: tuple[str, ...] = ()
    #: Whether people get their title. The roster has titles only in English, so other languages give the state.
    titled: bool = True

    @property
    def language(self) -> str:
        """The language's code: `en` of `en_GB`."""
        return self.locale.partition("_")[0]

    def listed(self, words: Sequence[str]) -> str:
        """Return a list in words: `a`, `a and b`, `a, b and c`."""
        return format_list(list(words), locale=_locale(self.locale))

    def day(self, day: date) -> str:
        """Return a day with its weekday: `Wednesday 3 December 2025`."""
        return _full_day(day, self.locale) if self.weekday_comma else _full_day(day, self.locale).replace(",", "")

    def short_day(self, day: date, now: date | None) -> str:
        """Return a day in short: `Wed 3 Dec`, with the year if it is not that of `now`."""
        same_year = now is not None and now.year == day.year
        return _day("MMMEd" if same_year else "yMMMEd", day, self.locale)

    def plain_day(self, day: date) -> str:
        """Return a day without its weekday: `3 December 2025`."""
        return format_date(day, "long", locale=_locale(self.locale))

    def ordinal(self, n: int) -> str:
        """Return an ordinal in words: `second` for 2, `12th` for 12."""
        if n <= len(self.counted):
            return self.counted[n - 1]
        form = _locale(self.locale).ordinal_form(n)
        return self.counted_on.get(form, self.counted_on["other"]).format(n=n)

    def month(self, day: date) -> str:
        """Return a month: `December 2025`."""
        return _day("yMMMM", day, self.locale)

    def when(self, when: When, *, short: bool = False, now: date | None = None) -> str:
        """Return a time with its preposition: `on Wednesday 3 December 2025`, `in the first half of 2026`."""
        templates = {**self.time, **self.time_short} if short else self.time

        def worded(day: date) -> str:
            return self.short_day(day, now) if short else self.day(day)

        texts = {
            "day": worded(when.day), "first": worded(when.start), "last": worded(when.end),
            "date": self.plain_day(when.day), "first_date": self.plain_day(when.start),
            "last_date": self.plain_day(when.end), "month": self.month(when.end), "year": when.end.year,
        }  # fmt: skip
        for name, source in (("on_day", "day"), ("in_month", "month"), ("of_month", "month")):
            texts[name] = self.inflected(name, str(texts[source]))  # type: ignore[arg-type]  # they are of Inflected
        season = when.granularity == "range" and any(word in when.text.lower() for word in self.seasons)
        if season or (when.granularity in _BOUNDS and self._own_words(when.text)):
            # "not before July": the year of that July. "by July": the year in which it ends.
            year = (when.start if when.granularity == "from" else when.end).year
            return when.text if str(year) in when.text else f"{when.text} {year}"
        shape: str = "day" if when.start == when.end and when.granularity == "range" else when.granularity
        nth = ""
        if shape == "half":
            nth = self.halves[when.end.month > 6]
        elif shape == "quarter":
            nth = self.quarters[(when.end.month - 1) // 3]
        elif shape == "early" and when.start.month != when.end.month:
            shape = "early_year"
        return templates[shape].format(**texts, nth=nth)

    def _own_words(self, text: str) -> bool:
        """Whether a source's words for a bound are in this language and make sense alone: `by end of March`."""
        months = get_month_names("wide", locale=self.locale).values()
        return text.startswith(self.bounds) and any(month in text for month in months)

    def inflected(self, form: Inflected, name: str) -> str:
        """Return a name in the form that a sentence needs; unchanged if the language has no rule for it."""
        for pattern, becomes in self.inflect.get(form, ()):
            if (match := re.fullmatch(pattern, name)) is not None:
                return match.expand(becomes)
        return name

    def country(self, code: str, form: Inflected = "country") -> str:
        """Return a state's name in running text: `Russia`, `the United States`; the code itself for an unknown one."""
        return self.inflected(form, self.state(code))

    def state(self, code: str) -> str:
        """Return a state's name alone, as a label: `Russia`, `United States`."""
        return _state_name(self, code)

    def town(self, name: str) -> str:
        """Return a town's name in this language; unchanged if it is unknown."""
        return name if self.language == "en" else translated(self.language).towns.get(name, name)

    def where(self, place: Place) -> str:
        """Return a place with its preposition: `in Berlin`, `in the United States`."""
        town = self.town(place.name)
        return self.inflected("in_place", town) if town else self.country(place.country, "in_country")

    def topic(self, name: str) -> str:
        """Return a topic in the language's words, as a sentence names it: `the Middle East`."""
        known = name if self.language == "en" else translated(self.language).topics.get(name, name)
        return self.inflected("topic", known)

    def forum(self, name: str) -> str:
        """Return a forum's name in this language."""
        known = name if self.language == "en" else translated(self.language).forums.get(name, name)
        return self.inflected("forum", known)

    def nationality(self, code: str) -> str:
        """Return the adjective of a state: `Russian` for RU, `US` for US, '' for an unknown code."""
        if code in self.adjectives:
            return self.adjectives[code]
        state = bundled().states.get(code)
        return next(iter(state.adjectives.get(self.language, ())), "") if state is not None else ""

    def declined(self, leader: str, name: str, form: Inflected | None) -> str:
        """Return a leader's name in one of its forms: from the roster if it has one, else by the language's rules."""
        if form is None or not name or form not in self.inflect:
            return name
        return _declined(leader, name, self.language, self.inflect[form])

    def surname(self, participant: Participant, form: Inflected | None = None) -> str:
        """Return the name that headlines use: `Macron`, `Xi`, `von der Leyen`."""
        if participant.leader.startswith(_OFFICE_ONLY):
            return self.unnamed.format(country=self.state(participant.country))
        known = self.declined(participant.leader, _surname(participant.leader, self.language), form)
        last = (participant.name.split() or [participant.leader])[-1]
        return known or (participant.name if _NUMERAL.fullmatch(last) else last)

    def surnames(self, participants: Sequence[Participant], most: int, form: Inflected | None = None) -> str:
        """Return a list of surnames; those beyond `most` are only counted."""
        named = [self.surname(p, form) for p in participants[:most]]
        return self.listed([*named, *self._rest(len(participants) - len(named))])

    def full_names(
        self, participants: Sequence[Participant], most: int, *, abroad: bool = True, form: Inflected | None = None
    ) -> str:
        """Return a list of names with office and state, or without the state if `abroad` is false."""
        named = [self.full_name(p, abroad=abroad, form=form) for p in participants[:most]]
        return self.listed([*named, *self._rest(len(participants) - len(named))])

    def _rest(self, n: int) -> Iterable[str]:
        return [self.others.of(n).format(n=n)] if n else []

    def full_name(self, participant: Participant, *, abroad: bool = True, form: Inflected | None = None) -> str:
        """Return `Russian President Vladimir Putin`, `NATO Secretary General Mark Rutte`; a pope has no state."""
        if participant.leader.startswith(_OFFICE_ONLY):
            return self.surname(participant, form)
        if not self.titled:
            whole = press_name(participant.leader, self.language)
            name = self.declined(participant.leader, whole, form) or participant.name
            stated = abroad and participant.country
            return self.of_state.format(name=name, state=self.state(participant.country)) if stated else name
        title, _, body = participant.office.partition(" of the ")
        office = f"{body} {title}" if body else title
        if not office or participant.name.startswith(f"{title} "):
            return participant.name
        state = bundled().states.get(participant.country)
        of_state = state is not None and state.kind == "state"
        # An office whose title contains its body needs no state: "European Commission President".
        alone = title == "Pope" or " of " in title or (bool(body) and not of_state)
        if participant.name.endswith(f" of {self.country(participant.country)}"):
            alone = True
        national = self.nationality(participant.country) if abroad and not alone else ""
        return " ".join(word for word in (national, office, participant.name) if word)


@lru_cache(maxsize=4096)
def _full_day(day: date, locale: str) -> str:
    return format_date(day, "full", locale=_locale(locale))


#: Parsed once: each call with a locale's name would parse it again.
_locale = cache(Locale.parse)


@lru_cache(maxsize=4096)
def _day(skeleton: str, day: date, locale: str) -> str:
    """A date by a CLDR skeleton. Cached: formatting takes 50 µs, and one day's events name the same days."""
    return format_skeleton(skeleton, day, locale=locale).replace(",", "")


def _state_name(phrases: BriefPhrases, code: str) -> str:
    state = bundled().states.get(code)
    if state is None:
        return code
    names = state.names.get(phrases.language, ())
    return names[0] if names else state.name


@cache
def _declined(leader: str, name: str, language: str, rules: tuple[tuple[str, str], ...]) -> str:
    """Return a name of several words, each put into a form by the first rule that fits it.

    If the roster has forms of the name, the result is one of them: a form in which each word is unchanged or as a rule
    makes it, with most words changed. A name that the roster never changes stays as it is.
    """
    known = bundled().leaders.get(leader)
    listed = [alias.text for alias in known.aliases if alias.language == language] if known is not None else []
    words = name.split()
    made = [{match.expand(to) for rule, to in rules if (match := re.fullmatch(rule, word))} for word in words]

    def changed(text: str) -> int:
        given = text.split()
        if len(given) != len(words) or any(g != w and g not in m for g, w, m in zip(given, words, made, strict=True)):
            return 0
        return sum(g != w for g, w in zip(given, words, strict=True))

    return max(listed, key=lambda text: (changed(text), text == name), default=name) if listed else name


class Translated(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A language's names of towns, topics and forums, by their English names."""

    towns: Mapping[str, str]
    topics: Mapping[str, str]
    forums: Mapping[str, str]


@cache
def translated(language: str) -> Translated:
    """Return the names of one language: from its file, and CLDR's names of cities. Raises DataFileError."""
    own = read_data_file(_DATA / "names" / f"{language}.yaml", Translated)
    zones = Locale.parse(phrases(language).locale).time_zones
    english = Locale.parse("en").time_zones
    known = {
        english.get(zone, {}).get("city") or zone.rpartition("/")[2].replace("_", " "): said["city"]
        for zone, said in zones.items()
        if "city" in said
    }
    return msgspec.structs.replace(own, towns={**known, **own.towns})


@cache
def _surname(leader: str, language: str) -> str:
    known = bundled().leaders.get(leader)
    if known is None:
        return ""
    if language != "en":
        return short_press_name(leader, language)
    shorter = (alias.text for alias in known.aliases if alias.language == "en" and alias.text != known.name)
    return next((text for text in shorter if text in known.name), "")


@cache
def phrases(language: str = "en") -> BriefPhrases:
    """Return the words of one language. Raises DataFileError when its file is damaged or missing."""
    return read_data_file(_DATA / f"{language}.yaml", BriefPhrases)


@cache
def plain_words(language: str) -> tuple[str, ...]:
    """Return the words that any headline of a contact has in a language; none for one without a file."""
    known = (_DATA / f"{language}.yaml").is_file()
    return phrases(language).plain if known else ()
