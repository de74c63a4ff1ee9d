"""Whether it happened: status cues in the scope of a contact's trigger, after NegEx and ConText.

A cue stands before or after what it speaks of and reaches a bounded way; of all cues in scope the strongest denial
wins, and a barrier ("after", "ahead of" right at the trigger) stops cues farther out. Without a cue the tense decides:
headline present is past.
"""

from __future__ import annotations

from typing import NamedTuple

from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import Row, RowItem
from monitor.detect.vocabulary.frame_shapes import ItemClass
from monitor.detect.vocabulary.language import Cue, Language
from monitor.detect.vocabulary.language_file import CueStatus
from monitor.records import Status

_ORDER: tuple[CueStatus, ...] = (
    "generic", "cancelled", "denied", "rescheduled", "postponed", "past", "proposed", "planned", "ongoing", "held",
)  # fmt: skip
_TIGHT, _NEAR = 2, 9
#: What may stand between a noun and what is said of it: "meeting in Budapest on Friday | postponed".
_AFTER_NOUN: frozenset[ItemClass] = frozenset({
    "adv", "time", "prep", "during", "the", "det", "STATE", "SEAT", "NAME", "HYPHEN", "QUOTE", "of", "poss", "aux",
    "COMMA",
})  # fmt: skip
#: What may stand between a preposition and its noun.
_BEFORE_NOUN: frozenset[ItemClass] = frozenset(
    {"WORD", "det", "the", "poss", "their", "NAME", "STATE", "SEAT", "HYPHEN", "QUOTE", "adv"}
)
#: What ends a noun phrase or a verb group, for cues that speak of just that one.
_PHRASE_ENDS: frozenset[ItemClass] = frozenset({"prep", "during", "COMMA", "and", "conj", "say", "with", "by", "time"})
#: What ends the reach of a cue behind its contact: another clause begins.
_CUTS: frozenset[ItemClass] = frozenset({"and", "conj", "say", "LEADER", "pron"})


class Verdict(NamedTuple):
    """The status, the words that gave it, whether words told it rather than a default.

    `undated` is what a rescheduled contact is when no new time is told. `wall` is the token of words such as "ahead
    of": what stands before it is said of something else; -1 where there is none. `strong`: nothing else that is said
    of the contact counts beside it.
    """

    status: CueStatus
    words: str
    told: bool
    undated: Status = "postponed"
    wall: int = -1
    strong: bool = False


class FoundCue(NamedTuple):
    """A cue at tokens `first` up to `last`."""

    first: int
    last: int
    cue: Cue


def find_cues(row: Row, language: Language) -> list[FoundCue]:
    """Return every status cue of a sentence, leftmost-longest."""
    found: list[FoundCue] = []
    names = {at for item in row.items if item.leaders for at in range(item.first, item.last)}
    at = 0
    while at < len(row.words):
        if (pseudo := language.pseudo_cues.longest(row.words, at)) is not None:
            at = pseudo[0]
            continue
        month = row.tokens[at].start in row.months
        hit = language.cues.longest(row.words, at) if at not in names and not month else None
        if hit is None:
            at += 1
            continue
        found.extend(FoundCue(at, hit[0], cue) for cue in hit[1])
        at = hit[0]
    return found


def status_of(row: Row, contact: Contact, cues: list[FoundCue]) -> Verdict:
    """Return the status of one contact by the cues around it."""
    if row.items[0].class_ == "aux" and row.words[-1] == "?":
        return Verdict("generic", "?", True)  # "Could X and Y meet?"
    inside = [one for one in cues if _in_scope(row, contact, one)]
    barrier = max((one.first for one in inside if one.cue.of.barrier), default=-1)
    wall = max((one.first for one in inside if one.cue.of.apart), default=-1)
    inside = [one for one in inside if one.first >= barrier or (_passes(one.cue) and not _is_behind(wall, one))]
    if inside:
        best = min(inside, key=lambda one: _rank(row, one))
        return Verdict(_as_told(row, best), best.cue.words, True, best.cue.of.undated, wall, best.cue.of.strong)
    trigger = contact.trigger
    if contact.frame.status is not None:
        return Verdict(contact.frame.status, contact.frame.name, True)
    told = trigger.of.status != "held" or trigger.tense == "past"
    return Verdict(trigger.of.status, trigger.tense, told)


def _as_told(row: Row, found: FoundCue) -> CueStatus:
    """What the cue says, in reported speech perhaps another thing: "said he would meet" is a plan."""
    said = any(one.class_ in ("say", "TELL") and one.last <= found.first for one in row.items)
    return found.cue.of.reported if said and found.cue.of.reported is not None else found.cue.of.status


