"""Calendars: one VEVENT an event (RFC 5545), with UID = event id and SEQUENCE = revision.

A calendar program replaces the entry of a UID by one with a higher SEQUENCE, so rescheduled and cancelled contacts are
updated there too. Events without a date are left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

from monitor.archive.atlas import position
from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.http.untrusted import printable
from monitor.records import Event, EventStatus

STATUSES: dict[EventStatus, str] = {
    "proposed": "TENTATIVE",
    "planned": "TENTATIVE",
    "rescheduled": "TENTATIVE",
    "postponed": "TENTATIVE",
    "unconfirmed": "TENTATIVE",
    "ongoing": "CONFIRMED",
    "held": "CONFIRMED",
    "past": "CONFIRMED",
    "cancelled": "CANCELLED",
    "denied": "CANCELLED",
    "retracted": "CANCELLED",
}
_PLANS = {"proposed", "planned", "rescheduled", "postponed", "unconfirmed"}


def was_planned(event: Event) -> bool:
    """Say whether the event is a plan, or was one before it took place or was cancelled."""
    if event.status in _PLANS:
        return True
    said = (value for change in event.history for value in change.changed.get("status", ()))
    return any(value in _PLANS for value in said)


def write_calendar(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield one VCALENDAR."""
    yield _lines(
        ("BEGIN", "VCALENDAR"), ("VERSION", "2.0"), ("PRODID", "-//Summitry//Board//EN"), ("CALSCALE", "GREGORIAN"),
        ("METHOD", "PUBLISH"), ("X-WR-CALNAME", _escaped(origin.title)),
        ("REFRESH-INTERVAL;VALUE=DURATION", "PT15M"), ("X-PUBLISHED-TTL", "PT15M"),
    )  # fmt: skip
    for item in items:
        if item.event.when is not None:
            yield _event(item, origin)
    yield _lines(("END", "VCALENDAR"))


def _event(item: ExportItem, origin: ExportOrigin) -> bytes:
    event = item.event
    assert event.when is not None  # noqa: S101  # the caller has checked
    first, last = event.when.span
    place = event.place
    where = ", ".join(part for part in (place.name, place.country) if part) if place else ""
    at = position(place)
    rows = [
        ("BEGIN", "VEVENT"),
        ("UID", printable(event.event_id)),
        ("SEQUENCE", str(max(0, event.revision))),
        ("DTSTAMP", _stamp(item.changed)),
        ("CREATED", _stamp(item.created)),
        ("LAST-MODIFIED", _stamp(item.changed)),
        ("DTSTART;VALUE=DATE", f"{first:%Y%m%d}"),
        ("DTEND;VALUE=DATE", f"{last + timedelta(days=1):%Y%m%d}"),
        ("STATUS", STATUSES[event.status]),
        ("TRANSP", "TRANSPARENT"),
        ("SUMMARY", _escaped(item.headline)),
        ("DESCRIPTION", _escaped(event.brief)),
        ("CATEGORIES", ",".join(_escaped(word) for word in (event.status, event.kind, event.medium))),
    ]
    if where:
        rows.append(("LOCATION", _escaped(where)))
    if at:
        rows.append(("GEO", f"{at[0]:.2f};{at[1]:.2f}"))
    if url := origin.event_url(event.event_id):
        rows.append(("URL", url))
    return _lines(*rows, ("END", "VEVENT"))


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    """The text escaped as in RFC 5545, section 3.3.11."""
    plain = printable(text).replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "\\n")


def _lines(*rows: tuple[str, str]) -> bytes:
    return b"".join(_folded(f"{name}:{value}".encode()) for name, value in rows)


def _folded(line: bytes) -> bytes:
    """The line folded to at most 75 octets, between characters (section 3.1)."""
    pieces = []
    room = 75
    while len(line) > room:
        cut = room
        while line[cut] & 0xC0 == 0x80:
            cut -= 1
        pieces.append(line[:cut])
        line, room = line[cut:], 74
    pieces.append(line)
    return b"\r\n ".join(pieces) + b"\r\n"
