"""Test faults of production one by one: lost answers, clocks that differ, workers that come and go."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

import pytest

from monitor.config import Digest, QuietHours, Route, Storm
from monitor.errors import BrokerError, DeliveryError
from monitor.notify import Delivery, MemoryLog, Notifier, Pending
from monitor.notify.delivery import steps
from monitor.notify.logbook import batch_id, message_id
from monitor.notify.messages.compose import Message
from monitor.notify.policy.silences import Retry
from monitor.notify.receivers.base import GoneError, UncertainError
from monitor.notify.receivers.fake import FakeReceiver
from tests.monitor.notify.samples import (
    BEIJING,
    NOW,
    Graveyard,
    engine,
    event,
    policy,
    run_virtual,
    virtual,
    virtual_clock,
)

STORM = Storm(limit=1, per=timedelta(seconds=30))


def told_once(messages: Iterable[Message]) -> Counter[str]:
    """How often each event was first told, to a receiver that drops a message whose id it has seen."""
    told: Counter[str] = Counter()
    contents: dict[str, list[str]] = {}
    for message in messages:
        if message.tell != "first":
            continue
        about = sorted(item.event.event_id for item in message.items or (message,))
        if message.id not in contents:
            told.update(about)
        assert contents.setdefault(message.id, about) == about, "one id came to stand for two contents"
    return told


async def started(desk: FakeReceiver, log: MemoryLog, *partitions: int, **options: object) -> Notifier:
    """A worker that has these partitions."""
    notifier = engine({"desk": desk}, log, **options)
    notifier.start()
    for partition in partitions:
        await notifier.assign(partition, log.load(partition))
    return notifier


def by_partition(number: int) -> tuple[str, int]:
    return f"ev-{number:02}", number % 2


# --- batches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        DeliveryError("HTTP 400", reason="refused"),
        DeliveryError("429", reason="rate_limited", retry_after=20),
        UncertainError("HTTP 503", reason="server"),
    ],
)
@pytest.mark.parametrize("findable", [True, False])
@virtual
async def test_a_batch_that_is_refused_loses_no_event(refusal, findable):
    desk, log = FakeReceiver(findable=findable), MemoryLog()
    notifier = await started(desk, log, 0, storm=STORM)
    for number in range(25):
        await notifier.accept(event(1, event_id=f"ev-{number:02}"))
    desk.failures.append(refusal)
    await asyncio.sleep(4000)
    await notifier.stop()
    assert told_once(desk.messages) == {f"ev-{number:02}": 1 for number in range(25)}
    assert [len(message.items) for message in desk.messages] == [0, 24]


@pytest.mark.parametrize("arrived", [True, False])
@pytest.mark.parametrize("findable", [True, False])
@virtual
@pytest.mark.slow
async def test_a_second_worker_that_joins_before_the_retry_loses_no_event(findable, arrived):
    desk, log = FakeReceiver(findable=findable), MemoryLog()
    first = await started(desk, log, 0, 1, storm=STORM)
    for number in range(25):
        await first.accept(event(1, event_id=by_partition(number)[0]), by_partition(number)[1])
    (desk.lost if arrived else desk.failures).append(UncertainError("HTTP 503", reason="server"))
    await asyncio.sleep(32)
    assert all(delivery.pending.doubt for delivery in first.deliveries() if delivery.pending)
    await first.revoke(1)
    second = await started(desk, log, 1, storm=STORM)
    await asyncio.sleep(4000)
    await first.stop()
    await second.stop()
    told = told_once(desk.messages)
    assert set(told) == {by_partition(number)[0] for number in range(25)}
    if findable or not arrived:
        assert set(told.values()) == {1}
    else:
        assert max(told.values()) == 2, "nobody can know that it arrived: repeated once"
    assert {delivery.state for number in (0, 1) for delivery in log.load(number)} == {"sent"}


@pytest.mark.parametrize("findable", [True, False])
@virtual
async def test_a_batch_whose_records_were_written_in_part_is_told_once(findable):
    """The process ends after the batch arrived, when only some of its members are noted as sent."""
    desk, log = FakeReceiver(findable=findable), MemoryLog()
    noted = 0

    async def checkpoint(name):
        nonlocal noted
        noted += name == "after_sent"
        if noted > 5:
            await asyncio.sleep(10**9)

    first = await started(desk, log, 0, storm=STORM, checkpoint=checkpoint)
    for number in range(12):
        await first.accept(event(1, event_id=f"ev-{number:02}"))
    await asyncio.sleep(60)
    await first.stop()
    assert {delivery.state for delivery in log.load(0)} == {"sent", "pending"}
    second = await started(desk, log, 0, storm=STORM)
    await asyncio.sleep(4000)
    await second.stop()
    assert told_once(desk.messages) == {f"ev-{number:02}": 1 for number in range(12)}
    assert len(desk.messages) == 2
    assert {delivery.state for delivery in log.load(0)} == {"sent"}


HAPPENINGS = (
    ("event", 10), ("wait", 8), ("refuse", 2), ("limit", 1), ("reject", 1), ("gone", 1), ("fail", 2), ("lose", 2),
    ("move", 3), ("crash", 2), ("clock", 2),
)  # fmt: skip
#: What holds messages back and lets them out together.
HELD: dict[str, dict[str, object]] = {
    "storm": {"storm": Storm(limit=2, per=timedelta(seconds=20))},
    "digest": {
        "policy": policy(
            Route(
                name="all",
                receivers=("desk",),
                digest=Digest(at=tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(0, 60, 2))),
            )
        )
    },
    "quiet": {
        "policy": policy(Route(name="all", receivers=("desk",), quiet_hours=QuietHours(start="11:00", end="12:05")))
    },
}


async def _storms(dice: random.Random, *, findable: bool, held: str) -> None:
    desk = FakeReceiver(findable=findable, delay=0.2, linger=0.2)
    log, revisions, owner = MemoryLog(), Counter[str](), {0: 0, 1: 0, 2: 1, 3: 1}
    options = {**HELD[held], "retries": (timedelta(seconds=5),) * 60}
    ahead = {0: 0.0, 1: 0.0}

    async def born(worker: int) -> Notifier:
        mine = (partition for partition, of in owner.items() if of == worker)
        clock = partial(_clock_of, ahead, worker)
        return await started(desk, log, *mine, clock=clock, **options)

    workers = [await born(0), await born(1)]
    for _ in range(60):
        match dice.choices([what for what, _ in HAPPENINGS], [often for _, often in HAPPENINGS])[0]:
            case "event":
                number = dice.randrange(16)
                name, partition = f"ev-{number}", number % 4
                revisions[name] += 1
                about = event(revisions[name], event_id=name, place=BEIJING if revisions[name] % 2 else None)
                await workers[owner[partition]].accept(about, partition)
            case "wait":
                await asyncio.sleep(dice.choice((0.1, 0.5, 3, 20, 60)))
            case "refuse":
                desk.failures.append(DeliveryError("HTTP 400", reason="refused"))
            case "limit":
                desk.failures.append(DeliveryError("HTTP 429", reason="rate_limited", retry_after=20))
            case "clock":
                ahead[dice.randrange(2)] += dice.choice((-1800, -120, -5, 5, 120, 1800))
            case "reject":
                desk.failures.append(DeliveryError("too large", reason="too_large", retryable=False))
            case "gone":
                desk.failures.append(GoneError("410 Gone"))
            case "fail":
                desk.failures.append(UncertainError("HTTP 503", reason="server"))
            case "lose":
                desk.lost.append(UncertainError("HTTP 502", reason="server"))
            case "move":
                partition = dice.randrange(4)
                await workers[owner[partition]].revoke(partition)
                owner[partition] = 1 - owner[partition]
                await workers[owner[partition]].assign(partition, log.load(partition))
            case "crash":
                dead = dice.randrange(2)
                await workers[dead].stop()
                workers[dead] = await born(dead)
    await asyncio.sleep(20_000)
    desk.failures.clear()
    for worker in workers:
        await worker.note(Retry(id="again", at=virtual_clock()))
    await asyncio.sleep(20_000)
    for worker in workers:
        await worker.stop()
    told = told_once(desk.messages)
    assert set(told) == set(revisions), "nothing is lost"
    if findable:
        assert set(told.values()) == {1}, "and nothing stands in two first messages"
    last = {delivery.event_id: delivery for number in range(4) for delivery in log.load(number)}
    known = {name: delivery.told.place for name, delivery in last.items()}
    assert known == {name: BEIJING if count % 2 else None for name, count in revisions.items()}, "in its last state"
    assert {delivery.state for delivery in last.values()} == {"sent"}


def _clock_of(ahead: dict[int, float], worker: int) -> datetime:
    """The clock of a worker, which somebody sets now and then."""
    return virtual_clock() + timedelta(seconds=ahead[worker])


@pytest.mark.parametrize("findable", [True, False])
@pytest.mark.parametrize("held", HELD)
@pytest.mark.slow
def test_any_storm_ends_well_on_two_workers(findable, held):
    for seed in range(25):
        try:
            run_virtual(_storms(random.Random(seed), findable=findable, held=held))
        except AssertionError as error:
            raise AssertionError(f"seed {seed}") from error


# --- answers that lie -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("findable", [True, False])
@virtual
async def test_a_5xx_after_the_work_was_done_and_then_a_new_report_is_one_first_message(findable):
    desk, log = FakeReceiver(findable=findable), MemoryLog()
    desk.lost.append(UncertainError("HTTP 500", reason="server"))
    notifier = await started(desk, log, 0)
    await notifier.accept(event(1))
    await asyncio.sleep(1)
    await notifier.accept(event(2, place=BEIJING))
    await asyncio.sleep(600)
    await notifier.stop()
    assert told_once(desk.messages) == {"ev-1": 1}
    assert desk.messages[-1].event.place == BEIJING


@virtual
async def test_a_first_message_that_was_given_up_in_doubt_keeps_its_id_and_its_content():
    desk, graveyard = FakeReceiver(), Graveyard()
    desk.lost.extend(UncertainError("HTTP 500", reason="server") for _ in range(2))
    notifier = await started(desk, MemoryLog(), 0, retries=(timedelta(seconds=5),), dead_letters=graveyard)
    await notifier.accept(event(1))
    await asyncio.sleep(60)
    assert len(graveyard.letters) == 1
    await notifier.accept(event(2, place=BEIJING))
    await asyncio.sleep(60)
    await notifier.stop()
    assert [(m.tell, m.event.revision) for m in desk.messages] == [("first", 1)] * 3 + [("loud", 2)]
    assert len(set(desk.ids())) == 2


@virtual
async def test_a_receiver_that_can_be_asked_gets_the_newest_state_once_it_says_that_nothing_arrived():
    desk = FakeReceiver(findable=True)
    desk.failures.append(UncertainError("HTTP 503", reason="server"))
    notifier = await started(desk, MemoryLog(), 0)
    await notifier.accept(event(1))
    await asyncio.sleep(1)
    await notifier.accept(event(2, place=BEIJING))
    await asyncio.sleep(60)
    await notifier.stop()
    assert [(m.tell, m.event.revision) for m in desk.messages] == [("first", 2)]


def test_the_id_of_a_first_message_names_the_event_and_that_of_an_update_its_content():
    def identity(tell, revision, reason="first"):
        pending = Pending(event=event(revision), tell=tell, reason=reason, since=NOW, due=NOW)
        return message_id("desk", pending)

    assert identity("first", 1) == identity("first", 2)
    assert len({identity("first", 1), identity("loud", 1), identity("loud", 2), identity("loud", 1, "place")}) == 4


@pytest.mark.parametrize(
    ("tell", "revision", "reason", "made"),
    [
        ("first", 1, "first", "msg_0a6b6ccf9c85c7f64abb9f4a1bf4ae4d"),
        ("loud", 2, "place", "msg_2228c3aa378c3d84d6785263c22ae0b5"),
        ("quiet", 3, "coverage", "msg_e0a6cfe2d0ea95ea31a0768fa976c398"),
        ("retract", 4, "retracted", "msg_8c10f2388fa854c84c53201452c5c269"),
        ("merged", 5, "merged", "msg_996ca2ec7ade0b63ad9e93f5eaac079a"),
        ("reminder", 1, "reminder", "msg_cf2eb7316c1bf16e6cdc9bfa6a102693"),
    ],
)
def test_ids_are_made_as_version_0_1_0_made_them(tell, revision, reason, made):
    """Workers of two versions share the work during an upgrade: one message must not have two ids."""
    pending = Pending(event=event(revision), tell=tell, reason=reason, since=NOW, due=NOW)
    assert message_id("desk", pending) == made


def test_the_id_of_a_batch_is_made_as_version_0_1_0_made_it():
    first = Pending(event=event(1), tell="first", reason="first", since=NOW, due=NOW)
    loud = Pending(event=event(2), tell="loud", reason="place", since=NOW, due=NOW)
    assert batch_id("desk", "storm:x", [first, loud]) == "msg_60ae704ba68e6047eddc905c6f85f431"


# --- clocks and ownership -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("skew", [-3600, -20, 20, 3600])
@pytest.mark.parametrize("update", [False, True])
@virtual
async def test_clocks_that_differ_double_no_message(skew, update):
    """The first worker's clock is `skew` seconds off; it dies after its message arrived and before that is noted."""
    desk, log = FakeReceiver(findable=True), MemoryLog()
    sends = 0

    async def dying(name):
        nonlocal sends
        sends += name == "after_send"
        if sends == 1 + update:
            await asyncio.sleep(10**9)

    def off():
        return virtual_clock() + timedelta(seconds=skew)

    first = await started(desk, log, 0, clock=off, checkpoint=dying)
    await first.accept(event(1))
    await asyncio.sleep(10)
    if update:
        await first.accept(event(2, place=BEIJING))
        await asyncio.sleep(10)
    await first.stop()
    before = len(desk.messages)
    second = await started(desk, log, 0)
    await asyncio.sleep(7300)
    await second.stop()
    assert before == len(desk.messages) == 1 + update
    assert {delivery.state for delivery in log.load(0)} == {"sent"}


