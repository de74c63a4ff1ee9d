"""Store subscriptions and the state of feeds on two compacted topics, and publish articles on a third.

A feed's records have the key `GROUP ID`. On both topics they are in the partition of the feed's host group, so that one
poller owns all feeds of a host and their state. Segments of seen stories have the key `GROUP ID WEEK`. Both topics must
have the same number of partitions, which must not change while they contain records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from agents.stream.outbox import Row, send_all
from agents.stream.topics import TopicNames
from monitor import tracing
from monitor.errors import DecodeError
from monitor.feeds.polling.feed_state import FeedState, SeenSegment
from monitor.feeds.polling.held_feeds import HeldFeed
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings, Keep, keep_all, partitions_of, producer, read_compacted
from monitor.kafka import consumer as kafka_consumer
from monitor.records import Article, decode, encode

logger = structlog.get_logger()

#: The header of a subscription's record that requests a poll now.
REFRESH = "refresh"


def feed_key(feed: Subscription) -> str:
    """Return the key of a feed's records: its host group and its id."""
    return f"{feed.group} {feed.id}"


def partition_of(group: str, partitions: int) -> int:
    """Return the partition of a host group, by Kafka's hash function for keys, applied to the group only."""
    return int((murmur2(group.encode()) & 0x7FFFFFFF) % partitions)


async def load_feeds(settings: BrokerSettings, topic: str) -> dict[str, Subscription]:
    """Return all subscriptions of a topic by id. Raises BrokerError."""
    return {feed.id: feed for feed in _subscriptions(await read_compacted(settings, topic))}


async def load_states(settings: BrokerSettings, topic: str) -> dict[str, FeedState]:
    """Return the states of all feeds by feed id, for `feeds list`. Raises BrokerError."""
    states, _ = _remembered(await read_compacted(settings, topic))
    # A feed whose host group changed may have an old state under its old key; the newer one counts.
    return {state.feed: state for state in sorted(states.values(), key=lambda state: state.last_attempt)}


async def put_feeds(
    settings: BrokerSettings, topic: str, feeds: Iterable[Subscription], *, remove: Iterable[str] = ()
) -> tuple[int, list[str]]:
    """Write new and changed subscriptions, and delete those whose ids are in `remove`. Raises BrokerError.

    Running pollers notice it within seconds. Returns how many were written, and the ids of the deleted ones. A feed
    whose host group changed is deleted from its old partition.
    """
    known = await load_feeds(settings, topic)
    wanted = {feed.id: feed for feed in feeds}
    written = [feed for feed in wanted.values() if known.get(feed.id) != feed]
    moved = [known[feed.id] for feed in written if feed.id in known and known[feed.id].group != feed.group]
    removed = [known[feed_id] for feed_id in dict.fromkeys(remove) if feed_id in known and feed_id not in wanted]
    rows = [(feed, None) for feed in (*moved, *removed)] + [(feed, encode(feed)) for feed in written]
    await _write(settings, topic, rows)
    return len(written), [feed.id for feed in removed]


async def ask_now(settings: BrokerSettings, topic: str, feed_ids: Iterable[str]) -> list[str]:
    """Ask the pollers to poll some feeds now. Returns the ids of the feeds that exist. Raises BrokerError.

    This writes the same subscriptions again with the header REFRESH. A feed that was polled within the last minute is
    not polled again.
    """
    known = await load_feeds(settings, topic)
    found = [known[feed_id] for feed_id in dict.fromkeys(feed_ids) if feed_id in known]
    await _write(settings, topic, [(feed, encode(feed)) for feed in found], headers=[(REFRESH, b"")])
    return [feed.id for feed in found]


async def _write(
    settings: BrokerSettings,
    topic: str,
    rows: Sequence[tuple[Subscription, bytes | None]],
    headers: list[tuple[str, bytes]] | None = None,
) -> None:
    """Write subscriptions (None deletes one) to the partitions of their host groups."""
    if not rows:
        return
    async with kafka_consumer(settings) as client:
        count = len(await partitions_of(client, topic))
    records = [(feed_key(feed).encode(), value, partition_of(feed.group, count)) for feed, value in rows]
    async with producer(settings) as client:
        await send_all(client, topic, records, headers)


class TopicStore:
    """Stores a poller's articles and states on topics. Implements `monitor.feeds.polling.poll_store.PollStore`.

    Records of feeds and states for which `keep` returns False are left out.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        client: AIOKafkaProducer,
        names: TopicNames,
        keep: Keep = keep_all,
    ) -> None:
        self._settings, self._producer, self._names, self.keep = settings, client, names, keep

    async def load(self, partition: int) -> list[HeldFeed]:
        """Return the feeds of one partition with their stored states. Raises BrokerError."""
        known = await read_compacted(self._settings, self._names.feeds, [partition], keep=self.keep)
        kept = await read_compacted(self._settings, self._names.feed_state, [partition], keep=self.keep)
        feeds, (states, segments) = _subscriptions(known), _remembered(kept)
        return [
            HeldFeed(partition, feed, states.get(feed_key(feed)), segments.get(feed_key(feed), {})) for feed in feeds
        ]

    async def publish(self, articles: Iterable[Article]) -> None:
        """Write articles, with the poll's trace in their headers; return after the ack. Raises BrokerError."""
        rows: list[Row] = [(a.id.encode(), encode(a), None) for a in articles]
        await send_all(self._producer, self._names.articles, rows, tracing.headers())

    async def save(
        self, partition: int, feed: Subscription, state: FeedState | None, segments: Mapping[int, bytes | None]
    ) -> None:
        """Write the segments, then the state; return after the acks. Raises BrokerError."""
        key = feed_key(feed)
        rows: list[Row] = []
        for week, packed in segments.items():
            record = None if packed is None else encode(SeenSegment(feed=feed.id, week=week, packed=packed))
            rows.append((f"{key} {week}".encode(), record, partition))
        rows.append((key.encode(), None if state is None else encode(state), partition))
        await send_all(self._producer, self._names.feed_state, rows)


def check_remembered(value: bytes) -> None:
    """Check a record of the topic of states. Raises DecodeError when it is neither a state nor a segment."""
    try:
        decode(SeenSegment, value)
    except DecodeError:
        decode(FeedState, value)


def decoded_subscription(value: bytes) -> Subscription | None:
    """Return the subscription in a record; log a warning and return None when it can't be decoded."""
    try:
        return decode(Subscription, value)
    except DecodeError as error:
        logger.warning("subscription_unreadable", error=str(error))
        return None


def _subscriptions(values: Mapping[str, bytes]) -> list[Subscription]:
    found = (decoded_subscription(value) for value in values.values())
    return [feed for feed in found if feed is not None]


def _remembered(values: Mapping[str, bytes]) -> tuple[dict[str, FeedState], dict[str, dict[int, bytes]]]:
    states: dict[str, FeedState] = {}
    segments: dict[str, dict[int, bytes]] = {}
    for key, value in values.items():
        try:
            if key.count(" ") > 1:
                segment = decode(SeenSegment, value)
                segments.setdefault(key.rpartition(" ")[0], {})[segment.week] = segment.packed
            else:
                states[key] = decode(FeedState, value)
        except DecodeError as error:
            # Losing the state of one feed is better than not polling it any more.
            logger.warning("state_unreadable", key=key[:200], error=str(error))
    return states, segments
