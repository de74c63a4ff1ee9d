"""Test the notifier with fake receivers, in virtual time."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from prometheus_client import Counter

from monitor import metrics
from monitor.config import Acknowledge, Digest, QuietHours, Reminder, Route, Secret, Storm, Threshold
from monitor.config.sections import Match
from monitor.errors import BrokerError, DeliveryError
from monitor.notify import Ack, AckLinks, MemoryLog, Retry, Silence
from monitor.notify.delivery.setup import CHECKPOINTS
from monitor.notify.messages.compose import notice
from monitor.notify.messages.wording import wording
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


@asynccontextmanager
async def running(notifier, log=None, partition=0):
    notifier.start()
    await notifier.assign(partition, log.load(partition) if log else [])
    try:
        yield notifier
    finally:
        await notifier.stop()


@virtual
async def test_one_event_is_one_first_message_and_then_updates():
    # Given a desk, when an event comes, is placed, gets coverage, and is denied
    desk, log = FakeReceiver(), MemoryLog()
    async with running(engine({"desk": desk}, log)) as notifier:
        for revision, changes in enumerate(
            (
                {},
                {"place": BEIJING},
                {"place": BEIJING, "publishers": 9},
                {"place": BEIJING, "publishers": 9, "status": "denied"},
            )
        ):
            await notifier.accept(event(revision, **changes))
            await asyncio.sleep(60)
    # Then it is told once, and each update says how it is meant
    assert desk.tells() == ["first", "loud", "quiet", "retract"]
    assert [head and head["id"] for head in desk.heads] == [None, *[desk.messages[0].id] * 3]
    assert len(set(desk.ids())) == 4
    # an update that waits a moment is noted twice: when it is decided, and right before its attempt
    waits = ["pending", "pending", "sent"]
    assert [record.state for _, record in log.records] == ["pending", "sent", *waits, *waits, *waits]


@virtual
async def test_the_same_revision_again_is_nothing():
    desk, log = FakeReceiver(), MemoryLog()
    async with running(engine({"desk": desk}, log)) as notifier:
        for _ in range(3):
            decisions = await notifier.accept(event(1))
            await asyncio.sleep(10)
    assert desk.tells() == ["first"]
    assert decisions["desk"].reason == "unchanged"
    # nor after a restart
    again = FakeReceiver()
    async with running(engine({"desk": again}, log), log) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(60)
    assert again.messages == []


@virtual
async def test_changes_that_come_shortly_after_another_are_one_update():
    desk = FakeReceiver()
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(1)
        await notifier.accept(event(3, place=BEIJING, medium="phone", publishers=5))
        await asyncio.sleep(60)
    assert desk.tells() == ["first", "loud"]
    assert desk.messages[1].event.revision == 3
    assert [line.split(":")[0] for line in desk.messages[1].changed] == ["Place", "How", "Publishers"]


@virtual
async def test_a_receiver_that_fails_gets_the_current_state_once_it_is_back():
    desk, log = FakeReceiver(), MemoryLog()
    desk.failures.extend(DeliveryError("HTTP 503", reason="server") for _ in range(2))
    async with running(engine({"desk": desk}, log)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await notifier.accept(event(3, place=BEIJING, status="cancelled"))
        await asyncio.sleep(400)
    assert desk.tells() == ["first"]
    assert desk.messages[0].event.status == "cancelled"


@virtual
async def test_a_lost_answer_is_repeated_with_the_same_id_before_anything_newer():
    desk = FakeReceiver()
    desk.lost.append(UncertainError("no answer"))
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(60)
    assert desk.tells() == ["first", "first", "loud"]
    assert desk.ids()[0] == desk.ids()[1] != desk.ids()[2]
    assert desk.messages[1].event == desk.messages[0].event, "the repetition says the same thing"


@virtual
async def test_a_lost_answer_is_looked_up_where_the_receiver_can_be_asked():
    desk = FakeReceiver(findable=True)
    desk.lost.append(UncertainError("no answer"))
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(60)
    assert desk.tells() == ["first", "loud"]


@virtual
async def test_the_schedule_ends_in_the_dead_letters_and_can_be_tried_again():
    desk, log, graveyard = FakeReceiver(), MemoryLog(), Graveyard()
    desk.down = lambda: virtual_clock() < NOW + timedelta(days=1)
    async with running(engine({"desk": desk}, log, dead_letters=graveyard)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(86_000)
        assert desk.attempts == 5, "the first attempt and the four of the schedule"
        assert [reason for _, _, reason in graveyard.letters] == ["server"]
        assert [(last.attempts, last.error[:8]) for _, last, _ in graveyard.letters] == [(5, "server: ")]
        assert notifier.deliveries()[0].state == "failed"
        await asyncio.sleep(1000)
        await notifier.note(Retry(id="r", at=virtual_clock(), receiver="desk"))
        await asyncio.sleep(1)
        await notifier.note(Retry(id="r", at=virtual_clock(), receiver="desk"))
        await asyncio.sleep(600)
    assert desk.tells() == ["first"]


@virtual
async def test_a_new_revision_after_giving_up_is_a_first_message():
    desk = FakeReceiver()
    desk.failures.extend(DeliveryError("no", reason="server", retryable=False) for _ in range(1))
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(60)
    assert [(message.tell, message.event.revision) for message in desk.messages] == [("first", 2)]


@virtual
async def test_retry_after_pauses_the_whole_receiver_and_uses_up_no_attempt():
    desk = FakeReceiver(concurrency=3)
    desk.failures.append(DeliveryError("429", reason="rate_limited", retry_after=100))
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(1, event_id="ev-2"))
        await asyncio.sleep(90)
        assert desk.messages == []
        await asyncio.sleep(20)
        assert sorted(m.event.event_id for m in desk.messages) == ["ev-1", "ev-2"]
        assert all(delivery.pending is None for delivery in notifier.deliveries())
    assert all(99 <= at <= 105 for at in desk.taken_at)


@virtual
async def test_a_receiver_that_is_gone_gets_nothing_more():
    desk, other, graveyard = FakeReceiver(), FakeReceiver(), Graveyard()
    desk.failures.append(GoneError("410 Gone"))
    async with running(engine({"desk": desk, "other": other}, dead_letters=graveyard)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(10)
        decisions = await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(60)
    assert desk.attempts == 1
    assert decisions["desk"].reason == "disabled"
    assert len(graveyard.letters) == 1
    assert other.tells() == ["first", "loud"]


@virtual
async def test_a_fault_in_a_receivers_library_harms_that_message_only():
    class Broken(FakeReceiver):
        async def deliver(self, message, head):
            if message.event.event_id == "bad":
                raise ZeroDivisionError
            return await super().deliver(message, head)

    desk = Broken()
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1, event_id="bad"))
        await notifier.accept(event(1, event_id="good"))
        await asyncio.sleep(60)
    assert [message.event.event_id for message in desk.messages] == ["good"]


@virtual
async def test_a_hanging_receiver_is_cut_off_in_time():
    desk = FakeReceiver(delay=1000)
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(16)
        pending = notifier.deliveries()[0].pending
    assert pending.doubt
    assert pending.error.startswith("timeout")


@virtual
async def test_every_message_of_one_event_waits_for_the_one_before():
    desk = FakeReceiver(concurrency=4, delay=8)
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.accept(event(2, place=BEIJING))
        await notifier.accept(event(3, place=BEIJING, medium="phone"))
        await asyncio.sleep(100)
    assert [(m.tell, m.event.revision) for m in desk.messages] == [("first", 1), ("loud", 3)]


@virtual
async def test_a_log_that_can_not_be_written_keeps_the_event_uncommitted():
    class Broken(MemoryLog):
        async def append(self, partition, record):
            raise BrokerError("no broker")

    desk = FakeReceiver()
    async with running(engine({"desk": desk}, Broken())) as notifier:
        with pytest.raises(BrokerError):
            await notifier.accept(event(1))
        await asyncio.sleep(60)
    assert desk.messages == []


@virtual
async def test_what_was_sent_is_noted_as_soon_as_the_log_can_be_written_again():
    class Flaky(MemoryLog):
        failures = 0

        async def append(self, partition, record):
            if record.state == "sent" and self.failures < 5:
                self.failures += 1
                raise BrokerError("no broker")
            await super().append(partition, record)

    desk, log = FakeReceiver(), Flaky()
    async with running(engine({"desk": desk}, log)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(60)
    assert desk.tells() == ["first"]
    assert log.records[-1][1].state == "sent"


@virtual
async def test_events_of_a_partition_that_is_not_ours_are_refused():
    desk = FakeReceiver()
    async with running(engine({"desk": desk})) as notifier:
        with pytest.raises(BrokerError, match="not ours"):
            await notifier.accept(event(1), partition=3)
        await notifier.revoke(0)
        with pytest.raises(BrokerError, match="not ours"):
            await notifier.accept(event(1))


@virtual
async def test_giving_a_partition_up_waits_for_what_is_in_flight():
    desk, log = FakeReceiver(delay=3), MemoryLog()
    async with running(engine({"desk": desk}, log)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(1)
        await notifier.revoke(0)
        assert desk.tells() == ["first"]
        assert log.records[-1][1].state == "sent"
        assert notifier.deliveries() == []


@pytest.mark.parametrize("step", CHECKPOINTS)
@pytest.mark.parametrize("findable", [True, False])
def test_dying_at_any_step_loses_nothing_and_repeats_at_most_the_same_message(step, findable):
    """Kill the process at each step of the first message; its successor has only the log and the event."""

    class Killed(BaseException):
        pass

    async def main():
        desk, log = FakeReceiver(findable=findable), MemoryLog()
        died = asyncio.Event()

        async def checkpoint(name):
            if name == step:
                died.set()
                await asyncio.sleep(10**9)

        notifier = engine({"desk": desk}, log, checkpoint=checkpoint)
        notifier.start()
        await notifier.assign(0, [])
        accepting = asyncio.create_task(notifier.accept(event(1)))
        await died.wait()
        accepting.cancel()
        await notifier.stop()
        # the successor reads the log and gets the event again, and a newer one at once
        async with running(engine({"desk": desk}, log), log) as successor:
            await successor.accept(event(1))
            await successor.accept(event(2, place=BEIJING))
            await asyncio.sleep(60)
        firsts = [message for message in desk.messages if message.tell == "first"]
        assert len({message.id for message in firsts}) == 1
        assert len(firsts) == (2 if step in {"after_send", "before_sent"} and not findable else 1)
        assert desk.messages[-1].event.place == BEIJING

    run_virtual(main())


@virtual
async def test_a_schedule_of_hours_survives_a_restart():
    desk, log = FakeReceiver(), MemoryLog()
    desk.down = lambda: True
    async with running(engine({"desk": desk}, log)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(400)
    assert desk.attempts == 3
    desk.down = lambda: False
    async with running(engine({"desk": desk}, log), log) as notifier:
        await asyncio.sleep(1000)
        assert desk.messages == [], "the next attempt is due half an hour after the last one"
        await asyncio.sleep(1000)
    assert desk.tells() == ["first"]


def _count(counter: Counter, *labels: str) -> float:
    return counter.labels(*labels)._value.get()


@virtual
async def test_the_reason_of_each_suppression_is_counted():
    before = _count(metrics.notifications_suppressed, "publishers")
    route = Route(name="two", receivers=("desk",), threshold=Threshold(publishers=2))
    desk = FakeReceiver()
    async with running(engine({"desk": desk}, policy=policy(route))) as notifier:
        decisions = await notifier.accept(event(1, publishers=1))
        assert decisions["desk"].reason == "publishers"
        assert notifier.deliveries() == [], "nothing is remembered of what was not told"
        await notifier.accept(event(2, publishers=2))
        await asyncio.sleep(1)
    assert desk.tells() == ["first"]
    assert _count(metrics.notifications_suppressed, "publishers") == before + 1


@virtual
async def test_quiet_hours_hold_messages_back_and_then_tell_them_as_one():
    hours = QuietHours(start="11:00", end="13:00", bypass=Match(kinds=("summit",)))
    route = Route(name="all", receivers=("desk",), quiet_hours=hours)
    desk = FakeReceiver()
    async with running(engine({"desk": desk}, policy=policy(route))) as notifier:
        for number in range(3):
            await notifier.accept(event(1, event_id=f"ev-{number}"))
        await notifier.accept(event(2, event_id="ev-1", place=BEIJING))
        await notifier.accept(event(1, event_id="summit", kind="summit"))
        await asyncio.sleep(60)
        assert [message.event.event_id for message in desk.messages] == ["summit"]
        await asyncio.sleep(3600)
        assert len(desk.messages) == 2
        gathered = desk.messages[1]
        assert [(item.event.event_id, item.event.revision) for item in gathered.items] == [
            ("ev-0", 1), ("ev-1", 2), ("ev-2", 1),
        ]  # fmt: skip
        await notifier.accept(event(3, event_id="ev-1", place=BEIJING, status="cancelled"))
        await asyncio.sleep(60)
    assert desk.tells()[-1] == "retract"


@virtual
async def test_a_digest_is_sent_at_its_time_and_survives_a_crash_as_the_same_message():
    route = Route(name="daily", receivers=("desk",), digest=Digest(at=("18:00",), zone="Europe/Berlin"))
    desk, log = FakeReceiver(), MemoryLog()
    desk.lost.append(UncertainError("no answer"))
    async with running(engine({"desk": desk}, log, policy=policy(route))) as notifier:
        for number in range(4):
            await notifier.accept(event(1, event_id=f"ev-{number}"))
        await asyncio.sleep(4 * 3600)
        assert desk.messages == []
        await asyncio.sleep(3600 + 1)
        assert [len(message.items) for message in desk.messages] == [4]
    async with running(engine({"desk": desk}, log, policy=policy(route)), log) as notifier:
        await notifier.accept(event(1, event_id="ev-9"))
        await asyncio.sleep(60)
        assert [len(message.items) for message in desk.messages] == [4, 4]
    assert len(set(desk.ids())) == 1


@virtual
async def test_a_storm_is_told_as_one_message():
    desk = FakeReceiver()
    storm = Storm(limit=5, per=timedelta(minutes=5))
    async with running(engine({"desk": desk}, storm=storm)) as notifier:
        for number in range(25):
            await notifier.accept(event(1, event_id=f"ev-{number:02}"))
            await asyncio.sleep(1)
        await asyncio.sleep(600)
    assert [len(message.items) for message in desk.messages] == [0] * 5 + [20]


@virtual
async def test_a_silence_holds_until_it_ends_or_is_taken_back():
    desk = FakeReceiver()
    silence = Silence(id="s1", match=Match(leaders=("xi-jinping",)), until=NOW + timedelta(hours=1), reason="known")
    async with running(engine({"desk": desk})) as notifier:
        await notifier.note(silence)
        assert (await notifier.accept(event(1)))["desk"].reason == "silenced"
        await asyncio.sleep(3601)
        await notifier.accept(event(2, place=BEIJING))
        await asyncio.sleep(1)
        assert desk.tells() == ["first"]
        await notifier.note(Silence(id="s2", match=Match(), until=NOW + timedelta(hours=9), reason="all"))
        notifier.unsilence("s2")
        await notifier.accept(event(3, place=BEIJING, status="cancelled"))
        await asyncio.sleep(60)
    assert desk.tells() == ["first", "retract"]


LINKS = AckLinks(Acknowledge(url="https://summitry.example.org", secret=Secret("0123456789abcdef")))


@virtual
async def test_reminders_come_until_somebody_has_seen_the_event():
    route = Route(name="all", receivers=("desk",), remind=Reminder(every=timedelta(minutes=30), times=3))
    desk, log = FakeReceiver(), MemoryLog()
    async with running(engine({"desk": desk}, log, policy=policy(route), ack_links=LINKS)) as notifier:
        await notifier.accept(event(1))
        await asyncio.sleep(3700)
        assert desk.tells() == ["first", "reminder", "reminder"]
        assert all("/ack?" in message.ack_url for message in desk.messages)
        await notifier.acknowledge(Ack(event_id="ev-1", by="Ada", at=virtual_clock()))
        await asyncio.sleep(7200)
    assert desk.tells() == ["first", "reminder", "reminder", "quiet"]
    assert desk.messages[-1].acknowledged == "Seen by Ada"
    assert desk.messages[-1].ack_url == ""
    async with running(engine({"desk": desk}, log, policy=policy(route), ack_links=LINKS), log) as notifier:
        await notifier.acknowledge(Ack(event_id="ev-1", by="Ada", at=virtual_clock()))
        await asyncio.sleep(7200)
    assert len(desk.messages) == 4


@virtual
async def test_an_event_that_turns_out_to_be_another_goes_on_in_its_message():
    desk = FakeReceiver()
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1, event_id="a"))
        await asyncio.sleep(60)
        await notifier.accept(event(2, event_id="a", merged_into="b"))
        await notifier.accept(event(3, event_id="b", place=BEIJING, redirects=("a",)))
        await asyncio.sleep(60)
    assert [(m.event.event_id, m.tell) for m in desk.messages] == [("a", "first"), ("b", "loud")]
    assert desk.heads[1] == {"id": desk.messages[0].id}


@virtual
async def test_an_event_that_was_merged_before_it_was_told_is_not_told():
    desk = FakeReceiver()
    desk.failures.append(DeliveryError("no", reason="server"))
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1, event_id="a"))
        await asyncio.sleep(1)
        await notifier.accept(event(2, event_id="a", merged_into="b"))
        await asyncio.sleep(600)
    assert desk.messages == []


@virtual
async def test_of_two_alerts_for_one_event_one_says_so():
    desk = FakeReceiver()
    async with running(engine({"desk": desk})) as notifier:
        await notifier.accept(event(1, event_id="a"))
        await notifier.accept(event(1, event_id="b"))
        await asyncio.sleep(60)
        for _ in range(2):
            await notifier.accept(event(2, event_id="a", merged_into="b"))
        await notifier.accept(event(3, event_id="b", redirects=("a",)))
        await asyncio.sleep(60)
    assert [(m.event.event_id, m.tell) for m in desk.messages] == [("a", "first"), ("b", "first"), ("a", "merged")]
    assert desk.messages[2].struck


@virtual
async def test_a_notice_of_the_service_is_tried_again():
    desk = FakeReceiver()
    desk.failures.append(DeliveryError("no", reason="server"))
    async with running(engine({"desk": desk})) as notifier:
        notifier.tell(notice(wording(), "desk", "msg_1", title="No articles", text="since noon", at=NOW))
        await asyncio.sleep(60)
    assert [message.headline for message in desk.messages] == ["No articles"]
    assert desk.closed
