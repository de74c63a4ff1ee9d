"""A poller process: the partitions it is given by the consumer group, and the feeds that lie on them.

Pollers of one group share the partitions of the topic of feeds. A poller that is given a partition reads its feeds and
their states to the end, polls them, and follows changes; a poller that loses one ends its polls first. A poller that
was killed is noticed after SESSION_S, and the others take over from the states on the topic.
"""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.pollers.feed_topics import REFRESH, TopicStore, check_remembered, decoded_subscription
from agents.stream.guard import Guard
from agents.stream.outbox import KafkaOutbox
from agents.stream.reading import readable
from monitor import metrics
from monitor.clock import Clock, service_clock
from monitor.config import PollerSettings
from monitor.errors import BrokerError, ConfigError, FeedError
from monitor.feeds.pages.full_text import FullText
from monitor.feeds.polling.document_reader import DocumentReader
from monitor.feeds.polling.fetch import Fetched, Fetcher
from monitor.feeds.polling.poll import Get, ReadDocument
from monitor.feeds.polling.poll_store import PollStore
from monitor.feeds.polling.poller import Poller
from monitor.feeds.polling.schedule import Rules
from monitor.feeds.polling.websub import WebSub
from monitor.feeds.sandbox.parser_pool import ParserPool
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.http.addresses import AddressBook, parse_networks
from monitor.jobs import start_job
from monitor.kafka import BrokerSettings, Keep, consumer, keep_all, partitions_of, producer, wait_for_broker
from monitor.records import decode

logger = structlog.get_logger()

#: A killed poller is noticed after the session; the others hear of it with their next heartbeat.
SESSION_S, HEARTBEAT_S = 6.0, 1.0
_RELOAD_PAUSE_S = 2.0


async def run_poller(
    broker: BrokerSettings,
    config: PollerSettings,
    stop: asyncio.Event,
    *,
    feeds: str,
    state: str,
    articles: str,
    group: str,
    dead_letters: str = "",
    clock: Clock | None = None,
    ready: asyncio.Event | None = None,
    push: WebSub | None = None,
) -> None:
    """Poll the feeds of this poller's partitions until `stop` is set. The other arguments are names of topics.

    Records of feeds and states that can't be decoded are set aside on `dead_letters`, where it is named. `ready` is set
    once partitions were assigned and read. `push` has its routes served by the caller. Raises BrokerError when there is
    no broker or no such topic, ConfigError for a network that can't be read.
    """
    await wait_for_broker(broker)
    fetcher = make_fetcher(config)
    try:
        if push is not None:
            push.post = fetcher
        async with ParserPool() as pool, producer(broker) as out:
            keep: Keep = keep_all
            if dead_letters:
                guard = Guard("poll", KafkaOutbox(out), dead_letters)
                keep = readable(guard, {feeds: partial(decode, Subscription), state: check_remembered})
            store = TopicStore(broker, out, feeds=feeds, state=state, articles=articles, keep=keep)
            pages = FullText(fetcher, pool, now=time.monotonic)
            poller = make_poller(
                config,
                store,
                RobotsGate(fetcher, pages),
                DocumentReader(pool, pages),
                clock=clock or service_clock(),
                push=push,
            )
            options: dict[str, Any] = {
                "group_id": group,
                "session_timeout_ms": int(SESSION_S * 1000),
                "heartbeat_interval_ms": int(HEARTBEAT_S * 1000),
            }
            async with consumer(broker, **options) as client:
                await partitions_of(client, feeds)
                ownership = Ownership(client, store, poller, partial(with_defaults, config=config), ready)
                client.subscribe([feeds], listener=ownership)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(poller.run(stop))
                    tasks.create_task(_follow(client, ownership, stop))
                await ownership.close()
    finally:
        await fetcher.aclose()


def make_poller(
    config: PollerSettings,
    store: PollStore,
    get: Get,
    read: ReadDocument,
    *,
    clock: Clock,
    push: WebSub | None = None,
    draw: Callable[[], float] | None = None,
) -> Poller:
    """Make a poller as the configuration wants it. `draw` gives its random numbers from 0 to 1."""
    return Poller(
        store,
        get,
        read,
        clock=clock,
        draw=draw or random.Random(secrets.randbits(64)).random,  # noqa: S311  # jitter, not a secret
        rules=Rules(config.floor.total_seconds(), config.ceiling.total_seconds()),
        gap_s=config.host_gap.total_seconds(),
        concurrency=config.concurrency,
        push=push,
    )


def make_fetcher(config: PollerSettings) -> Fetcher:
    """Make what fetches feeds, within the configuration's limits. Raises ConfigError."""
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
    """Raise an error in a job: aiokafka only logs what a listener raises."""
    raise error


class Robots(Protocol):
    """Knows what robots.txt says; `monitor.feeds.pages.full_text.FullText` is the real one."""

    async def allows(self, feed: Subscription, url: str) -> bool:
        """Tell whether an address may be fetched. Raises FeedError when that can't be found out."""


class Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka ships no types
    """Hands the feeds of assigned partitions to the poller, and takes those of revoked ones back."""

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
        #: Records that came while their partition was being read, to be applied after it.
        self._waiting: dict[int, list[ConsumerRecord]] = {}

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """End the polls of partitions that go to another poller."""
        numbers = [partition.partition for partition in revoked]
        for number in numbers:
            if task := self._loading.pop(number, None):
                task.cancel()
            self._waiting.pop(number, None)
        await self._poller.release(numbers)
        if numbers:
            logger.info("partitions_revoked", partitions=sorted(numbers))

    async def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Begin to read partitions; polling begins when each of them has been read."""
        assigned = list(assigned)
        numbers = sorted(partition.partition for partition in assigned)
        # Changes are followed from here on; what lies before is read as a whole, without the steps that led to it.
        try:
            for partition, end in (await self._client.end_offsets(assigned)).items():
                self._client.seek(partition, end)
        except KafkaError as error:
            start_job(_fail(BrokerError(f"the ends of {assigned} are not known: {error}")), "assignment", forever=False)
            return
        logger.info("partitions_assigned", partitions=numbers)
        for number in numbers:
            self._waiting[number] = []
            self._loading[number] = start_job(self._load(number), f"feeds {number}", forever=False)

    async def apply(self, record: ConsumerRecord) -> None:
        """Follow one change of a subscription. Raises BrokerError."""
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
        """Stop reading."""
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
    """Fetches feeds, those with `respect_robots` only where robots.txt lets us.

    The others are fetched as their users asked for them by name, which is what every feed reader does.
    """

    def __init__(self, get: Get, robots: Robots) -> None:
        self._get, self._robots = get, robots

    async def get(self, feed: Subscription, *, url: str = "", etag: str = "", last_modified: str = "") -> Fetched:
        """Send one GET. Raises FeedError, with the reason `robots_refused` where robots.txt says no."""
        if feed.respect_robots and not await self._robots.allows(feed, url or feed.url):
            raise FeedError("robots.txt does not allow this feed", reason="robots_refused")
        return await self._get.get(feed, url=url, etag=etag, last_modified=last_modified)


def with_defaults(feed: Subscription, *, config: PollerSettings) -> Subscription:
    """Return the subscription with what the configuration says for all feeds."""
    return msgspec.structs.replace(
        feed,
        full_text={"": "auto" if config.full_text else "", "off": ""}.get(feed.full_text, feed.full_text),
        respect_robots=feed.respect_robots or config.respect_robots,
    )


async def _follow(client: AIOKafkaConsumer, ownership: Ownership, stop: asyncio.Event) -> None:
    """Take part in the group and follow changes of subscriptions until `stop` is set."""
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
