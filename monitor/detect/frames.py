"""From rows of items to contacts: which frame joins which leaders at which trigger, and why the others do not count."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from monitor.detect.items import Item, Row
from monitor.detect.language import Language, Trigger, Veto
from monitor.detect.people import Focus
from monitor.detect.shapes import Frame
from monitor.detect.tokens import Phrases

_PERSONAL = frozenset({"pron", "poss"})


class Contact(msgspec.Struct, frozen=True, kw_only=True):
    """Leaders joined at one trigger: side A acts where sides differ. Items `first` up to `last` of the row hold it."""

    a: tuple[str, ...]
    b: tuple[str, ...]
    trigger: Trigger
    at: int
    first: int
    last: int
    frame: Frame
    inferred: bool = False
    others: bool = False

    @property
    def leaders(self) -> frozenset[str]:
        """Everybody who takes part."""
        return frozenset(self.a) | frozenset(self.b)


class Rejection(msgspec.Struct, frozen=True):
    """A candidate that does not count: `reason` is from a bounded set, `at` is the trigger's item."""

    at: int
    trigger: str
    reason: str
    leaders: tuple[str, ...] = ()


def find_contacts(row: Row, language: Language, focus: Focus) -> tuple[list[Contact], list[Rejection]]:
    """The contacts of one sentence, at most one frame a trigger: the first of the catalogue that fits."""
    found: dict[int, Contact] = {}
    rejected: dict[int, Rejection] = {}
    triggers = [index for index, item in enumerate(row.items) if item.trigger is not None]
    if not triggers:
        return [], []
    for frame in language.frames:
        for first, last, at, a, b in _matches(frame, row):
            trigger = row.items[at].trigger
            if at in found or trigger is None:
                continue
            veto = _vetoed(row, at, b, language)
            if veto is not None:
                rejected.setdefault(at, Rejection(at, trigger.name, f"false sense: {veto.name}"))
                continue
            contact = _complete(row, focus, frame, trigger, first, last, at, a, b)
            if isinstance(contact, Rejection):
                rejected.setdefault(at, contact)
            else:
                found[at] = contact
    for at in triggers:
        trigger = row.items[at].trigger
        if at not in found and at not in rejected and trigger is not None:
            rejected[at] = Rejection(at, trigger.name, "no frame joins leaders at this trigger")
    contacts = [one for at in sorted(found) for one in _spread(row, found[at], language)]
    return contacts, [reason for at, reason in sorted(rejected.items()) if at not in found]


def _matches(frame: Frame, row: Row) -> Iterator[tuple[int, int, int, int | None, int | None]]:
    position = 0
    while (match := frame.pattern.search(row.shape, position)) is not None:
        position = match.start() + 1
        groups = match.groupdict()
        at = match.start("T")
        a = match.start("A") if groups.get("A") else None
        b = match.start("B") if groups.get("B") else None
        yield match.start(), match.end(), at, a, b


def _complete(
    row: Row,
    focus: Focus,
    frame: Frame,
    trigger: Trigger,
    first: int,
    last: int,
    at: int,
    a: int | None,
    b: int | None,
) -> Contact | Rejection:
    side_a = row.items[a].leaders if a is not None else ()
    side_b = row.items[b].leaders if b is not None else ()
    others = any(row.items[one].others for one in (a, b) if one is not None)
    inferred = False
    if frame.collective and len(side_a) < 2:
        return Rejection(at, trigger.name, "only one leader takes part", side_a)
    if frame.missing == "subject" and len(set(side_a) | set(side_b)) < 2:
        present = side_a or side_b
        subject = _subject(row, focus, first, last, frozenset(present))
        if not subject:
            return Rejection(at, trigger.name, "no second leader takes part", present)
        side_a, side_b, inferred = subject, present, True
    if len(set(side_a) | set(side_b)) < 2:
        return Rejection(at, trigger.name, "only one leader takes part", side_a or side_b)
    return Contact(
        a=side_a, b=tuple(one for one in side_b if one not in side_a), trigger=trigger, at=at, first=first, last=last,
        frame=frame, inferred=inferred, others=others,
    )  # fmt: skip


def _subject(row: Row, focus: Focus, first: int, last: int, present: frozenset[str]) -> tuple[str, ...]:
    """Who else takes part when only one side is at the trigger: the subject, or who says it of himself.

    In turn: the nearest subject before the trigger; for a fronted phrase the subject behind it; the speaker of a quote
    ("..., Trump said", "— Trump"); the subject of the sentence before, for a pronoun; the owner of an official source.
    """
    items = row.items
    for index in range(first - 1, -1, -1):
        item = items[index]
        if item.class_ == "QUOTE" and item.word == "'s":
            return ()
        if item.class_ == "PERSON":
            return ()
        if item.class_ == "LEADER" and _is_subject(row, index) and not present & set(item.leaders):
            return item.leaders
    behind = range(last, len(items))
    fronted = next((index for index in behind if items[index].class_ == "BREAK"), None)
    if fronted is not None and fronted + 1 < len(items):
        item = items[fronted + 1]
        if item.class_ == "LEADER" and not present & set(item.leaders):
            return item.leaders
    for index in behind:
        if items[index].class_ == "say":
            near = [items[one] for one in (index - 1, index + 1) if 0 <= one < len(items)]
            for item in near:
                if item.class_ == "LEADER" and not present & set(item.leaders):
                    return item.leaders
    pronoun = any(items[index].class_ in _PERSONAL for index in range(max(0, first - 4), last))
    if (pronoun or focus.speaker) and focus.subject and not present & set(focus.subject):
        return focus.subject
    if focus.speaker and focus.speaker not in present:
        return (focus.speaker,)
    return ()


def _is_subject(row: Row, index: int) -> bool:
    """Whether the leader at `index` may be a subject: no preposition before it."""
    before = row.items[index - 1].class_ if index else "BREAK"
    return before not in ("with", "of", "to", "by", "prep", "between")


def _vetoed(row: Row, at: int, b: int | None, language: Language) -> Veto | None:
    item = row.items[at]
    trigger = item.trigger
    if trigger is None:
        return None
    for veto in language.vetoes:
        if trigger.name not in veto.triggers and trigger.class_ not in veto.triggers:
            continue
        if _ends_at(veto.before, row, item.first) or _starts_at(veto.after, row, item.last):
            return veto
        if any(veto.anywhere.longest(row.words, one) for one in range(len(row.words))):
            return veto
        if veto.object_then and b is not None and b > at and b + 1 < len(row.shape):
            if row.shape[b + 1] not in veto.object_then:
                return veto
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
    """One contact for each partner when the trigger or an adverb ("separately") says so."""
    apart = contact.trigger.distributive or any(
        language.distributive.longest(row.words, one)
        for one in range(row.items[contact.first].first, _clause_end(row, contact.last))
    )
    one_side = len(contact.a) == 1 and len(contact.b) > 1
    if not (apart and one_side):
        yield contact
        return
    for partner in contact.b:
        yield msgspec.structs.replace(contact, b=(partner,))


def _clause_end(row: Row, index: int) -> int:
    for item in row.items[index:]:
        if item.class_ == "BREAK":
            return item.first
    return len(row.words)
