"""Loads the languages of detection: `data/languages/<code>/` holds everything that detection knows about one.

The code knows no language by name. Phrases of the data files are normalised in the same way as articles, so that both
can be compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, cached_property, partial
from itertools import permutations
from pathlib import Path
from typing import Any, get_args

import msgspec

from monitor.detect.datafile import DATA, read
from monitor.detect.setting.forum import Forums, forum_names
from monitor.detect.setting.topic_words import Topics, topic_names
from monitor.detect.setting.when import Calendar
from monitor.detect.setting.where import PlaceFrames, place_names
from monitor.detect.text.normal import matched_form
from monitor.detect.text.scripts import joints, scripts
from monitor.detect.text.tokens import Phrases
from monitor.detect.vocabulary.compiled_words import Crowds, Cue, Trigger, Trips, Veto, alternatives, phrases_of, words
from monitor.detect.vocabulary.frame_shapes import (
    BUILT_IN,
    Alphabet,
    Frame,
    FrameTraits,
    compile_shape,
    trigger_letters,
)
from monitor.detect.vocabulary.language_file import (
    Hosted,
    LanguageFile,
    MediumWords,
    StateLetters,
    Tense,
    TriggerForms,
    VetoWords,
)
from monitor.errors import ConfigError, DataFileError
from monitor.records import Kind, Medium

LANGUAGES = DATA / "languages"

_LETTER = re.compile(r"[^\W\d_]")


def _listed(name: str) -> cached_property[Phrases[bool]]:
    """Make the property that compiles the phrases under `name` in a language's file."""
    return cached_property(lambda language: phrases_of(getattr(language._data, name)))  # noqa: SLF001  # its own


