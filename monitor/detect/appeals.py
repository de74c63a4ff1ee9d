"""What a headline's frame does to the contacts in it: appeals by a third, tales of the past, checked claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from monitor.detect.rules.contacts import Contact
from monitor.detect.rules.rows import Row
from monitor.detect.rules.status_cues import FoundCue
from monitor.records import Mention, Status

_AHEAD: frozenset[Status] = frozenset({"planned", "rescheduled"})


class Appeal(msgspec.Struct, frozen=True):
    """A third party asks leaders to meet: who asks (nobody where no leader does), whom, and the words before it."""

    by: frozenset[str]
    leaders: frozenset[str]
    before: str


def appeal_of(row: Row, contact: Contact, cues: Iterable[FoundCue], text: str) -> Appeal | None:
    """Return the appeal that a contact is told in, None where there is none.

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
    return None


def asked_apart(appeals: Sequence[Appeal], pair: Iterable[str]) -> bool:
    """Say whether one of a pair asks the other to meet somebody else: that is no contact of the two."""
    two = set(pair)
    return any(two & one.by and two & one.leaders for one in appeals)


def as_appealed(mention: Mention, appeals: Sequence[Appeal]) -> Mention:
    """A mention of a contact that others ask for: at most proposed, and not of the day on which it was asked for."""
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
    """Return the mentions under the label of a headline.

    Under `history` each is of a contact long past. Under `check` ("Fact check: ...") only the denial of a contact
    stands, and opens no event. Under `satire` nothing stands.
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
