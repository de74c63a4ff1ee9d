"""Groups the articles of an event into sources (pages), reports (texts) and publishers (owners).

The same page in two feeds is one source. A text is compared with the first text of each report, never with a later
copy, so that a chain of edits does not join different stories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from monitor.assemble.claims.fingerprint import bands, same_text
from monitor.assemble.claims.kept_mention import HAPPENED, KeptMention, canonical_order
from monitor.records import EventSource

#: Sources of one event whose details are kept; see `Assembly`.
MAX_SOURCES = 200
#: Two language versions of one agency story are published at most this many seconds apart.
TRANSLATED_WITHIN = 12 * 3600


class Coverage(msgspec.Struct, frozen=True):
    """The numbered sources, and for each mention the number of its source.

    `reports` is the number of independent texts, `publishers` of owners. `origin` is the publisher of a report's
    earliest article, so that ten papers that print one wire story count once.
    """

    sources: tuple[EventSource, ...]
    number_of: dict[str, int]
    origin: dict[int, str]

    @property
    def reports(self) -> int:
        """The number of independent texts."""
        return len(self.origin)

    @property
    def publishers(self) -> int:
        """The number of owners of outlets."""
        return len({_owner(s) for s in self.sources})

    def voices(self, numbers: Iterable[int]) -> int:
        """Count the publishers of some sources that have a text of their own."""
        return len({self.origin[self.sources[n - 1].report] for n in numbers})

    def texts(self, numbers: Iterable[int]) -> int:
        """Count the independent texts among some sources."""
        return len({self.sources[n - 1].report for n in numbers})


def _owner(source: EventSource) -> str:
    return source.publisher or source.outlet or source.article_id


def cover(mentions: Sequence[KeptMention]) -> Coverage:
    """Number the sources of an event by time, and find the copies among their texts."""
    ordered = sorted(mentions, key=canonical_order)
    leaders: list[KeptMention] = []
    number_of: dict[str, int] = {}
    known: dict[str, int] = {}
    for m in ordered:
        n = known.setdefault(m.source_key, len(leaders) + 1)
        number_of[m.article_id] = n
        if n > len(leaders):
            leaders.append(m)
    report_of = group_texts(leaders)
    sources: list[EventSource] = []
    origin: dict[int, str] = {}
    for n, (m, report) in enumerate(zip(leaders, report_of, strict=True), start=1):
        origin.setdefault(report, m.owner)
        sources.append(
            EventSource(
                n=n,
                article_id=m.article_id,
                url=m.url,
                outlet=m.outlet,
                publisher=m.publisher or m.outlet,
                official=m.official,
                published=m.published,
                report=report,
                title=m.title,
                language=m.language,
                speaks_for=m.speaks_for,
                revision=m.revision,
            )
        )
    return Coverage(tuple(sources), number_of, origin)


def group_texts(articles: Sequence[KeptMention]) -> list[int]:
    """Return, for each article, the number of its report, from 1 in the order of the articles."""
    first: list[KeptMention] = []
    by_band: dict[tuple[int, bytes], list[int]] = defaultdict(list)
    by_agency: dict[str, list[int]] = defaultdict(list)
    numbers = []
    for m in articles:
        number = _report_of(m, first, by_band, by_agency)
        if number is None:
            number = len(first)
            first.append(m)
            for band in bands(m.text):
                by_band[band].append(number)
            for agency in m.text.agencies:
                by_agency[agency].append(number)
        numbers.append(number + 1)
    return numbers


def _report_of(
    m: KeptMention,
    first: list[KeptMention],
    by_band: dict[tuple[int, bytes], list[int]],
    by_agency: dict[str, list[int]],
) -> int | None:
    near = sorted({number for band in bands(m.text) for number in by_band.get(band, ())})
    for number in near:
        if same_text(first[number].text, m.text):
            return number
    for agency in m.text.agencies:
        for number in by_agency.get(agency, ()):
            if _translated(first[number], m):
                return number
    return None


def _translated(a: KeptMention, b: KeptMention) -> bool:
    """Whether two articles are one agency story in two languages: same agency, close in time, same claims."""
    return (
        bool(a.language and b.language)
        and a.language != b.language
        and abs(a.time - b.time) <= TRANSLATED_WITHIN
        and (a.status in HAPPENED) == (b.status in HAPPENED)
        and a.remote == b.remote
        and (a.when is None or b.when is None or (a.when.start, a.when.end) == (b.when.start, b.when.end))
    )
