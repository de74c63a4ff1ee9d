"""Finds the contacts in a row of items: which frame connects which leaders at a trigger, and what is rejected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from itertools import combinations

import msgspec

from monitor.detect.people.offices import Focus
from monitor.detect.rules.rows import Row
from monitor.detect.text.scripts import commas
from monitor.detect.text.tokens import POSSESSIVES, Phrases
from monitor.detect.vocabulary.compiled_words import Trigger
from monitor.detect.vocabulary.frame_shapes import Frame, ItemClass
from monitor.detect.vocabulary.language import Language
from monitor.records import Medium

#: After an unknown name, these classes make the name a subject: "Trump says Witkoff | to meet Putin".
_VERBAL: frozenset[ItemClass] = frozenset({"to", "aux", "have", "say", "support", "control", "travel", "MEET", "SPEAK"})
_FINITE = _VERBAL - {"to"}
_OBJECT_OF: frozenset[ItemClass] = frozenset({"with", "of", "by", "prep", "during", "between", "det", "the", "poss"})
_BEFORE_CLAUSE: frozenset[ItemClass] = frozenset(
    {"BREAK", "COMMA", "END", "conj", "say", "and", "QUOTE", "the", "time", "adv", "prep"}
)
#: Reason for rejecting a contact: an envoy, minister or aide meets the other leader.
SOMEBODY_ELSE = "a participant is not a leader"
#: Leaders who are asked to meet; the one who asks is not counted.
_ASKED = 2
_PERSONAL: frozenset[ItemClass] = frozenset({"pron", "poss", "their"})


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Leaders connected at one trigger. Side A acts, if the sides differ. The row's items `first` up to `last` hold it.

    `apart`: one of several contacts that the same words report, each with its own partner ("met separately").
    `host_unnamed`: the article does not name the leader of the visited state or seat.
    """

    a: tuple[str, ...]
    b: tuple[str, ...]
    trigger: Trigger
    at: int
    first: int
    last: int
    frame: Frame
    inferred: bool = False
    others: bool = False
    apart: bool = False
    host_unnamed: bool = False

    @property
    def leaders(self) -> frozenset[str]:
        """All participants."""
        return frozenset(self.a) | frozenset(self.b)


class Rejection(msgspec.Struct, frozen=True):
    """A rejected candidate: `reason` is from a bounded set, `at` is the trigger's item.

    `certain`: the words leave no room for a contact (`Veto.certain`).
    """

    at: int
    trigger: str
    reason: str
    leaders: tuple[str, ...] = ()
    certain: bool = False


def find_contacts(row: Row, language: Language, focus: Focus) -> tuple[list[Contact], list[Rejection]]:
    """Return the contacts of one sentence. At each trigger, only the first frame in the file that fits counts."""
    found: dict[int, Contact] = {}
    objects: set[int] = set()
    rejected: dict[int, Rejection] = {}
    triggers = [index for index, item in enumerate(row.items) if item.trigger is not None]
    if not triggers:
        return [], []
    letters = {row.shape[index] for index in triggers}
    for frame in language.frames:
        if frame.triggers.isdisjoint(letters):
            continue
        for match in _matches(frame, row):
            at = match.start("T")
            trigger = row.items[at].trigger
            if at in found or trigger is None or (frame.opens and not _opens(row, match.start())):
                continue
            veto = _vetoed(row, at, _label(match, "B"), language, collective=frame.collective)
            if veto:
                name, certain = veto
                rejected.setdefault(at, Rejection(at, trigger.name, f"false sense: {name}", certain=certain))
                continue
            named = _label(match, "B")
            if frame.missing == "subject" and named is not None and named < at and named in objects:
                continue
            contact = _complete(row, focus, frame, match)
            if isinstance(contact, Rejection):
                rejected.setdefault(at, contact)
            else:
                found[at] = contact
                if named is not None:
                    objects.add(named)
    for at in triggers:
        trigger = row.items[at].trigger
        if at not in found and at not in rejected and trigger is not None:
            rejected[at] = Rejection(at, trigger.name, "fewer than two leaders do it")
    for at in [at for at, one in found.items() if _outdone(one, found)]:
        rejected[at] = Rejection(
            at, found[at].trigger.name, "another word tells it better", tuple(found.pop(at).leaders)
        )
    contacts = [one for at in sorted(found) for one in _spread(row, found[at], language)]
    return contacts, [reason for at, reason in sorted(rejected.items()) if at not in found]


