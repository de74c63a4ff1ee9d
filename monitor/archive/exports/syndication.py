"""Feeds of events: Atom (RFC 4287) and JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

An entry has the event's id, and the time of the event's last change as its updated time, so an updated event is an
updated entry.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import msgspec

from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.http.untrusted import printable, web_address

_ATOM = "http://www.w3.org/2005/Atom"


def entry_id(event_id: str) -> str:
    """Return the id of an event's entry: a tag URI (RFC 4151), the same on every board."""
    return f"tag:summitry,2026:event:{event_id}"


def write_atom(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield one Atom feed document."""
    found = list(items)
    ET.register_namespace("", _ATOM)
    feed = ET.Element(f"{{{_ATOM}}}feed")
    _text(feed, "id", origin.address or "tag:summitry,2026:events")
    _text(feed, "title", origin.title)
    _text(feed, "updated", _time(max((item.changed for item in found), default=datetime(1970, 1, 1, tzinfo=UTC))))
    ET.SubElement(ET.SubElement(feed, f"{{{_ATOM}}}author"), f"{{{_ATOM}}}name").text = "Summitry"
    for relation, address in (("self", origin.address), ("alternate", origin.page)):
        if address:
            ET.SubElement(feed, f"{{{_ATOM}}}link", rel=relation, href=address)
    for item in found:
        feed.append(_atom_entry(item, origin))
    yield b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(feed, encoding="utf-8") + b"\n"


def _atom_entry(item: ExportItem, origin: ExportOrigin) -> ET.Element:
    event = item.event
    entry = ET.Element(f"{{{_ATOM}}}entry")
    _text(entry, "id", entry_id(event.event_id))
    _text(entry, "title", item.headline)
    _text(entry, "updated", _time(item.changed))
    _text(entry, "published", _time(item.created))
    if url := origin.event_url(event.event_id):
        ET.SubElement(entry, f"{{{_ATOM}}}link", rel="alternate", href=url)
    for source in event.sources[:20]:
        if address := web_address(source.url):
            title = printable(source.title or source.outlet)[:200]
            ET.SubElement(entry, f"{{{_ATOM}}}link", rel="related", href=address, title=title)
    for term in (event.status, event.kind, event.medium, *(p.leader for p in event.participants)):
        ET.SubElement(entry, f"{{{_ATOM}}}category", term=term)
    _text(entry, "summary", event.brief or item.headline)
    return entry


def _text(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, f"{{{_ATOM}}}{name}").text = printable(text)


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def write_json_feed(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield one JSON Feed document; `_summitry` holds fields that the format does not have."""
    feed: dict[str, object] = {"version": "https://jsonfeed.org/version/1.1", "title": origin.title}
    if origin.page:
        feed["home_page_url"] = origin.page
    if origin.address:
        feed["feed_url"] = origin.address
    feed["items"] = [_json_item(item, origin) for item in items]
    yield msgspec.json.encode(feed)


def _json_item(item: ExportItem, origin: ExportOrigin) -> dict[str, object]:
    event = item.event
    links = (web_address(source.url) for source in event.sources)
    found: dict[str, object] = {
        "id": entry_id(event.event_id),
        "title": printable(item.headline),
        "content_text": printable(event.brief or item.headline),
        "date_published": _time(item.created),
        "date_modified": _time(item.changed),
        "tags": [event.status, event.kind, event.medium, *(p.leader for p in event.participants)],
        "_summitry": {
            "event_id": event.event_id,
            "revision": event.revision,
            "status": event.status,
            "publishers": event.publishers,
            "reports": event.reports,
        },
    }
    if url := origin.event_url(event.event_id):
        found["url"] = url
    if external := next((link for link in links if link), ""):
        found["external_url"] = external
    return found