def _passes(cue: Cue) -> bool:
    return cue.of.strong or cue.of.scope == "after" or cue.of.reach == "sentence"


def _is_behind(wall: int, found: FoundCue) -> bool:
    """Whether what stands before "ahead of" speaks of something else: "rules out a truce ahead of the talks"."""
    return found.first < wall and found.cue.of.scope == "before" and found.cue.of.reach != "sentence"


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
    before = found.last <= item.first
    if before and cue.unless_before and _is_adjunct(row, contact, found):
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


def _reaches_on(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether a cue before the trigger reaches on to it."""
    reach = found.cue.of.reach
    item = row.items[contact.at]
    gap = [one for one in row.items if found.last <= one.first and one.last <= item.first]
    if any(one.class_ == "BREAK" for one in gap):
        return False
    start = row.items[contact.first].first
    if reach == "clause" and not found.cue.of.barrier and any(found.last <= at < start for at in row.joints):
        return False  # "X snubbed as Y and Z dine": the cue is of the main clause
    if reach == "clause":
        verb = contact.trigger.tense in ("past", "present")
        loose = found.cue.of.status in ("generic", "proposed")
        return not (verb and loose and any(one.class_ == "COMMA" for one in gap))
    if _is_subject_frame(row, contact) and found.first < row.items[contact.first].first:
        return False
    if contact.trigger.tense == "past" and any(one.class_ in ("COMMA", "and", "conj") for one in gap):
        return False  # "who will visit Rome, met": a modal governs no past tense behind a comma
    if reach == "phrase":
        return all(one.class_ not in _PHRASE_ENDS for one in gap)
    return _steps(gap) <= (_TIGHT if reach == "tight" else _NEAR)


def _reaches_back(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether a cue behind the contact reaches back to it."""
    reach = found.cue.of.reach
    end = row.items[contact.at].last if reach == "clause" else row.items[contact.last - 1].last
    gap = [one for one in row.items if end <= one.first and one.last <= found.first]
    if any(one.class_ == "BREAK" for one in gap):
        return False
    if reach == "clause":
        return True
    if any(one.class_ in _CUTS for one in gap) or (reach == "tight" and _is_governed(row, contact)):
        return False
    if reach == "phrase":
        return all(one.class_ not in _PHRASE_ENDS for one in gap)
    return all(one.class_ in _AFTER_NOUN for one in gap) if reach == "tight" else _steps(gap) <= _NEAR


def _is_adjunct(row: Row, contact: Contact, found: FoundCue) -> bool:
    """Whether an infinitive behind a verb of its own has the noun beside it: "tries to calm X in talks" holds them."""
    if contact.trigger.tense not in ("noun", "plural"):
        return False
    verb = next((one for one in reversed(row.items) if one.last <= found.first), None)
    at = contact.at - 1
    while at >= 0 and row.items[at].class_ in _BEFORE_NOUN:
        at -= 1
    own = at >= 0 and row.items[at].class_ == "during" and row.items[at].first > found.last
    return own and verb is not None and verb.class_ == "control"


def _is_governed(row: Row, contact: Contact) -> bool:
    """Whether the contact's noun hangs on a preposition: what follows is not said of it ("at their talks to ...")."""
    for start in {contact.first, contact.at} if contact.trigger.tense in ("noun", "plural") else {contact.first}:
        at = start - 1
        while at >= 0 and row.items[at].class_ in _BEFORE_NOUN:
            at -= 1
        if at >= 0 and row.items[at].class_ in ("during", "prep"):
            return True
    return False


def _steps(gap: list[RowItem]) -> int:
    return sum(1 for one in gap if not one.leaders and one.class_ not in ("COMMA", "HYPHEN", "QUOTE"))


def _stands_before(row: Row, found: FoundCue) -> bool:
    """Whether what follows the cue is of a class that it may not stand before; any word may be a name in title case."""
    at = next((index for index, one in enumerate(row.items) if one.first >= found.last), None)
    if at is None or (row.title_case and row.items[at].class_ == "NAME"):
        return False
    return row.shape[at] in found.cue.unless_before


def _is_subject_frame(row: Row, contact: Contact) -> bool:
    """Whether the contact starts with its subject, so that a modal before it belongs to another clause."""
    first = row.items[contact.first]
    between = row.items[contact.first + 1 : contact.at]
    verb = contact.trigger.tense in ("past", "present", "ing") or any(one.class_ == "support" for one in between)
    return first.class_ == "LEADER" and contact.first < contact.at and verb
