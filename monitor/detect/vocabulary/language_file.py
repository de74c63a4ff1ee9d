"""The records in the files of a language, one class for each kind of entry. They are checked strictly when read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from monitor.detect.setting.forum import ForumWords
from monitor.detect.setting.when import CalendarWords
from monitor.detect.setting.where import PlaceWords
from monitor.detect.text.news_layout import NewsLayout
from monitor.detect.vocabulary.frame_shapes import FrameTraits
from monitor.records import Kind, Medium, Status

#: Whether a leader takes part whom the text need not name: the host of a state visit, or of a visit to a seat.
Hosted = Literal["never", "at a seat", "always"]
Tense = Literal["past", "present", "ing", "participle", "noun", "plural"]
#: The status that a cue gives a trigger in its scope; `generic`: the sentence is about no single contact.
CueStatus = Status | Literal["generic"]
Scope = Literal["before", "after", "around"]
Reach = Literal["tight", "phrase", "near", "clause", "sentence"]


class TriggerForms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger: one verb or noun in all its forms.

    `status` is the one that it states without any cue. A `weak` trigger counts only if no other connects the same
    leaders. `hosted`: the leader of the visited state takes part even if the text does not name him. `ceremonial`: that
    host is the head of state, if the text names one (a king rather than his prime minister).
    """

    name: str
    class_: str = msgspec.field(name="class")
    kind: Kind
    medium: Medium = "unknown"
    role: str = ""
    status: Status = "held"
    weak: bool = False
    hosted: bool = False
    ceremonial: bool = False
    distributive: bool = False
    forms: Mapping[Tense, tuple[str, ...]]
    compounds: Mapping[Medium, tuple[str, ...]] = {}


class CueWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that give a trigger in their scope a status (after NegEx and ConText: Chapman 2001, Harkema 2009).

    `scope`: on which side of the contact the cue is. `reach`: tight, up to two items; phrase, within one noun phrase or
    verb group; near, up to nine items; clause; sentence. `only`: the triggers, classes or tenses that it applies to.
    `barrier`: cues further away do not pass it. `strong`: it outweighs all others except denials. `undated`: the status
    that `rescheduled` becomes if no new time is given. `unless_before`: it does not apply before these classes or
    groups ("to meet", but not "to Rome"). `apart`: a barrier for strong cues as well, because the words before it are
    about something else ("ahead of"). `done`: a verb for what leaders do at a contact; it says nothing about a contact
    that follows "in" or "during". `reported`: the status after a verb of saying. `appeal`: a third party asks for the
    contact ("urges them to meet"). `behind`: the denied contact would be in the past ("did not meet"). `journey`: the
    words of a journey, which say nothing about a verb of its own after a comma ("flies to Rome, meets X").
    """

    status: CueStatus
    scope: Scope
    reach: Reach
    words: tuple[str, ...]
    only: tuple[str, ...] = ()
    barrier: bool = False
    apart: bool = False
    strong: bool = False
    done: bool = False
    undated: Status = "postponed"
    example: str = ""
    unless_before: tuple[str, ...] = ()
    reported: CueStatus | None = None
    appeal: bool = False
    behind: bool = False
    journey: bool = False
    followed: tuple[str, ...] = ()


class VetoWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A false sense of a trigger: words just before or after it, or after its object, that give it another meaning.

    `only_behind`: it applies only right after an item of one of these classes. `object_then`: the classes that may
    follow the object; any other class means a false sense. `behind_object`: words that may not follow the object.
    `single`: it applies only if one leader acts ("X spoke about Y", but not "X and Y spoke about Z"). `certain`: two
    leaders whom only such sentences name are in no contact, even if the reader says so.
    """

    name: str
    triggers: tuple[str, ...]
    only_behind: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    anywhere: tuple[str, ...] = ()
    object_then: tuple[str, ...] = ()
    behind_object: tuple[str, ...] = ()
    single: bool = False
    certain: bool = False
    example: str = ""


