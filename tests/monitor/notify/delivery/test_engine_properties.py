"""Property tests of the notifier under failures, lost answers, crashes and many revisions, in any order."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from datetime import timedelta

import pytest

from monitor.errors import DeliveryError
from monitor.notify import MemoryLog
from monitor.notify.policy.silences import Retry
from monitor.notify.receivers.base import GoneError, UncertainError
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Place
from tests.monitor.notify.samples import engine, event, run_virtual, virtual_clock

pytestmark = pytest.mark.slow

EVENTS, STEPS, STORIES = 2, 25, 150
#: What can happen, how much of it, and how often. The waits end while a message is under way, taken but not answered,
#: between two attempts, or when all is quiet.
HAPPENINGS = (
    ("event", range(EVENTS), 8),
    ("wait", (0.0, 0.1, 0.3, 1.0, 3.0, 7.0, 400.0), 8),
    ("fail", (1, 2, 3), 2),
    ("lose", (1, 2), 2),
    ("refuse", (0,), 1),
    ("gone", (0,), 1),
    ("limit", (0.0, 30.0), 1),
    ("crash", (0,), 4),
    ("handover", (0,), 1),
)


def story(dice: random.Random) -> list[tuple[str, float]]:
    chosen = dice.choices(HAPPENINGS, weights=[often for _, _, often in HAPPENINGS], k=STEPS)
    return [(what, dice.choice(values)) for what, values, _ in chosen]


async def _story(steps: list[tuple[str, float]], *, findable: bool, delay: float) -> None:
    desk, log = FakeReceiver(findable=findable, delay=delay, linger=delay, concurrency=2), MemoryLog()
    revisions: dict[int, int] = defaultdict(int)

    async def started():
        notifier = engine({"desk": desk}, log, retries=(timedelta(seconds=5),) * 40)
        notifier.start()
        await notifier.assign(0, log.load(0))
        return notifier

    notifier = await started()
    for what, value in steps:
        match what:
            case "event":
                number = int(value)
                revisions[number] += 1
                place = Place(name=f"City {revisions[number]}")
                await notifier.accept(event(revisions[number], event_id=f"ev-{number}", place=place))
            case "wait":
                await asyncio.sleep(value)
            case "fail":
                desk.failures.extend(DeliveryError("HTTP 503", reason="server") for _ in range(int(value)))
            case "lose":
                desk.lost.extend(UncertainError("no answer") for _ in range(int(value)))
            case "refuse":
                desk.failures.append(DeliveryError("too large", reason="too_large", retryable=False))
            case "gone":
                desk.failures.append(GoneError("410 Gone"))
            case "limit":
                desk.failures.append(DeliveryError("429", reason="rate_limited", retry_after=value))
            case "crash":
                await notifier.stop()
                notifier = await started()
            case "handover":
                await notifier.revoke(0)
                await notifier.stop()
                notifier = await started()
    await asyncio.sleep(4000)
    # Whoever mends the receiver asks for what was given up, and the next message tells that it is back.
    desk.failures.clear()
    await notifier.note(Retry(id="again", at=virtual_clock()))
    await asyncio.sleep(4000)
    await notifier.stop()

    for number, newest in revisions.items():
        mine = [message for message in desk.messages if message.event.event_id == f"ev-{number}"]
        # nothing is lost: the receiver's last word is the event's current state
        assert mine[-1].event.revision == newest
        # told once: all first messages are one message
        assert len({message.id for message in mine if message.tell == "first"}) == 1
        # in order: revisions never go back, and nothing comes before the first message
        told = [message.event.revision for message in mine]
        assert told == sorted(told)
        assert mine[0].tell == "first"
        # a repetition is the same message, and a receiver that can be asked gets none
        ids = [message.id for message in mine]
        if findable:
            assert len(ids) == len(set(ids))
        contents = {message.id: message.event for message in mine}
        assert all(contents[message.id] == message.event for message in mine)
    assert {record.state for record in log.load(0)} <= {"sent"}


@pytest.mark.parametrize("findable", [True, False])
def test_any_story_ends_well(findable):
    for seed in range(STORIES):
        dice = random.Random(seed)
        steps = story(dice)
        try:
            run_virtual(_story(steps, findable=findable, delay=dice.choice((0.2, 2.0))))
        except AssertionError as error:
            raise AssertionError(f"story {seed}: {steps}") from error
