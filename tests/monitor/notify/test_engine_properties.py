"""Whatever happens in whatever order: failures, lost answers, crashes, floods of revisions; what must hold, holds."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from monitor.errors import DeliveryError
from monitor.notify import MemoryLog
from monitor.notify.receivers.base import UncertainError
from monitor.notify.receivers.fake import FakeReceiver
from monitor.records import Place
from tests.monitor.notify.samples import engine, event, run_virtual

EVENTS = 3
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("event"), st.integers(0, EVENTS - 1)),
        st.tuples(st.just("wait"), st.sampled_from([0.0, 0.3, 1.0, 6.0, 400.0])),
        st.tuples(st.just("fail"), st.integers(1, 3)),
        st.tuples(st.just("lose"), st.integers(1, 2)),
        st.tuples(st.just("crash"), st.just(0)),
        st.tuples(st.just("handover"), st.just(0)),
    ),
    max_size=30,
)


async def _story(steps: list[tuple[str, float]], *, findable: bool, delay: float) -> None:
    desk, log = FakeReceiver(findable=findable, delay=delay, concurrency=2), MemoryLog()
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
            case "crash":
                await notifier.stop()
                notifier = await started()
            case "handover":
                await notifier.revoke(0)
                await notifier.stop()
                notifier = await started()
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


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.booleans(), st.sampled_from([0.0, 0.2, 2.0]))
def test_any_story_ends_well(steps, findable, delay):
    run_virtual(_story(steps, findable=findable, delay=delay))
