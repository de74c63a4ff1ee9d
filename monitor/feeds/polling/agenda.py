"""Choose the feed to poll next: a queue of feeds by due time, with one request at a time for each host group.

A pure data structure: the time is an argument, so the simulation of a whole day uses it too.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field


@dataclass(slots=True)
class _Group:
    feeds: list[tuple[float, str]] = field(default_factory=list)
    free_at: float = 0.0
    busy: bool = False
    ticket: int = 0


class Agenda:
    """The due times of feeds, by host group. Each operation takes O(log n). All times are seconds of the same clock.

    `gap_s` is the shortest pause between two requests of a group.
    """

    def __init__(self, gap_s: float = 1.0) -> None:
        self._gap_s = gap_s
        self._due: dict[str, float] = {}
        self._group_of: dict[str, str] = {}
        self._groups: dict[str, _Group] = {}
        self._turns: list[tuple[float, int, str]] = []
        self._ticket = 0

    def __len__(self) -> int:
        return len(self._due)

    def __contains__(self, feed: str) -> bool:
        return feed in self._due

    def put(self, feed: str, group: str, due: float) -> None:
        """Add a feed that is due at a time, or change the group and time of one that was added before."""
        old = self._group_of.get(feed)
        if old is not None and old != group:
            self.remove(feed)
        self._due[feed] = due
        self._group_of[feed] = group
        heapq.heappush(self._groups.setdefault(group, _Group()).feeds, (due, feed))
        self._queue(group)

    def remove(self, feed: str) -> None:
        """Remove a feed. Its group stays busy while a request is in flight."""
        self._due.pop(feed, None)
        group = self._group_of.pop(feed, None)
        if group is not None:
            self._queue(group)

    def due(self, feed: str) -> float | None:
        """Return when a feed is due, None while it is being polled and for an unknown feed."""
        return self._due.get(feed)

    def take(self, now: float) -> str | None:
        """Remove and return the first due feed whose group is free, or None. Its group is then busy until `release`."""
        while self._turns and self._turns[0][0] <= now:
            _, ticket, name = heapq.heappop(self._turns)
            group = self._groups.get(name)
            if group is None or group.ticket != ticket:
                continue
            _, feed = heapq.heappop(group.feeds)
            del self._due[feed], self._group_of[feed]
            group.busy = True
            group.ticket = 0
            return feed
        return None

    def release(self, group: str, now: float) -> None:
        """Note that the request of a group has ended; the next one may begin after the gap."""
        held = self._groups.get(group)
        if held is not None:
            held.busy = False
            held.free_at = max(held.free_at, now + self._gap_s)
            self._queue(group)

    def pause(self, group: str, until: float) -> None:
        """Start no request of a group before the time `until`, as Retry-After asks."""
        held = self._groups.setdefault(group, _Group())
        held.free_at = max(held.free_at, until)
        self._queue(group)

    def move(self, seconds: float) -> None:
        """Move all times by some seconds, as when the clock was set."""
        for group in self._groups.values():
            group.free_at += seconds
        for feed, due in list(self._due.items()):
            self.put(feed, self._group_of[feed], due + seconds)

    def next_turn(self) -> float | None:
        """Return the earliest time at which `take` can return a feed, None when no feed is waiting."""
        while self._turns:
            turn, ticket, name = self._turns[0]
            group = self._groups.get(name)
            if group is not None and group.ticket == ticket:
                return turn
            heapq.heappop(self._turns)
        return None

    def _queue(self, name: str) -> None:
        """Put the group into the queue at its new time. A new ticket makes its old place invalid."""
        group = self._groups[name]
        feeds = group.feeds
        while feeds and (self._group_of.get(feeds[0][1]) != name or self._due[feeds[0][1]] != feeds[0][0]):
            heapq.heappop(feeds)
        group.ticket = 0
        if feeds and not group.busy:
            self._ticket += 1
            group.ticket = self._ticket
            heapq.heappush(self._turns, (max(feeds[0][0], group.free_at), self._ticket, name))
