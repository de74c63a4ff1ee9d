"""Test that a record which kills its process is set aside after the third death, and no other record is."""

from __future__ import annotations

import asyncio

import pytest

from agents.stream.crash_marks import CAREFUL_FOR, CrashMark, CrashMarks
from agents.stream.guard import MAX_CRASHES, Guard, TopicRecord
from agents.stream.outbox import KafkaOutbox, MemoryOutbox
from agents.stream.topics import TopicNames, create
from monitor.config import TopicSettings
from monitor.errors import StateError
from monitor.kafka import BrokerSettings, producer
from monitor.records import decode, encode

BROKER = BrokerSettings.from_url("kafka://127.0.0.1:1")


class Broker:
    """The compacted topic of marks, in memory, over the lives of several processes."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.outbox, self.now = MemoryOutbox(), 0.0
        monkeypatch.setattr("agents.stream.crash_marks.read_compacted", self._read)

    async def _read(self, *_: object) -> dict[str, bytes]:
        return {(key or b"").decode(): value or b"" for _, key, value, _ in self.outbox.sent}

    async def process(self) -> CrashMarks:
        deaths = CrashMarks(BROKER, "attempts", self.outbox, lambda: self.now)
        await deaths.assign([("articles", 0), ("events", 1)])
        return deaths

    def marks(self) -> list[CrashMark]:
        return [decode(CrashMark, value or b"") for value in self.outbox.values("attempts")]


def record(offset: int, topic: str = "articles", partition: int = 0) -> TopicRecord:
    return TopicRecord(topic, partition, offset, None, b"")


async def take(deaths: CrashMarks, *offsets: int) -> list[int]:
    counts = []
    for offset in offsets:
        async with deaths.in_hand(record(offset)) as count:
            counts.append(count)
    return counts


async def die_over(deaths: CrashMarks, offset: int) -> int:
    """Begin a record as a process does that dies in the middle; gives the deaths before."""
    return await deaths.in_hand(record(offset)).__aenter__()


async def test_deaths_over_one_record_are_counted_and_those_before_it_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    broker, counted = Broker(monkeypatch), []
    for _ in range(5):
        deaths = await broker.process()
        assert await take(deaths, 5, 6) == [0, 0]
        counted.append(await die_over(deaths, 7))
    # Nobody knows over which record the first process died.
    assert counted == [0, 0, 1, 2, 3]


async def test_a_partition_that_is_given_up_keeps_its_suspect_and_that_is_no_death(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broker = Broker(monkeypatch)
    await broker.process()
    for _ in range(2):
        await die_over(await broker.process(), 7)
    for _ in range(3):  # in hand, or still to come, when another worker joins
        deaths = await broker.process()
        await take(deaths, 5)
        assert await die_over(deaths, 7) == 2
        await deaths.close()
        deaths = await broker.process()
        await take(deaths, 5)
        await deaths.close()
    deaths = await broker.process()
    assert await take(deaths, 6, 7) == [0, 2]
    await deaths.close()
    assert await take(await broker.process(), 7) == [0]


async def test_in_good_times_a_record_costs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch)
    deaths = await broker.process()
    await take(deaths, *range(100))
    assert len(broker.outbox.sent) == 2
    await deaths.close()
    assert [mark.open for mark in broker.marks()] == [True, True, False, False]
    assert await die_over(await broker.process(), 100) == 0
    assert [mark.suspects for mark in broker.marks()] == [{}] * 6


async def test_nobody_else_is_blamed_for_a_death(monkeypatch: pytest.MonkeyPatch) -> None:
    """A record of another partition is handled just before each death, and comes again since it was not committed."""
    broker = Broker(monkeypatch)
    await broker.process()
    for died in range(3):
        deaths = await broker.process()
        async with deaths.in_hand(record(9, "events", 1)) as count:
            assert count == 0
        assert await die_over(deaths, 7) == died
    deaths = await broker.process()
    async with deaths.in_hand(record(9, "events", 1)) as count:
        assert count == 0
    assert await take(deaths, 7) == [3]


async def test_two_deadly_records_in_a_row_are_both_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first one comes again, set aside but not committed, each time that the second one kills."""
    broker, lives = Broker(monkeypatch), 0
    await broker.process()
    while True:
        lives += 1
        assert lives < 10, "no process gets past them"
        deaths = await broker.process()
        if await die_over(deaths, 5) < MAX_CRASHES:
            continue
        deaths = await broker.process()
        async with deaths.in_hand(record(5)):
            pass
        async with deaths.in_hand(record(6)) as count:
            assert count == 0
        if await die_over(deaths, 7) >= MAX_CRASHES:
            break
    assert lives == 7


