"""Runs an archive of articles through detection and assembly, in one process and in event time.

The result is the same as in the running service: the same code decides, and time is given by the articles.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from monitor.assemble.assembly import Assembly
from monitor.assemble.claims.notices import with_withdrawals
from monitor.records import Article, Event, Mention, utc

#: Turns an article into its mentions.
Detector = Callable[[Article], Iterable[Mention]]

#: A jump of the clock by more than this is believed only after LEAP_WITNESSES articles in a row.
LEAP = timedelta(days=2)
LEAP_WITNESSES = 5


class EventClock:
    """Event time, taken from articles' times. It never goes back, and a single wrong date can't move it far.

    A feed that dates an article years ahead would otherwise close every event. A jump of more than LEAP is accepted
    when LEAP_WITNESSES articles in a row are beyond it, and only up to the earliest of them.
    """

    def __init__(self) -> None:
        self.now: datetime | None = None
        self._beyond: deque[datetime] = deque(maxlen=LEAP_WITNESSES)

    def observe(self, article: Article) -> datetime | None:
        """Return the time after an article: its publication, at most the time it was seen. None before any time."""
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
    """Yield each revision of each event, in the order in which the running service would publish them."""
    assembly = Assembly() if assembly is None else assembly
    clock = EventClock()
    for article in articles:
        now = clock.observe(article)
        if now is not None:
            yield from assembly.advance(now).events
        # An archive without times is read in its own order.
        undated = article.published is None and article.seen is None
        dated = msgspec.structs.replace(article, seen=now) if undated else article
        for mention in with_withdrawals(dated, tuple(detect(dated))):
            yield from assembly.apply(mention).events


def same_event(a: Article, b: Article, detect: Detector) -> bool:
    """Say whether two articles, looked at alone, report the same contact."""
    first, second = (msgspec.structs.replace(article, id=str(n)) for n, article in enumerate((a, b)))
    events = final_events(replay([first, second], detect))
    return any({source.article_id for source in event.sources} == {first.id, second.id} for event in events)


def final_events(revisions: Iterable[Event]) -> Iterator[Event]:
    """Yield the last revision of each event: closed events when they close, the others at the end, oldest first.

    Merged events are left out; the event that they were merged into lists their ids under `redirects`.
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