@pytest.mark.parametrize("batched", [False, True])
@virtual
async def test_a_worker_that_may_have_lost_its_partition_sends_and_writes_nothing(batched):
    """It was suspended while it waited for its turn, and another worker has told the event meanwhile."""
    desk, log, awake = FakeReceiver(findable=True), MemoryLog(), True
    desk.traits = type(desk.traits)(edits=True, pace=5.0)
    options = {"storm": Storm(limit=2, per=timedelta(seconds=8))} if batched else {}
    asleep = await started(desk, log, 0, owns=lambda _: awake, **options)
    for number in range(4):
        await asleep.accept(event(1, event_id=f"ev-{number}"))
    await asyncio.sleep(1)
    assert len(desk.messages) == 1, "the others wait for their pace"
    awake = False
    other = await started(desk, log, 0, **options)
    await asyncio.sleep(60)
    assert told_once(desk.messages) == {f"ev-{number}": 1 for number in range(4)}
    assert len(desk.ids()) == len(set(desk.ids())), "nothing was sent twice"
    count, records = len(desk.messages), len(log.records)
    with pytest.raises(BrokerError):
        await asleep.accept(event(1, event_id="ev-9"))
    await asyncio.sleep(60)
    assert (len(desk.messages), len(log.records)) == (count, records)
    await other.stop()
    # it was only late: what it has goes on where it stopped
    awake = True
    await asleep.revoke(0)
    await asleep.assign(0, log.load(0))
    await asleep.accept(event(1, event_id="ev-9"))
    await asyncio.sleep(60)
    await asleep.stop()
    assert told_once(desk.messages)["ev-9"] == 1


