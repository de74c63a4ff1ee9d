"""Test state on a compacted topic, and the outbox, on a real broker."""

from __future__ import annotations

import pytest

from agents.store import KafkaStore
from agents.stream.outbox import KafkaOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.errors import BrokerError
from monitor.kafka import MAX_RECORD_BYTES, BrokerSettings, producer, read_to_end

pytestmark = pytest.mark.broker


@pytest.fixture
async def names(broker: str, prefix: str) -> TopicNames:
    await create(BrokerSettings.from_url(broker), TopicSettings(prefix=prefix, partitions=2))
    return TopicNames(prefix)


async def test_what_was_put_is_loaded_and_what_was_deleted_is_not(broker: str, names: TopicNames) -> None:
    settings = BrokerSettings.from_url(broker)
    async with producer(settings, max_batch_size=1_000_000) as client:
        store = KafkaStore(settings, names.deliveries, client)
        await store.put(1, {"a": b"1", "b": b"1", "ключ": b"1"})
        await store.put(1, {"a": b"2", "b": None})
        await store.put(1, {})
        await store.put(0, {"a": b"other"})
        assert await store.load(1) == {"a": b"2", "ключ": b"1"}
        assert await store.load(0) == {"a": b"other"}


async def test_the_changes_of_one_step_are_one_batch(broker: str, names: TopicNames) -> None:
    """A killed process must leave the whole step or nothing of it, so they must not be spread over batches."""
    settings = BrokerSettings.from_url(broker)
    async with producer(settings, max_batch_size=1_000_000) as client:
        store = KafkaStore(settings, names.deliveries, client)
        sent = []
        send = client.send_batch

        async def counted(batch: object, *arguments: object, **options: object) -> object:
            sent.append(batch)
            return await send(batch, *arguments, **options)

        client.send_batch = counted
        await store.put(0, {str(number): b"x" * 1000 for number in range(500)})
        assert len(sent) == 1
        assert len(await store.load(0)) == 500


async def test_what_is_larger_than_a_batch_goes_in_order(broker: str, names: TopicNames) -> None:
    settings = BrokerSettings.from_url(broker)
    async with producer(settings, max_batch_size=10_000) as client:
        store = KafkaStore(settings, names.deliveries, client)
        await store.put(0, {str(number): b"x" * 1000 for number in range(50)})
        found = [int(record.key) async for record in read_to_end(settings, names.deliveries, [0])]
        assert found == list(range(50))


async def test_a_record_that_is_too_large_is_not_worth_another_attempt(broker: str, names: TopicNames) -> None:
    async with producer(BrokerSettings.from_url(broker)) as client:
        outbox = KafkaOutbox(client)
        with pytest.raises(BrokerError) as caught:
            await outbox.send(names.articles, b"k", b"x" * (MAX_RECORD_BYTES + 1))
        assert (caught.value.reason, caught.value.retryable) == ("too_large", False)
        await outbox.send(names.articles, b"k", b"small", partition=1)