class Language:
    """One language, ready for matching.

    `lexicon` maps phrases to triggers and word classes. `roles` maps the words around names to their role (titles,
    heads, former, counterparts, ...). `cues` maps words to status cues.
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
        self.tensed = data.tensed
        trigger_classes = tuple(dict.fromkeys(one.class_ for one in data.triggers))
        self.alphabet = Alphabet((*trigger_classes, *data.words), data.groups, file)
        self.trigger_letters = frozenset(self.alphabet[name] for name in trigger_classes)
        self.endings = tuple((ending, name) for name, endings in data.endings.items() for ending in endings)
        for _, name in self.endings:
            self.alphabet.letters(name, "endings")
        self.state_letters = data.state_letters.letters
        self.not_names = tuple(map(matched_form, data.not_names))
        #: The words that the first scan looks for.
        self.gate: dict[str, Hosted] = {}
        for one in data.triggers:
            hosted: Hosted = "always" if one.hosted else "at a seat" if one.role == "visitor" else "never"
            self.gate |= {matched_form(phrase).strip(): hosted for _, phrase in self._forms(one)}
        self.title_words = frozenset(matched_form(phrase) for phrases in data.titles.values() for phrase in phrases) | {
            matched_form(phrase)
            for phrase in (
                *data.counterparts,
                *data.both,
                *data.both_bare,
                *(one for group in data.several.values() for one in group),
                *_unions(data.state_letters),
            )
        }
        self.articles = frozenset(matched_form(word) for word in data.words.get("the", ()))
        self._rule_names = {one.name for one in data.triggers} | set(trigger_classes) | set(get_args(Tense))
        self._data = data
        self._file = file

    # These parts are compiled at the first article of the language: they take most of its loading time, and most
    # processes meet few languages.

    honorifics = _listed("honorifics")
    leading_heads = _listed("leading_heads")
    voices = _listed("voices")
    both_bare = _listed("both_bare")
    common = _listed("common")
    distributive = _listed("distributive")
    fronted = _listed("fronted")
    goes_on = _listed("goes_on")
    subordinate = _listed("subordinate")
    sends = _listed("sends")
    instead_of = _listed("instead_of")
    opinion = _listed("opinion")
    pseudo_cues = _listed("pseudo_cues")

    @cached_property
    def behind_letters(self) -> Phrases[bool]:
        """The words before the letters of several states."""
        return phrases_of(self._data.state_letters.before)

    @cached_property
    def joint(self) -> Phrases[bool] | None:
        """The words that say that several meet as one group; None if the language has none."""
        return phrases_of(self._data.joint) if self._data.joint else None

    @cached_property
    def media(self) -> Phrases[Medium]:
        """The words that name a medium."""
        return _media(self._data.media)

    @cached_property
    def becomes(self) -> Phrases[Medium]:
        """The words that say which medium a contact has instead of the one it was to have."""
        return _media(self._data.becomes)

    @cached_property
    def has_articles(self) -> bool:
        """Whether a title needs an article to mean a leader named before; an empty `the` says that it does not."""
        return bool(self._data.words.get("the", ("",)))

    @cached_property
    def lexicon(self) -> Phrases[Trigger | str]:
        """The triggers and word classes by their words."""
        found: Phrases[Trigger | str] = Phrases()
        for one in self._data.triggers:
            for trigger, phrase in self._forms(one):
                found.add(words(phrase), trigger)
        for name, phrases in self._data.words.items():
            for phrase in phrases:
                found.add(words(phrase), name)
        return found

    @cached_property
    def roles(self) -> Phrases[tuple[str, str]]:
        """What the words around names mean: the role, and for a title which, for a number how many."""
        data = self._data
        found: Phrases[tuple[str, str]] = Phrases()
        listed = [
            *(("title", title, phrases) for title, phrases in data.titles.items()),
            ("other_title", "", data.other_titles),
            ("modifier", "", data.title_modifiers),
            ("former", "", data.former),
            ("state_prefix", "", data.state_prefixes),
            ("same_state", "", data.same_state),
            ("head", "", data.heads),
            ("counterpart", "", data.counterparts),
            ("both", "", (*data.both, *data.both_bare)),
            *(("both", str(number), phrases) for number, phrases in data.several.items()),
            ("others", "", data.others),
        ]
        for role, value, phrases in listed:
            for phrase in phrases:
                found.add(words(phrase), (role, value))
        return found

    @cached_property
    def calendar(self) -> Calendar | None:
        """The words for days and hours; None if the language has no calendar."""
        return Calendar(self._data.calendar, self._file) if self._data.calendar is not None else None

    @cached_property
    def places(self) -> PlaceFrames:
        """The words that introduce a place."""
        return PlaceFrames(self._data.places, place_names())

    @cached_property
    def forums(self) -> Forums:
        """The names of forums, and the words around them."""
        return Forums(self._data.forums, self._data.places.possessives, forum_names())

    @cached_property
    def topics(self) -> Topics:
        """The words of topics."""
        return Topics(self._data.topics, topic_names())

    @cached_property
    def cues(self) -> Phrases[Cue]:
        """The words of status cues."""
        found: Phrases[Cue] = Phrases()
        for at, cue in enumerate(self._data.cues):
            _known(cue.only, self._rule_names, self._file, f"cues[{at}].only")
            unless = "".join(self.alphabet.letters(name, f"cues[{at}].unless_before") for name in cue.unless_before)
            followed = phrases_of(cue.followed) if cue.followed else None
            for phrase in (form for listed in cue.words for form in alternatives(listed)):
                found.add(words(phrase), Cue(cue, phrase, unless, followed))
        return found

    @cached_property
    def crowds(self) -> Crowds:
        """The words of appeals by people who are not leaders."""
        told = self._data.crowds
        listed = (told.who, told.asks, told.against, told.asked_by, told.unreal, told.remarks, told.gatherings)
        who, asks, against, asked_by, unreal, remarks, gatherings = map(phrases_of, listed)
        return Crowds(who, asks, against, asked_by, unreal, remarks, gatherings, told.verb_last)

    @cached_property
    def trips(self) -> Trips:
        """The words that cancel or postpone a trip."""
        told = self._data.trips
        return Trips(*map(phrases_of, (told.trip, told.off, told.later, told.ends, told.stays, told.unless)))

    @property
    def trip_gate(self) -> tuple[frozenset[str], frozenset[str]]:
        """The words that cancel or postpone a trip, as they are in a folded headline: anywhere, and at its end."""
        told = self._data.trips
        anywhere = (*told.off, *told.later, *told.stays)
        return frozenset(map(matched_form, anywhere)), frozenset(map(matched_form, told.ends))

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
                compiled=partial(
                    compile_shape, one.shape, self.alphabet, f"frames: {one.name}", self._file, one.unless_behind
                ),
                triggers=trigger_letters(one.shape, self.alphabet, f"frames: {one.name}"),
            )
            for one in self._data.frames
        )

    def compile(self) -> None:
        """Compile now what would be compiled at first use. Raises DataFileError for a mistake in it."""
        for part in ("lexicon", "roles", "calendar", "places", "forums", "topics", "cues", "vetoes", "frames"):
            getattr(self, part)
        for frame in self.frames:
            frame.pattern  # noqa: B018  # makes it
        if self.calendar is not None:
            self.calendar.compile()

    def has_letters(self, text: str) -> bool:
        """Say whether any letter of `text` is of this language's scripts."""
        return self._own.search(text) is not None

    def count_triggers(self, text: Sequence[str]) -> int:
        """Return the number of tokens at which a trigger of this language starts."""
        found = (self.lexicon.longest(text, at) for at in range(len(text)))
        return sum(one is not None and any(isinstance(value, Trigger) for value in one[1]) for one in found)

    def is_written_in(self, text: str) -> bool:
        """Say whether most letters of `text` are in this language's scripts; also true for a text without letters."""
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

    def _veto(self, veto: VetoWords) -> Veto:
        _known(veto.triggers, self._rule_names, self._file, f"vetoes: {veto.name}")

        def letters(classes: tuple[str, ...]) -> str:
            return "".join(self.alphabet.letters(name, f"vetoes: {veto.name}") for name in classes)

        return Veto(
            veto.name,
            frozenset(veto.triggers),
            letters(veto.only_behind),
            phrases_of(veto.before),
            phrases_of(veto.after),
            phrases_of(veto.anywhere),
            letters(veto.object_then),
            phrases_of(veto.behind_object),
            veto.single,
            veto.certain,
        )


