"""Read topics: to their current end, one record, the state of a compacted topic, or every record as it is written."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import cast

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from monitor.errors import BrokerError
from monitor.kafka.broker_settings import BrokerSettings
from monitor.kafka.clients import consumer
from monitor.record_batches import Unreadable  # this import makes consumers read batches in its way


async def partitions_of(client: AIOKafkaConsumer, topic: str) -> list[int]:
    """Return the partitions of a topic. Raises BrokerError when it does not exist."""
    # aiokafka's public method knows the partitions of subscribed topics only.
    cluster = await client._client.fetch_all_metadata()  # noqa: SLF001
    if topic not in cluster.topics():
        raise BrokerError(f"no topic {topic}; `summitry topics create` makes it", reason="no_topic", retryable=False)
    found = cluster.partitions_for_topic(topic)
    if not found:
        raise BrokerError(f"topic {topic} has no partitions yet")
    return sorted(found)


async def read_to_end(
    settings: BrokerSettings, topic: str, partitions: Iterable[int] | None = None
) -> AsyncIterator[ConsumerRecord]:
    """Yield every record of a topic (or of some partitions) from its first offset to its current end.

    Records written meanwhile may be yielded too. Order is kept within a partition. Raises BrokerError when there is no
    broker or no such topic.
    """
    async with consumer(settings) as client:
        wanted = await partitions_of(client, topic) if partitions is None else sorted(partitions)
        assigned = [TopicPartition(topic, number) for number in wanted]
        if not assigned:
            return
        ends = await client.end_offsets(assigned)
        begins = await client.beginning_offsets(assigned)
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, begins[partition])
        todo = {p for p in assigned if begins[p] < ends[p]}
        while todo:
            batches = await client.getmany(*todo, timeout_ms=500)
            # Records after the end offset are yielded as well. They were written meanwhile, or the embedded broker gave
            # an end offset that is too small: when the last batch has several records, it counts only the first.
            for records in batches.values():
                for record in records:
                    yield record
            # Compare positions, not offsets of records: compaction may have removed the last records.
            todo = {p for p in todo if await client.position(p) < ends[p]}


async def read_at(settings: BrokerSettings, topic: str, partition: int, offset: int) -> ConsumerRecord | None:
    """Return the record at one offset, or None when the topic has no such partition or record (any more).

    Raises BrokerError when there is no broker or no such topic.
    """
    place = TopicPartition(topic, partition)
    async with consumer(settings) as client:
        if partition not in await partitions_of(client, topic):
            return None
        begins, ends = await client.beginning_offsets([place]), await client.end_offsets([place])
        if not begins[place] <= offset < ends[place]:
            return None
        client.assign([place])
        client.seek(place, offset)
        record = await client.getone()
    return record if record.offset == offset else None


#: Tells whether a record of a compacted topic counts. The state of a key is its last record that counts.
Keep = Callable[[ConsumerRecord], Awaitable[bool]]


async def keep_all(record: ConsumerRecord) -> bool:
    """Return True for every record whose bytes could be read."""
    return not isinstance(record.value, Unreadable)


async def read_compacted(
    settings: BrokerSettings, topic: str, partitions: Iterable[int] | None = None, *, keep: Keep = keep_all
) -> dict[str, bytes]:
    """Return the last value of each key of a compacted topic. Deleted keys (null values) are left out.

    Keys are decoded as UTF-8. Records without a key, and those for which `keep` returns False, are skipped. Raises
    BrokerError when there is no broker or no such topic.
    """
    values: dict[str, bytes] = {}
    async for record in read_to_end(settings, topic, partitions):
        if not await keep(record) or record.key is None:
            continue
        if record.value is None:
            values.pop(_key(record), None)
        else:
            values[_key(record)] = record.value
    return values


async def follow(settings: BrokerSettings, *topics: str, from_beginning: bool = False) -> AsyncIterator[ConsumerRecord]:
    """Yield every record of some topics as it is written, for ever, without a consumer group.

    Starts at the end of each topic, or at its beginning with `from_beginning`. Raises BrokerError when there is no
    broker or no such topic.
    """
    async with consumer(settings) as client:
        assigned = [TopicPartition(topic, number) for topic in topics for number in await partitions_of(client, topic)]
        offsets = await (client.beginning_offsets(assigned) if from_beginning else client.end_offsets(assigned))
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, offsets[partition])
        while True:
            yield await client.getone()


async def follow_compacted(
    settings: BrokerSettings, *topics: str, keep: Keep = keep_all
) -> AsyncIterator[dict[tuple[str, str], bytes | None]]:
    """Yield the state of some compacted topics, and then each change of it, for ever.

    The keys of the dictionaries are (topic, key). The first dictionary is the whole state, without deleted keys. Each
    later one has a single change; None means that the key was deleted. No change is missed in between. Records for
    which `keep` returns False are skipped. Raises BrokerError when there is no broker or no such topic.
    """
    async with consumer(settings) as client:
        assigned = [TopicPartition(topic, number) for topic in topics for number in await partitions_of(client, topic)]
        ends, begins = await client.end_offsets(assigned), await client.beginning_offsets(assigned)
        client.assign(assigned)
        for partition in assigned:
            client.seek(partition, begins[partition])
        state: dict[tuple[str, str], bytes | None] = {}
        todo = {p for p in assigned if begins[p] < ends[p]}
        while todo:
            for partition, records in (await client.getmany(*todo, timeout_ms=500)).items():
                for record in records:
                    if await keep(record):
                        state[partition.topic, _key(record)] = record.value
            todo = {p for p in todo if await client.position(p) < ends[p]}
        yield {key: value for key, value in state.items() if value is not None}
        while True:
            record = await client.getone()
            if await keep(record):
                yield {(record.topic, _key(record)): record.value}


def _key(record: ConsumerRecord) -> str:
    return cast("bytes", record.key or b"").decode(errors="surrogateescape")
