"""The event codings of political science: CAMEO and PLOVER. data/codings.yaml has the tables.

CAMEO (Schrodt 2012, https://parusanalytics.com/eventdata/data.dir/cameo.html) codes what one actor does to another, so
an event becomes one row for each pair of its actors, or two rows if a visit has a direction. PLOVER (Open Event Data
Alliance, https://github.com/openeventdata/PLOVER) codes an event once, with all its actors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path

import msgspec

from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.http.untrusted import printable, web_address
from monitor.records import Event, EventStatus, Participant
from monitor.watchlist import bundled
from monitor.yaml_text import read_data_file


class StatusCoding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """PLOVER's form of a status: the event type, its mode, and the comment."""

    event: str
    mode: str
    comment: str = ""


class Codings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The tables: CAMEO codes by kind of contact and by status, PLOVER types by status, actor codes by country."""

    cameo_contact: Mapping[str, str]
    cameo_status: Mapping[EventStatus, str]
    plover_status: Mapping[EventStatus, StatusCoding]
    plover_mode: Mapping[str, str]
    actors: Mapping[str, str]


@cache
def codings() -> Codings:
    """Read the tables. Raises DataFileError."""
    return read_data_file(Path(__file__).parent / "data" / "codings.yaml", Codings)


_HAPPENED = {"held", "ongoing"}
_HEADER = ("event_id", "date", "source", "target", "code", "root", "source_name", "target_name", "place", "url")


def shape(event: Event) -> str:
    """Return the kind of contact as the tables name it: remote, hosted, elsewhere, many or meeting."""
    if len(event.participants) > 2:
        return "many"
    if event.medium in {"phone", "video", "remote"}:
        return "remote"
    if _host(event) is not None:
        return "hosted"
    if event.place is not None and event.place.country and event.medium == "in_person":
        return "elsewhere"
    return "meeting"


def _host(event: Event) -> Participant | None:
    """The host: the participant with that role, or the only one in whose country it takes place."""
    hosts = [p for p in event.participants if p.role == "host"]
    if not hosts and event.place is not None and event.medium == "in_person":
        hosts = [p for p in event.participants if p.country and p.country == event.place.country]
    return hosts[0] if len(hosts) == 1 else None


def _day(event: Event) -> date | None:
    if event.when is not None:
        return event.when.day
    return event.first_seen.date() if event.first_seen else None


def actor(country: str) -> str:
    """Return the actor code of a state's government, or of a body; `---` (no code) if the tables have none."""
    return codings().actors.get(country, "---")


def write_cameo(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Write tab-separated rows, one for each pair of actors, after a header row.

    Events for which CAMEO has no code are left out.
    """
    yield ("\t".join(_HEADER) + "\n").encode()
    for item in items:
        for row in _cameo_rows(item, origin):
            yield ("\t".join(" ".join(printable(cell).split()) for cell in row) + "\n").encode()


def _cameo_rows(item: ExportItem, origin: ExportOrigin) -> Iterator[tuple[str, ...]]:
    event, tables = item.event, codings()
    day = _day(event)
    place = event.place
    where = (place.name or place.country) if place else ""
    host = _host(event)

    def row(source: Participant, target: Participant, code: str) -> tuple[str, ...]:
        return (
            event.event_id, f"{day:%Y%m%d}" if day else "", actor(source.country), actor(target.country),
            code, code[:2], source.name, target.name, where, origin.event_url(event.event_id),
        )  # fmt: skip

    if event.status not in _HAPPENED:
        if code := tables.cameo_status.get(event.status):
            for one, two in combinations(event.participants, 2):
                yield row(one, two, code)
        return
    for one, two in combinations(event.participants, 2):
        if shape(event) == "hosted" and host is not None:
            visitor = two if host is one else one
            yield row(visitor, host, tables.cameo_contact["visit"])
            yield row(host, visitor, tables.cameo_contact["host"])
        else:
            yield row(one, two, tables.cameo_contact[shape(event)])


def write_plover(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:  # noqa: ARG001  # all formats' signature
    """Write JSON lines with PLOVER's fields. Events for which PLOVER has no type are left out."""
    for item in items:
        if line := _plover(item):
            yield msgspec.json.encode(line) + b"\n"


def _plover(item: ExportItem) -> dict[str, object] | None:
    event, tables = item.event, codings()
    coded = tables.plover_status.get(event.status)
    if coded is None:
        return None
    host = _host(event) if shape(event) == "hosted" else None
    actors = [p for p in event.participants if p is not host]
    recipients = [host] if host else [] if shape(event) == "many" else actors[1:]
    actors = actors if host or shape(event) == "many" else actors[:1]
    mode = coded.mode or tables.plover_mode[shape(event)]
    day = _day(event)
    found: dict[str, object] = {
        "id": event.event_id,
        "date": day.isoformat() if day else None,
        "enddate": event.when.end.isoformat() if event.when and event.when.end != day else None,
        "actor": [_plover_actor(p) for p in actors],
        "recipient": [_plover_actor(p) for p in recipients],
        "event": [coded.event],
        "mode": [mode],
        "context": ["diplomatic"],
        "event_loc": printable(event.place.name or event.place.country) if event.place else None,
        "event_text": printable(item.headline),
        "text": printable(event.brief),
        "link": [link for source in event.sources[:10] if (link := web_address(source.url))],
        "cite_info": [printable(source.outlet) for source in event.sources[:10]],
        "coder": "summitry",
        "coded_date": item.changed.date().isoformat(),
        "comment": coded.comment or None,
    }
    return {key: value for key, value in found.items() if value is not None}


def _plover_actor(participant: Participant) -> dict[str, str]:
    leader = bundled().leaders.get(participant.leader)
    found = {"code": actor(participant.country)[:3], "sector": "GOV", "actor_text": printable(participant.name)}
    if leader is not None and leader.wikidata:
        found["identifier_id"] = leader.wikidata
    return found