# --- a receiver that says that it is gone ---------------------------------------------------------------------------


@virtual
async def test_what_a_receiver_that_is_gone_should_have_been_told_is_set_aside_and_told_when_it_is_back():
    desk, log, graveyard = FakeReceiver(), MemoryLog(), Graveyard()
    notifier = await started(desk, log, 0, dead_letters=graveyard)
    await notifier.accept(event(1, event_id="old"))
    await asyncio.sleep(10)
    desk.failures.append(GoneError("410 Gone"))
    await notifier.accept(event(1, event_id="a"))
    await asyncio.sleep(10)
    assert (await notifier.accept(event(1, event_id="b")))["desk"].reason == "disabled"
    await notifier.accept(event(2, event_id="b", place=BEIJING))
    await notifier.accept(event(2, event_id="old", status="cancelled"))
    await notifier.accept(event(1, event_id="untold", status="past"))
    assert sorted(delivery.event_id for delivery, _, _ in graveyard.letters) == ["a", "b", "old"]
    assert {reason for _, _, reason in graveyard.letters} == {"gone"}
    await notifier.stop()
    assert len(desk.messages) == 1

    # the next process asks it again with the next event, and it takes it: all the rest follows, as it is now
    back = await started(desk, log, 0)
    await back.accept(event(1, event_id="c"))
    await asyncio.sleep(60)
    await back.stop()
    told = {message.event.event_id: message for message in desk.messages}
    assert set(told) == {"old", "a", "b", "c"}
    assert told["b"].event.place == BEIJING
    assert told["old"].tell == "retract"
    assert {delivery.state for delivery in log.load(0)} == {"sent"}


