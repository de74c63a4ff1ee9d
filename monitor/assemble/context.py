"""What makes a contact news: what is on record of the earlier contacts of the same two leaders.

For each pair a bounded list of the last contacts that took place outlives the events themselves, with counts by year of
those that left the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

import msgspec

from monitor.assemble.words import day_text, ordinal_word
from monitor.records import Kind, Medium

#: Contacts of one pair that are remembered one by one.
MAX_CONTACTS = 32
#: Leaders above which a gathering says nothing of its pairs.
MAX_LEADERS = 6

_REMOTE = frozenset({"phone", "video", "remote"})


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """A contact that took place; `day` as a proleptic ordinal."""

    event_id: str
    day: int
    medium: Medium
    kind: Kind

    @property
    def noun(self) -> str:
        """How contacts are counted: calls, meetings, or contacts of an unknown medium."""
        return "call" if self.medium in _REMOTE else "meeting" if self.medium == "in_person" else "contact"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """What is on record of one pair. `older` counts what left the list, by year and noun ("2025 call")."""

    pair: str
    contacts: tuple[Contact, ...] = ()
    older: dict[str, int] = {}

    def with_contact(self, contact: Contact) -> Record:
        """The record with a contact added, or put in the place of what was known of the same event."""
        kept = [c for c in self.contacts if c.event_id != contact.event_id]
        kept = sorted([*kept, contact], key=lambda c: (c.day, c.event_id))
        older = dict(self.older)
        for gone in kept[:-MAX_CONTACTS]:
            name = f"{date.fromordinal(gone.day).year} {gone.noun}"
            older[name] = older.get(name, 0) + 1
        return Record(self.pair, tuple(kept[-MAX_CONTACTS:]), older)

    def without(self, event_id: str) -> Record:
        """The record without an event that was merged or did not take place after all."""
        return Record(self.pair, tuple(c for c in self.contacts if c.event_id != event_id), self.older)

    def count(self, contact: Contact) -> int:
        """The place of a contact among those of its noun in its year, 1 for the first."""
        year = date.fromordinal(contact.day).year
        listed = sum(
            c.noun == contact.noun
            and date.fromordinal(c.day).year == year
            and (c.day, c.event_id) <= (contact.day, contact.event_id)
            for c in self.contacts
        )
        return self.older.get(f"{year} {contact.noun}", 0) + listed


def pairs(leaders: Iterable[str]) -> tuple[str, ...]:
    """The pairs of a small set of leaders, as keys; none of a large gathering's."""
    named = sorted(set(leaders))
    if not 2 <= len(named) <= MAX_LEADERS:
        return ()
    return tuple(f"{a}+{b}" for i, a in enumerate(named) for b in named[i + 1 :])


def context(contact: Contact, record: Record) -> str:
    """One sentence on what is on record of the pair before this contact, '' when nothing is."""
    earlier = [c for c in record.contacts if c.event_id != contact.event_id and c.day <= contact.day]
    if not earlier:
        return ""
    last = earlier[-1]
    year = date.fromordinal(contact.day).year
    since = (
        f"their second contact on {day_text(contact.day)}"
        if last.day == contact.day
        else f"their first contact since {day_text(last.day)}"
    )
    count = record.count(contact)
    told = f"{since} and their {ordinal_word(count)} {contact.noun} of {year}" if count > 1 else since
    return f"On record here, it is {told}."
