"""Test that a message which can't be composed or decided on is set aside once, and the others are sent."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import timedelta

import pytest

from monitor import metrics
from monitor.config import Storm
from monitor.notify import MemoryLog, Notifier
from monitor.notify.delivery import composing, decider
from monitor.notify.policy.silences import Retry
from monitor.notify.receivers.base import UncertainError
from monitor.notify.receivers.fake import FakeReceiver
from tests.monitor.notify.samples import BEIJING, Graveyard, engine, event, virtual, virtual_clock

BAD = "ev-bad"


@pytest.fixture
def broken(monkeypatch):
    """Compose raises for one event, as it does over a hostile record that nobody thought of; clear it to mend that."""
    names = {BAD}
    compose = composing.compose

    def hostile(words, policy, delivery, pending, **more):
        if pending.event.event_id in names:
            raise ValueError("no words for this")
        return compose(words, policy, delivery, pending, **more)

    monkeypatch.setattr(composing, "compose", hostile)
    return names


async def started(
    desk: FakeReceiver, graveyard: Graveyard, log: MemoryLog | None = None, **options: object
) -> Notifier:
    log = log or MemoryLog()
    notifier = engine({"desk": desk}, log, dead_letters=graveyard, **options)
    notifier.start()
    await notifier.assign(0, log.load(0))
    return notifier


def count(name: str, **labels: str) -> float:
    return getattr(metrics, name).labels(**labels)._value.get()


@virtual
async def test_it_is_a_dead_letter_and_counted_and_the_next_one_goes_out(broken):
    desk, graveyard = FakeReceiver(), Graveyard()
    before = count("dead_letters", stage="deliver", reason="not_composed")
    notifier = await started(desk, graveyard)
    await notifier.accept(event(1, event_id=BAD))
    await notifier.accept(event(1, event_id="ev-good"))
    await asyncio.sleep(86400)
    assert [message.event.event_id for message in desk.messages] == ["ev-good"]
    assert [(delivery.event_id, reason) for delivery, _, reason in graveyard.letters] == [(BAD, "not_composed")]
    assert "no words for this" in graveyard.letters[0][1].error
    assert count("dead_letters", stage="deliver", reason="not_composed") == before + 1
    states = {delivery.event_id: delivery.state for delivery in notifier.deliveries()}
    assert states == {BAD: "failed", "ev-good": "sent"}

    # once it can be composed, a replay or the next revision tells it
    broken.clear()
    await notifier.note(Retry(id="again", at=virtual_clock(), receiver="desk", event_id=BAD))
    await asyncio.sleep(5)
    await notifier.stop()
    assert [message.event.event_id for message in desk.messages] == ["ev-good", BAD]


@virtual
async def test_the_others_of_its_batch_are_told(broken):
    desk, graveyard = FakeReceiver(), Graveyard()
    notifier = await started(desk, graveyard, storm=Storm(limit=1, per=timedelta(seconds=30)))
    for name in ("ev-0", "ev-1", BAD, "ev-2"):
        await notifier.accept(event(1, event_id=name))
    await asyncio.sleep(3600)
    await notifier.stop()
    assert [[item.event.event_id for item in message.items or (message,)] for message in desk.messages] == [
        ["ev-0"], ["ev-1", "ev-2"],
    ]  # fmt: skip
    assert [reason for _, _, reason in graveyard.letters] == ["not_composed"]


@pytest.mark.parametrize("others", [1, 2])
@virtual
async def test_a_batch_in_doubt_of_which_one_can_not_be_composed_any_more_is_taken_apart(broken, others):
    """As after an update with a fault."""
    desk, graveyard, log = FakeReceiver(), Graveyard(), MemoryLog()
    broken.clear()
    desk.failures.extend(UncertainError("HTTP 503", reason="server") for _ in range(2))
    options = {"storm": Storm(limit=1, per=timedelta(seconds=30)), "retries": (timedelta(seconds=60),) * 5}
    first = await started(desk, graveyard, log, **options)
    names = [BAD, *(f"ev-{number}" for number in range(others))]
    for name in ("ev-before", *names):
        await first.accept(event(1, event_id=name))
    await asyncio.sleep(45)
    await first.stop()
    assert {record.event_id for record in log.load(0) if record.pending and record.pending.sent_as} == set(names)
    broken.add(BAD)
    second = await started(desk, graveyard, log, **options)
    await asyncio.sleep(3600)
    await second.stop()
    told = {item.event.event_id for message in desk.messages for item in message.items or (message,)}
    assert told == {"ev-before", *names} - {BAD}
    assert [(delivery.event_id, reason) for delivery, _, reason in graveyard.letters] == [(BAD, "not_composed")]


@virtual
async def test_news_that_can_not_be_decided_on_is_set_aside_and_what_was_sent_is_noted(monkeypatch):
    """The news came while the first message was on its way; without a note of that one it would be sent again."""
    decide = decider.decide

    def hostile(policy, receiver, about, told, now, **more):
        if about.revision == 2 and told is not None:
            raise ArithmeticError("no such day")
        return decide(policy, receiver, about, told, now, **more)

    monkeypatch.setattr(decider, "decide", hostile)
    desk, graveyard = FakeReceiver(delay=1.0), Graveyard()
    notifier = await started(desk, graveyard)
    await notifier.accept(event(1))
    await asyncio.sleep(0.5)
    await notifier.accept(event(2, place=BEIJING))
    await asyncio.sleep(600)
    assert [message.event.revision for message in desk.messages] == [1]
    assert [(delivery.event_id, reason) for delivery, _, reason in graveyard.letters] == [("ev-1", "not_decided")]
    await notifier.accept(event(3, place=BEIJING))
    await asyncio.sleep(60)
    await notifier.stop()
    assert [(message.tell, message.event.revision) for message in desk.messages] == [("first", 1), ("loud", 3)]


@virtual
async def test_a_fault_of_the_engine_itself_is_tried_once_and_set_aside(monkeypatch):
    desk, graveyard = FakeReceiver(), Graveyard()
    notifier = await started(desk, graveyard)
    turns = 0

    async def broken_turn(_entry):
        nonlocal turns
        turns += 1
        raise KeyError("a bug")

    monkeypatch.setattr(notifier._sender, "_turn", broken_turn)
    await notifier.accept(event(1))
    await asyncio.sleep(86400)
    await notifier.stop()
    assert turns == 1
    assert [reason for _, _, reason in graveyard.letters] == ["fault"]
    assert graveyard.letters[0][1].doubt, "nobody knows whether it was sent"


class Killed(BaseException):
    """A process dies, as by SIGKILL: nothing is written any more."""


class Life(MemoryLog):
    """The log as one process writes it, until it dies; the next one has what was written."""

    def __init__(self, before: MemoryLog | None = None) -> None:
        super().__init__()
        self.records = list(before.records) if before else []
        self.over = asyncio.Event()

    async def append(self, partition, record):
        if self.over.is_set():
            raise Killed
        await super().append(partition, record)


async def lives(desk: FakeReceiver, graveyard: Graveyard, deadly, monkeypatch, *events, **options: object) -> int:
    """Start processes over one log until one lives; gives how many died. `deadly(place, event)` says what kills."""
    log, compose, deliver = Life(), composing.compose, desk.deliver

    def die(place: str, event_ids: list[str]) -> None:
        if log.over.is_set() or any(deadly(place, event_id) for event_id in event_ids):
            log.over.set()
            raise Killed

    def composed(words, policy, delivery, pending, **more):
        die("compose", [pending.event.event_id])
        return compose(words, policy, delivery, pending, **more)

    async def delivered(message, head):
        die("render", [item.event.event_id for item in message.items or (message,)])
        return await deliver(message, head)

    monkeypatch.setattr(composing, "compose", composed)
    monkeypatch.setattr(desk, "deliver", delivered)
    deaths = 0
    while deaths < 20:
        notifier = await started(desk, graveyard, log, **options)
        with contextlib.suppress(Killed):
            for each in events:
                await notifier.accept(each)
        living = asyncio.create_task(asyncio.sleep(86400))
        dying = asyncio.create_task(log.over.wait())
        await asyncio.wait([living, dying], return_when=asyncio.FIRST_COMPLETED)
        for task in (living, dying):
            task.cancel()
        await notifier.stop()
        if not log.over.is_set():
            return deaths
        log, deaths = Life(log), deaths + 1
    raise AssertionError("they die for ever")


@pytest.mark.parametrize("place", ["compose", "render"])
@virtual
async def test_a_message_that_kills_its_process_is_set_aside_after_three_deaths(place, monkeypatch):
    desk, graveyard = FakeReceiver(concurrency=3), Graveyard()
    events = [event(1, event_id=name) for name in ("ev-0", BAD, "ev-1")]
    deaths = await lives(desk, graveyard, lambda where, name: (where, name) == (place, BAD), monkeypatch, *events)
    assert deaths == 1 + composing.MAX_CRASHES, "the first one is nobody's for certain"
    assert [(delivery.event_id, reason) for delivery, _, reason in graveyard.letters] == [(BAD, "deadly")]
    assert {message.event.event_id for message in desk.messages} == {"ev-0", "ev-1"}
    assert len(set(desk.ids())) == 2


@pytest.mark.parametrize("place", ["compose", "render"])
@virtual
async def test_a_deadly_message_of_a_batch_costs_itself_alone(place, monkeypatch):
    desk, graveyard = FakeReceiver(), Graveyard()
    names = ("ev-0", "ev-1", BAD, "ev-2")
    await lives(
        desk, graveyard, lambda where, name: (where, name) == (place, BAD), monkeypatch,
        *(event(1, event_id=name) for name in names), storm=Storm(limit=1, per=timedelta(seconds=30)),
    )  # fmt: skip
    assert [(delivery.event_id, reason) for delivery, _, reason in graveyard.letters] == [(BAD, "deadly")]
    told = {item.event.event_id for message in desk.messages for item in message.items or (message,)}
    assert told == set(names) - {BAD}


@virtual
async def test_nobody_is_blamed_for_deaths_while_the_receiver_is_slow(monkeypatch):
    """A process that waits for an answer dies of something else: five times, and the message is told all the same."""
    desk, graveyard, log = FakeReceiver(linger=12.0), Graveyard(), Life()
    for _ in range(5):
        notifier = await started(desk, graveyard, log)
        await notifier.accept(event(1))
        await asyncio.sleep(10)
        log.over.set()
        await notifier.stop()
        log = Life(log)
    notifier = await started(desk, graveyard, log)
    await asyncio.sleep(100)
    await notifier.stop()
    assert graveyard.letters == []
    assert [delivery.state for delivery in notifier.deliveries()] == ["sent"]


@virtual
async def test_a_worker_that_ends_in_order_with_a_message_in_hand_is_no_death():
    desk, graveyard, log = FakeReceiver(delay=0.8), Graveyard(), MemoryLog()
    for _ in range(6):
        notifier = await started(desk, graveyard, log)
        await notifier.accept(event(1))
        await asyncio.sleep(0.5)
        await notifier.stop()
    await (await started(FakeReceiver(), graveyard, log)).stop()
    assert graveyard.letters == []
    assert {record.pending.deaths for record in log.load(0) if record.pending} == {0}
