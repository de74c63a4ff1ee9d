"""Events in other programs' formats. docs/exports.md says what each format leaves out."""

from __future__ import annotations

from monitor.archive.exports.calendar import was_planned, write_calendar
from monitor.archive.exports.codings import write_cameo, write_plover
from monitor.archive.exports.formats import ExportItem, ExportOrigin, Format
from monitor.archive.exports.geojson import write_geojson
from monitor.archive.exports.schemaorg import write_schemaorg
from monitor.archive.exports.syndication import write_atom, write_json_feed
from monitor.archive.exports.table import write_csv, write_lines, write_parquet

#: The formats by name, in the order of the documentation.
FORMATS: dict[str, Format] = {
    format_.name: format_
    for format_ in (
        Format("csv", "text/csv; charset=utf-8", "csv", write_csv),
        Format("jsonl", "application/x-ndjson", "jsonl", write_lines),
        Format("ics", "text/calendar; charset=utf-8", "ics", write_calendar),
        Format("atom", "application/atom+xml; charset=utf-8", "atom", write_atom),
        Format("plover", "application/x-ndjson", "plover.jsonl", write_plover),
        Format("cameo", "text/tab-separated-values; charset=utf-8", "cameo.tsv", write_cameo),
        Format("schemaorg", "application/x-ndjson", "schemaorg.jsonl", write_schemaorg),
        Format("geojson", "application/geo+json", "geojson", write_geojson),
        Format("parquet", "application/vnd.apache.parquet", "parquet", write_parquet),
    )
}

__all__ = [
    "FORMATS",
    "ExportItem",
    "ExportOrigin",
    "Format",
    "was_planned",
    "write_calendar",
    "write_json_feed",
]