# --- a log that does not grow for ever ------------------------------------------------------------------------------


@virtual
async def test_closed_events_leave_the_log_after_a_set_time_and_open_ones_stay():
    desk, log = FakeReceiver(), MemoryLog()
    notifier = await started(desk, log, 0, keep=timedelta(days=3))
    for name in ("open", "closed", "merged"):
        await notifier.accept(event(1, event_id=name, sources=()))
    await asyncio.sleep(10)
    await notifier.accept(event(2, event_id="closed", sources=(), closed=True))
    await notifier.accept(event(2, event_id="merged", sources=(), merged_into="open", closed=True))
    await asyncio.sleep(60)
    sent = len(desk.messages)
    assert await notifier.tidy() == 0
    await asyncio.sleep(3 * 86400)
    assert await notifier.tidy() == 2
    assert [delivery.event_id for delivery in log.load(0)] == ["open"]
    assert [delivery.event_id for delivery in notifier.deliveries()] == ["open"]
    # an event's last record read once more is old by then, and is not told again
    await notifier.accept(event(2, event_id="closed", sources=(), closed=True))
    await asyncio.sleep(60)
    await notifier.stop()
    assert len(desk.messages) == sent
    assert [delivery.event_id for delivery in log.load(0)] == ["open"]


@pytest.mark.parametrize("answers", [True, False])
@virtual
async def test_records_of_a_receiver_that_is_no_more_leave_the_log_too(answers):
    log, former = MemoryLog(), FakeReceiver()
    former.down = lambda: not answers
    first = engine({"desk": FakeReceiver(), "former": former}, log)
    first.start()
    await first.assign(0, [])
    await first.accept(event(1))
    await asyncio.sleep(10)
    await first.stop()
    for days, left in ((1, 2), (30, 1)):
        await asyncio.sleep(days * 86400)
        await (await started(FakeReceiver(), log, 0)).stop()
        assert len(log.load(0)) == left


