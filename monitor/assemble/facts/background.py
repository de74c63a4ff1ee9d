"""What makes a contact news: what is on record of the earlier contacts of the same two leaders.

For each pair a bounded list of the last contacts that took place outlives the events themselves, with counts by year of
those that left the list.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from monitor.assemble.brief.phrases import phrases
from monitor.assemble.identity.anchor import Anchor
from monitor.assemble.pair_record import PairRecord, PastContact, in_order
from monitor.records import Medium

#: Leaders above which a gathering says nothing of its pairs.
MAX_LEADERS = 6


def contact_of(event_id: str, anchor: Anchor) -> PastContact | None:
    """Return the contact of an event, None when nobody reports that it took place."""
    if not anchor.held:
        return None
    medium: Medium = "unknown" if anchor.medium is None else "remote" if anchor.medium else "in_person"
    kind = max(anchor.kinds, key=lambda k: (anchor.kinds[k], k))
    return PastContact(event_id, anchor.held_day, min(anchor.articles), medium, kind)


def pairs(leaders: Iterable[str]) -> tuple[str, ...]:
    """Return the pairs of a small set of leaders, as keys; none of a large gathering's."""
    named = sorted(set(leaders))
    if not 2 <= len(named) <= MAX_LEADERS:
        return ()
    return tuple(f"{a}+{b}" for i, a in enumerate(named) for b in named[i + 1 :])


def context(event_id: str, record: PairRecord, language: str = "en") -> str:
    """Return one sentence on what is on record of the pair before the contact of an event, '' when nothing is."""
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
