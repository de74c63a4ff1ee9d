"""The consumer group of the pollers: which partitions, and so which feeds, a poller process owns.

The pollers of one group share the partitions of the topic of feeds. When a partition is assigned, the poller reads its
feeds and their states, polls them, and follows changes of subscriptions. Before a partition is revoked, its polls end.
When a poller is killed, the broker notices after SESSION_S, and the others continue from the states on the topic.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import msgspec
import structlog
from aiohttp import web
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.pollers.feed_topics import REFRESH, TopicStore, check_remembered, decoded_subscription
from agents.stream.guard import Guard
from agents.stream.outbox import KafkaOutbox
from agents.stream.reading import readable
from agents.stream.topics import TopicNames
from monitor import metrics
from monitor.clock import Clock, service_clock
from monitor.config import PollerSettings
from monitor.errors import BrokerError, ConfigError, FeedError
from monitor.feeds.pages.full_text import FullText
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.fetch import Fetcher, FetchResult
from monitor.feeds.polling.poll import FeedGetter, ReadDocument
from monitor.feeds.polling.poll_store import PollStore
from monitor.feeds.polling.poller import Poller
from monitor.feeds.polling.schedule import ScheduleRules
from monitor.feeds.polling.websub import FormSender, WebSub
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook, parse_networks
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings, consumer, partitions_of, producer
from monitor.records import decode

logger = structlog.get_logger()

#: The session timeout, after which a killed poller is noticed, and the interval of heartbeats, in seconds.
SESSION_S, HEARTBEAT_S = 6.0, 1.0
_RELOAD_PAUSE_S = 2.0


@dataclass(frozen=True)
class Member:
    """A poller that belongs to the consumer group `names.poller_group`; `joined` makes one."""

    broker: BrokerSettings
    config: PollerSettings
    names: TopicNames
    store: TopicStore
    poller: Poller
    #: The handlers of WebSub, which the caller serves; none unless `websub_callback` is configured.
    routes: Sequence[web.RouteDef] = ()
    #: Set once partitions were assigned and read.
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, stop: asyncio.Event) -> None:
        """Poll the feeds of this poller's partitions until `stop` is set. Raises BrokerError."""
        options: dict[str, Any] = {
            "group_id": self.names.poller_group,
            "session_timeout_ms": int(SESSION_S * 1000),
            "heartbeat_interval_ms": int(HEARTBEAT_S * 1000),
        }
        completed = partial(with_defaults, config=self.config)
        async with consumer(self.broker, **options) as client:
            await partitions_of(client, self.names.feeds)
            ownership = Ownership(client, self.store, self.poller, completed, self.ready)
            client.subscribe([self.names.feeds], listener=ownership)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self.poller.run(stop))
                tasks.create_task(_follow(client, ownership, stop))
            await ownership.close()


@asynccontextmanager
async def joined(broker: BrokerSettings, config: PollerSettings, names: TopicNames) -> AsyncIterator[Member]:
    """Yield a poller with all that it works with; it polls nothing before `run`. All of it is closed at the end.

    Records of feeds and states that can't be decoded go to the dead letters. Raises BrokerError when there is no
    broker, ConfigError for an invalid network in `allow_private_networks`.
    """
    clock = service_clock()
    async with aclosing(make_fetcher(config)) as fetcher, ParserPool() as pool, producer(broker) as out:
        guard = Guard("poll", KafkaOutbox(out), names.dead_letters)
        keep = readable(guard, {names.feeds: partial(decode, Subscription), names.feed_state: check_remembered})
        store = TopicStore(broker, out, names, keep)
        pages = FullText(fetcher, pool, now=time.monotonic)
        push = make_push(config, fetcher, clock)
        gate, reader = RobotsGate(fetcher, pages), DocumentReader(pool, pages)
        poller = make_poller(config, store, gate, reader, clock=clock, push=push)
        yield Member(broker, config, names, store, poller, push.routes(poller.deliver) if push else ())


def make_poller(
    config: PollerSettings,
    store: PollStore,
    get: FeedGetter,
    read: ReadDocument,
    *,
    clock: Clock,
    push: WebSub | None = None,
    draw: Callable[[], float] | None = None,
) -> Poller:
    """Make a poller with the settings of the configuration. `draw` returns random numbers from 0 to 1."""
    return Poller(
        store,
        get,
        read,
        clock=clock,
        draw=draw or random.Random(secrets.randbits(64)).random,  # noqa: S311  # jitter, not a secret
        rules=ScheduleRules(config.floor.total_seconds(), config.ceiling.total_seconds()),
        gap_s=config.host_gap.total_seconds(),
        concurrency=config.concurrency,
        push=push,
    )


def make_push(config: PollerSettings, post: FormSender, clock: Clock) -> WebSub | None:
    """Make the push subscriptions of a poller. Returns None unless `websub_callback` is configured."""
    if not config.websub_callback:
        return None
    draw = random.Random(secrets.randbits(64)).random  # noqa: S311  # spreads renewals, guards nothing
    return WebSub(config.websub_callback, post, now=lambda: clock().timestamp(), draw=draw)


def make_fetcher(config: PollerSettings) -> Fetcher:
    """Make a fetcher with the limits of the configuration. Raises ConfigError for an invalid network."""
    try:
        allowed = parse_networks(config.allow_private_networks)
    except ValueError as error:
        raise ConfigError("configuration", "poller.allow_private_networks", str(error), "write 10.0.0.0/8") from error
    return Fetcher(
        AddressBook(allowed),
        contact=config.contact,
        timeout_s=config.timeout.total_seconds(),
        max_decoded=config.max_bytes,
    )


