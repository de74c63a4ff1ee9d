"""All articles of an event, grouped into reports (one text, whoever prints it) and publishers (owners, not feeds).

The same page met through two feeds is one source. A text is compared with the first text of each report, never with a
later copy, so that a chain of edits does not tie different stories together.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from monitor.assemble.claims.fingerprint import bands, same_text
from monitor.assemble.claims.sighting import HAPPENED, Sighting, canonical_order
from monitor.records import EventSource

#: Sources of one event whose details are kept; see `Assembly`.
MAX_SOURCES = 200
#: An agency's own versions of one story in two languages come within this many seconds.
TRANSLATED_WITHIN = 12 * 3600


class Coverage(msgspec.Struct, frozen=True):
    """The numbered sources, and for each sighting the number of its source.

    `reports` counts independent texts, `publishers` owners. `origin` is the publisher whose text a report is: of
    several articles with one text, the earliest one's, so that ten papers that print one wire story are one voice.
    """

    sources: tuple[EventSource, ...]
    number_of: dict[str, int]
    origin: dict[int, str]

    @property
    def reports(self) -> int:
        """Independent texts."""
        return len(self.origin)

    @property
    def publishers(self) -> int:
        """Owners of outlets."""
        return len({_owner(s) for s in self.sources})

    def voices(self, numbers: Iterable[int]) -> int:
        """Publishers that stand behind some sources with a text of their own."""
        return len({self.origin[self.sources[n - 1].report] for n in numbers})

    def texts(self, numbers: Iterable[int]) -> int:
        """Independent texts among some sources."""
        return len({self.sources[n - 1].report for n in numbers})


def _owner(source: EventSource) -> str:
    return source.publisher or source.outlet or source.article_id


def cover(sightings: Sequence[Sighting]) -> Coverage:
    """Number the sources of an event by time, and find the copies among their texts."""
    ordered = sorted(sightings, key=canonical_order)
    leaders: list[Sighting] = []
    number_of: dict[str, int] = {}
    known: dict[str, int] = {}
    for s in ordered:
        n = known.setdefault(s.source_key, len(leaders) + 1)
        number_of[s.article_id] = n
        if n > len(leaders):
            leaders.append(s)
    report_of = group_texts(leaders)
    sources: list[EventSource] = []
    origin: dict[int, str] = {}
    for n, (s, report) in enumerate(zip(leaders, report_of, strict=True), start=1):
        origin.setdefault(report, s.owner)
        sources.append(
            EventSource(
                n=n,
                article_id=s.article_id,
                url=s.url,
                outlet=s.outlet,
                publisher=s.publisher or s.outlet,
                official=s.official,
                published=s.published,
                report=report,
                title=s.title,
                language=s.language,
                speaks_for=s.speaks_for,
                revision=s.revision,
            )
        )
    return Coverage(tuple(sources), number_of, origin)


def group_texts(articles: Sequence[Sighting]) -> list[int]:
    """For each article the number of its report, from 1 in the order given."""
    first: list[Sighting] = []
    by_band: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    by_agency: dict[str, list[int]] = defaultdict(list)
    numbers = []
    for s in articles:
        number = _report_of(s, first, by_band, by_agency)
        if number is None:
            number = len(first)
            first.append(s)
            for band in bands(s.text):
                by_band[band].append(number)
            for agency in s.text.agencies:
                by_agency[agency].append(number)
        numbers.append(number + 1)
    return numbers


def _report_of(
    s: Sighting,
    first: list[Sighting],
    by_band: dict[tuple[int, bytes], list[int]],
    by_agency: dict[str, list[int]],
) -> int | None:
    near = sorted({number for band in bands(s.text) for number in by_band.get(band, ())})
    for number in near:
        if same_text(first[number].text, s.text):
            return number
    for agency in s.text.agencies:
        for number in by_agency.get(agency, ()):
            if _translated(first[number], s):
                return number
    return None


def _translated(a: Sighting, b: Sighting) -> bool:
    """Two languages' versions of one agency story: same agency, close in time, and the same claims."""
    return (
        bool(a.language and b.language)
        and a.language != b.language
        and abs(a.time - b.time) <= TRANSLATED_WITHIN
        and (a.status in HAPPENED) == (b.status in HAPPENED)
        and a.remote == b.remote
        and (a.when is None or b.when is None or (a.when.start, a.when.end) == (b.when.start, b.when.end))
    )
