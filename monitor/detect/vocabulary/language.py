"""A language is a folder of data files: its words, triggers, frames, cues and vetoes, checked when loaded.

`data/languages/<code>/` holds everything that detection knows of a language; the code knows none by name. Phrases
are normalised as articles are, so both sides of a comparison went the same way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

import msgspec

from monitor.detect.datafile import DATA, read
from monitor.detect.setting.forum import Forums, forum_names
from monitor.detect.setting.subjects import Topics, topic_names
from monitor.detect.setting.when import Calendar
from monitor.detect.setting.where import PlaceFrames, place_names
from monitor.detect.text.normal import fold, normalise
from monitor.detect.text.scripts import scripts
from monitor.detect.text.tokens import Phrases, tokenize
from monitor.detect.vocabulary.frame_shapes import (
    BUILT_IN,
    Alphabet,
    Frame,
    FrameTraits,
    compile_shape,
    trigger_letters,
)
from monitor.detect.vocabulary.language_file import (
    CueWords,
    Hosted,
    LanguageFile,
    StateLetters,
    Tense,
    TriggerForms,
    VetoWords,
)
from monitor.errors import ConfigError, DataFileError
from monitor.records import Kind, Medium

LANGUAGES = DATA / "languages"

_LETTER = re.compile(r"[^\W\d_]")


class Trigger(msgspec.Struct, frozen=True):
    """One form of a trigger; `kind` and `medium` are the trigger's, or those of a compound ("video summit")."""

    of: TriggerForms
    tense: Tense
    kind: Kind
    medium: Medium

    @property
    def name(self) -> str:
        """What vetoes and cues call it."""
        return self.of.name

    @property
    def class_(self) -> str:
        """Its class in shapes."""
        return self.of.class_

    @property
    def distributive(self) -> bool:
        """Whether several partners mean several contacts: "meetings with A and B"."""
        return self.tense == "plural" or (self.of.distributive and self.tense != "noun")


class Cue(msgspec.Struct, frozen=True):
    """One form of a status cue."""

    of: CueWords
    words: str
    unless_before: str


class Veto(msgspec.Struct, frozen=True):
    """A false sense, compiled."""

    name: str
    triggers: frozenset[str]
    only_behind: str
    before: Phrases[bool]
    after: Phrases[bool]
    anywhere: Phrases[bool]
    object_then: str
    behind_object: Phrases[bool]
    single: bool


class Crowds(msgspec.Struct, frozen=True):
    """The words of appeals that are no leader's, compiled."""

    who: Phrases[bool]
    asks: Phrases[bool]
    against: Phrases[bool]
    asked_by: Phrases[bool]
    verb_last: bool


class Trips(msgspec.Struct, frozen=True):
    """The words of trips that are called off, compiled."""

    trip: Phrases[bool]
    off: Phrases[bool]
    later: Phrases[bool]
    ends: Phrases[bool]
    unless: Phrases[bool]