def _outdone(contact: Contact, found: dict[int, Contact]) -> bool:
    """Whether another trigger reports the same contact better.

    That is so for a weak trigger, for a noun without partners, and for part of a larger group's contact.
    """
    for one in found.values():
        if contact.trigger.of.weak and not one.trigger.of.weak and one.leaders >= contact.leaders:
            return True
        if contact.frame.missing == "focus" and one.frame.missing != "focus" and one.leaders >= contact.leaders:
            return True
        if one.leaders > contact.leaders and (one.first == contact.first or one.a == contact.a):
            return True
    return False


def _matches(frame: Frame, row: Row) -> Iterator[re.Match[str]]:
    position = 0
    while (match := frame.pattern.search(row.shape, position)) is not None:
        position = match.start() + 1
        yield match


def _label(match: re.Match[str], name: str) -> int | None:
    """The item with this label, None if the shape does not have it."""
    return match.start(name) if name in match.re.groupindex and match[name] else None


def _trigger_at(row: Row, at: int, frame: Frame) -> Trigger:
    trigger = row.items[at].trigger
    if trigger is None:
        raise ValueError(f"frame {frame.name}: T is no trigger")
    return trigger


def _complete(row: Row, focus: Focus, frame: Frame, match: re.Match[str]) -> Contact | Rejection:
    at = match.start("T")
    trigger = _trigger_at(row, at, frame)
    labelled = {name: _label(match, name) for name in "ABCH"}
    sides = {name: row.items[index].leaders if index is not None else () for name, index in labelled.items()}
    side_a, side_b = sides["A"], (*sides["B"], *sides["C"])
    others = any(row.items[index].others for index in labelled.values() if index is not None)
    inferred = False
    if labelled["H"] is not None:
        host = focus.host(row.items[labelled["H"]].word, ceremonial=trigger.of.ceremonial)
        unnamed = (trigger.of.hosted or frame.hosted) and not _is_attribute(row, labelled["H"])
        if not host or host in side_a or not (host in focus.candidates or unnamed):
            return Rejection(at, trigger.name, "the host is not named", side_a)
        side_b, inferred = (host,), True
    if frame.asked and len({*side_a, *side_b}) > _ASKED:
        side_a = side_a[1:]  # "X, Y and Z: asks to meet" in one list
    if frame.collective and len(side_a) < 2:
        return Rejection(at, trigger.name, "only one leader takes part", side_a)
    if frame.missing != "none" and not (side_a and side_b):
        given = _given(row, focus, frame, match, (side_a, side_b))
        if isinstance(given, Rejection):
            return given
        (side_a, side_b), inferred = given, True
    side_b = tuple(dict.fromkeys(one for one in side_b if one not in side_a))
    if len({*side_a, *side_b}) < 2:
        return Rejection(at, trigger.name, "only one leader takes part", side_a or side_b)
    if trigger.tense in ("noun", "plural") and sides["A"] and sides["B"] and trigger.class_.endswith("_OR_VERB"):
        trigger = msgspec.structs.replace(trigger, tense="present")  # "Putin calls Xi", and not "Putin's call"
    return Contact(
        a=side_a, b=side_b, trigger=trigger, at=at, first=match.start(), last=match.end(), frame=frame,
        inferred=inferred, others=others, host_unnamed=labelled["H"] is not None and not focus.candidates >= {*side_b},
    )  # fmt: skip


def _is_attribute(row: Row, index: int) -> bool:
    """Whether the state is part of another noun: "pays a visit to Lebanon blast victims"."""
    behind = row.items[index + 1 : index + 2]
    return any(one.class_ in ("WORD", "NAME", "HYPHEN") for one in behind)


