"""The record of two leaders: their last contacts one by one, and counts by year of older ones."""

from __future__ import annotations

from datetime import date

import msgspec

from monitor.records import Kind, Medium

#: Contacts of one pair that are kept one by one.
MAX_CONTACTS = 32

_REMOTE = frozenset({"phone", "video", "remote"})


class PastContact(msgspec.Struct, frozen=True, array_like=True):
    """A contact that took place. `day` is a proleptic ordinal, `article` a number that orders contacts of one day."""

    event_id: str
    day: int
    article: int
    medium: Medium
    kind: Kind

    @property
    def noun(self) -> str:
        """The noun by which contacts are counted: calls, meetings, or contacts of an unknown medium."""
        return "call" if self.medium in _REMOTE else "meeting" if self.medium == "in_person" else "contact"


class PairRecord(msgspec.Struct, frozen=True, array_like=True):
    """The record of one pair. `older` counts contacts that left the list, by year and noun ("2025 call")."""

    pair: str
    contacts: tuple[PastContact, ...] = ()
    older: dict[str, int] = {}

    def with_contact(self, contact: PastContact) -> PairRecord:
        """Return the record with a contact added; it replaces an earlier one of the same event."""
        kept = [c for c in self.contacts if c.event_id != contact.event_id]
        if len(kept) == MAX_CONTACTS and in_order(contact) < in_order(kept[0]):
            return self
        kept = sorted([*kept, contact], key=in_order)
        older = dict(self.older)
        for gone in kept[:-MAX_CONTACTS]:
            name = f"{date.fromordinal(gone.day).year} {gone.noun}"
            older[name] = older.get(name, 0) + 1
        return PairRecord(self.pair, tuple(kept[-MAX_CONTACTS:]), older)

    def without(self, event_id: str) -> PairRecord:
        """Return the record without an event that was merged or did not take place."""
        return PairRecord(self.pair, tuple(c for c in self.contacts if c.event_id != event_id), self.older)

    def count(self, contact: PastContact) -> int:
        """Return the number of a contact among those with its noun in its year, 1 for the first."""
        year = date.fromordinal(contact.day).year
        listed = sum(
            c.noun == contact.noun and date.fromordinal(c.day).year == year and in_order(c) <= in_order(contact)
            for c in self.contacts
        )
        return self.older.get(f"{year} {contact.noun}", 0) + listed


def in_order(contact: PastContact) -> tuple[int, int]:
    """Return the sort key of contacts: the day, then the number of the first article."""
    return contact.day, contact.article
