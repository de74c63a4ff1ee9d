"""Whose turn it is: feeds by due time, one request in flight for each host group, and a gap between two.

A pure data structure; the time comes in as an argument, so it also drives the simulation of a whole day.
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
    """The due times of feeds, in groups. Each operation costs O(log n). Times are seconds on any one clock."""

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
        """Let a feed be due at a time; what was said of it before is forgotten."""
        old = self._group_of.get(feed)
        if old is not None and old != group:
            self.remove(feed)
        self._due[feed] = due
        self._group_of[feed] = group
        heapq.heappush(self._groups.setdefault(group, _Group()).feeds, (due, feed))
        self._queue(group)

    def remove(self, feed: str) -> None:
        """Forget a feed. Its group stays busy while a request of it is in flight."""
        self._due.pop(feed, None)
        group = self._group_of.pop(feed, None)
        if group is not None:
            self._queue(group)

    def due(self, feed: str) -> float | None:
        """Return when a feed is due, None while it is being polled or when it is unknown."""
        return self._due.get(feed)

    def take(self, now: float) -> str | None:
        """Return the feed that is due first among free groups, or None. Its group is busy until `release`."""
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
        """Note that a group's request has ended: its next one may begin after the gap."""
        held = self._groups.get(group)
        if held is not None:
            held.busy = False
            held.free_at = max(held.free_at, now + self._gap_s)
            self._queue(group)

    def pause(self, group: str, until: float) -> None:
        """Let no request of a group begin before a time (Retry-After)."""
        held = self._groups.setdefault(group, _Group())
        held.free_at = max(held.free_at, until)
        self._queue(group)

    def next_turn(self) -> float | None:
        """Return when `take` may have something, None when nothing is waiting."""
        while self._turns:
            turn, ticket, name = self._turns[0]
            group = self._groups.get(name)
            if group is not None and group.ticket == ticket:
                return turn
            heapq.heappop(self._turns)
        return None

    def _queue(self, name: str) -> None:
        """Give the group a new place among the turns; its old one, if any, counts no more."""
        group = self._groups[name]
        feeds = group.feeds
        while feeds and (self._group_of.get(feeds[0][1]) != name or self._due[feeds[0][1]] != feeds[0][0]):
            heapq.heappop(feeds)
        group.ticket = 0
        if feeds and not group.busy:
            self._ticket += 1
            group.ticket = self._ticket
            heapq.heappush(self._turns, (max(feeds[0][0], group.free_at), self._ticket, name))