def _given(
    row: Row, focus: Focus, frame: Frame, match: re.Match[str], sides: tuple[tuple[str, ...], tuple[str, ...]]
) -> tuple[tuple[str, ...], tuple[str, ...]] | Rejection:
    """Both sides, including the one that the shape does not contain."""
    side_a, side_b = sides
    at = match.start("T")
    trigger = row.items[at].trigger
    if trigger is None or frame.missing == "their":
        return _both(row, focus, match.start()), side_b
    if frame.missing == "focus":
        return _alone_in_focus(row, focus), side_b
    if frame.missing == "speaker":
        return (*side_a, *(one for one in (focus.speaker,) if one)), side_b
    present = frozenset(side_a or side_b)
    if frame.missing == "dropped":
        subject = focus.subject if match.start() == 0 and not present & set(focus.subject) else ()
    elif frame.missing == "subject":
        subject = _subject(row, focus, match.start(), match.end(), present)
    else:
        subject = _sayer(row, match.end(), present)
    if side_b and _sends_somebody(row, match.start()):
        return Rejection(at, trigger.name, SOMEBODY_ELSE, side_b)
    if not subject:
        another = side_b and frame.missing == "subject" and _is_anothers(row, match.start())
        reason = SOMEBODY_ELSE if another else "no second leader takes part"
        return Rejection(at, trigger.name, reason, side_a or side_b)
    named = _label(match, "B")
    visitor = named if named is not None and named < at and trigger.of.role == "visitor" else None
    if visitor is not None and len(subject) > 1:
        return Rejection(at, trigger.name, "a visit has one host", side_b)  # "X, Y meet ahead of Z's trip"
    if side_a:
        return side_a, subject
    if visitor is not None and row.items[visitor].class_ == "OWNER":
        return side_b, subject
    return subject, side_b


def _both(row: Row, focus: Focus, before: int) -> tuple[str, ...]:
    """The two leaders that "their" refers to: those of the sentence so far, else of the article so far."""
    here = dict.fromkeys(one for item in row.items[:before] for one in item.leaders)
    if here:
        return tuple(here) if len(here) == 2 else ()
    return tuple(focus.seen) if len(focus.seen) == 2 else ()


def _alone_in_focus(row: Row, focus: Focus) -> tuple[str, ...]:
    """The two leaders of a noun without partners: the only ones in the article so far, if this sentence names one."""
    here = {one for item in row.items for one in item.leaders}
    if not here or any(item.class_ == "PERSON" for item in row.items):
        return ()
    return tuple(focus.seen) if len(focus.seen) == 2 else ()


def _subject(row: Row, focus: Focus, first: int, last: int, present: frozenset[str]) -> tuple[str, ...]:
    """The other participants, if only one side is next to the trigger.

    In this order: the nearest subject before the trigger; for a fronted phrase, the subject after it; the speaker of a
    quote ("..., Trump said", "— Trump"); for a pronoun, the subject of the sentence before; the owner of an official
    source.
    """
    items = row.items
    for index in range(first - 1, -1, -1):
        item = items[index]
        if item.class_ == "QUOTE" and item.word in POSSESSIVES:
            return ()
        if item.class_ == "PERSON" and not item.others:
            return ()
        if item.class_ == "NAME" and not row.title_case and _may_act(row, index):
            return ()
        if items[index + 1].class_ in ("offer", "INVITATION"):
            continue  # "turned down X's (or an X) invitation to talks with Y"
        if item.class_ in ("LEADER", "PAIR") and _is_subject(row, index) and not present & set(item.leaders):
            return item.leaders
    if first and items[0].class_ == "OWNER" and not present & set(items[0].leaders):
        return items[0].leaders
    before = [item for item in items[:first] if item.leaders and not present & set(item.leaders)]
    if len(before) == 1 and items[items.index(before[0]) - 1].class_ in ("of", "by"):
        return before[0].leaders  # "the rehabilitation of X ahead of a meeting with Y", "statement by X following ..."
    if sayer := _sayer(row, last, present):
        return sayer
    pronoun = any(items[index].class_ in _PERSONAL for index in range(max(0, first - 4), last))
    if pronoun and focus.subject and not present & set(focus.subject):
        return focus.subject
    if focus.speaker and focus.speaker not in present and focus.headline:
        return (focus.speaker,)
    return ()


