"""What stands in the files of a language: one record a kind of entry, checked strictly when it is read."""

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

#: Whether a trigger brings in a leader whom the text need not name: a state visit its host, any visit that of a seat.
Hosted = Literal["never", "at a seat", "always"]
Tense = Literal["past", "present", "ing", "participle", "noun", "plural"]
#: What a cue says of a trigger in its scope; `generic` means that no single contact is spoken of.
CueStatus = Status | Literal["generic"]
Scope = Literal["before", "after", "around"]
Reach = Literal["tight", "phrase", "near", "clause", "sentence"]


class TriggerForms(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A trigger as the file has it: one verb or noun in all its forms.

    `status` is what it says without any cue. A `weak` one counts only where no other joins the same leaders.
    `hosted`: the leader of the state visited takes part even if the text does not name him. `ceremonial`: that is the
    head of state, where the text names one: a king rather than his prime minister.
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

    `scope`: where the cue stands. `reach`: tight, up to two items; phrase, within one noun phrase or verb group; near,
    up to nine items; clause; sentence. `only` narrows it to triggers, classes or tenses. `barrier`: cues farther out
    do not pass it. `strong`: it outweighs the others but a denial. `undated`: what `rescheduled` comes to where no new
    time is told. `unless_before`: not where one of these classes or groups follows ("to meet", and not "to Rome").
    `apart`: nor do strong ones, since what stands before it speaks of something else ("ahead of"). `reported`: what it
    says behind a verb of saying. `appeal`: a third party asks for the contact ("urges them to meet").
    """

    status: CueStatus
    scope: Scope
    reach: Reach
    words: tuple[str, ...]
    only: tuple[str, ...] = ()
    barrier: bool = False
    apart: bool = False
    strong: bool = False
    undated: Status = "postponed"
    example: str = ""
    unless_before: tuple[str, ...] = ()
    reported: CueStatus | None = None
    appeal: bool = False


class VetoWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A false sense: what stands just before or behind the trigger, or behind its object, when it means something else.

    `only_behind` narrows it to triggers right behind an item of one of these classes. `object_then` lists the classes
    that may follow the object, anything else is another sense; `behind_object` the words that may not. A `single` one
    speaks of one leader's act only ("X spoke about Y", but "X and Y spoke about Z").
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
    example: str = ""


class FrameShape(FrameTraits, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A frame as the file has it; it does not fit where an item of a class of `unless_behind` follows."""

    shape: str
    unless_behind: tuple[str, ...] = ()
    example: str = ""


class MediumWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words anywhere in the clause that tell by which medium."""

    medium: Medium
    words: tuple[str, ...]


class StateLetters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """States as one letter each, joined before words for leaders or a summit: "한미 정상", "日米首脳".

    `letters` are ISO codes by letter; `before` the words that follow at once.
    """

    letters: Mapping[str, str] = {}
    before: tuple[str, ...] = ()


class CrowdWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of appeals that are no leader's: who makes them, and how.

    `who` are those who lead nothing ("protesters", "poll"); `asks` are the words that ask for a contact and stand
    behind them, `against` those that oppose one, `asked_by` passive ones that stand before them ("urged by"). Where the
    verb ends the sentence (`verb_last`), whatever stands between is what is asked for.
    """

    who: tuple[str, ...] = ()
    asks: tuple[str, ...] = ()
    against: tuple[str, ...] = ()
    asked_by: tuple[str, ...] = ()
    verb_last: bool = False


class TripWords(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Words of a trip that is called off (`off`) or put off (`later`); `unless` words make a headline say neither.

    `ends` are the words that end a headline whose verb stands apart ("sagt Reise nach Rom ab").
    """

    trip: tuple[str, ...] = ()
    off: tuple[str, ...] = ()
    later: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class LanguageFile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file. Each list is explained where it is used.

    `state_behind_title`: a state may follow a title as it is ("президент Турции", "presidente ruso");
    `lower_adjectives`: adjectives of states have no capital; `leading_heads` are heads that stand before the name
    ("помощник Путина", "portavoz de Lula"); behind an auxiliary one of `goes_on` still speaks of the contact ("was put
    off and will be held on Friday"); `subordinate` words begin a clause of its own ("as", "while").
    """

    code: str
    scripts: tuple[str, ...]
    clitics: str = ""
    state_behind_title: bool = False
    lower_adjectives: bool = False
    calendar: CalendarWords | None = None
    places: PlaceWords = PlaceWords()
    forums: ForumWords = ForumWords()
    topics: Mapping[str, tuple[str, ...]] = {}
    titles: Mapping[str, tuple[str, ...]] = {}
    other_titles: tuple[str, ...] = ()
    title_modifiers: tuple[str, ...] = ()
    honorifics: tuple[str, ...] = ()
    former: tuple[str, ...] = ()
    state_prefixes: tuple[str, ...] = ()
    same_state: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    leading_heads: tuple[str, ...] = ()
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
    goes_on: tuple[str, ...] = ()
    opinion: tuple[str, ...] = ()
    layout: NewsLayout = NewsLayout()
    media: tuple[MediumWords, ...] = ()
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