async def test_a_process_that_ends_for_something_else_is_no_death(monkeypatch: pytest.MonkeyPatch) -> None:
    broker, ended = Broker(monkeypatch), []
    await broker.process()

    async def handle(_: object) -> None:
        raise StateError("the state is damaged")

    for _ in range(5):
        deaths = await broker.process()
        guard = Guard("detect", broker.outbox, "dead-letters", in_hand=deaths.in_hand, die=ended.append)
        with pytest.raises(SystemExit):
            await guard.run(record(7), bytes, handle)
    assert ended == [75] * 5
    assert broker.outbox.values("dead-letters") == []


async def test_after_a_while_nothing_is_marked_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch)
    await die_over(await broker.process(), 3)
    deaths = await broker.process()
    await take(deaths, 3, 4)
    broker.now += CAREFUL_FOR + 1
    await take(deaths, 5)
    written = len(broker.outbox.sent)
    async with deaths.in_hand(record(6)):
        pass
    marked = [dict(mark.suspects) for mark in broker.marks() if mark.topic == "articles"]
    assert marked == [{}, {}, {3: 1}, {}, {4: 1}, {}, {5: 1}, {}]
    assert len(broker.outbox.sent) == written


async def test_only_one_record_is_in_hand_while_partitions_are_read_carefully(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch)
    await broker.process()
    deaths = await broker.process()
    async with deaths.in_hand(record(1)):
        other = deaths.in_hand(record(9, "events", 1))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(other.__aenter__(), 0.05)
    assert not any(9 in mark.suspects for mark in broker.marks())


async def test_a_record_waits_until_the_marks_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Faust hands out the first records before the assignment is dealt with."""
    broker = Broker(monkeypatch)
    await die_over(await broker.process(), 3)
    await die_over(await broker.process(), 3)
    deaths = CrashMarks(BROKER, "attempts", broker.outbox, lambda: broker.now)
    early = asyncio.create_task(die_over(deaths, 3))
    await asyncio.sleep(0.01)
    assert not early.done()
    await deaths.assign([("articles", 0)])
    assert await early == 1


async def test_without_a_broker_records_are_handled_unmarked(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch)
    await broker.process()
    deaths = await broker.process()
    broker.outbox.failures = 99
    assert await take(deaths, 1, 2) == [0, 0]


@pytest.mark.broker
async def test_the_marks_survive_on_the_broker(broker: str, prefix: str) -> None:
    settings, names = BrokerSettings.from_url(broker), TopicNames(prefix)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    async with producer(settings) as client:
        counted = []
        for _ in range(3):
            deaths = CrashMarks(settings, names.attempts, KafkaOutbox(client))
            await deaths.assign([(names.articles, 0)])
            counted.append(await deaths.in_hand(TopicRecord(names.articles, 0, 4, None, b"")).__aenter__())
        assert counted == [0, 0, 1]
        await client.send_and_wait(names.attempts, b"no mark at all", key=b"x")
        deaths = CrashMarks(settings, names.attempts, KafkaOutbox(client))
        await deaths.assign([(names.articles, 0)])
        await deaths.close()
        deaths = CrashMarks(settings, names.attempts, KafkaOutbox(client))
        await deaths.assign([(names.articles, 0)])
        assert await deaths.in_hand(TopicRecord(names.articles, 0, 4, None, b"")).__aenter__() == 2


async def test_a_mark_under_another_key_sets_nothing_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    broker = Broker(monkeypatch)
    forged = CrashMark(topic="articles", partition=0, open=True, suspects={7: MAX_CRASHES})
    await broker.outbox.send("attempts", b"anything", encode(forged))
    assert await take(await broker.process(), 7) == [0]