@pytest.mark.parametrize("refusal", [GoneError("410 Gone"), DeliveryError("no", reason="refused", retryable=False)])
@pytest.mark.parametrize("end", [{"closed": True}, {"merged_into": "other", "closed": True}])
@pytest.mark.parametrize("change", [{"place": BEIJING}, {"status": "cancelled"}])
@virtual
async def test_an_event_whose_last_update_was_given_up_leaves_the_log_too(refusal, end, change):
    desk, log = FakeReceiver(), MemoryLog()
    notifier = await started(desk, log, 0, keep=timedelta(days=3))
    await notifier.accept(event(1, sources=()))
    await asyncio.sleep(10)
    desk.down, desk.refusal = lambda: True, refusal
    await notifier.accept(event(2, sources=(), **change))
    await asyncio.sleep(60)
    await notifier.accept(event(3, sources=(), **change, **end))
    await asyncio.sleep(86400)
    assert (await notifier.tidy(), len(log.load(0))) == (0, 1)
    await asyncio.sleep(3 * 86400)
    assert (await notifier.tidy(), len(log.load(0))) == (1, 0)
    await notifier.stop()


def test_nothing_is_forgotten_that_still_waits():
    from monitor.notify import Pending

    closed, later = event(closed=True), NOW + timedelta(days=99)
    waiting = Pending(event=closed, tell="first", reason="first", since=NOW, due=NOW)
    done = Delivery(receiver="desk", event_id="ev-1", told=closed, told_at=NOW)
    keep = timedelta(days=3)
    assert steps.forgettable(done, later, keep)
    assert not steps.forgettable(done, NOW + keep, keep)
    for change in ({"pending": waiting}, {"next": closed}, {"remind_at": later}, {"told": event()}):
        record = Delivery(**{**{name: getattr(done, name) for name in done.__struct_fields__}, **change})
        assert not steps.forgettable(record, later, keep)


# --- answers that never end -----------------------------------------------------------------------------------------


@virtual
async def test_a_first_message_in_doubt_that_is_refused_for_good_is_not_sent_again_at_once():
    """Its newer state waits behind it: each new report tries once more, and nothing else does."""
    desk, graveyard = FakeReceiver(), Graveyard()
    desk.lost.append(UncertainError("HTTP 500", reason="server"))
    notifier = await started(desk, MemoryLog(), 0, dead_letters=graveyard)
    await notifier.accept(event(1))
    await asyncio.sleep(1)
    await notifier.accept(event(2, place=BEIJING))
    desk.failures.extend(DeliveryError("too large", reason="too_large", retryable=False) for _ in range(2))
    await asyncio.sleep(3600)
    assert desk.attempts == 2
    await notifier.accept(event(3, place=BEIJING))
    await asyncio.sleep(3600)
    assert desk.attempts == 3
    await notifier.accept(event(4, place=BEIJING))
    await asyncio.sleep(3600)
    await notifier.stop()
    assert told_once(desk.messages) == {"ev-1": 1}
    assert [(message.tell, message.event.revision) for message in desk.messages][1:] == [("first", 1), ("loud", 4)]


