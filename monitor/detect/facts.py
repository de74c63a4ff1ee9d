"""The facts around one contact: medium, kind, time, place and forum, from the words of its clause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from monitor.detect.frames import Contact
from monitor.detect.items import Row
from monitor.detect.language import Language
from monitor.detect.status import Verdict
from monitor.detect.when import TimeHit, find_times
from monitor.records import Kind, Medium, Place, Status, When

#: A contact further back than this is background (labelling guidelines: "about 7 days").
RECENT = timedelta(days=8)


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the clause tells; `why` names the words behind the status."""

    kind: Kind
    medium: Medium
    status: Status
    why: str
    when: When | None = None
    place: Place | None = None
    forum: str | None = None
    told: bool = False


def facts_of(
    text: str,
    row: Row,
    contact: Contact,
    contacts: Sequence[Contact],
    verdict: Verdict,
    language: Language,
    published: datetime | None,
) -> Facts:
    """The facts of one contact; `contacts` are all of its sentence."""
    status: Status = "held" if verdict.status == "generic" else verdict.status
    why = verdict.words
    when: When | None = None
    if published is not None and language.calendar is not None:
        hit = _time(text, row, contact, contacts, status, language, published)
        if hit is not None:
            when = hit.read("past" if status in ("held", "past", "ongoing") else "future")
            day = published.date()
            if status == "held" and not verdict.told and when.start > day:
                status, why = "planned", hit.when.text
            elif status in ("held", "ongoing") and when.end < day - RECENT:
                status, why = "past", hit.when.text
    medium, kind = _medium(row, contact, language)
    return Facts(kind=kind, medium=medium, status=status, why=why, when=when, told=verdict.told)


def _medium(row: Row, contact: Contact, language: Language) -> tuple[Medium, Kind]:
    medium, kind = contact.trigger.medium, contact.trigger.kind
    first, last = _clause(row, contact)
    for at in range(first, last):
        found = language.media.longest(row.words, at)
        if found is None:
            continue
        said = found[1][0]
        if said in ("phone", "video") and medium in ("unknown", "in_person", "phone"):
            return said, "call"
        if medium == "unknown":
            return said, kind
    return medium, kind


def _clause(row: Row, contact: Contact) -> tuple[int, int]:
    """The tokens of the contact's clause, from break to break."""
    first, last = row.items[contact.first].first, row.items[contact.last - 1].last
    before = [at for at in row.breaks if at < first]
    behind = [at for at in row.breaks if at >= last]
    return (before[-1] + 1 if before else 0), (behind[0] if behind else len(row.words))


def _time(
    text: str,
    row: Row,
    contact: Contact,
    contacts: Sequence[Contact],
    status: Status,
    language: Language,
    published: datetime,
) -> TimeHit | None:
    if language.calendar is None or not row.tokens:
        return None
    start, end = row.tokens[0].start, row.tokens[-1].end
    hits = [
        hit
        for hit in find_times(text[start:end], published, language.calendar)
        if hit.relation == "on" and not _contradicts(hit, status)
    ]
    first, last = _clause(row, contact)
    low, high = row.tokens[first].start - start, row.tokens[last - 1].end - start
    inside = [hit for hit in hits if low <= hit.start < high]
    trigger = row.items[contact.at]
    center = row.tokens[trigger.first].start - start
    others = [row.tokens[row.items[one.at].first].start - start for one in contacts if one.at != contact.at]
    near = [hit for hit in inside if not any(abs(hit.start - one) < abs(hit.start - center) for one in others)]
    return min(near, key=lambda hit: abs(hit.start - center), default=None)


def _contradicts(hit: TimeHit, status: Status) -> bool:
    return (status in ("planned", "proposed") and hit.direction == "past") or (
        status in ("held", "past") and hit.direction == "future"
    )