def _is_anothers(row: Row, first: int) -> bool:
    """Whether the subject right before the trigger is not a leader: "says Smith, Jones | to meet X"."""
    at = first - 1
    while at >= 0 and row.items[at].class_ not in ("PERSON", "NAME") and not row.items[at].leaders:
        if row.items[at].class_ not in _VERBAL and row.items[at].class_ != "adv":
            return False
        at -= 1
    if at < 0 or row.items[at].leaders or (row.items[at].class_ == "NAME" and row.title_case):
        return False
    while at >= 0 and row.items[at].class_ in ("PERSON", "NAME", "COMMA", "and"):
        at -= 1
    return at < 0 or row.items[at].class_ in ("say", "BREAK", "conj")


def _sends_somebody(row: Row, first: int) -> bool:
    """Whether a leader sends someone else to the contact: "X sends a top aide | to meet Y"."""
    start = row.items[first].first
    for verb, end in row.sends:
        sender = any(one.leaders and one.last <= verb for one in row.items)
        behind = [one for one in row.items[:first] if one.first > verb]
        if sender and verb < start <= end and any(one.class_ in ("WORD", "NAME", "PERSON") for one in behind):
            return not any(one.leaders or one.class_ in ("BREAK", "COMMA", "and") for one in behind)
    return False


def _sayer(row: Row, last: int, present: frozenset[str]) -> tuple[str, ...]:
    """The subject after a fronted phrase, or the person who says it: "— Trump", "..., Trump said"."""
    items = row.items
    breaks = [index for index in range(last, len(items)) if items[index].class_ == "BREAK"]
    for index in breaks[:1]:
        if index + 1 < len(items) and items[index + 1].class_ == "LEADER":
            item = items[index + 1]
            return item.leaders if not present & set(item.leaders) else ()
    for index in range(last, len(items)):
        if items[index].class_ == "say":
            for item in (items[one] for one in (index - 1, index + 1) if last <= one < len(items)):
                if item.class_ == "LEADER" and not present & set(item.leaders):
                    return item.leaders
    return ()


def _may_act(row: Row, index: int) -> bool:
    """Whether an unknown name can be the subject of what follows, not an object: "... says Witkoff to meet Putin"."""
    before = row.items[index - 1] if index else None
    then = row.items[index + 1]
    behind = then.class_ in _VERBAL and (then.trigger is None or then.trigger.tense != "noun")
    return behind and (before is None or (before.trigger is None and before.class_ not in _OBJECT_OF))


def _is_subject(row: Row, index: int) -> bool:
    """Whether the leader at `index` can be a subject: no preposition and no verb or noun of contact is before it.

    After a word that is both preposition and conjunction ("as", "after"), a leader with a finite verb is a subject.
    """
    if index == 0:
        return True
    before = row.items[index - 1]
    if before.class_ == "prep" and row.items[index + 1].class_ in _FINITE:
        return True  # "as Trump heads for Tokyo to meet ..."
    return before.trigger is None and before.class_ not in ("with", "of", "to", "by", "prep", "during", "between")


def _opens(row: Row, index: int) -> bool:
    """Whether the item is the first of its clause."""
    return index == 0 or row.items[index - 1].class_ in _BEFORE_CLAUSE


def _vetoed(row: Row, at: int, b: int | None, language: Language, *, collective: bool) -> tuple[str, bool] | None:
    """The name of the false sense that the trigger has here, and whether it is certain; None if it has none."""
    item = row.items[at]
    trigger = item.trigger
    if trigger is None:
        return None
    head = language.roles.longest(row.words, item.last) if item.last < len(row.words) else None
    told = head is not None and language.cues.longest(row.words, item.last) is not None  # "denial", written as "wife"
    if trigger.tense in ("noun", "plural") and head is not None and head[1][0][0] == "head" and not told:
        return "a person named after it", False
    for veto in language.vetoes:
        if trigger.name not in veto.triggers and trigger.class_ not in veto.triggers:
            continue
        if veto.single and collective:
            continue
        if veto.only_behind and (at == 0 or row.shape[at - 1] not in veto.only_behind):
            continue
        if _ends_at(veto.before, row, item.first) or _starts_at(veto.after, row, item.last):
            return veto.name, veto.certain
        if veto.anywhere.occur(row.words):
            return veto.name, veto.certain
        direct = b is not None and at < b and all(one.class_ != "with" for one in row.items[at:b])
        behind = row.shape[b + 1 :] if b is not None and direct else ""
        if len(behind) > 1 and row.items[b + 1 if b is not None else 0].class_ == "QUOTE":
            behind = behind[1:] if row.items[(b or 0) + 2].class_ in ("during", "prep", "time") else behind
        if b is not None and at < b and _starts_at(veto.behind_object, row, row.items[b].last):
            return veto.name, veto.certain
        if veto.object_then and behind and behind[0] not in veto.object_then:
            return veto.name, veto.certain
    return None


