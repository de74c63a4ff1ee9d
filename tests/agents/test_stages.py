"""Test the detect and assemble stages: the order of sending and storing, and failures in between."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec.structs import replace
from prometheus_client import generate_latest

from agents.assemble import AssembleStage
from agents.detect import DetectStage
from agents.store import MemoryStore
from agents.stream.guard import TopicRecord
from agents.stream.outbox import MemoryOutbox
from monitor import metrics
from monitor.assemble import Assembly
from monitor.detect import Detector
from monitor.errors import BrokerError, StageTimeoutError, StateError
from monitor.records import Article, Event, Mention, Participant, Source, Witness, decode
from monitor.watchlist import bundled

NOW = datetime(2026, 2, 4, 18, tzinfo=UTC)
HERE = TopicRecord("in", 0, 1, b"", b"")


def mention(article: str = "a1", *leaders: str, status: str = "held", **fields: object) -> Mention:
    names = leaders or ("emmanuel-macron", "narendra-modi")
    countries = {"emmanuel-macron": "FR", "narendra-modi": "IN", "friedrich-merz": "DE"}
    source = Source(article_id=article, title=f"Leaders talk, says {article}", outlet=article, publisher=article,
                    published=NOW, seen=NOW, excerpt=f"A sample text of {article} about leaders who talk")  # fmt: skip
    return Mention(
        article_id=article, kind="call", medium="phone", status=status, confidence=0.9, language="en", source=source,
        participants=tuple(Participant(leader=name, name=name, country=countries[name]) for name in names), **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def sent(outbox: MemoryOutbox) -> list[Event]:
    return [decode(Event, value or b"") for value in outbox.values("events")]


async def stage(store: MemoryStore, outbox: MemoryOutbox, now: datetime = NOW) -> AssembleStage:
    made = AssembleStage(store, outbox, "events", lambda: now)
    await made.assign({0})
    return made


async def test_an_event_is_sent_under_its_id_and_its_state_is_stored() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    await (await stage(store, outbox)).handle(mention(), HERE)
    (event,) = sent(outbox)
    assert [key for _, key, _, _ in outbox.sent] == [event.event_id.encode()]
    assert event.revision == 1
    assert event.event_id in store.values[0]
    assert Assembly.restore(store.values[0].values()).open_events == 1


async def test_the_same_mention_again_changes_nothing() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    assemble = await stage(store, outbox)
    await assemble.handle(mention(), HERE)
    await assemble.handle(mention(), HERE)
    assert len(outbox.sent) == 1


async def test_another_process_goes_on_where_the_first_one_stopped() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    await (await stage(store, outbox)).handle(mention("a1"), HERE)
    await (await stage(store, outbox)).handle(mention("a2"), HERE)
    first, second = sent(outbox)
    assert first.event_id == second.event_id
    assert [first.revision, second.revision] == [1, 2]


@pytest.mark.parametrize("other_process", [False, True])
@pytest.mark.parametrize("broken", ["outbox", "store"])
async def test_a_failure_before_the_state_is_stored_gives_the_same_event_again(
    broken: str, other_process: bool
) -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    expected = MemoryOutbox()
    whole = await stage(MemoryStore(), expected)
    for article in ("a1", "a2"):
        await whole.handle(mention(article), HERE)

    assemble = await stage(store, outbox)
    await assemble.handle(mention("a1"), HERE)
    (outbox if broken == "outbox" else store).failures = 1
    with pytest.raises(BrokerError):
        await assemble.handle(mention("a2"), HERE)
    if other_process:
        assemble = await stage(store, outbox)
    await assemble.handle(mention("a2"), HERE)

    events = {(event.event_id, event.revision): event for event in sent(outbox)}
    assert list(events.values()) == sent(expected)


async def test_time_closes_events_that_nobody_mentions_any_more() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    await (await stage(store, outbox)).handle(mention(), HERE)
    event_id = sent(outbox)[0].event_id
    later = await stage(store, outbox, NOW + timedelta(days=60))
    await later.tick()
    assert sent(outbox)[-1].closed
    assert event_id not in store.values[0]
    await later.tick()
    assert len(outbox.sent) == 2


async def test_without_its_partition_a_process_leaves_time_alone() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    await (await stage(store, outbox)).handle(mention(), HERE)
    idle = await stage(store, outbox, NOW + timedelta(days=60))
    await idle.assign(set())
    await idle.tick()
    assert len(outbox.sent) == 1


async def test_giving_the_partition_up_waits_for_what_is_being_written() -> None:
    class SlowStore(MemoryStore):
        async def put(self, partition: int, changes: Mapping[str, bytes | None]) -> None:
            await go_on.wait()
            await super().put(partition, changes)

    go_on, store = asyncio.Event(), SlowStore()
    assemble = await stage(store, MemoryOutbox())
    handling = asyncio.create_task(assemble.handle(mention(), HERE))
    await asyncio.sleep(0)
    leaving = asyncio.create_task(assemble.assign(set()))
    await asyncio.wait([leaving], timeout=0.1)
    assert not leaving.done()
    go_on.set()
    await asyncio.gather(handling, leaving)
    assert store.values[0]


async def test_a_state_that_is_damaged_stops_the_stage_rather_than_starting_anew() -> None:
    store, outbox = MemoryStore(), MemoryOutbox()
    await store.put(0, {"x": b"damaged"})
    with pytest.raises(StateError):
        await (await stage(store, outbox)).handle(mention(), HERE)
    assert outbox.sent == []


async def test_a_mention_that_fails_leaves_no_trace() -> None:
    """It is taken in halfway, in memory; the next one starts from what is stored."""
    store, outbox = MemoryStore(), MemoryOutbox()
    assemble = await stage(store, outbox)
    await assemble.handle(mention("a1"), HERE)
    last = datetime.max.replace(tzinfo=UTC)
    absurd = mention("a2")
    absurd = replace(absurd, source=replace(absurd.source, published=last, seen=last))
    with pytest.raises(ValueError, match="year"):
        await assemble.handle(absurd, HERE)
    await assemble.tick()
    await assemble.handle(mention("a3"), HERE)
    told = sent(outbox)[-1]
    assert told.revision == 2
    assert {source.article_id for source in told.sources} == {"a1", "a3"}


async def test_detection_sends_each_mention_under_its_participants() -> None:
    outbox = MemoryOutbox()
    detect = DetectStage(Detector(bundled()).detect, outbox, "mentions")
    title = "Emmanuel Macron and Narendra Modi held a phone call on Wednesday"
    await detect.handle(Article(id="a1", title=title, published=NOW), HERE)
    await detect.handle(Article(id="a2", title="A cat was rescued from a tree", published=NOW), HERE)
    ((topic, key, value, partition),) = outbox.sent
    assert (topic, key, partition) == ("mentions", b"emmanuel-macron+narendra-modi", None)
    assert decode(Mention, value or b"").article_id == "a1"


@pytest.mark.parametrize(
    ("rules", "reader", "by"),
    [("held", "held", "both"), ("held", "none", "rules"), ("none", "planned", "reader"), (None, None, "rules")],
)
async def test_who_speaks_for_a_contact_is_counted(rules: str | None, reader: str | None, by: str) -> None:
    said = [("rules", rules, 0.9), ("reader", reader, 0.4)]
    witnesses = tuple(Witness(name=name, status=one, confidence=sure) for name, one, sure in said if one)
    found = msgspec.structs.replace(mention(), witnesses=witnesses, confidence=0.7)
    detect = DetectStage(lambda _: [found], MemoryOutbox(), "mentions")

    def told() -> dict[str, float]:
        names = {f'summitry_mentions_decided_total{{by="{one}"}}' for one in metrics.DECIDED_BY}
        names |= {"summitry_reader_score_sum", "summitry_mention_confidence_sum"}
        lines = (line.rpartition(" ") for line in generate_latest(metrics.REGISTRY).decode().splitlines())
        return {name: float(value) for name, _, value in lines if name in names}

    before = told()
    await detect.handle(Article(id="a1", title="A title"), HERE)
    more = {name: value - before.get(name, 0.0) for name, value in told().items()}
    assert more[f'summitry_mentions_decided_total{{by="{by}"}}'] == 1
    assert more["summitry_mention_confidence_sum"] == pytest.approx(0.7)
    assert more["summitry_reader_score_sum"] == pytest.approx(0.4 if reader else 0.0)


async def test_detection_that_can_not_be_sent_says_so() -> None:
    detect = DetectStage(lambda _: [mention()], MemoryOutbox(failures=1), "mentions")
    with pytest.raises(BrokerError):
        await detect.handle(Article(id="a1", title="A title"), HERE)


async def test_detection_that_never_ends_is_interrupted() -> None:
    def hang(_: Article) -> list[Mention]:
        while True:
            pass

    begun = time.monotonic()
    with pytest.raises(StageTimeoutError):
        await DetectStage(hang, MemoryOutbox(), "mentions", 0.05).handle(Article(id="a1", title="A title"), HERE)
    assert time.monotonic() - begun < 2
