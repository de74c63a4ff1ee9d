"""Choose the entries to read of a document with more than MAX_ENTRIES: the newest, by date or by position."""

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
    """Return the indexes of the at most `most` entries to read, in order. `dates` has the date of each entry.

    Some feeds keep their whole history with the oldest entry first, so entries are taken from both ends of the
    document. If most entries have dates, half of those taken are the newest by date, wherever they are.
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


def shortened(document: str, language: str = "", most: int = MAX_ENTRIES) -> tuple[str, int]:
    """Return an XML document with its newest `most` entries only, and how many were left out.

    The document is returned unchanged when it has no more than `most` entries, or when its tags do not show where each
    entry begins and ends; the parser then stops after the first `most`.
    """
    if document.count("<item") + document.count("entry") <= most:
        return document, 0
    starts = [match.start() for match in _START.finditer(document)]
    ends = [match.end() for match in _END.finditer(document)]
    if len(starts) <= most or len(starts) != len(ends):
        return document, 0
    bounds = [place for pair in zip(starts, ends, strict=True) for place in pair]
    if bounds != sorted(bounds):
        return document, 0
    dates = [_date_in(document, start, end, language) for start, end in zip(starts, ends, strict=True)]
    kept = set(newest(dates, most))
    parts, at = [], 0
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if place not in kept:
            parts.append(document[at:start])
            at = end
    return "".join((*parts, document[at:])), len(starts) - len(kept)


def _date_in(document: str, start: int, end: int, language: str) -> datetime | None:
    match = _DATE.search(document, start, end)
    return read_date(match[1], language=language).value if match else None
