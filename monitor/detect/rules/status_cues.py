"""Decides whether a contact happened, by the status cues in the scope of its trigger (after NegEx and ConText).

A cue is before or after its contact and acts over a bounded distance. Of all cues in scope, the strongest denial wins.
A barrier right at the trigger ("after", "ahead of") stops cues further away. Without a cue the tense decides; the
present tense of headlines counts as past.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import QUOTES, Row, RowItem
from monitor.detect.text.tokens import Phrases, Token
from monitor.detect.vocabulary.compiled_words import Cue
from monitor.detect.vocabulary.frame_shapes import ItemClass
from monitor.detect.vocabulary.language import Language
from monitor.detect.vocabulary.language_file import CueStatus
from monitor.records import Status

_ORDER: tuple[CueStatus, ...] = (
    "generic", "cancelled", "denied", "rescheduled", "postponed", "past", "proposed", "planned", "ongoing", "held",
)  # fmt: skip
_TIGHT, _NEAR = 2, 9
#: Classes that may stand between a noun and what is said about it: "meeting in Budapest on Friday | postponed".
_AFTER_NOUN: frozenset[ItemClass] = frozenset({
    "adv", "time", "prep", "during", "the", "det", "STATE", "SEAT", "NAME", "HYPHEN", "QUOTE", "of", "poss", "aux",
    "COMMA",
})  # fmt: skip
#: Classes that may stand between a preposition and its noun.
_BEFORE_NOUN: frozenset[ItemClass] = frozenset(
    {"WORD", "det", "the", "poss", "their", "NAME", "STATE", "SEAT", "HYPHEN", "QUOTE", "adv"}
)
#: Classes that end a noun phrase or a verb group, for cues with the reach `phrase`.
_PHRASE_ENDS: frozenset[ItemClass] = frozenset({"prep", "during", "COMMA", "and", "conj", "say", "with", "by", "time"})
#: Classes after which an infinitive states a plan.
_SUBJECTS: frozenset[ItemClass] = frozenset({"LEADER", "PAIR", "PERSON", "STATE", "SEAT", "pron", "NAME"})
#: Classes that show that a clause behind a comma has its own verb.
_PREDICATES = frozenset({"aux", "to", "support", "have", "OPEN"})
#: Verbs whose object a noun of contact may be: an infinitive is not about it ("holds talks with X to end the war").
_GOVERNS = frozenset({"support", "have", "HOST", "JOIN", "TAKE_PART"})
#: Classes that end the reach of a cue after its contact, because another clause begins.
_CUTS: frozenset[ItemClass] = frozenset({"and", "conj", "say", "LEADER", "pron"})


class Verdict(NamedTuple):
    """The status, the words that gave it, and whether words (not only a default) stated it.

    `undated`: the status of a rescheduled contact if no new time is given. `wall`: the token of words such as "ahead
    of", before which the text is about something else; -1 if there is none. `behind`: the contact, even if denied,
    would be in the past.
    """

    status: CueStatus
    words: str
    stated: bool
    undated: Status = "postponed"
    wall: int = -1
    behind: bool = False


class FoundCue(NamedTuple):
    """A cue at tokens `first` up to `last`."""

    first: int
    last: int
    cue: Cue


def find_cues(row: Row, language: Language) -> list[FoundCue]:
    """Return every status cue of a sentence, leftmost-longest."""
    found: list[FoundCue] = []
    names = {at for item in row.items if item.leaders for at in range(item.first, item.last)}
    plain = _unquoted(row.tokens)
    words = [row.words[at] for at in plain]
    at = 0
    while at < len(words):
        month = row.tokens[plain[at]].start in row.months
        hit = language.cues.longest(words, at) if plain[at] not in names and not month else None
        pseudo = language.pseudo_cues.longest(words, at)
        if pseudo is not None and (hit is None or hit[0] <= pseudo[0]):
            at = pseudo[0]
            continue
        if hit is None:
            at += 1
            continue
        found.extend(FoundCue(plain[at], plain[hit[0] - 1] + 1, cue) for cue in hit[1])
        at = hit[0]
    return found


def _unquoted(tokens: Sequence[Token]) -> list[int]:
    """Return the places of all tokens but quotation marks: "'prepared' to talk" means the same as "prepared to talk".

    A mark with no space on either side is an apostrophe, which cues have: "won't".
    """
    spaced = [*(one.spaced or not one.text[0].isalnum() for one in tokens[1:]), True]
    return [
        at
        for at, one in enumerate(tokens)
        if one.text not in QUOTES or (one.text == "'" and not one.spaced and not spaced[at])
    ]


def status_of(row: Row, contact: Contact, cues: list[FoundCue], *, tensed: bool = True) -> Verdict:
    """Return the status of one contact by the cues around it. `tensed`: the verbs of the language show their tense."""
    if row.items[0].class_ in ("aux", "control") and row.words[-1] == "?":
        return Verdict("generic", "?", True)  # "Could X and Y meet?", "Soll X mit Y reden?"
    inside = [one for one in cues if _in_scope(row, contact, one)]
    barrier = max((one.first for one in inside if one.cue.of.barrier), default=-1)
    wall = max((one.first for one in inside if one.cue.of.apart), default=-1)
    bound = max((one.first for one in inside if one.cue.of.apart or _is_after(one.cue)), default=-1)
    inside = [one for one in inside if one.first >= barrier or (_passes(one.cue) and not _is_behind(bound, one))]
    if inside:
        best = min(inside, key=lambda one: _rank(row, one))
        cue = best.cue.of
        behind = (tensed and contact.trigger.tense == "past") or any(one.cue.of.behind for one in inside)
        planned = any(one.cue.of.status == "planned" for one in inside)
        behind = behind and not (planned and cue.status == "denied")  # "denies that a call is planned"
        return Verdict(_as_told(row, best), best.cue.words, True, cue.undated, wall, behind)
    trigger = contact.trigger
    if contact.frame.status is not None:
        return Verdict(contact.frame.status, contact.frame.name, True)
    stated = trigger.of.status != "held" or trigger.tense == "past"
    return Verdict(trigger.of.status, trigger.tense, stated)


def _as_told(row: Row, found: FoundCue) -> CueStatus:
    """The status that the cue states, which may differ in reported speech: "said he would meet" is a plan."""
    said = any(one.class_ in ("say", "TELL") and one.last <= found.first for one in row.items)
    return found.cue.of.reported if said and found.cue.of.reported is not None else found.cue.of.status


def _passes(cue: Cue) -> bool:
    return cue.of.strong or cue.of.scope == "after" or cue.of.reach == "sentence"


def _is_after(cue: Cue) -> bool:
    """Whether the cue is a word such as "after": the text before it is a result of the contact."""
    return cue.of.barrier and cue.of.status == "held"


def _is_behind(bound: int, found: FoundCue) -> bool:
    """Whether the cue is before "ahead of" or "after" and so about something else: "rules out a truce after talks"."""
    return found.first < bound and found.cue.of.scope == "before" and found.cue.of.reach != "sentence"


def _rank(row: Row, found: FoundCue) -> tuple[bool, int]:
    order = _ORDER.index(_as_told(row, found))
    return not found.cue.of.strong and order > _ORDER.index("postponed"), order


def _in_scope(row: Row, contact: Contact, found: FoundCue) -> bool:
    cue, trigger = found.cue.of, contact.trigger
    if cue.only and not {trigger.name, trigger.class_, trigger.tense} & set(cue.only):
        return False
    item = row.items[contact.at]
    if found.first < item.last and item.first < found.last:
        return False
    if found.cue.followed is not None and not _is_followed(row, contact, found.cue.followed):
        return False
    before = found.last <= item.first
    if before and _is_done_there(row, contact, found):
        return False
    if contact.frame.finite and (found.first >= row.items[contact.first].first if before else cue.scope == "after"):
        return False
    if before != (cue.scope == "before") and cue.scope != "around":
        return False
    if cue.reach == "sentence":
        return True
    if found.cue.unless_before and _stands_before(row, found):
        return False
    return _reaches_on(row, contact, found) if before else _reaches_back(row, contact, found)


def _is_followed(row: Row, contact: Contact, words: Phrases[bool]) -> bool:
    """Whether one of these words stands after the contact: "was to meet X, | but fog kept him at home"."""
    behind = range(row.items[contact.at].last, len(row.words))
    return any(words.longest(row.words, at) is not None for at in behind)


def _reaches_on(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether a cue before the trigger reaches it."""
    reach = found.cue.of.reach
    item = row.items[contact.at]
    gap = [one for one in row.items if found.last <= one.first and one.last <= item.first]
    if any(one.class_ == "BREAK" for one in gap):
        return False
    start = row.items[contact.first].first
    joints = [at for at in row.joints if found.last <= at <= item.first]
    if not found.cue.of.barrier and any(at == start or reach == "clause" or _begins_clause(row, at) for at in joints):
        return False  # "X snubbed as Y and Z dine", "refuses to yield as he meets X": the cue is in the main clause
    if (found.cue.of.journey or _is_of_a_trip(found, contact, gap)) and _has_its_own_verb(contact, gap):
        return False
    if reach == "clause":
        verb = contact.trigger.tense in ("past", "present")
        loose = found.cue.of.status in ("generic", "proposed")
        return not (verb and loose and any(one.class_ == "COMMA" for one in gap))
    if found.cue.of.barrier and reach == "tight" and found.last == start:
        return True  # "since X met Y": it opens the contact's own clause
    if _is_subject_frame(row, contact) and found.first < row.items[contact.first].first:
        return False
    if contact.trigger.tense == "past" and any(one.class_ in ("COMMA", "and", "conj") for one in gap):
        return False  # "who will visit Rome, met": a modal does not govern a past tense after a comma
    if reach == "phrase":
        others = [one for one in gap if one.leaders and one.last < start]
        return not others and all(one.class_ not in _PHRASE_ENDS for one in gap)
    return _steps(gap) <= (_TIGHT if reach == "tight" else _NEAR)


