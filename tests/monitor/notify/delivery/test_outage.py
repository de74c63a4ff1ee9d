"""Test one receiver that is down for an hour of 500 events: the other is not affected, and it catches up."""

from __future__ import annotations

import asyncio
import statistics

import pytest

from monitor.notify.receivers.fake import FakeReceiver
from tests.monitor.notify.samples import BEIJING, NOW, engine, event, run_virtual, virtual_clock

pytestmark = pytest.mark.slow

EVENTS, EVERY = 500, 7.2  # an hour's worth


async def _hour(*, outage: bool) -> tuple[FakeReceiver, FakeReceiver, float]:
    """The receiver that is down (or not), the healthy one, and the healthy one's p99 latency in virtual seconds."""
    down, well = FakeReceiver(concurrency=4, delay=0.08), FakeReceiver(concurrency=4, delay=0.08)
    loop = asyncio.get_running_loop()
    if outage:
        down.down = lambda: (virtual_clock() - NOW).total_seconds() < 3600
    notifier = engine({"down": down, "well": well})
    notifier.start()
    await notifier.assign(0, [])
    sent_at: dict[tuple[str, int], float] = {}
    for number in range(EVENTS):
        name = f"ev-{number:03}"
        sent_at[name, 1] = loop.time()
        await notifier.accept(event(1, event_id=name))
        await asyncio.sleep(EVERY / 2)
        if number >= 10:  # news of an earlier event
            older = f"ev-{number - 10:03}"
            sent_at[older, 2] = loop.time()
            await notifier.accept(event(2, event_id=older, place=BEIJING, last_seen=virtual_clock()))
        await asyncio.sleep(EVERY / 2)
    await asyncio.sleep(900)
    latencies = [
        at - sent_at[message.event.event_id, message.event.revision]
        for message, at in zip(well.messages, well.taken_at, strict=True)
    ]
    await notifier.stop()
    return down, well, statistics.quantiles(latencies, n=100)[98]


def test_a_dead_receiver_delays_no_other_and_catches_up_with_one_message_an_event():
    results = {}

    async def both(outage: bool) -> None:
        results[outage] = await _hour(outage=outage)

    run_virtual(both(outage=False))
    run_virtual(both(outage=True))
    _, well, calm = results[False]
    down, still_well, stormy = results[True]
    assert len(well.messages) == len(still_well.messages) == 2 * EVENTS - 10
    assert stormy <= calm * 1.1, f"p99 {calm:.3f} s alone, {stormy:.3f} s beside a dead receiver"
    # after the recovery: one message for each event, in its current state
    told = {message.event.event_id: message for message in down.messages}
    assert len(down.messages) == len(told) == EVENTS
    assert all(message.tell == "first" for message in down.messages)
    assert all(told[f"ev-{number:03}"].event.revision == 2 for number in range(EVENTS - 10))
    # and it caught up within minutes, not after the schedule's hours
    assert max(down.taken_at) - 3600 < 600
