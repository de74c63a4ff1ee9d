"""An archive of articles through detection and assembly, in one process and in event time.

The result is what the stream gives: the same deciders are used, and the same clock, the articles' own times.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from monitor.assemble.assembly import Assembly
from monitor.assemble.claims.notices import with_withdrawals
from monitor.records import Article, Event, Mention, utc

#: What turns an article into its mentions.
Detector = Callable[[Article], Iterable[Mention]]

#: A leap of the clock further than this needs as many articles in a row as LEAP_WITNESSES.
LEAP = timedelta(days=2)
LEAP_WITNESSES = 5


class EventClock:
    """Event time from articles' times: it never goes back, and one article from the future can't carry it away.

    A feed that dates an article wrongly would otherwise close every event. A leap of more than LEAP is taken when
    LEAP_WITNESSES articles in a row are beyond it, and only as far as the earliest of them.
    """

    def __init__(self) -> None:
        self.now: datetime | None = None
        self._beyond: deque[datetime] = deque(maxlen=LEAP_WITNESSES)

    def observe(self, article: Article) -> datetime | None:
        """The time after an article: its published time, but not later than when it was seen; None before any."""
        times = [utc(t) for t in (article.published, article.seen) if t is not None]
        if not times:
            return self.now
        time = min(times)
        if self.now is None:
            self.now = time
        elif time <= self.now + LEAP:
            self.now = max(self.now, time)
            self._beyond.clear()
        else:
            self._beyond.append(time)
            if len(self._beyond) == LEAP_WITNESSES:
                self.now = min(self._beyond)
                self._beyond.clear()
        return self.now


def replay(articles: Iterable[Article], detect: Detector, assembly: Assembly | None = None) -> Iterator[Event]:
    """Yield each revision of each event, in the order in which the stream would tell them."""
    assembly = Assembly() if assembly is None else assembly
    clock = EventClock()
    for article in articles:
        now = clock.observe(article)
        if now is not None:
            yield from assembly.advance(now).events
        # An archive without times is read in its order.
        undated = article.published is None and article.seen is None
        dated = msgspec.structs.replace(article, seen=now) if undated else article
        for mention in with_withdrawals(dated, tuple(detect(dated))):
            yield from assembly.apply(mention).events


def same_event(a: Article, b: Article, detect: Detector) -> bool:
    """Say whether some contact that one article speaks of is one that the other speaks of, with nothing else known."""
    first, second = (msgspec.structs.replace(article, id=str(n)) for n, article in enumerate((a, b)))
    events = final_events(replay([first, second], detect))
    return any({source.article_id for source in event.sources} == {first.id, second.id} for event in events)


def final_events(revisions: Iterable[Event]) -> Iterator[Event]:
    """The last revision of each event: of a closed one as soon as it closes, of the others at the end, oldest first.

    An event that was merged into another one is left out: the other one has its id under `redirects`.
    """
    open_: dict[str, Event] = {}
    for event in revisions:
        open_.pop(event.event_id, None)
        if event.merged_into is not None:
            continue
        if event.closed:
            yield event
        else:
            open_[event.event_id] = event
    yield from sorted(open_.values(), key=lambda e: (e.first_seen is not None, e.first_seen, e.event_id))
