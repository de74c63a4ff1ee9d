"""GeoJSON (RFC 7946): one feature an event, with a point of longitude and latitude if the place is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from monitor.archive.atlas import position
from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.http.untrusted import printable


def write_geojson(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield one FeatureCollection. An event without a known place has a null geometry, as the format allows."""
    yield b'{"type":"FeatureCollection","features":['
    for number, item in enumerate(items):
        yield (b"," if number else b"") + b"\n" + msgspec.json.encode(_feature(item, origin))
    yield b"\n]}\n"


def _feature(item: ExportItem, origin: ExportOrigin) -> dict[str, object]:
    event = item.event
    at = position(event.place)
    return {
        "type": "Feature",
        "id": event.event_id,
        "geometry": {"type": "Point", "coordinates": [at[1], at[0]]} if at else None,
        "properties": {
            "headline": printable(item.headline),
            "status": event.status,
            "kind": event.kind,
            "medium": event.medium,
            "leaders": [p.leader for p in event.participants],
            "start": event.when.start.isoformat() if event.when else None,
            "end": event.when.end.isoformat() if event.when else None,
            "place": printable(event.place.name) if event.place else None,
            "country": event.place.country if event.place else None,
            "exact": bool(event.place and event.place.name),
            "url": origin.event_url(event.event_id) or None,
        },
    }
