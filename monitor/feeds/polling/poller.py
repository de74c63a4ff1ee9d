"""The poller: polls feeds when they are due, publishes their articles, and stores their state afterwards.

It does not know Kafka. A `PollStore` publishes articles and stores state. `agents.pollers.group`, which owns the
partitions, hands feeds to the poller (`own`), changes them (`change`) and takes them back (`release`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Mapping

import msgspec
import structlog

from monitor import metrics, tracing
from monitor.clock import Clock, real_clock
from monitor.errors import BrokerError
from monitor.feeds.polling.agenda import Agenda
from monitor.feeds.polling.feed_health import notices
from monitor.feeds.polling.feed_state import FeedState
from monitor.feeds.polling.fetch import FetchResult
from monitor.feeds.polling.held_feeds import HeldFeed, HeldFeeds
from monitor.feeds.polling.poll import (
    FeedGetter,
    PollResult,
    ReadDocument,
    as_pushed,
    not_published,
    poll,
    without_validators,
)
from monitor.feeds.polling.poll_store import PollStore
from monitor.feeds.polling.schedule import PollAnswer, ScheduleRules, after, attempted, begin
from monitor.feeds.polling.websub import WebSub
from monitor.feeds.subscriptions.subscription import Subscription

logger = structlog.get_logger()

#: Seconds to wait before publishing again when the broker did not take the articles. After that the poll has failed.
PUBLISH_PAUSES = (0.5, 2.0, 8.0)
#: Seconds until a feed is polled again when the broker did not take its state before the poll.
BROKER_PAUSE_S = 10.0
#: Seconds that running polls get to end when feeds are taken back; less than a rebalance waits for its members.
FLUSH_S = 4.0
_LONGEST_NAP = 5.0
#: A clock that is behind by less than this was adjusted a little, and all times still hold.
_SET_BACK_S = 1.0


class Poller:
    """Polls the feeds that it owns until it is stopped.

    At most `concurrency` polls run at once, and at most one for each host group, with `gap_s` seconds between two.
    `clock` and `draw` (random numbers from 0 to 1) are injected in tests.
    """

    def __init__(
        self,
        store: PollStore,
        get: FeedGetter,
        read: ReadDocument,
        *,
        draw: Callable[[], float],
        clock: Clock = real_clock,
        rules: ScheduleRules | None = None,
        gap_s: float = 1.0,
        concurrency: int = 200,
        push: WebSub | None = None,
    ) -> None:
        self._store, self._get, self._read = store, get, read
        self._clock, self._draw = clock, draw
        self._rules = rules or ScheduleRules()
        self._agenda = Agenda(gap_s)
        self._held = HeldFeeds(self._agenda, draw, self._rules)
        self._running: dict[str, asyncio.Task[None]] = {}
        self._concurrency = concurrency
        self._wake = asyncio.Event()
        self._latest = 0.0
        self._push = push
        self._pushing: dict[asyncio.Task[None], str] = {}

    @property
    def held(self) -> Mapping[str, HeldFeed]:
        """The feeds that this poller owns, by id."""
        return self._held

    def own(self, feeds: Iterable[HeldFeed]) -> None:
        """Take over feeds with their stored state, and plan their polls."""
        feeds = list(feeds)
        now = self._now()
        crowd = sum(1 for held in feeds if held.state is None)
        for held in feeds:
            self._held.hold(held, crowd, now)
        self._wake.set()

    def change(self, partition: int, feed: Subscription) -> None:
        """Add a subscription, or replace the one with the same id. An equal one changes nothing."""
        held = self._held.get(feed.id)
        if held is not None and held.feed == feed:
            return
        logger.info("feed_changed" if held else "feed_added", feed=feed.id)
        if held is None:
            self._held.hold(HeldFeed(partition, feed), 1, self._now())
        else:
            self._held.change(held, partition, feed)
            if not feed.enabled or feed.id not in self._running:  # a running poll plans the next one itself
                self._held.plan(held, 1, self._now())
        self._wake.set()

    async def remove(self, feed_id: str, partition: int) -> None:
        """Stop polling a subscription that was deleted, and delete its stored state. Raises BrokerError."""
        held = self._held.get(feed_id)
        if held is None or held.partition != partition:
            return
        self._drop(feed_id)
        await self._ended([feed_id])
        logger.info("feed_removed", feed=feed_id)
        await self._store.save(held.partition, held.feed, None, dict.fromkeys(held.segments))

    async def release(self, partitions: Iterable[int]) -> None:
        """Give up the feeds of some partitions. Running polls get FLUSH_S seconds to end and are then cancelled."""
        leaving = set(partitions)
        feeds = self._held.of(leaving)
        for feed_id in feeds:
            self._drop(feed_id)
        await self._ended(feeds)

    def refresh(self, feed_id: str, cooldown_s: float = 60.0) -> bool:
        """Poll a feed now, unless it was polled within the last `cooldown_s` seconds. Returns whether it will be."""
        held = self._held.get(feed_id)
        now = self._now()
        if held is None or feed_id not in self._agenda or (held.state and now - held.state.last_attempt < cooldown_s):
            return False
        self._agenda.put(feed_id, held.feed.group, now)
        self._wake.set()
        return True

    def deliver(self, feed_id: str, document: FetchResult) -> bool:
        """Read a document that a hub sent, like a polled one. Returns False for a feed that this poller doesn't own."""
        held = self._held.get(feed_id)
        if held is None or not held.feed.enabled:
            return False
        self._in_background(feed_id, self._poll(held, document))
        return True

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set, then let running polls end."""
        stopped = asyncio.create_task(stop.wait())
        stopped.add_done_callback(lambda _: self._wake.set())
        loop = asyncio.get_running_loop()
        try:
            while not stop.is_set():
                self._wake.clear()
                wait = self._start_due()
                if not wait:
                    await asyncio.sleep(0)
                    continue
                timer = loop.call_later(wait, self._wake.set)
                await self._wake.wait()
                timer.cancel()
        finally:
            stopped.cancel()
            await self._ended([*self._running, *self._pushing.values()])

    async def poll_now(self, feed_id: str) -> None:
        """Poll one feed at once, whenever it is due; for tests and single checks."""
        held = self._held[feed_id]
        self._agenda.remove(feed_id)
        await self._poll(held)

    def _start_due(self) -> float:
        """Start one due poll. Returns the seconds until the next one may be due, 0.0 for at once."""
        if len(self._running) >= self._concurrency:
            return _LONGEST_NAP
        now = self._now()
        if now < self._latest - _SET_BACK_S:
            # Else no feed would be polled until the clock has caught up.
            logger.warning("clock_set_back", seconds=round(self._latest - now))
            self._agenda.move(now - self._latest)
        self._latest = now
        feed_id = self._agenda.take(now)
        if feed_id is None:
            turn = self._agenda.next_turn()
            return _LONGEST_NAP if turn is None else min(max(turn - now, 0.001), _LONGEST_NAP)
        self._running[feed_id] = asyncio.create_task(self._turn(self._held[feed_id]), name=f"poll {feed_id}")
        # One poll in each turn of the event loop, since starting hundreds at once would block everything else.
        return 0.0

    async def _turn(self, held: HeldFeed) -> None:
        feed_id, group = held.feed.id, held.feed.group
        try:
            await self._poll(held)
        except Exception:
            # A bug of ours with one feed must not stop the others. The feed is polled again after the floor.
            logger.exception("poll_failed", feed=feed_id)
            metrics.feed_polls.labels("error").inc()
            if self._held.get(feed_id) is held:
                self._agenda.put(feed_id, group, self._now() + max(self._rules.floor_s, 60.0))
        finally:
            self._agenda.release(group, self._now())
            if self._running.get(feed_id) is asyncio.current_task():
                del self._running[feed_id]
            self._wake.set()

    async def _poll(self, held: HeldFeed, pushed: FetchResult | None = None) -> None:
        async with held.lock:
            await self._poll_alone(held, pushed)

    async def _poll_alone(self, held: HeldFeed, pushed: FetchResult | None) -> None:
        feed, now, before = held.feed, self._now(), held.state
        state = begin(before, feed) if pushed else await self._attempt(held)
        if state is None:
            return
        get = self._get if pushed is None else _PushedDocument(pushed)
        # The empty parent begins a new trace for each poll; the trace of a poll without articles is dropped.
        with metrics.feed_poll_duration.time(), tracing.step("poll", "", feed=feed.id, url=feed.url) as step:
            polled = await poll(feed, state, held.segments, get=get, read=self._read, now=now)
            if not polled.articles:
                step.forget()
            polled = await self._published(feed, polled)
        answer = polled.answer
        metrics.feed_polls.labels("pushed" if pushed else answer.reason or answer.outcome).inc()
        _count(polled, now)
        if pushed is not None:
            if answer.outcome == "failed":
                return  # the next poll gets the document
            answer = as_pushed(answer, state)
        if held.feed is not feed and held.feed.request_hash != feed.request_hash:
            feed = held.feed  # the subscription was changed during the poll
            state, answer = begin(state, feed), without_validators(answer)
        self._subscribe(feed, state, answer)
        if self._push is not None:
            state = msgspec.structs.replace(state, push_until=self._push.active_until(feed.id))
        now = self._now()
        state = after(state, feed, answer, now=now, draw=self._draw(), rules=self._rules)
        for notice in notices(held.state, state, held.feed):
            log = logger.warning if notice.is_trouble else logger.info
            log(notice.event, feed=feed.id, **notice.fields)
        self._held.keep(held, state, polled.reading.segments if polled.reading else None, now)
        await self._save(held)

    async def _attempt(self, held: HeldFeed) -> FeedState | None:
        """Store that a poll begins, and return the state; None, with the poll postponed, when the broker fails."""
        feed, now, before = held.feed, self._now(), held.state
        held.state = attempted(begin(before, feed), feed, now, self._rules)
        if await self._save(held):
            return held.state
        held.state = before
        self._agenda.put(feed.id, feed.group, now + BROKER_PAUSE_S)
        return None

    def _subscribe(self, feed: Subscription, state: FeedState, answer: PollAnswer) -> None:
        """Subscribe to the hub that the document names, if the subscription allows it, or forget an earlier one."""
        if self._push is None or answer.outcome == "failed" or answer.pushed:
            return
        told = answer.outcome == "changed"
        hub, topic = (answer.hub, answer.topic) if told else (state.hub, state.topic)
        if not (feed.websub and hub):
            self._push.forget(feed.id)
        elif (asking := self._push.subscribe(feed, hub, topic or feed.url)) is not None:
            self._in_background(feed.id, asking)

    def _in_background(self, feed_id: str, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(doing, name=f"push {feed_id}")
        self._pushing[task] = feed_id
        task.add_done_callback(self._push_done)

    def _push_done(self, task: asyncio.Task[None]) -> None:
        feed_id = self._pushing.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("push_failed", feed=feed_id, error=repr(error))

    async def _save(self, held: HeldFeed) -> bool:
        weeks = {week: held.segments.get(week) for week in held.unsaved}
        try:
            await self._store.save(held.partition, held.feed, held.state, weeks)
        except BrokerError as error:
            logger.warning("state_not_saved", feed=held.feed.id, error=str(error))
            return False
        held.unsaved -= weeks.keys()
        return True

    async def _published(self, feed: Subscription, polled: PollResult) -> PollResult:
        """Publish the articles, with retries. Returns a failed poll when the broker does not take them."""
        if not polled.articles:
            return polled
        for pause in (*PUBLISH_PAUSES, None):
            try:
                await self._store.publish(polled.articles)
            except BrokerError as error:
                logger.warning("articles_not_taken", feed=feed.id, articles=len(polled.articles), error=str(error))
                if pause is None or not error.retryable:
                    tracing.failed("not_published")
                    return not_published(polled.answer, str(error))
                await asyncio.sleep(pause)
            else:
                return polled
        raise AssertionError("unreachable")

    def _drop(self, feed_id: str) -> None:
        self._held.drop(feed_id)
        if self._push is not None:
            self._push.forget(feed_id)

    async def _ended(self, feeds: Iterable[str]) -> None:
        """Wait up to FLUSH_S seconds for the polls of some feeds to end, then cancel them."""
        leaving = set(feeds)
        tasks = [task for feed_id in leaving if (task := self._running.get(feed_id)) is not None]
        tasks += [task for task, feed_id in self._pushing.items() if feed_id in leaving]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=FLUSH_S)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)

    def _now(self) -> float:
        return self._clock().timestamp()


class _PushedDocument:
    """Takes the place of the fetcher for a document that a hub sent."""

    def __init__(self, fetched: FetchResult) -> None:
        self._fetched = fetched

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        return self._fetched


def _count(polled: PollResult, now: float) -> None:
    """Update the metrics of entries after a document was read at the time `now`."""
    reading = polled.reading
    if reading is None:
        return
    found = reading.entries
    metrics.feed_parse_modes.labels(reading.document.mode or "unknown").inc()
    metrics.articles.labels("new").inc(len(found.new))
    metrics.articles.labels("changed").inc(len(found.changed))
    if found.new or found.changed:
        metrics.last_article.set(now)
    metrics.articles.labels("duplicate").inc(found.unchanged + found.exhausted + found.returned + found.duplicates)
    metrics.articles.labels("dropped").inc(len(found.left_out))
    for entry in found.left_out:
        metrics.entries_left_out.labels(entry.reason).inc()
    for unread in reading.document.unread:
        metrics.entries_left_out.labels(unread.reason).inc(unread.count or 1)
    for article in found.new:
        if article.published and article.seen and not article.backfill:
            metrics.article_age.observe(max(0.0, (article.seen - article.published).total_seconds()))