def _starts_at(phrases: Phrases[bool], row: Row, at: int) -> bool:
    return at < len(row.words) and phrases.longest(row.words, at) is not None


def _ends_at(phrases: Phrases[bool], row: Row, at: int) -> bool:
    for start in range(max(0, at - 4), at):
        found = phrases.longest(row.words, start)
        if found is not None and found[0] == at:
            return True
    return False


def _spread(row: Row, contact: Contact, language: Language) -> Iterator[Contact]:
    """A separate contact with each partner, if the trigger or an adverb ("separately") says so."""
    said = any(
        language.distributive.longest(row.words, one)
        for one in range(row.items[contact.first].first, _clause_end(row, contact.last))
    )
    if said:
        contact = _one_and_the_others(row, contact)
    one_side = len(contact.a) == 1 and len(contact.b) > 1
    if not ((said or contact.trigger.distributive) and one_side):
        yield contact
        return
    for partner in contact.b:
        yield msgspec.structs.replace(contact, b=(partner,), apart=True)


def _one_and_the_others(row: Row, contact: Contact) -> Contact:
    """The contact with one leader as side A and those met separately as side B, if the sentence has that form.

    "Putin and Xi each met Modi" is a contact of Modi with each. Where the word for "with" follows its names, the first
    name of a row is the subject: "Erdogan, Putin and Zelensky with separately spoke".
    """
    named = [one for one in row.items if set(one.leaders) & contact.leaders]
    after = next((one for one in row.items if one.first >= named[-1].last), None)
    pauses = [at for at in range(named[0].first, named[0].last) if row.words[at] in commas()]
    if pauses and after is not None and after.class_ == "with":
        first, others = named[0].leaders[:1], [one for item in named for one in item.leaders]
        return msgspec.structs.replace(contact, a=first, b=tuple(dict.fromkeys(others[1:])))
    if len(contact.b) == 1 and len(contact.a) > 1:
        return msgspec.structs.replace(contact, a=contact.b, b=contact.a)
    return contact


#: From this number of partners on, a call means a separate call with each.
_EACH = 2


def separate_contacts(
    row: Row, contact: Contact, medium: Medium, language: Language, of_one_state: Callable[[frozenset[str]], bool]
) -> Iterator[Contact]:
    """Yield the contact; or a separate one with each partner, if one leader has several who are not met together.

    Calls are separate ("calls X and Y", "speaks to X, Y"), unless the text says that it was one call ("a call with X, Y
    and Z", "a conference call"). Meetings are separate if the partners lead the same state, such as a king and his
    prime minister.
    """
    if len(contact.a) != 1 or len(contact.b) < _EACH or contact.apart:
        yield contact
        return
    noun = contact.trigger.tense == "noun"
    conference = noun and len(contact.b) > _EACH and contact.trigger.of.kind != "talks"
    calls = (medium == "phone" and not conference) or (medium == "unknown" and not noun)
    joint = not language.joint or language.joint.occur(row.words)
    if (calls and not joint) or any(of_one_state(frozenset(two)) for two in combinations(contact.b, 2)):
        for partner in contact.b:
            yield msgspec.structs.replace(contact, b=(partner,), apart=True)
    else:
        yield contact


def _clause_end(row: Row, index: int) -> int:
    for item in row.items[index:]:
        if item.class_ == "BREAK":
            return item.first
    return len(row.words)