@virtual
async def test_a_first_message_in_doubt_is_looked_for_from_when_it_was_first_sent():
    """It was given up, and a day later the next report comes: the look-up needs the time of the first attempt."""
    desk, graveyard = FakeReceiver(), Graveyard()
    desk.lost.extend(UncertainError("HTTP 500", reason="server") for _ in range(2))
    notifier = await started(desk, MemoryLog(), 0, dead_letters=graveyard, retries=(timedelta(seconds=5),))
    await notifier.accept(event(1))
    await asyncio.sleep(86000)
    await notifier.accept(event(2, place=BEIJING, last_seen=NOW + timedelta(seconds=86000)))
    await asyncio.sleep(60)
    await notifier.stop()
    assert [message.at for message in desk.messages[:3]] == [NOW] * 3


@pytest.mark.parametrize("asked", [0.0, None])
@virtual
async def test_a_rate_limit_that_names_no_wait_is_no_hot_loop(asked):
    desk, graveyard = FakeReceiver(), Graveyard()
    desk.down = lambda: True
    desk.refusal = DeliveryError("429", reason="rate_limited", retry_after=asked)
    notifier = await started(desk, MemoryLog(), 0, dead_letters=graveyard, retries=(timedelta(seconds=5),) * 3)
    await notifier.accept(event(1))
    await asyncio.sleep(3600)
    await notifier.stop()
    assert desk.attempts == 4
    assert len(graveyard.letters) == 1


@virtual
async def test_a_first_message_in_doubt_keeps_its_content_at_a_receiver_that_goes_and_comes_back():
    desk, graveyard, log = FakeReceiver(), Graveyard(), MemoryLog()
    desk.lost.append(UncertainError("HTTP 500", reason="server"))
    notifier = await started(desk, log, 0, dead_letters=graveyard)
    await notifier.accept(event(1))
    await asyncio.sleep(1)
    await notifier.accept(event(2, place=BEIJING))
    desk.failures.append(GoneError("410 Gone"))
    await asyncio.sleep(60)
    await notifier.accept(event(3, place=BEIJING))
    await asyncio.sleep(60)
    await notifier.stop()
    assert len(desk.messages) == 1
    back = await started(desk, log, 0, dead_letters=graveyard)
    await back.accept(event(1, event_id="other"))
    await asyncio.sleep(600)
    await back.stop()
    mine = [message for message in desk.messages if message.event.event_id == "ev-1"]
    assert [(message.tell, message.event.revision) for message in mine] == [("first", 1), ("first", 1), ("loud", 3)]
    assert {delivery.state for delivery in log.load(0)} == {"sent"}


@pytest.mark.parametrize("failure", [GoneError("410 Gone"), DeliveryError("no", reason="refused", retryable=False)])
@virtual
async def test_an_update_that_was_given_up_is_void_once_the_event_is_again_as_it_was_told(failure):
    """Who then asks for it again, or a receiver that comes back, must not be left with a state in between."""
    desk, log = FakeReceiver(), MemoryLog()
    notifier = await started(desk, log, 0)
    await notifier.accept(event(1, place=BEIJING))
    await asyncio.sleep(1)
    desk.failures.append(failure)
    await notifier.accept(event(2, place=None, medium="phone"))
    await asyncio.sleep(60)
    await notifier.accept(event(3, place=BEIJING))
    await asyncio.sleep(60)
    await notifier.note(Retry(id="again", at=virtual_clock()))
    await asyncio.sleep(600)
    await notifier.stop()
    back = await started(desk, log, 0)
    await back.accept(event(1, event_id="other"))
    await asyncio.sleep(600)
    await back.stop()
    mine = [message for message in desk.messages if message.event.event_id == "ev-1"]
    assert (mine[-1].event.place, mine[-1].event.medium) == (BEIJING, "video")
    assert {delivery.state for delivery in log.load(0)} == {"sent"}
