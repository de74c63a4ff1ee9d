"""Feeds and what is remembered of them on two compacted topics, and articles on a third.

A feed's records have the key `GROUP ID` and lie on the partition of its host group, on both topics, so that one poller
owns all feeds of a host with their state. Segments of seen entries have the key `GROUP ID WEEK`. Both topics need the
same number of partitions, and it must not change while they hold records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.partitioner import murmur2

from agents.stream.outbox import Row, send_all
from monitor import tracing
from monitor.errors import DecodeError
from monitor.feeds.polling.feed_state import FeedState, SeenSegment
from monitor.feeds.polling.held_feeds import Held
from monitor.feeds.subscriptions.subscription import Subscription
from monitor.kafka import BrokerSettings, Keep, keep_all, partitions_of, producer, read_compacted
from monitor.kafka import consumer as kafka_consumer
from monitor.records import Article, decode, encode

logger = structlog.get_logger()

#: The header of a subscription's record that asks for a poll now.
REFRESH = "refresh"


def feed_key(feed: Subscription) -> str:
    """Return the key of a feed's records: its host group and its id."""
    return f"{feed.group} {feed.id}"


def partition_of(group: str, partitions: int) -> int:
    """Return the partition of a host group: Kafka's own hash of a key, taken of the group alone."""
    return int((murmur2(group.encode()) & 0x7FFFFFFF) % partitions)


async def load_feeds(settings: BrokerSettings, topic: str) -> dict[str, Subscription]:
    """Return all subscriptions on a topic, by id. Raises BrokerError."""
    return {feed.id: feed for feed in _subscriptions(await read_compacted(settings, topic))}


async def load_states(settings: BrokerSettings, topic: str) -> dict[str, FeedState]:
    """Return the states of all feeds, by feed id: what `feeds list` shows. Raises BrokerError."""
    states, _ = _remembered(await read_compacted(settings, topic))
    # A feed that changed its host group may have left a state under its old key: the newer one counts.
    return {state.feed: state for state in sorted(states.values(), key=lambda state: state.last_attempt)}


async def put_feeds(
    settings: BrokerSettings, topic: str, feeds: Iterable[Subscription], *, remove: Iterable[str] = ()
) -> tuple[int, int]:
    """Write subscriptions that are new or differ, and delete those whose ids are in `remove`.

    Running pollers follow within seconds. Returns how many were written and how many deleted. A feed whose host group
    changed leaves its old partition. Raises BrokerError.
    """
    known = await load_feeds(settings, topic)
    wanted = {feed.id: feed for feed in feeds}
    written = [feed for feed in wanted.values() if known.get(feed.id) != feed]
    moved = [known[feed.id] for feed in written if feed.id in known and known[feed.id].group != feed.group]
    removed = [known[feed_id] for feed_id in dict.fromkeys(remove) if feed_id in known and feed_id not in wanted]
    rows = [(feed, None) for feed in (*moved, *removed)] + [(feed, encode(feed)) for feed in written]
    await _write(settings, topic, rows)
    return len(written), len(removed)


async def ask_now(settings: BrokerSettings, topic: str, feed_ids: Iterable[str]) -> int:
    """Have feeds polled now rather than when they are due; returns how many of them there are. Raises BrokerError.

    Their pollers see the same subscriptions again with the header REFRESH. A feed that was asked within the last minute
    is not asked again.
    """
    known = await load_feeds(settings, topic)
    found = [known[feed_id] for feed_id in dict.fromkeys(feed_ids) if feed_id in known]
    await _write(settings, topic, [(feed, encode(feed)) for feed in found], headers=[(REFRESH, b"")])
    return len(found)


async def _write(
    settings: BrokerSettings,
    topic: str,
    rows: Sequence[tuple[Subscription, bytes | None]],
    headers: list[tuple[str, bytes]] | None = None,
) -> None:
    """Write subscriptions (None deletes one) where their host groups lie."""
    if not rows:
        return
    async with kafka_consumer(settings) as client:
        count = len(await partitions_of(client, topic))
    records = [(feed_key(feed).encode(), value, partition_of(feed.group, count)) for feed, value in rows]
    async with producer(settings) as client:
        await send_all(client, topic, records, headers)


class TopicStore:
    """What the poller keeps, on the topics. See `monitor.feeds.polling.poller.Store`."""

    def __init__(
        self,
        settings: BrokerSettings,
        client: AIOKafkaProducer,
        *,
        feeds: str,
        state: str,
        articles: str,
        keep: Keep = keep_all,
    ) -> None:
        self._settings, self._producer, self.keep = settings, client, keep
        self._feeds, self._state, self._articles = feeds, state, articles

    async def load(self, partition: int) -> list[Held]:
        """Return the feeds of one partition with their states, as they are on the topics now. Raises BrokerError."""
        known = await read_compacted(self._settings, self._feeds, [partition], keep=self.keep)
        kept = await read_compacted(self._settings, self._state, [partition], keep=self.keep)
        feeds, (states, segments) = _subscriptions(known), _remembered(kept)
        return [Held(partition, feed, states.get(feed_key(feed)), segments.get(feed_key(feed), {})) for feed in feeds]

    async def publish(self, articles: Iterable[Article]) -> None:
        """Write articles by their ids, with the poll's trace; acknowledged when this returns. Raises BrokerError."""
        rows: list[Row] = [(a.id.encode(), encode(a), None) for a in articles]
        await send_all(self._producer, self._articles, rows, tracing.headers())

    async def save(
        self, partition: int, feed: Subscription, state: FeedState | None, segments: Mapping[int, bytes | None]
    ) -> None:
        """Write segments and state, in this order; acknowledged when this returns. Raises BrokerError."""
        key = feed_key(feed)
        rows: list[Row] = []
        for week, packed in segments.items():
            record = None if packed is None else encode(SeenSegment(feed=feed.id, week=week, packed=packed))
            rows.append((f"{key} {week}".encode(), record, partition))
        rows.append((key.encode(), None if state is None else encode(state), partition))
        await send_all(self._producer, self._state, rows)


def check_remembered(value: bytes) -> None:
    """Raise DecodeError for what is neither a feed's state nor a segment of its seen entries."""
    try:
        decode(SeenSegment, value)
    except DecodeError:
        decode(FeedState, value)


def decoded_subscription(value: bytes) -> Subscription | None:
    """Return the subscription in a record; None, after a warning in the log, when it holds none."""
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
            # Forgetting what one feed has seen is better than not polling it.
            logger.warning("state_unreadable", key=key[:200], error=str(error))
    return states, segments
