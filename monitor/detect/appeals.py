"""Contacts that are only asked for or only recalled: appeals by others, "On this day: ...", "Fact check: ..."."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import FoundCue
from monitor.records import Mention, Status

_AHEAD: frozenset[Status] = frozenset({"planned", "rescheduled"})
_INVITES = "INVITE"
#: Classes that may stand before the names of those who are asked.
_BESIDE = frozenset({"to", "with", "the", "det", "of", "prep"})
_TWO = 2


class Appeal(msgspec.Struct, frozen=True):
    """An appeal to leaders to meet: the leaders who make it (none if others do), whom they ask, the words before it."""

    by: frozenset[str]
    leaders: frozenset[str]
    before: str


def appeal_of(row: Row, contact: Contact, cues: Iterable[FoundCue], text: str) -> Appeal | None:
    """Return the appeal that reports a contact, None if there is none.

    `text` is the field's normalised text. The leader who asks is the nearest one before the appeal's words.
    """
    at = row.items[contact.at].first
    for one in cues:
        if not one.cue.of.appeal or one.last > at:
            continue
        before = [item for item in row.items if item.last <= one.first]
        by = next((frozenset(item.leaders) for item in reversed(before) if item.leaders), frozenset[str]())
        start, end = row.tokens[0].start, row.tokens[one.first].start
        return Appeal(by - contact.leaders, contact.leaders, text[start:end])
    return _asked_by_its_frame(row, contact, text) if contact.frame.asked else None


def may_appeal(row: Row) -> bool:
    """Say whether a sentence names leaders in two places and a contact, as each appeal of `appeal_to_one` does."""
    leading = sum(bool(item.leaders) for item in row.items)
    return leading >= _TWO and any(item.trigger is not None for item in row.items)


def appeal_to_one(row: Row, cues: Iterable[FoundCue]) -> Appeal | None:
    """Return the appeal that asks a leader and somebody else to meet: "Guterres urges Burhan and Dagalo to talk".

    Such words report no contact of the leader who asks with the one who is asked.
    """
    for one in cues:
        before = [item for item in row.items if item.last <= one.first]
        behind = [item for item in row.items if item.first >= one.last and item.class_ not in _BESIDE]
        by = next((frozenset(item.leaders) for item in reversed(before) if item.leaders), frozenset[str]())
        two, joined = behind[:3:2], behind[1:2]
        if not (one.cue.of.appeal and by and len(two) == _TWO and joined[0].class_ == "and"):
            continue
        asked = frozenset(leader for item in two for leader in item.leaders)
        others = [item for item in two if not item.leaders]
        meet = any(item.trigger is not None for item in behind[3:])
        if meet and asked and len(others) == 1 and others[0].class_ in ("NAME", "PERSON"):
            return Appeal(by - asked, by | asked, "")
    return None


def _asked_by_its_frame(row: Row, contact: Contact, text: str) -> Appeal | None:
    """The appeal in a frame that names both who asks and who is asked: "X tells Y to call Z"."""
    inside = row.items[contact.first : contact.last]
    by = frozenset(leader for item in inside for leader in item.leaders) - contact.leaders
    asked = next(item for item in inside if contact.leaders & set(item.leaders))
    return Appeal(by, contact.leaders, text[row.tokens[0].start : row.tokens[asked.first].start]) if by else None


def dates_the_appeal(mention: Mention, row: Row, cues: Iterable[FoundCue], text: str) -> bool:
    """Say whether the time of a mention is the time of an appeal, and not of the contact that the appeal asks for.

    Example: "Guterres on Wednesday called on X and Y to return to the table". Used for contacts that no frame found.
    """
    leaders = {p.leader for p in mention.participants}
    for one in cues:
        if not one.cue.of.appeal or mention.when is None or not mention.when.text:
            continue
        asked = {leader for item in row.items if item.first >= one.last for leader in item.leaders}
        before = text[row.tokens[0].start : row.tokens[one.first].start]
        if leaders <= asked and mention.when.text in before:
            return True
    return False


def dates_the_offer(mention: Mention, row: Row, cues: Iterable[FoundCue], text: str) -> bool:
    """Say whether a mention's time stands right before the words with which one of its leaders asks for it.

    "X on Wednesday invited Y to Paris": the day is that of the invitation, the contact's is open.
    """
    leaders = {p.leader for p in mention.participants}
    when = mention.when.text if mention.when is not None else ""
    for one in cues:
        if one.cue.of.status != "proposed" or not one.cue.of.done or one.cue.of.scope != "before" or not when:
            continue
        asking = {leader for item in row.items if item.last <= one.first for leader in item.leaders}
        before = text[row.tokens[0].start : row.tokens[one.first].start]
        if leaders & asking and leaders - asking and before.rstrip().endswith(when):
            return True
    return False


def asked_apart(appeals: Sequence[Appeal], pair: Iterable[str]) -> bool:
    """Say whether one of the pair asks the other to meet somebody else, which is no contact between the two."""
    two = set(pair)
    return any(two & one.by and two & one.leaders for one in appeals)


def asked_to_meet(contact: Contact, contacts: Iterable[Contact]) -> bool:
    """Say whether leaders are invited to meet each other, not the host: "the Pope invites A and B to meet"."""
    guests = contact.leaders
    return contact.trigger.class_ == _INVITES and any(
        2 <= len(one.leaders) == len(guests) - 1 and one.leaders < guests for one in contacts
    )


def as_appealed(mention: Mention, appeals: Sequence[Appeal]) -> Mention:
    """Return the mention of a contact that others ask for: at most proposed, and without the day of the appeal."""
    leaders = frozenset(p.leader for p in mention.participants)
    for one in appeals:
        if leaders != one.leaders:
            continue
        asked = mention.when is not None and bool(mention.when.text) and mention.when.text in one.before
        return msgspec.structs.replace(
            mention,
            status="proposed" if mention.status in _AHEAD else mention.status,
            when=None if asked else mention.when,
        )
    return mention


def as_labelled(mentions: Sequence[Mention], label: str, day: date) -> tuple[Mention, ...]:
    """Return the mentions as the label of the headline changes them.

    With `history`, each is about a contact long past. With `check` ("Fact check: ...") only denials are kept, and they
    open no event. With `satire` none is kept.
    """
    if label == "history":
        return tuple(_of_old(one, day) for one in mentions)
    if label == "satire":
        return ()
    if label == "check":
        return tuple(msgspec.structs.replace(one, joins_only=True) for one in mentions if one.status == "denied")
    return tuple(mentions)


def _of_old(mention: Mention, day: date) -> Mention:
    when = mention.when if mention.when is not None and mention.when.end < day else None
    return msgspec.structs.replace(mention, status="past", when=when)
