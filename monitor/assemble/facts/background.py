"""The record of earlier contacts of the same two leaders, which shows how newsworthy a contact is.

For each pair a bounded list of the last held contacts is kept after their events are closed, with counts by year of
older contacts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.assemble.brief.phrases import phrases
from monitor.assemble.claims.kept_mention import HAPPENED
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.pair_record import PairRecord, PastContact, in_order
from monitor.records import Event, Medium

#: Gatherings of more leaders say nothing about their pairs.
MAX_LEADERS = 6


def contact_of(event_id: str, anchor: Anchor) -> PastContact | None:
    """Return the contact of an event, None if no report says that it took place."""
    if not anchor.held:
        return None
    medium: Medium = "unknown" if anchor.medium is None else "remote" if anchor.medium else "in_person"
    kind = max(anchor.kinds, key=lambda k: (anchor.kinds[k], k))
    return PastContact(event_id, anchor.held_day, min(anchor.articles), medium, kind)


def pairs(leaders: Iterable[str]) -> tuple[str, ...]:
    """Return the pairs among some leaders, as keys; none for a large gathering."""
    named = sorted(set(leaders))
    if not 2 <= len(named) <= MAX_LEADERS:
        return ()
    return tuple(f"{a}+{b}" for i, a in enumerate(named) for b in named[i + 1 :])


def context(event_id: str, record: PairRecord, language: str = "en") -> str:
    """Return one sentence about the pair's contacts before this event, '' if none is known."""
    contact = next((c for c in record.contacts if c.event_id == event_id), None)
    earlier = [c for c in record.contacts if contact is not None and in_order(c) < in_order(contact)]
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


class PairArchive(dict[str, PairRecord]):
    """The record of each pair of leaders, by the pair's key."""

    def context(self, event: Event) -> str:
        """Return one sentence about the earlier contacts of an event's two leaders, '' if there is nothing to say."""
        found = pairs(p.leader for p in event.participants)
        record = self.get(found[0]) if len(found) == 1 else None
        return context(event.event_id, record) if record is not None and event.status in HAPPENED else ""

    def record(self, event_id: str, anchor: Anchor) -> dict[str, int]:
        """Record an event under each of its pairs, if it took place, else forget it.

        Returns the pairs whose record changed, each with the first day of the change.
        """
        contact = contact_of(event_id, anchor)
        if contact is None:
            return self.forget(event_id, anchor)
        return self._changed(
            event_id, {pair: self.get(pair, PairRecord(pair)).with_contact(contact) for pair in pairs(anchor.leaders)}
        )

    def forget(self, event_id: str, anchor: Anchor) -> dict[str, int]:
        """Remove an event from the record of each of its pairs. Returns the changes, as `record` does."""
        known = [pair for pair in pairs(anchor.leaders) if pair in self]
        return self._changed(event_id, {pair: self[pair].without(event_id) for pair in known})

    def _changed(self, event_id: str, records: dict[str, PairRecord]) -> dict[str, int]:
        changed: dict[str, int] = {}
        for pair, new in records.items():
            old = self.get(pair, PairRecord(pair))
            if new != old:
                self[pair] = new
                changed[pair] = min(c.day for c in (*old.contacts, *new.contacts) if c.event_id == event_id)
        return changed
