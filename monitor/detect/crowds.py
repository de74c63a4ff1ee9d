"""Sentences that report no contact: appeals by people who are not leaders (protesters, unions), polls, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from monitor.detect.reader_mentions import READER
from monitor.detect.rules.rows import Row, RowItem
from monitor.detect.vocabulary.language import Language
from monitor.records import Field, Mention

#: Tokens that may lie between a crowd and what it asks for.
_FAR = 10
#: Unknown words that may stand before the contact's noun ("demand urgent talks between ..."), and classes that may too.
_STRANGERS = 2
_BEFORE_TRIGGER = frozenset({
    "LEADER", "PAIR", "OWNER", "PERSON", "NAME", "STATE", "SEAT", "and", "COMMA", "to", "prep", "that", "conj", "aux",
    "the", "det", "poss", "their", "adv", "time", "during", "HYPHEN", "QUOTE", "between", "of", "with", "by",
    "support", "pron",
})  # fmt: skip
_HAPPENED = frozenset({"held", "ongoing"})


class CrowdAppeal(msgspec.Struct, frozen=True):
    """A crowd's appeal: its place in a field, from the crowd to the end of the clause.

    For a poll or a picture it is the whole sentence. `against` marks an appeal against a contact: then there is a
    contact, but the appeal does not say that it took place. `gathering` marks a ceremony that leaders attend: there
    they need not have met, so only what a rule finds counts.
    """

    field: Field
    start: int
    end: int
    against: bool
    gathering: bool = False


def crowd_appeals(row: Row, field: Field, language: Language) -> Iterator[CrowdAppeal]:
    """Yield the appeals of crowds in a sentence.

    If it is about a poll or a picture, or only a remark of one leader about another, that is the whole sentence.
    """
    listed = language.crowds
    remarked = () if any(item.trigger is not None for item in row.items) else (listed.remarks,)
    if any(one.occur(row.words) for one in (listed.unreal, *remarked)):
        yield CrowdAppeal(field, row.tokens[0].start, row.tokens[-1].end, against=False)
        return
    if listed.gatherings.occur(row.words):
        yield CrowdAppeal(field, row.tokens[0].start, row.tokens[-1].end, against=False, gathering=True)
    if listed.verb_last:
        yield from _with_the_verb_last(row, field, language)
        return
    kinds = ((listed.asks, False, False), (listed.against, True, False), (listed.asked_by, False, True))
    verbs = [(*span, against, passive) for phrases, against, passive in kinds for span in phrases.spans(row.words)]
    for at, after, against, passive in sorted(verbs, key=lambda one: one[0]):
        crowd = _crowd_behind(row, after, language) if passive else _crowd_before(row, at, language)
        if crowd is None:
            continue
        first = min(crowd, at)
        end = _end_of_contact(row, max(after, crowd + 1) if passive else after)
        if end:
            yield CrowdAppeal(field, row.tokens[first].start, row.tokens[end - 1].end, against)


def _with_the_verb_last(row: Row, field: Field, language: Language) -> Iterator[CrowdAppeal]:
    """Appeals in languages whose verb ends the sentence: the crowd is before the leaders and the verb after them."""
    named = next((one.first for one in row.items if one.leaders), 0)
    crowd = next((at for at in range(named) if language.crowds.who.longest(row.words, at)), None)
    if crowd is None:
        return
    for at in range(named, len(row.words)):
        for phrases, against in ((language.crowds.asks, False), (language.crowds.against, True)):
            if (found := phrases.longest(row.words, at)) is not None:
                yield CrowdAppeal(field, row.tokens[crowd].start, row.tokens[found[0] - 1].end, against)


def unless_crowd_appeal(mention: Mention, found: Iterable[CrowdAppeal]) -> Mention | None:
    """Return the mention, or None if an appeal only asks for it. After an appeal against it, it opens no event."""
    for one in found:
        if not all(s.field == one.field and one.start <= s.start and s.end <= one.end for s in mention.evidence):
            continue
        if one.gathering:
            if mention.rule == READER:
                return None
            continue
        if not one.against:
            return None
        status = "planned" if mention.status in _HAPPENED else mention.status
        return msgspec.structs.replace(mention, status=status, joins_only=True)
    return mention


def _crowd_before(row: Row, at: int, language: Language) -> int | None:
    """The token of the crowd whose verb is at `at`, if no leader and no government stands between them."""
    item = _item_before(row, at)
    if item is not None and item.class_ in ("STATE", "SEAT") and not _is_place(row, item):
        # "As the White House urges", but "most Canadians want".
        return next((at for at in range(item.first) if _ends_at(row, at, item.first, language)), None)
    for start in range(at - 1, max(-1, at - 1 - _FAR), -1):
        if any(one.leaders and one.first <= start < one.last for one in row.items):
            return None
        found = language.crowds.who.longest(row.words, start)
        if found is not None and found[0] <= at:
            return start
    return None


def _ends_at(row: Row, at: int, end: int, language: Language) -> bool:
    found = language.crowds.who.longest(row.words, at)
    return found is not None and found[0] == end


def _crowd_behind(row: Row, at: int, language: Language) -> int | None:
    """The token of the crowd in "urged by some lawmakers to ..."."""
    for start in range(at, min(len(row.words), at + 5)):
        found = language.crowds.who.longest(row.words, start)
        if found is not None:
            return found[0] - 1
    return None


def _item_before(row: Row, at: int) -> RowItem | None:
    return next((one for one in reversed(row.items) if one.last <= at), None)


def _is_place(row: Row, item: RowItem) -> bool:
    """Whether a state only says where the crowd is ("protesters in Ottawa") or which it is ("Israeli families")."""
    before = _item_before(row, item.first)
    return before is not None and before.class_ in ("during", "prep", "of")


def _end_of_contact(row: Row, at: int) -> int:
    """The token after the clause that asks for a contact; 0 if the crowd asks for something else."""
    strangers = 0
    first = True
    to = False
    for item in row.items:
        if item.first < at:
            continue
        if item.trigger is not None:
            cuts = [token for token in (*row.breaks, *row.joints) if token >= item.last]
            return min(cuts, default=len(row.tokens))
        if item.class_ == "control" or (item.class_ in ("WORD", "travel") and not to):
            strangers += 1
            if strangers > _STRANGERS:
                return 0
        elif item.class_ not in _BEFORE_TRIGGER or item.first in row.joints:
            return 0
        elif strangers and item.class_ in ("prep", "during"):
            return 0  # "demand a ceasefire ahead of the summit"
        to = item.class_ == "to" and not first
        first = False
    return 0
