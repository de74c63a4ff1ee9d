"""Chooses which entries of a very long document are read: the newest, by date or by place."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime

from monitor.feeds.formats.fields.dates import read_date
from monitor.feeds.formats.limits import MAX_ENTRIES

_START = re.compile(r"<(?:[A-Za-z_][\w.-]*:)?(?:item|entry)(?=[\s>])")
_END = re.compile(r"</(?:[A-Za-z_][\w.-]*:)?(?:item|entry)\s*>")
_DATE = re.compile(
    r"<(?:[A-Za-z_][\w.-]*:)?(?:pubDate|published|updated|date|issued|modified|created)\b[^<>]*>(?:<!\[CDATA\[)?([^<>\]]{6,80})"
)
_NEVER = datetime.min.replace(tzinfo=UTC)


def newest(dates: Sequence[datetime | None], most: int = MAX_ENTRIES) -> list[int]:
    """Return the places of the `most` entries to read, in order, given the date of each in the order of the document.

    Some feeds keep their whole history, oldest entry first, and add at the end. So entries from both ends are read, and
    where entries have dates, half of those that are read are the newest by date, wherever they stand.
    """
    count = len(dates)
    if count <= most:
        return list(range(count))
    by_date = sorted(range(count), key=lambda place: dates[place] or _NEVER, reverse=True)
    dated = [place for place in by_date if dates[place] is not None]
    chosen = dict.fromkeys(dated[: most // 2] if 2 * len(dated) >= count else ())
    first, last = 0, count - 1
    while len(chosen) < most:
        chosen.setdefault(first)
        if len(chosen) < most:
            chosen.setdefault(last)
        first, last = first + 1, last - 1
    return sorted(chosen)


def shortened(document: str, language: str = "", most: int = MAX_ENTRIES) -> tuple[str, bool]:
    """Return an XML document with its newest entries only, and whether any were left out.

    The document is returned as it is when it has no more than `most` entries, or when its entries can't be told apart
    by their tags alone; the reader then stops after the first `most`.
    """
    if document.count("<item") + document.count("entry") <= most:
        return document, False
    starts = [match.start() for match in _START.finditer(document)]
    ends = [match.end() for match in _END.finditer(document)]
    if len(starts) <= most or len(starts) != len(ends):
        return document, False
    bounds = [place for pair in zip(starts, ends, strict=True) for place in pair]
    if bounds != sorted(bounds):
        return document, False
    dates = [_date_in(document, start, end, language) for start, end in zip(starts, ends, strict=True)]
    kept = set(newest(dates, most))
    parts, at = [], 0
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if place not in kept:
            parts.append(document[at:start])
            at = end
    return "".join((*parts, document[at:])), True


def _date_in(document: str, start: int, end: int, language: str) -> datetime | None:
    match = _DATE.search(document, start, end)
    return read_date(match[1], language=language).value if match else None
