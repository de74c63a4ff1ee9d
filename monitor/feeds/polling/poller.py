"""The poller: feeds by due time, each polled, its articles published, and only then its state kept.

It knows nothing of Kafka: a `Store` keeps articles and state, and whoever owns the partitions hands feeds over
(`own`), changes them (`change`) and takes them back (`release`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from typing import get_args

import msgspec
import structlog

from monitor import metrics
from monitor.clock import Clock, real_clock
from monitor.errors import BrokerError
from monitor.feeds.polling.agenda import Agenda
from monitor.feeds.polling.feed_state import FeedState, Health
from monitor.feeds.polling.fetch import Fetched
from monitor.feeds.polling.poll import Get, Polled, Read, poll
from monitor.feeds.polling.poll_store import Store
from monitor.feeds.polling.schedule import Answer, Rules, after, attempted, begin, first_due
from monitor.feeds.polling.websub import WebSub
from monitor.feeds.subscriptions.subscription import Subscription

logger = structlog.get_logger()

#: Pauses in seconds before articles that the broker did not take are offered again; then the feed itself has to wait.
PUBLISH_PAUSES = (0.5, 2.0, 8.0)
#: Seconds until a feed has its turn again when the broker did not take its state before a poll.
BROKER_PAUSE_S = 10.0
#: Polls under way when feeds are taken back have this many seconds to end: less than the group waits for its members.
FLUSH_S = 4.0
_LONGEST_NAP = 5.0


@dataclass
class Held:
    """A feed in this poller's hands; `unsaved` names the weeks whose segments the broker does not have yet."""

    partition: int
    feed: Subscription
    state: FeedState | None = None
    segments: dict[int, bytes] = field(default_factory=dict)
    unsaved: set[int] = field(default_factory=set)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Poller:
    """Polls the feeds it was handed until it is stopped.

    At most `concurrency` polls are under way, at most one for each host group. `clock` and `draw`
    (random numbers from 0 to 1) are injected in tests.
    """

    def __init__(
        self,
        store: Store,
        get: Get,
        read: Read,
        *,
        draw: Callable[[], float],
        clock: Clock = real_clock,
        rules: Rules | None = None,
        gap_s: float = 1.0,
        concurrency: int = 200,
        push: WebSub | None = None,
    ) -> None:
        self._store, self._get, self._read = store, get, read
        self._clock, self._draw = clock, draw
        self._rules = rules or Rules()
        self._agenda = Agenda(gap_s)
        self._held: dict[str, Held] = {}
        self._running: dict[str, asyncio.Task[None]] = {}
        self._concurrency = concurrency
        self._wake = asyncio.Event()
        self._push = push
        self._pushing: dict[asyncio.Task[None], str] = {}
        if push is not None:
            push.deliver = self._delivered
        for state in get_args(Health):
            metrics.feeds_by_state.labels(state).set(0)

    @property
    def held(self) -> Mapping[str, Held]:
        """The feeds in this poller's hands, by id."""
        return self._held

    def own(self, feeds: Iterable[Held]) -> None:
        """Take over feeds with what is remembered of them."""
        feeds = list(feeds)
        now = self._now()
        crowd = sum(1 for held in feeds if held.state is None)
        for held in feeds:
            self._hold(held, crowd, now)
        self._wake.set()

    def change(self, partition: int, feed: Subscription) -> None:
        """A subscription was added or changed while the poller runs; an equal one changes nothing."""
        held = self._held.get(feed.id)
        if held is not None and held.feed == feed:
            return
        logger.info("feed_changed" if held else "feed_added", feed=feed.id)
        if held is None:
            self._hold(Held(partition, feed), 1, self._now())
        else:
            held.feed, held.partition = feed, partition
            self._plan(held, 1, self._now())
        self._wake.set()

    async def remove(self, feed_id: str, partition: int) -> None:
        """A subscription was deleted: stop polling it and forget what was seen. Raises BrokerError."""
        held = self._held.get(feed_id)
        if held is None or held.partition != partition:
            return
        self._drop(feed_id)
        await self._ended([feed_id])
        logger.info("feed_removed", feed=feed_id)
        await self._store.save(held.partition, held.feed, None, dict.fromkeys(held.segments))

    async def release(self, partitions: Iterable[int]) -> None:
        """Give feeds back: polls under way end (or are given up after a while), then nothing is done for them."""
        leaving = set(partitions)
        feeds = [feed_id for feed_id, held in self._held.items() if held.partition in leaving]
        for feed_id in feeds:
            self._drop(feed_id)
        await self._ended(feeds)

    def refresh(self, feed_id: str, cooldown_s: float = 60.0) -> bool:
        """Poll a feed now, unless it was asked within the cooldown (S11). Returns whether it will be."""
        held = self._held.get(feed_id)
        now = self._now()
        if held is None or feed_id not in self._agenda or (held.state and now - held.state.last_attempt < cooldown_s):
            return False
        self._agenda.put(feed_id, held.feed.group, now)
        self._wake.set()
        return True

    async def run(self, stop: asyncio.Event) -> None:
        """Poll until `stop` is set, then let polls under way end."""
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
        """Poll one feed, whenever it is due; for tests and single checks."""
        held = self._held[feed_id]
        self._agenda.remove(feed_id)
        await self._poll(held)

    def _start_due(self) -> float:
        """Start one poll that is due; seconds until there may be another, 0.0 for at once."""
        if len(self._running) >= self._concurrency:
            return _LONGEST_NAP
        now = self._now()
        feed_id = self._agenda.take(now)
        if feed_id is None:
            turn = self._agenda.next_turn()
            return _LONGEST_NAP if turn is None else min(max(turn - now, 0.001), _LONGEST_NAP)
        self._running[feed_id] = asyncio.create_task(self._turn(self._held[feed_id]), name=f"poll {feed_id}")
        # One in a turn of the event loop: hundreds that are due at once would hold up everything else in it.
        return 0.0

    async def _turn(self, held: Held) -> None:
        feed_id, group = held.feed.id, held.feed.group
        try:
            await self._poll(held)
        except Exception:
            # A defect of ours in one feed must not stop the others; the feed is asked again at its usual time.
            logger.exception("poll_failed", feed=feed_id)
            metrics.feed_polls.labels("error").inc()
            if self._held.get(feed_id) is held:
                self._agenda.put(feed_id, group, self._now() + max(self._rules.floor_s, 60.0))
        finally:
            self._agenda.release(group, self._now())
            if self._running.get(feed_id) is asyncio.current_task():
                del self._running[feed_id]
            self._wake.set()

    async def _poll(self, held: Held, pushed: Fetched | None = None) -> None:
        async with held.lock:
            await self._poll_alone(held, pushed)

    async def _poll_alone(self, held: Held, pushed: Fetched | None) -> None:
        feed, now = held.feed, self._now()
        before, state = held.state, begin(held.state, feed)
        if pushed is None:
            held.state = state = attempted(state, feed, now, self._rules)
            if not await self._save(held):
                # What the broker can't take now is not asked for either.
                held.state = before
                self._agenda.put(feed.id, feed.group, now + BROKER_PAUSE_S)
                return
        get = self._get if pushed is None else _Delivered(pushed)
        with metrics.feed_poll_duration.time():
            polled = await poll(feed, state, held.segments, get=get, read=self._read, now=now)
            polled = await self._published(feed, polled)
        answer = polled.answer
        metrics.feed_polls.labels("pushed" if pushed else answer.reason or answer.outcome).inc()
        self._count(polled)
        if pushed is not None:
            if answer.outcome == "failed":
                return  # the next poll will tell
            # What a hub sends says nothing of the feed's own validators and hints.
            kept = {name: getattr(state, name) for name in ("etag", "last_modified", "body_hash", "hub", "topic")}
            kept |= {"fresh_s": state.header_hint_s, "document_hint_s": None, "skip_hours": None, "skip_days": None}
            answer = msgspec.structs.replace(answer, entries=None, pushed=True, **kept)
        if held.feed is not feed and held.feed.request_hash != feed.request_hash:
            # The subscription changed meanwhile: what was read stands, but its validators are not the new request's.
            feed = held.feed
            state = begin(state, feed)
            answer = msgspec.structs.replace(answer, etag="", last_modified="", body_hash="", permanent_to="")
        self._subscribe(feed, state, answer)
        if self._push is not None:
            state = msgspec.structs.replace(state, push_until=self._push.active_until(feed.id))
        state = after(state, feed, answer, now=self._now(), draw=self._draw(), rules=self._rules)
        self._keep(held, state, polled)
        await self._save(held)

    def _subscribe(self, feed: Subscription, state: FeedState, answer: Answer) -> None:
        """Ask the hub that a document names, where the feed's owner wants push, or stop listening to it."""
        if self._push is None or answer.outcome == "failed" or answer.pushed:
            return
        told = answer.outcome == "changed"
        hub, topic = (answer.hub, answer.topic) if told else (state.hub, state.topic)
        if not (feed.websub and hub):
            self._push.forget(feed.id)
        elif (asking := self._push.wanted(feed, hub, topic or feed.url)) is not None:
            self._in_background(feed.id, asking)

    def _delivered(self, feed_id: str, document: Fetched) -> bool:
        """A hub sent a document: read it like a polled one. False when the feed is not in this poller's hands."""
        held = self._held.get(feed_id)
        if held is None or not held.feed.enabled:
            return False
        self._in_background(feed_id, self._poll(held, document))
        return True

    def _in_background(self, feed_id: str, doing: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(doing, name=f"push {feed_id}")
        self._pushing[task] = feed_id
        task.add_done_callback(self._push_done)

    def _push_done(self, task: asyncio.Task[None]) -> None:
        feed_id = self._pushing.pop(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("push_failed", feed=feed_id, error=repr(error))

    async def _save(self, held: Held) -> bool:
        weeks = {week: held.segments.get(week) for week in held.unsaved}
        try:
            await self._store.save(held.partition, held.feed, held.state, weeks)
        except BrokerError as error:
            logger.warning("state_not_saved", feed=held.feed.id, error=str(error))
            return False
        held.unsaved -= weeks.keys()
        return True

    async def _published(self, feed: Subscription, polled: Polled) -> Polled:
        """Publish, and turn into a failure what the broker would not take, so that the validators stay old (H3)."""
        if not polled.articles:
            return polled
        for pause in (*PUBLISH_PAUSES, None):
            try:
                await self._store.publish(polled.articles)
            except BrokerError as error:
                logger.warning("articles_not_taken", feed=feed.id, articles=len(polled.articles), error=str(error))
                if pause is None or not error.retryable:
                    return Polled(
                        Answer(outcome="failed", reason="not_published", text=str(error), status=polled.answer.status)
                    )
                await asyncio.sleep(pause)
            else:
                return polled
        raise AssertionError("unreachable")

    def _keep(self, held: Held, state: FeedState, polled: Polled) -> None:
        feed = held.feed
        before, held.state = held.state, state
        if polled.reading is not None:
            segments = polled.reading.segments
            weeks = segments.keys() | held.segments.keys()
            held.unsaved |= {week for week in weeks if segments.get(week) != held.segments.get(week)}
            held.segments = segments
        self._tell(feed, before, state, polled)
        if state.paused_until > self._now():
            self._agenda.pause(feed.group, state.paused_until)
        if self._held.get(feed.id) is held:
            if (known := before.health if before else "NEW") != state.health:
                metrics.feeds_by_state.labels(known).dec()
                metrics.feeds_by_state.labels(state.health).inc()
            if state.last_success == state.last_attempt:
                metrics.feed_last_success.labels(feed.id).set(state.last_success)
            if feed.enabled:
                self._agenda.put(feed.id, feed.group, state.next_due)

    def _tell(self, feed: Subscription, before: FeedState | None, state: FeedState, polled: Polled) -> None:
        """Say what changed: a feed in trouble is told once, and again when it has lasted."""
        known = before.health if before else "NEW"
        if state.health != known or state.error_count == feed.alert_after:
            level = logger.info if state.health in {"OK", "MOVED"} else logger.warning
            level("feed_health", feed=feed.id, health=state.health, was=known, why=state.health_reason)
        if before and before.choice.kind and str(state.choice) != str(before.choice):
            logger.warning(
                "feed_keys", feed=feed.id, now=str(state.choice), was=str(before.choice), why=state.choice.why
            )
        if before and before.url and state.url != before.url:
            logger.warning("feed_moved", feed=feed.id, to=state.url)

    @staticmethod
    def _count(polled: Polled) -> None:
        reading = polled.reading
        if reading is None:
            return
        found = reading.entries
        metrics.feed_parse_modes.labels(reading.document.mode or "unknown").inc()
        metrics.articles.labels("new").inc(len(found.new))
        metrics.articles.labels("changed").inc(len(found.changed))
        metrics.articles.labels("duplicate").inc(found.unchanged + found.exhausted + found.returned + found.duplicates)
        metrics.articles.labels("dropped").inc(len(found.left_out))
        for entry in found.left_out:
            metrics.entries_left_out.labels(entry.reason).inc()
        for article in found.new:
            if article.published and article.seen and not article.backfill:
                metrics.article_age.observe(max(0.0, (article.seen - article.published).total_seconds()))

    def _hold(self, held: Held, crowd: int, now: float) -> None:
        self._drop(held.feed.id)
        self._held[held.feed.id] = held
        if held.state is not None:  # another process's push ended with it
            held.state = msgspec.structs.replace(held.state, push_until=0.0)
            if held.state.last_success:
                metrics.feed_last_success.labels(held.feed.id).set(held.state.last_success)
        metrics.feeds_by_state.labels(held.state.health if held.state else "NEW").inc()
        if held.state and held.state.paused_until > now:
            self._agenda.pause(held.feed.group, held.state.paused_until)
        self._plan(held, crowd, now)

    def _plan(self, held: Held, crowd: int, now: float) -> None:
        feed = held.feed
        if not feed.enabled:
            self._agenda.remove(feed.id)
        elif feed.id not in self._running:  # a poll under way plans the next one itself
            due = first_due(held.state, feed, now=now, draw=self._draw(), crowd=crowd, rules=self._rules)
            self._agenda.put(feed.id, feed.group, due)

    def _drop(self, feed_id: str) -> None:
        held = self._held.pop(feed_id, None)
        if held is not None:
            self._agenda.remove(feed_id)
            if self._push is not None:
                self._push.forget(feed_id)
            metrics.feeds_by_state.labels(held.state.health if held.state else "NEW").dec()
            # Else a feed that went to another poller, or off the list, would look like one that fell silent.
            with contextlib.suppress(KeyError):
                metrics.feed_last_success.remove(feed_id)

    async def _ended(self, feeds: Iterable[str]) -> None:
        """Let the polls of some feeds end by themselves for a while, then give them up."""
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


class _Delivered:
    """Stands for the fetcher when a document was brought by a hub."""

    def __init__(self, fetched: Fetched) -> None:
        self._fetched = fetched

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> Fetched:
        return self._fetched