class Language:
    """One language, ready for matching.

    `lexicon` maps phrases to triggers and word classes, `roles` to what matters around names (titles, heads, former,
    counterparts, ...), `cues` to status cues.
    """

    def __init__(self, data: LanguageFile, file: str) -> None:
        self.code = data.code
        self.scripts = frozenset(data.scripts)
        unknown = sorted(self.scripts - set(scripts()))
        if unknown:
            raise DataFileError(file, "scripts", f"unknown: {', '.join(unknown)}; known are {', '.join(scripts())}")
        self._own = re.compile("[" + "".join(scripts()[script].letters for script in data.scripts) + "]")
        self.clitics = data.clitics
        self.state_behind_title = data.state_behind_title
        self.lower_adjectives = data.lower_adjectives
        trigger_classes = tuple(dict.fromkeys(one.class_ for one in data.triggers))
        self.alphabet = Alphabet((*trigger_classes, *data.words), data.groups, file)
        self.trigger_letters = frozenset(self.alphabet[name] for name in trigger_classes)
        self.endings = tuple((ending, name) for name, endings in data.endings.items() for ending in endings)
        for _, name in self.endings:
            self.alphabet.letters(name, "endings")
        self._add_lexicon(data)
        self._add_roles(data)
        self.honorifics = _phrases(data.honorifics)
        self.leading_heads = _phrases(data.leading_heads)
        self.both_bare = _phrases(data.both_bare)
        self.state_letters = data.state_letters.letters
        self.behind_letters = _phrases(data.state_letters.before)
        self.title_words = frozenset(
            fold(normalise(phrase).text) for phrases in data.titles.values() for phrase in phrases
        ) | {
            fold(normalise(phrase).text)
            for phrase in (
                *data.counterparts,
                *data.both,
                *data.both_bare,
                *(one for group in data.several.values() for one in group),
                *_unions(data.state_letters),
            )
        }
        self.articles = frozenset(fold(normalise(word).text) for word in data.words.get("the", ()))
        self.common = _phrases(data.common)
        self.distributive = _phrases(data.distributive)
        self.joint = _phrases(data.joint) if data.joint else None
        self.fronted = _phrases(data.fronted)
        self.goes_on = _phrases(data.goes_on)
        self.subordinate = _phrases(data.subordinate)
        self.instead_of = _phrases(data.instead_of)
        self.opinion = _phrases(data.opinion)
        self.media: Phrases[Medium] = Phrases()
        for group in data.media:
            for phrase in group.words:
                self.media.add(words(phrase), group.medium)
        self.pseudo_cues = _phrases(data.pseudo_cues)
        self._rule_names = {one.name for one in data.triggers} | set(trigger_classes) | set(get_args(Tense))
        self._data = data
        self._file = file

    # What only articles of this language need is compiled at the first of them: it is half of the time it takes to load
    # a language, and most processes meet few languages.

    @cached_property
    def calendar(self) -> Calendar | None:
        """How this language speaks of days and hours; None where its file does not say."""
        return Calendar(self._data.calendar, self._file) if self._data.calendar is not None else None

    @cached_property
    def places(self) -> PlaceFrames:
        """The words that lead to a place."""
        return PlaceFrames(self._data.places, place_names())

    @cached_property
    def forums(self) -> Forums:
        """The forums by their names, and the words around them."""
        return Forums(self._data.forums, self._data.places.possessives, forum_names())

    @cached_property
    def topics(self) -> Topics:
        """The topics by their words."""
        return Topics(self._data.topics, topic_names())

    @cached_property
    def cues(self) -> Phrases[Cue]:
        """The status cues by their words."""
        found: Phrases[Cue] = Phrases()
        for at, cue in enumerate(self._data.cues):
            _known(cue.only, self._rule_names, self._file, f"cues[{at}].only")
            unless = "".join(self.alphabet.letters(name, f"cues[{at}].unless_before") for name in cue.unless_before)
            for phrase in cue.words:
                found.add(words(phrase), Cue(cue, phrase, unless))
        return found

    @cached_property
    def crowds(self) -> Crowds:
        """Those whose appeals are none, and the words of their appeals."""
        told = self._data.crowds
        return Crowds(
            _phrases(told.who), _phrases(told.asks), _phrases(told.against), _phrases(told.asked_by), told.verb_last
        )

    @cached_property
    def trips(self) -> Trips:
        """How a trip is called off."""
        told = self._data.trips
        return Trips(
            _phrases(told.trip), _phrases(told.off), _phrases(told.later), _phrases(told.ends), _phrases(told.unless)
        )

    @property
    def trip_gate(self) -> tuple[str, ...]:
        """Expressions for the words that call a trip off, or put it off, in a folded headline."""
        told = self._data.trips
        words = (re.escape(fold(normalise(word).text)) for word in (*told.off, *told.later))
        ends = (rf"\s{re.escape(fold(normalise(word).text))}\W*$" for word in told.ends)
        return (*words, *ends)

    @cached_property
    def vetoes(self) -> tuple[Veto, ...]:
        """The false senses of triggers."""
        return tuple(self._veto(veto) for veto in self._data.vetoes)

    @cached_property
    def frames(self) -> tuple[Frame, ...]:
        """The frames, in the order of the file."""
        return tuple(
            Frame(
                **{name: getattr(one, name) for name in FrameTraits.__struct_fields__},
                pattern=compile_shape(one.shape, self.alphabet, f"frames: {one.name}", self._file, one.unless_behind),
                triggers=trigger_letters(one.shape, self.alphabet, f"frames: {one.name}"),
            )
            for one in self._data.frames
        )

    def compile(self) -> None:
        """Compile now what is else compiled when it is first needed. Raises DataFileError for a mistake in it."""
        for part in ("calendar", "places", "forums", "topics", "cues", "vetoes", "frames"):
            getattr(self, part)

    def _add_lexicon(self, data: LanguageFile) -> None:
        """Fill `lexicon` with triggers and word classes, and `gate` with the words that open the slow path."""
        self.lexicon: Phrases[Trigger | str] = Phrases()
        self.gate: dict[str, Hosted] = {}
        for one in data.triggers:
            for trigger, phrase in self._forms(one):
                hosted: Hosted = "always" if one.hosted else "at a seat" if one.role == "visitor" else "never"
                self.gate[fold(normalise(phrase).text).strip()] = hosted
                self.lexicon.add(words(phrase), trigger)
        for name, phrases in data.words.items():
            for phrase in phrases:
                self.lexicon.add(words(phrase), name)

    def _add_roles(self, data: LanguageFile) -> None:
        """Fill `roles` with the words that matter around names."""
        self.roles: Phrases[tuple[str, str]] = Phrases()
        for title, phrases in data.titles.items():
            self._roles("title", phrases, title)
        self._roles("other_title", data.other_titles)
        self._roles("modifier", data.title_modifiers)
        self._roles("former", data.former)
        self._roles("state_prefix", data.state_prefixes)
        self._roles("same_state", data.same_state)
        self._roles("head", data.heads)
        self._roles("counterpart", data.counterparts)
        self._roles("both", (*data.both, *data.both_bare))
        for number, phrases in data.several.items():
            self._roles("both", phrases, str(number))
        self._roles("others", data.others)

    def has_letters(self, text: str) -> bool:
        """Say whether any letter of `text` is of this language's scripts."""
        return self._own.search(text) is not None

    def count_triggers(self, text: Sequence[str]) -> int:
        """Return how many tokens of a text start a trigger of this language."""
        found = (self.lexicon.longest(text, at) for at in range(len(text)))
        return sum(one is not None and any(isinstance(value, Trigger) for value in one[1]) for one in found)

    def is_written_in(self, text: str) -> bool:
        """Say whether most letters of `text` are of this language's scripts; a text without letters is of any."""
        letters = len(_LETTER.findall(text))
        return letters == 0 or 2 * len(self._own.findall(text)) > letters

    @staticmethod
    def _forms(one: TriggerForms) -> Iterable[tuple[Trigger, str]]:
        for tense, phrases in one.forms.items():
            for phrase in phrases:
                yield Trigger(one, tense, one.kind, one.medium), phrase
                for medium, prefixes in one.compounds.items():
                    kind: Kind = "call" if medium in ("phone", "video") else one.kind
                    for prefix in prefixes:
                        yield Trigger(one, tense, kind, medium), f"{prefix} {phrase}"

    def _roles(self, role: str, phrases: Iterable[str], value: str = "") -> None:
        for phrase in phrases:
            self.roles.add(words(phrase), (role, value))

    def _veto(self, veto: VetoWords) -> Veto:
        _known(veto.triggers, self._rule_names, self._file, f"vetoes: {veto.name}")

        def letters(classes: tuple[str, ...]) -> str:
            return "".join(self.alphabet.letters(name, f"vetoes: {veto.name}") for name in classes)

        return Veto(
            veto.name,
            frozenset(veto.triggers),
            letters(veto.only_behind),
            _phrases(veto.before),
            _phrases(veto.after),
            _phrases(veto.anywhere),
            letters(veto.object_then),
            _phrases(veto.behind_object),
            veto.single,
        )