class FrameShape(FrameTraits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame as the file has it; it does not fit if an item of a class in `unless_behind` follows."""

    shape: str
    unless_behind: tuple[str, ...] = ()
    example: str = ""


class MediumWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that name the medium, anywhere in the clause."""

    medium: Medium
    words: tuple[str, ...]


class StateLetters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """States written as one letter each, joined before words for leaders or a summit: "한미 정상", "日米首脳".

    `letters` gives the ISO code of each letter; `before` lists the words that must follow at once.
    """

    letters: Mapping[str, str] = {}
    before: tuple[str, ...] = ()


class CrowdWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of appeals by people who are not leaders.

    `who` are those people ("protesters", "poll"). `asks` are words after them that ask for a contact, `against` words
    that oppose one, and `asked_by` passive words before them ("urged by"). `verb_last`: the verb ends the sentence, and
    what is asked for stands between the crowd and the verb. A sentence with an `unreal` phrase ("poll shows", "wax
    figures of") reports no contact at all, nor does one with a word of `remarks` ("congratulates") and no trigger.
    Leaders who attend one of `gatherings` ("funeral") need not have met: what the reader alone finds there is dropped.
    """

    who: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    asked_by: tuple[str, ...] = ()
    unreal: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    gatherings: tuple[str, ...] = ()
    verb_last: bool = False


class TripWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words that cancel (`off`) or postpone (`later`) a trip; with a word of `unless` a headline does neither.

    `ends` are the last words of headlines with a separable verb ("sagt Reise nach Rom ab"). `stays` are verbs that
    say by themselves that somebody does not travel ("will not travel to").
    """

    trip: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class LanguageFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. docs/languages.md explains each section.

    `state_behind_title`: a state may directly follow a title ("президент Турции", "presidente ruso").
    `lower_adjectives`: adjectives of states are written without a capital. `leading_heads`: words before a name that
    mean someone else ("помощник Путина", "portavoz de Lula"). `voices`: heads that only say what the leader says, with
    a verb of saying next to them ("Noboa's office says"). `goes_on`: words that continue a statement after an
    auxiliary ("was put off and will be held on Friday"). `subordinate`: words that begin a subordinate clause ("as",
    "while"). `sends`: verbs with which a leader sends someone else ("dispatches an aide to meet X"). `not_names`:
    beginnings of words that are no given name (the Arabic article). `tensed`: verbs show their tense.
    """

    code: str
    scripts: tuple[str, ...]
    clitics: str = ""
    state_behind_title: bool = False
    lower_adjectives: bool = False
    tensed: bool = True
    calendar: CalendarWords | None = None
    places: PlaceWords = PlaceWords()
    forums: ForumWords = ForumWords()
    topics: Mapping[str, tuple[str, ...]] = {}
    titles: Mapping[str, tuple[str, ...]] = {}
    other_titles: tuple[str, ...] = ()
    title_modifiers: tuple[str, ...] = ()
    honorifics: tuple[str, ...] = ()
    not_names: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    state_prefixes: tuple[str, ...] = ()
    same_state: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    leading_heads: tuple[str, ...] = ()
    voices: tuple[str, ...] = ()
    counterparts: tuple[str, ...] = ()
    both: tuple[str, ...] = ()
    both_bare: tuple[str, ...] = ()
    several: Mapping[int, tuple[str, ...]] = {}
    state_letters: StateLetters = StateLetters()
    others: tuple[str, ...] = ()
    common: tuple[str, ...] = ()
    distributive: tuple[str, ...] = ()
    joint: tuple[str, ...] = ()
    fronted: tuple[str, ...] = ()
    instead_of: tuple[str, ...] = ()
    subordinate: tuple[str, ...] = ()
    sends: tuple[str, ...] = ()
    goes_on: tuple[str, ...] = ()
    opinion: tuple[str, ...] = ()
    layout: NewsLayout = NewsLayout()
    media: tuple[MediumWords, ...] = ()
    becomes: tuple[MediumWords, ...] = ()
    words: Mapping[str, tuple[str, ...]] = {}
    endings: Mapping[str, tuple[str, ...]] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    triggers: tuple[TriggerForms, ...]
    cues: tuple[CueWords, ...] = ()
    pseudo_cues: tuple[str, ...] = ()
    crowds: CrowdWords = CrowdWords()
    trips: TripWords = TripWords()
    vetoes: tuple[VetoWords, ...] = ()
    frames: tuple[FrameShape, ...]
