"""The feeds that one poller owns: the state of each, its place on the agenda, and the gauges that show it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import get_args

import msgspec

from monitor import metrics
from monitor.feeds.polling.agenda import Agenda
from monitor.feeds.polling.feed_state import FeedState, Health
from monitor.feeds.polling.schedule import GONE_S, ScheduleRules, first_due
from monitor.feeds.subscriptions.subscription import Subscription

#: The values of health that count as healthy in the gauge `important_feed_ok`.
_WELL = ("OK", "EMPTY", "NEW")


@dataclass
class HeldFeed:
    """A feed that this poller owns. `unsaved` are the weeks whose segments the broker does not have yet."""

    partition: int
    feed: Subscription
    state: FeedState | None = None
    segments: dict[int, bytes] = field(default_factory=dict)
    unsaved: set[int] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class HeldFeeds(Mapping[str, HeldFeed]):
    """The owned feeds by id. `draw` returns random numbers from 0 to 1; times are seconds since 1970."""

    def __init__(self, agenda: Agenda, draw: Callable[[], float], rules: ScheduleRules) -> None:
        self._agenda, self._draw, self._rules = agenda, draw, rules
        self._held: dict[str, HeldFeed] = {}
        for state in get_args(Health):
            metrics.feeds_by_state.labels(state).set(0)

    def __getitem__(self, feed_id: str) -> HeldFeed:
        return self._held[feed_id]

    def __iter__(self) -> Iterator[str]:
        return iter(self._held)

    def __len__(self) -> int:
        return len(self._held)

    def of(self, partitions: set[int]) -> list[str]:
        """Return the ids of the feeds of some partitions."""
        return [feed_id for feed_id, held in self._held.items() if held.partition in partitions]

    def hold(self, held: HeldFeed, crowd: int, now: float) -> None:
        """Take a feed over and plan its first poll. `crowd` is the number of new feeds to spread first polls over."""
        self.drop(held.feed.id)
        self._held[held.feed.id] = held
        if held.state is not None:  # a push subscription ends with the process that made it
            held.state = msgspec.structs.replace(held.state, push_until=0.0)
            if held.state.last_success:
                metrics.feed_last_success.labels(held.feed.id).set(held.state.last_success)
        metrics.feeds_by_state.labels(_health(held.state)).inc()
        _set_important_gauge(held)
        if held.state and held.state.paused_until > now:
            self._agenda.pause(held.feed.group, min(held.state.paused_until, now + GONE_S))
        self.plan(held, crowd, now)

    def change(self, held: HeldFeed, partition: int, feed: Subscription) -> None:
        """Replace the subscription of an owned feed. Its next poll stays as planned until `plan` is called."""
        before, held.feed, held.partition = held.feed, feed, partition
        if before.important:
            _forget_important(feed.id)
        _set_important_gauge(held)

    def plan(self, held: HeldFeed, crowd: int, now: float) -> None:
        """Put a feed on the agenda, or remove it when it is disabled."""
        feed = held.feed
        if not feed.enabled:
            self._agenda.remove(feed.id)
        else:
            due = first_due(held.state, feed, now=now, draw=self._draw(), crowd=crowd, rules=self._rules)
            self._agenda.put(feed.id, feed.group, due)

    def drop(self, feed_id: str) -> None:
        """Give up a feed, if it is owned, with its gauges."""
        held = self._held.pop(feed_id, None)
        if held is None:
            return
        self._agenda.remove(feed_id)
        metrics.feeds_by_state.labels(_health(held.state)).dec()
        # Otherwise a feed that moved to another poller, or was unsubscribed, would look as if it had stopped working.
        with contextlib.suppress(KeyError):
            metrics.feed_last_success.remove(feed_id)
        if held.feed.important:
            _forget_important(feed_id)

    def keep(self, held: HeldFeed, state: FeedState, segments: Mapping[int, bytes] | None, now: float) -> None:
        """Store the result of a poll, and plan the next one. `segments` is None when no document was read."""
        feed, before = held.feed, held.state
        held.state = state
        if segments is not None:
            weeks = segments.keys() | held.segments.keys()
            held.unsaved |= {week for week in weeks if segments.get(week) != held.segments.get(week)}
            held.segments = dict(segments)
        if state.paused_until > now:
            self._agenda.pause(feed.group, state.paused_until)
        if self._held.get(feed.id) is not held:
            return
        if _health(before) != state.health:
            metrics.feeds_by_state.labels(_health(before)).dec()
            metrics.feeds_by_state.labels(state.health).inc()
        _set_important_gauge(held)
        if state.last_success == state.last_attempt:
            metrics.feed_last_success.labels(feed.id).set(state.last_success)
        if feed.enabled:
            self._agenda.put(feed.id, feed.group, state.next_due)


def _set_important_gauge(held: HeldFeed) -> None:
    feed = held.feed
    if feed.important and feed.enabled:
        metrics.important_feed_ok.labels(feed.id).set(_health(held.state) in _WELL)


def _forget_important(feed_id: str) -> None:
    with contextlib.suppress(KeyError):
        metrics.important_feed_ok.remove(feed_id)


def _health(state: FeedState | None) -> Health:
    return state.health if state else "NEW"
