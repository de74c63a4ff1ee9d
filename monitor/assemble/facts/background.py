"""What makes a contact news: what is on record of the earlier contacts of the same two leaders.

For each pair a bounded list of the last contacts that took place outlives the events themselves, with counts by year of
those that left the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from monitor.assemble.brief.phrases import phrases
from monitor.assemble.identity.anchor import Anchor
from monitor.records import Kind, Medium

#: Contacts of one pair that are remembered one by one.
MAX_CONTACTS = 32
#: Leaders above which a gathering says nothing of its pairs.
MAX_LEADERS = 6

_REMOTE = frozenset({"phone", "video", "remote"})


class PastContact(msgspec.Struct, frozen=True, array_like=True):
    """A contact that took place; `day` as a proleptic ordinal, `article` a number of its first article."""

    event_id: str
    day: int
    article: int
    medium: Medium
    kind: Kind

    @property
    def noun(self) -> str:
        """How contacts are counted: calls, meetings, or contacts of an unknown medium."""
        return "call" if self.medium in _REMOTE else "meeting" if self.medium == "in_person" else "contact"


class PairRecord(msgspec.Struct, frozen=True, array_like=True):
    """What is on record of one pair. `older` counts what left the list, by year and noun ("2025 call")."""

    pair: str
    contacts: tuple[PastContact, ...] = ()
    older: dict[str, int] = {}

    def with_contact(self, contact: PastContact) -> PairRecord:
        """The record with a contact added, or put in the place of what was known of the same event."""
        kept = [c for c in self.contacts if c.event_id != contact.event_id]
        if len(kept) == MAX_CONTACTS and _order(contact) < _order(kept[0]):
            return self
        kept = sorted([*kept, contact], key=_order)
        older = dict(self.older)
        for gone in kept[:-MAX_CONTACTS]:
            name = f"{date.fromordinal(gone.day).year} {gone.noun}"
            older[name] = older.get(name, 0) + 1
        return PairRecord(self.pair, tuple(kept[-MAX_CONTACTS:]), older)

    def without(self, event_id: str) -> PairRecord:
        """The record without an event that was merged or did not take place after all."""
        return PairRecord(self.pair, tuple(c for c in self.contacts if c.event_id != event_id), self.older)

    def count(self, contact: PastContact) -> int:
        """The place of a contact among those of its noun in its year, 1 for the first."""
        year = date.fromordinal(contact.day).year
        listed = sum(
            c.noun == contact.noun and date.fromordinal(c.day).year == year and _order(c) <= _order(contact)
            for c in self.contacts
        )
        return self.older.get(f"{year} {contact.noun}", 0) + listed


def _order(contact: PastContact) -> tuple[int, int]:
    return contact.day, contact.article


def contact_of(event_id: str, anchor: Anchor) -> PastContact | None:
    """The contact of an event, None when nobody reports that it took place."""
    if not anchor.held:
        return None
    medium: Medium = "unknown" if anchor.medium is None else "remote" if anchor.medium else "in_person"
    kind = max(anchor.kinds, key=lambda k: (anchor.kinds[k], k))
    return PastContact(event_id, anchor.held_day, min(anchor.articles), medium, kind)


def pairs(leaders: Iterable[str]) -> tuple[str, ...]:
    """The pairs of a small set of leaders, as keys; none of a large gathering's."""
    named = sorted(set(leaders))
    if not 2 <= len(named) <= MAX_LEADERS:
        return ()
    return tuple(f"{a}+{b}" for i, a in enumerate(named) for b in named[i + 1 :])


def context(event_id: str, record: PairRecord, language: str = "en") -> str:
    """One sentence on what is on record of the pair before the contact of an event, '' when nothing is."""
    contact = next((c for c in record.contacts if c.event_id == event_id), None)
    earlier = [c for c in record.contacts if contact is not None and _order(c) < _order(contact)]
    if contact is None or not earlier:
        return ""
    words = phrases(language)
    last, year, count = earlier[-1], date.fromordinal(contact.day).year, record.count(contact)
    since = words.since["another" if last.day == contact.day else "first"]
    told = since.format(day=words.plain_day(date.fromordinal(last.day)))
    if count == 1:
        return f"{told}."
    noun = words.nouns[contact.noun]
    return f"{words.count.format(since=told, nth=words.ordinal(count), noun=noun, year=year)}."