def _unions(given: StateLetters) -> Iterable[str]:
    """What says for the gate that letters mean several states.

    Every pair of letters before each word that may follow, and each letter with a mark behind it, where the other
    state may be named in full.
    """
    yield from (a + b + word for a, b in permutations(given.letters, 2) for word in given.before)
    yield from (letter + mark for letter in given.letters for mark in joints())


def _media(groups: Iterable[MediumWords]) -> Phrases[Medium]:
    found: Phrases[Medium] = Phrases()
    for group in groups:
        for phrase in group.words:
            found.add(words(phrase), group.medium)
    return found


def _known(given: Iterable[str], known: set[str], file: str, where: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise DataFileError(file, where, f"no trigger or class is called {', '.join(unknown)}")


def load_language(code: str, folder: Path = LANGUAGES) -> Language:
    """Read one language from the folder named by its code; each of its files holds some of the sections.

    Raises DataFileError with the place and the mistake.
    """
    language = _read_language(code, folder)
    language.compile()
    return language


def _read_language(code: str, folder: Path) -> Language:
    """Read a language. Mistakes in frames, cues, vetoes, places or calendar are found only at their first use."""
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
        raise DataFileError(str(where), "code", f"{data.code!r} is not an ISO 639 code")
    if data.code != code:
        raise DataFileError(str(where), "code", f"is {data.code!r}, but the folder is called {code!r}")
    clash = set(data.words) & set(BUILT_IN)
    if clash:
        raise DataFileError(str(where), "words", f"{', '.join(sorted(clash))}: names reserved for the code")
    return Language(data, str(where))


@cache
def bundled_languages() -> Mapping[str, Language]:
    """Return every bundled language by its code, each read once. The tests compile all of them."""
    languages = [_read_language(path.name, LANGUAGES) for path in sorted(LANGUAGES.iterdir()) if path.is_dir()]
    return {language.code: language for language in languages}


def check_languages(codes: Iterable[str]) -> None:
    """Raise ConfigError, naming `detection.languages`, if a code belongs to no bundled language."""
    known = sorted(path.name for path in LANGUAGES.iterdir() if path.is_dir())
    for code in codes:
        if code not in known:
            problem = f"there is no language '{code}' here"
            raise ConfigError("configuration", "detection.languages", problem, f"known: {', '.join(known)}")


def chosen_languages(codes: Sequence[str]) -> Mapping[str, Language]:
    """Return the bundled languages with these codes, all of them if `codes` is empty. Raises ConfigError."""
    check_languages(codes)
    known = bundled_languages()
    return {code: known[code] for code in codes} if codes else known