def _is_of_a_trip(found: FoundCue, contact: Contact, gap: list[RowItem]) -> bool:
    """Whether the cue gives up a trip, not the contact: "cancels Seoul visit, will phone X instead"."""
    trip = any(one.trigger is not None and one.trigger.of.role == "visitor" for one in gap)
    return trip and contact.trigger.medium != "in_person" and found.cue.of.status in ("cancelled", "postponed")


def _has_its_own_verb(contact: Contact, gap: list[RowItem]) -> bool:
    """Whether another predicate begins between a cue and the contact: "flies to Rome, | holds talks with X"."""
    at = next((at for at in reversed(range(len(gap))) if gap[at].class_ in ("COMMA", "and")), None)
    if at is None or (at + 1 < len(gap) and gap[at + 1].class_ == "conj"):
        return False  # "cancels trip to Rome, where he was to meet X" is one story
    verb = contact.trigger.tense in ("past", "present")
    return verb or any(one.class_ in _PREDICATES for one in gap[at + 1 :])


def _reaches_back(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether a cue after the contact reaches it."""
    reach = found.cue.of.reach
    end = row.items[contact.at].last if reach == "clause" else row.items[contact.last - 1].last
    gap = [one for one in row.items if end <= one.first and one.last <= found.first]
    if any(one.class_ == "BREAK" for one in gap):
        return False
    if reach == "clause":
        return True
    if any(one.class_ in _CUTS for one in gap) or (reach == "tight" and _is_governed(row, contact, found)):
        return False
    if reach == "phrase":
        return all(one.class_ not in _PHRASE_ENDS for one in gap)
    if reach == "tight":  # "held talks amid speculation" is not said of the talks
        return all(one.class_ in _AFTER_NOUN for one in gap) and not (gap and gap[-1].class_ == "prep")
    return _steps(gap) <= _NEAR


def _begins_clause(row: Row, joint: int) -> bool:
    """Whether a clause with its own subject or participle follows: "to stay calm as he | holds talks"."""
    then = next((one for one in row.items if one.first > joint), None)
    return then is not None and (
        bool(then.leaders) or then.class_ == "pron" or (then.trigger is not None and then.trigger.tense == "ing")
    )


def _is_done_there(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether the cue is about what was done at the contact, and has an object: "offers a truce in talks with X".

    Such cues are the verbs marked `done` ("offers", "denies", "urges"), and infinitives after another word than their
    subject: "tries to calm X in talks", "in a bid to help in talks", but not "X to help in talks".
    """
    if contact.trigger.tense not in ("noun", "plural") or not (found.cue.of.done or found.cue.unless_before):
        return False
    at = contact.at - 1
    while at >= 0 and row.items[at].class_ in _BEFORE_NOUN:
        at -= 1
    if at < 0 or row.items[at].class_ != "during" or row.items[at].first <= found.last:
        return False
    if found.cue.of.done:
        return True
    verb = next((one for one in reversed(row.items) if one.last <= found.first and one.class_ != "adv"), None)
    return verb is not None and verb.class_ not in _SUBJECTS


def _is_governed(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether a preposition governs the contact's noun: then what follows is not about it ("at their talks to ...").

    If a verb governs it, no infinitive is about it: "holds talks with X to end the war".
    """
    for start in {contact.first, contact.at} if contact.trigger.tense in ("noun", "plural") else {contact.first}:
        at = start - 1
        while at >= 0 and row.items[at].class_ in _BEFORE_NOUN:
            at -= 1
        if at < 0:
            continue
        if row.items[at].class_ in ("during", "prep") or (found.cue.unless_before and row.items[at].class_ in _GOVERNS):
            return True
    return False


def _steps(gap: list[RowItem]) -> int:
    return sum(1 for one in gap if not one.leaders and one.class_ not in ("COMMA", "HYPHEN", "QUOTE"))


def _stands_before(row: Row, found: FoundCue) -> bool:
    """Whether a class of the cue's `unless_before` follows it; in title case any word may be a name."""
    at = next((index for index, one in enumerate(row.items) if one.first >= found.last), None)
    if at is None or (row.title_case and row.items[at].class_ == "NAME"):
        return False
    return row.shape[at] in found.cue.unless_before


def _is_subject_frame(row: Row, contact: Contact) -> bool:
    """Whether the contact starts with its subject: then a modal before it belongs to another clause."""
    first = row.items[contact.first]
    between = row.items[contact.first + 1 : contact.at]
    verb = contact.trigger.tense in ("past", "present") or any(one.class_ in ("support", "aux") for one in between)
    return first.class_ == "LEADER" and contact.first < contact.at and verb