def words(phrase: str) -> tuple[str, ...]:
    """Return the folded tokens of a phrase of a data file."""
    if phrase.isascii() and phrase.replace(" ", "").isalpha():  # nothing in it to normalise or to cut
        return tuple(phrase.lower().split())
    text = normalise(phrase).text
    return tuple(token.text for token in tokenize(text, fold(text), 0, len(text)))


def _unions(given: StateLetters) -> Iterable[str]:
    """Every two of the letters, as they are and with a dot between, with each word behind: what opens the slow path."""
    pairs = (pair for a, b in permutations(given.letters, 2) for pair in (a + b, f"{a}·{b}"))
    return (pair + word for pair in pairs for word in given.before)


def _phrases(listed: Iterable[str]) -> Phrases[bool]:
    found: Phrases[bool] = Phrases()
    for phrase in listed:
        found.add(words(phrase), True)
    return found


def _known(given: Iterable[str], known: set[str], file: str, where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise DataFileError(file, where, f"no trigger or class is called {', '.join(unknown)}")


def load_language(code: str, folder: Path = LANGUAGES) -> Language:
    """Read the files of one language, which lie in the folder of its code: each holds some of its sections.

    Raises DataFileError that names the place and the mistake.
    """
    language = _read_language(code, folder)
    language.compile()
    return language


def _read_language(code: str, folder: Path) -> Language:
    """Read a language; a mistake in its frames, cues, vetoes, places or calendar is told when they are first used."""
    sections: dict[str, Any] = {}
    where = folder / code
    paths = sorted(where.glob("*.yaml"))
    if not paths:
        raise DataFileError(str(where), "", "cannot be read: no such folder, or no file in it")
    for path in paths:
        own = read(path.name, dict[str, Any], folder=where)
        for section in own.keys() & sections.keys():
            raise DataFileError(str(path), section, "stands in another file of the language too")
        sections |= own
    try:
        data = msgspec.convert(sections, LanguageFile, strict=False)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        raise DataFileError(str(where), place.strip("`"), problem) from error
    if not re.fullmatch(r"[a-z]{2,3}", data.code):
        raise DataFileError(str(where), "code", f"{data.code!r} is no ISO 639 code")
    clash = set(data.words) & set(BUILT_IN)
    if clash:
        raise DataFileError(str(where), "words", f"{', '.join(sorted(clash))}: names kept for the code")
    return Language(data, str(where))


@cache
def bundled_languages() -> Mapping[str, Language]:
    """Return every bundled language by its code, read once. Tests hold that each of them compiles."""
    languages = [_read_language(path.name, LANGUAGES) for path in sorted(LANGUAGES.iterdir()) if path.is_dir()]
    return {language.code: language for language in languages}


def check_languages(codes: Iterable[str]) -> None:
    """Raise ConfigError, naming `detection.languages`, for a code that no bundled language has."""
    known = sorted(path.name for path in LANGUAGES.iterdir() if path.is_dir())
    for code in codes:
        if code not in known:
            problem = f"there is no language '{code}' here"
            raise ConfigError("configuration", "detection.languages", problem, f"known: {', '.join(known)}")


def chosen_languages(codes: Sequence[str]) -> Mapping[str, Language]:
    """Return the bundled languages of these codes; all of them where there is no code. Raises ConfigError."""
    check_languages(codes)
    known = bundled_languages()
    return {code: known[code] for code in codes} if codes else known