async def _fail(error: BrokerError) -> None:
    """Raise an error. It runs as a job, which ends the process; aiokafka only logs the errors of a listener."""
    raise error


class Robots(Protocol):
    """Reads robots.txt; `monitor.feeds.pages.full_text.FullText` is the real one."""

    async def allows(self, feed: Subscription, url: str) -> bool:
        """Tell whether robots.txt allows to fetch a URL."""


class Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Passes the feeds of assigned partitions to the poller, and takes back those of revoked partitions.

    `completed` adds the configuration's defaults to a subscription. `ready` is set once all partitions were read.
    """

    def __init__(
        self,
        client: AIOKafkaConsumer,
        store: TopicStore,
        poller: Poller,
        completed: Callable[[Subscription], Subscription],
        ready: asyncio.Event | None = None,
    ) -> None:
        self._client, self._store, self._poller, self._ready = client, store, poller, ready
        self._completed = completed
        self._loading: dict[int, asyncio.Task[None]] = {}
        #: Records that arrived while their partition was being read; they are applied afterwards.
        self._waiting: dict[int, list[ConsumerRecord]] = {}

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End the polls of the partitions before another poller gets them."""
        numbers = [partition.partition for partition in revoked]
        for number in numbers:
            if task := self._loading.pop(number, None):
                task.cancel()
            self._waiting.pop(number, None)
        await self._poller.release(numbers)
        if numbers:
            logger.info("partitions_revoked", partitions=sorted(numbers))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Start reading the partitions. The feeds of each are polled once it was read."""
        assigned = list(assigned)
        numbers = sorted(partition.partition for partition in assigned)
        # From the end on, changes are followed. The records before it are read as compacted state by `_load`.
        try:
            for partition, end in (await self._client.end_offsets(assigned)).items():
                self._client.seek(partition, end)
        except KafkaError as error:
            problem = BrokerError(f"the end offsets of {assigned} can't be read: {error}")
            start_job(_fail(problem), "assignment", forever=False)
            return
        logger.info("partitions_assigned", partitions=numbers)
        for number in numbers:
            self._waiting[number] = []
            self._loading[number] = start_job(self._load(number), f"feeds {number}", forever=False)

    async def apply(self, record: ConsumerRecord) -> None:
        """Apply one change of a subscription. Raises BrokerError."""
        if record.partition in self._waiting:
            self._waiting[record.partition].append(record)
            return
        if not await self._store.keep(record):
            return
        if record.value is None:
            feed_id = (record.key or b"").decode(errors="replace").rpartition(" ")[2]
            await self._poller.remove(feed_id, record.partition)
        elif feed := decoded_subscription(record.value):
            self._poller.change(record.partition, self._completed(feed))
            if any(name == REFRESH for name, _ in record.headers):
                logger.info("feed_refresh", feed=feed.id, asked=self._poller.refresh(feed.id))

    async def close(self) -> None:
        """Stop reading partitions."""
        for task in self._loading.values():
            task.cancel()
        await asyncio.gather(*self._loading.values(), return_exceptions=True)

    async def _load(self, partition: int) -> None:
        while True:
            try:
                held = await self._store.load(partition)
                break
            except BrokerError as error:
                logger.warning("partition_not_read", partition=partition, error=str(error))
                await asyncio.sleep(_RELOAD_PAUSE_S)
        for each in held:
            each.feed = self._completed(each.feed)
        self._poller.own(held)
        logger.info("partition_read", partition=partition, feeds=len(held))
        for record in self._waiting.pop(partition, []):
            await self.apply(record)
        self._loading.pop(partition, None)
        if self._ready is not None and not self._loading:
            self._ready.set()


class RobotsGate:
    """Fetches feeds; those with `respect_robots` only if robots.txt allows it.

    The others are fetched without asking, as every feed reader does, since a user subscribed to them.
    """

    def __init__(self, get: FeedGetter, robots: Robots) -> None:
        self._get, self._robots = get, robots

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> FetchResult:
        """Send one GET. Raises FeedError (`robots_refused`) when robots.txt forbids it, and HttpError."""
        if feed.respect_robots and not await self._robots.allows(feed, url or feed.url):
            raise FeedError("robots.txt does not allow this feed", reason="robots_refused")
        return await self._get.get(feed, url=url, etag=etag, last_modified=last_modified)


def with_defaults(feed: Subscription, *, config: PollerSettings) -> Subscription:
    """Return the subscription with the configuration's defaults for `full_text` and `respect_robots`."""
    return msgspec.structs.replace(
        feed,
        full_text={"": "auto" if config.full_text else "", "off": ""}.get(feed.full_text, feed.full_text),
        respect_robots=feed.respect_robots or config.respect_robots,
    )


async def _follow(client: AIOKafkaConsumer, ownership: Ownership, stop: asyncio.Event) -> None:
    """Consume the topic of feeds, as a member of the group, and apply changes until `stop` is set."""
    while not stop.is_set():
        try:
            batches = await client.getmany(timeout_ms=500)
        except KafkaError as error:
            logger.warning("feeds_not_followed", error=str(error))
            metrics.feed_polls.labels("broker").inc()
            await asyncio.sleep(1.0)
            continue
        for records in batches.values():
            for record in records:
                try:
                    await ownership.apply(record)
                except BrokerError as error:
                    logger.warning("change_not_applied", error=str(error))
