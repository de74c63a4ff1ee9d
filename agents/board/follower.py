"""Copy the topics into the archive, from the stored offsets or from the beginning, and then each new record.

The offsets are stored in the same transaction as the data, so a board that was killed continues where it stopped. If
the topics were deleted and created again since, the archive is emptied and filled anew, also while the board runs. This
is noticed by the topic's id or, on a broker without topic ids, by a stored offset that is after the topic's end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError

from agents.board.context import BoardContext
from agents.stream.dead_letters import DeadLetter
from agents.stream.topic_check import look, watch_topics
from agents.stream.topics import FoundTopic, TopicNames
from monitor.archive import Batch, KeptRecord, write
from monitor.errors import BrokerError, SummitryError
from monitor.feeds.polling.feed_state import FeedState
from monitor.kafka import BrokerSettings, consumer, partitions_of
from monitor.notify import Ack, Delivery, Feedback, Policy, Silence, decode_note
from monitor.notify.messages.compose import why_fired
from monitor.notify.messages.wording import wording
from monitor.records import Event, decode, encode

logger = structlog.get_logger()

#: Most records written in one transaction.
BATCH = 2000
#: Seconds until the broker is tried again.
_RETRY = 2.0
#: Seconds between two measurements of the topics.
_FLOW_EVERY = 5.0

ACK, DELIVERY, SILENCE, FEEDBACK = "ack", "delivery", "silence", "feedback"
FEED, FEED_STATE, DEAD_LETTER = "feed", "feed_state", "dead_letter"


class KeptDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive keeps of a delivery: which revision of an event a receiver got, and what waits or failed."""

    receiver: str
    event_id: str
    state: str
    revision: int
    told_at: datetime | None = None
    route: str = ""
    why: str = ""
    tell: str = ""
    error: str = ""
    attempts: int = 0
    due: datetime | None = None


class KeptDeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive keeps of a dead letter."""

    id: str
    stage: str
    topic: str
    at: datetime
    reason: str
    error: str
    replayed: bool = False


@dataclass(frozen=True)
class _TopicReader:
    """How the records of one topic are read: the sort under which they are kept, and the function that reads one."""

    sort: str
    read: Callable[[str, bytes], KeptRecord | None]


def readers(names: TopicNames, policy: Policy) -> Mapping[str, _TopicReader]:
    """Return, for each topic except events, how its records are read for the archive."""

    def ack(key: str, value: bytes) -> KeptRecord:
        found = decode(Ack, value)
        return KeptRecord(ACK, key, value, found.event_id, found.at)

    def delivery(key: str, value: bytes) -> KeptRecord:
        found = decode(Delivery, value)
        waits = found.pending or found.failed
        event = found.told or (waits.event if waits else None)
        route = found.route or (waits.route if waits else "")
        told = KeptDelivery(
            receiver=found.receiver,
            event_id=found.event_id,
            state=found.state,
            revision=found.revision,
            told_at=found.told_at,
            route=route,
            why=why_fired(wording(), policy, route, event) if event and route else "",
            tell=waits.tell if waits else "",
            error=waits.error if waits else "",
            attempts=waits.attempts if waits else 0,
            due=found.pending.due if found.pending else None,
        )
        at = found.failed_at or found.told_at or (waits.since if waits else None)
        return KeptRecord(DELIVERY, key, encode(told), found.event_id, at)

    def silence(key: str, value: bytes) -> KeptRecord | None:
        note = decode_note(value)
        return KeptRecord(SILENCE, key, value, at=note.until) if isinstance(note, Silence) else None

    def feedback(key: str, value: bytes) -> KeptRecord:
        found = decode(Feedback, value)
        return KeptRecord(FEEDBACK, key, value, found.event_id, found.at)

    def state(key: str, value: bytes) -> KeptRecord | None:
        # A key with two spaces is a segment of a feed's seen entries, not its state.
        if key.count(" ") != 1:
            return None
        return KeptRecord(FEED_STATE, key, encode(msgspec.structs.replace(decode(FeedState, value), hours=())))

    def letter(_: str, value: bytes) -> KeptRecord:
        found = decode(DeadLetter, value)
        kept = KeptDeadLetter(
            id=found.id, stage=found.stage, topic=found.topic, at=found.at, reason=found.reason,
            error=found.error[:500], replayed=found.replayed_at is not None,
        )  # fmt: skip
        return KeptRecord(DEAD_LETTER, found.id, encode(kept), at=found.at)

    return {
        names.acks: _TopicReader(ACK, ack),
        names.deliveries: _TopicReader(DELIVERY, delivery),
        names.silences: _TopicReader(SILENCE, silence),
        names.feedback: _TopicReader(FEEDBACK, feedback),
        names.feeds: _TopicReader(FEED, lambda key, value: KeptRecord(FEED, key, value)),
        names.feed_state: _TopicReader(FEED_STATE, state),
        names.dead_letters: _TopicReader(DEAD_LETTER, letter),
    }


class Follower:
    """Fills a context's archive and calls `publish` with the ids of changed events.

    While the topics are read for the first time `publish` is not called; at the end it is called once without ids.
    """

    def __init__(
        self, context: BoardContext, broker: BrokerSettings, publish: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        self._context, self._broker, self._publish = context, broker, publish
        self._readers = readers(context.names, Policy.of(context.config))

    @property
    def topics(self) -> list[str]:
        """The topics that are followed."""
        return [self._context.names.events, *self._readers]

    async def run(self) -> None:
        """Follow the topics until cancelled. If the broker can't be reached, try again after `_RETRY` seconds."""
        while True:
            try:
                topics = await look(self._broker, self.topics)
                watching = asyncio.create_task(watch_topics(self._broker, self._context.config, topics))
                try:
                    async with consumer(self._broker, max_poll_records=BATCH, fetch_max_wait_ms=250) as client:
                        await self._follow(client, topics, watching)
                finally:
                    watching.cancel()
                    await asyncio.gather(watching, return_exceptions=True)
            except (BrokerError, KafkaError) as error:
                self._context.progress.error = str(error)
                logger.warning("topics_not_followed", error=str(error))
            await asyncio.sleep(_RETRY)

    async def _follow(
        self, client: AIOKafkaConsumer, topics: Mapping[str, FoundTopic], watching: asyncio.Task[None]
    ) -> None:
        """Store new records until the broker is lost, or `watching` ends because a topic was created again."""
        ends = await self._begin(client, topics)
        progress, since = self._context.progress, asyncio.get_running_loop().time()
        progress.error = ""
        writing: asyncio.Task[list[str]] | None = None
        while not watching.done():
            batches = await client.getmany(timeout_ms=1000 if progress.done else 200)
            batch = self._batch(batches)
            progress.read += sum(map(len, batches.values()))
            if writing is not None:
                await self._written(await writing)
            # The next records are fetched and decoded while these are written.
            writing = (
                asyncio.create_task(asyncio.to_thread(write, self._context.archive, batch)) if batch.offsets else None
            )
            if not progress.done and not [p for p, end in ends.items() if await client.position(p) < end]:
                if writing is not None:
                    await writing
                    writing = None
                # The slowest query: run it before the first reader comes.
                await self._context.ask(self._context.choices)
                progress.done = True
                seconds = asyncio.get_running_loop().time() - since
                logger.info("topics_read", records=progress.read, seconds=round(seconds, 1))
                await self._publish([])
            if progress.done and writing is not None:
                await self._written(await writing)
                writing = None
        if writing is not None:
            await self._written(await writing)
        watching.result()

    async def _written(self, ids: list[str]) -> None:
        if ids and self._context.progress.done:
            await self._publish(ids)

    async def _begin(self, client: AIOKafkaConsumer, topics: Mapping[str, FoundTopic]) -> dict[TopicPartition, int]:
        """Assign all partitions and seek to the archive's offsets.

        Returns the end offset of each partition that has records to read.
        """
        archive, progress = self._context.archive, self._context.progress
        partitions = [TopicPartition(name, n) for name in self.topics for n in await partitions_of(client, name)]
        ends, begins = await client.end_offsets(partitions), await client.beginning_offsets(partitions)
        known = archive.offsets()
        told = msgspec.json.decode(archive.meta("topics") or b"{}", type=dict[str, str])
        identities = {name: found.identity.hex() for name, found in topics.items() if found.identity}
        if any(known.get((p.topic, p.partition), 0) > ends[p] for p in partitions) or any(
            told.get(name, identity) != identity for name, identity in identities.items()
        ):
            logger.warning("archive_of_other_topics", archive=str(archive.path))
            await asyncio.to_thread(archive.start_anew)
            known = {}
        archive.set_meta("topics", msgspec.json.encode(identities).decode())
        client.assign(partitions)
        starts = {p: max(begins[p], known.get((p.topic, p.partition), 0)) for p in partitions}
        for partition, start in starts.items():
            client.seek(partition, start)
        ends = {p: end for p, end in ends.items() if starts[p] < end}
        progress.read, progress.total = 0, sum(end - starts[p] for p, end in ends.items())
        progress.done = not ends
        return ends

    def _batch(self, records: Mapping[TopicPartition, list[ConsumerRecord]]) -> Batch:
        batch = Batch()
        for partition, found in records.items():
            for record in found:
                self._take(batch, partition.topic, record)
            if found:
                batch.offsets[partition.topic, partition.partition] = found[-1].offset + 1
        return batch

    def _take(self, batch: Batch, topic: str, record: ConsumerRecord) -> None:
        key, value = (record.key or b"").decode(errors="replace"), record.value
        try:
            if topic == self._context.names.events:
                if value is not None:
                    batch.events.append((decode(Event, value), value))
                return
            reader = self._readers[topic]
            kept = KeptRecord(reader.sort, key, b"") if value is None else reader.read(key, value)
            if kept is not None:
                batch.kept.append(kept)
        except (SummitryError, msgspec.MsgspecError, UnicodeError) as error:
            logger.warning("record_unreadable", topic=topic, offset=record.offset, error=str(error))


async def watch_flow(context: BoardContext, broker: BrokerSettings) -> None:
    """Measure, until cancelled, how many records each topic holds and how many of them the workers have not done."""
    names = context.names
    worked = [names.articles, names.mentions, names.events]
    while True:
        try:
            async with consumer(broker, group_id=names.group) as client:
                partitions = [TopicPartition(name, n) for name in worked for n in await partitions_of(client, name)]
                while True:
                    ends, begins = await client.end_offsets(partitions), await client.beginning_offsets(partitions)
                    written, waiting = dict.fromkeys(worked, 0), dict.fromkeys(worked, 0)
                    for partition in partitions:
                        done = await client.committed(partition)
                        done = begins[partition] if done is None else done
                        written[partition.topic] += ends[partition]
                        waiting[partition.topic] += max(0, ends[partition] - done)
                    context.flow.written, context.flow.waiting = written, waiting
                    await asyncio.sleep(_FLOW_EVERY)
        except (BrokerError, KafkaError) as error:
            logger.warning("flow_not_measured", error=str(error))
        await asyncio.sleep(_FLOW_EVERY)
