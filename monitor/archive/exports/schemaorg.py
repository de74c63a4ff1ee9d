"""schema.org `Event` objects as JSON-LD lines (https://schema.org/Event), for web pages and search engines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from monitor.archive.atlas import position
from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.http.untrusted import printable, web_address
from monitor.records import Event, EventStatus, Participant
from monitor.watchlist import bundled

#: Denied and retracted contacts are left out. schema.org has no word for unconfirmed and proposed: they are scheduled.
STATUSES: dict[EventStatus, str] = {
    "proposed": "EventScheduled",
    "planned": "EventScheduled",
    "ongoing": "EventScheduled",
    "held": "EventScheduled",
    "past": "EventScheduled",
    "unconfirmed": "EventScheduled",
    "postponed": "EventPostponed",
    "rescheduled": "EventRescheduled",
    "cancelled": "EventCancelled",
}
_SCHEMA = "https://schema.org/"
_REMOTE = {"phone", "video", "remote"}


def write_schemaorg(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield one JSON-LD object a line."""
    for item in items:
        if item.event.status in STATUSES:
            yield msgspec.json.encode(_object(item, origin)) + b"\n"


def _object(item: ExportItem, origin: ExportOrigin) -> dict[str, Any]:
    event = item.event
    remote = event.medium in _REMOTE
    mode = "OnlineEventAttendanceMode" if remote else "OfflineEventAttendanceMode"
    found: dict[str, Any] = {
        "@context": _SCHEMA.rstrip("/"),
        "@type": "Event",
        "identifier": event.event_id,
        "name": printable(item.headline),
        "description": printable(event.brief),
        "eventStatus": _SCHEMA + STATUSES[event.status],
        "attendee": [_person(p) for p in event.participants],
    }
    if event.medium != "unknown":
        found["eventAttendanceMode"] = _SCHEMA + mode
    if event.when is not None:
        found["startDate"], found["endDate"] = (day.isoformat() for day in event.when.span)
    if location := _location(event, remote=remote):
        found["location"] = location
    hosts = [_person(p) for p in event.participants if p.role == "host"]
    if hosts:
        found["organizer"] = hosts[0] if len(hosts) == 1 else hosts
    if event.forum:
        found["superEvent"] = {"@type": "Event", "name": printable(event.forum)}
    if event.status in {"postponed", "rescheduled"} and (before := _earlier_start(event)):
        found["previousStartDate"] = before
    if url := origin.event_url(event.event_id):
        found["url"] = url
    found["subjectOf"] = [
        {"@type": "NewsArticle", "url": link, "headline": printable(source.title)[:200]}
        for source in event.sources[:10]
        if (link := web_address(source.url))
    ]
    found["additionalProperty"] = [
        {"@type": "PropertyValue", "name": name, "value": value}
        for name, value in (("status", event.status), ("kind", event.kind), ("medium", event.medium))
    ]
    return found


def _person(participant: Participant) -> dict[str, Any]:
    found: dict[str, Any] = {"@type": "Person", "name": printable(participant.name)}
    if participant.office:
        found["jobTitle"] = printable(participant.office)
    leader = bundled().leaders.get(participant.leader)
    if leader is not None and leader.wikidata:
        found["sameAs"] = f"http://www.wikidata.org/entity/{leader.wikidata}"
    return found


def _location(event: Event, *, remote: bool) -> dict[str, Any] | None:
    if remote:
        return {"@type": "VirtualLocation"}
    if event.place is None:
        return None
    found: dict[str, Any] = {"@type": "Place", "name": printable(event.place.name or event.place.country)}
    if event.place.country:
        found["address"] = {"@type": "PostalAddress", "addressCountry": event.place.country}
    if event.place.name and (at := position(event.place)):
        found["geo"] = {"@type": "GeoCoordinates", "latitude": at[0], "longitude": at[1]}
    return found


def _earlier_start(event: Event) -> str:
    """The event's date before it was last changed; empty if it was not."""
    for change in reversed(event.history):
        old = change.changed.get("when", (None, None))[0]
        if isinstance(old, dict) and isinstance(old.get("start"), str):
            return str(old["start"])
    return ""
