"""Tables: CSV (RFC 4180), Parquet, and unchanged event lines (JSON Lines)."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from monitor.archive.exports.formats import ExportItem, ExportOrigin
from monitor.errors import SummitryError
from monitor.http.untrusted import printable
from monitor.records import event_line

COLUMNS = (
    "event_id", "revision", "status", "kind", "medium", "headline", "leaders", "names", "countries", "hosts",
    "date_start", "date_end", "date_granularity", "place", "place_country", "forum", "topics", "confidence",
    "publishers", "reports", "official", "confirmed_by", "first_seen", "last_seen", "changed", "sources", "brief",
    "url",
)  # fmt: skip

#: Rows that are kept in memory at a time.
_GROUP = 5000
#: A spreadsheet runs a cell with such a beginning as a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def _row(item: ExportItem, origin: ExportOrigin) -> dict[str, str | int | float | bool | None]:
    event = item.event
    when, place = event.when, event.place
    return {
        "event_id": event.event_id,
        "revision": event.revision,
        "status": event.status,
        "kind": event.kind,
        "medium": event.medium,
        "headline": printable(item.headline),
        "leaders": ";".join(p.leader for p in event.participants),
        "names": ";".join(printable(p.name) for p in event.participants),
        "countries": ";".join(p.country for p in event.participants),
        "hosts": ";".join(p.leader for p in event.participants if p.role == "host"),
        "date_start": when.start.isoformat() if when else "",
        "date_end": when.end.isoformat() if when else "",
        "date_granularity": when.granularity if when else "",
        "place": printable(place.name) if place else "",
        "place_country": place.country if place else "",
        "forum": printable(event.forum or ""),
        "topics": ";".join(printable(topic) for topic in event.topics),
        "confidence": round(event.confidence, 4),
        "publishers": event.publishers,
        "reports": event.reports,
        "official": event.official,
        "confirmed_by": ";".join(event.confirmed_by),
        "first_seen": event.first_seen.isoformat() if event.first_seen else "",
        "last_seen": event.last_seen.isoformat() if event.last_seen else "",
        "changed": item.changed.isoformat(),
        "sources": len(event.sources),
        "brief": printable(event.brief),
        "url": origin.event_url(event.event_id),
    }


def _cell(value: str | float | bool | None) -> str | float | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def write_csv(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield a header row, then one row an event. UTF-8, lines end in CR LF, lists are joined by semicolons."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow(COLUMNS)
    for item in items:
        writer.writerow([_cell(value) for value in _row(item, origin).values()])
        yield held.getvalue().encode()
        held.seek(0)
        held.truncate()
    if text := held.getvalue():
        yield text.encode()


def write_lines(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:  # noqa: ARG001  # the signature of all formats
    """Yield complete event lines, as `summitry events --format json` prints them."""
    for item in items:
        yield event_line(item.event) + b"\n"


def write_parquet(items: Iterable[ExportItem], origin: ExportOrigin) -> Iterator[bytes]:
    """Yield the rows of the CSV with typed columns. Raises SummitryError without the extra `parquet`."""
    try:
        import pyarrow as pa  # noqa: PLC0415  # an optional extra
        import pyarrow.parquet as pq  # noqa: PLC0415
    except ImportError as error:
        raise SummitryError("parquet needs pyarrow: pip install 'summitry[parquet]'", reason="no_parquet") from error
    types = {
        "revision": pa.int32(), "publishers": pa.int32(), "reports": pa.int32(), "sources": pa.int32(),
        "confidence": pa.float64(), "official": pa.bool_(),
    }  # fmt: skip
    schema = pa.schema([(name, types.get(name, pa.string())) for name in COLUMNS])
    sink = io.BytesIO()
    rows = iter(items)
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        while group := [_row(item, origin) for item in islice(rows, _GROUP)]:
            writer.write_table(pa.Table.from_pylist(group, schema=schema))
    yield sink.getvalue()
