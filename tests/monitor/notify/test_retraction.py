"""Test that a correction withdraws an alert from those who got it, and is not sent to anybody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from monitor.config import Route, Secret, SlackBotReceiver, WebhookReceiver
from monitor.notify.receivers.fake import FakeReceiver
from monitor.notify.receivers.slack.slack_bot import SlackBot
from monitor.notify.receivers.webhook import Webhook
from monitor.records import EVENT_STATUSES
from tests.monitor.notify.samples import engine, event, policy, virtual
from tests.receivers.slack import CHANNEL, TOKEN, Slack
from tests.receivers.webhook import SECRET, WebhookServer

#: What assembly leaves of an event whose only source was corrected.
NOTHING = {"status": "retracted", "sources": (), "publishers": 0, "reports": 0, "confidence": 0.0, "brief": ""}


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # a server's list is no event
            await asyncio.sleep(0.02)


async def test_a_correction_withdraws_the_alert_in_slack_and_by_webhook() -> None:
    async with Slack(burst=10) as slack, WebhookServer() as server:
        bot = SlackBot(SlackBotReceiver(token=Secret(TOKEN), channel=CHANNEL, api_url=slack.api_url), pace=0.0)
        hook = Webhook(
            WebhookReceiver(url=Secret(server.hook), secrets=(Secret(SECRET),), allow_private_networks=("127.0.0.0/8",))
        )
        rules = policy(receivers=("slack", "hook"), update_wait=timedelta(0))
        notifier = engine({"slack": bot, "hook": hook}, policy=rules)
        notifier.start()
        await notifier.assign(0, [])
        await notifier.accept(event(1))
        await until(lambda: slack.heads() and server.received)
        await notifier.accept(event(2, **NOTHING))
        await until(lambda: slack.replies() and len(server.received) == 2)
        await until(lambda: {delivery.state for delivery in notifier.deliveries()} == {"sent"})
        await notifier.stop()
    (head,), (reply,) = slack.heads(), slack.replies()
    assert head.blocks[0]["text"]["text"].startswith("~*")
    assert "Withdrawn" in head.visible()
    assert reply.thread_ts == head.ts
    assert reply.broadcast, "whoever saw the alert in the channel sees that it is withdrawn"
    assert "Withdrawn" in reply.text
    body = server.received[1].body
    assert body["type"] == "summitry.event.retracted"
    assert body["subject"] == "ev-1"
    assert body["data"]["tell"] == "retract"
    assert body["data"]["event"]["status"] == "retracted"


@virtual
async def test_what_was_not_told_yet_is_never_told_once_it_is_retracted() -> None:
    desk = FakeReceiver()
    route = Route(name="all", receivers=("desk",), statuses=EVENT_STATUSES)
    notifier = engine({"desk": desk}, policy=policy(route))
    notifier.start()
    await notifier.assign(0, [])
    assert (await notifier.accept(event(1, **NOTHING)))["desk"].tell is None
    desk.down = lambda: True
    await notifier.accept(event(1, event_id="waits"))
    await asyncio.sleep(1)
    desk.down = lambda: False
    await notifier.accept(event(2, event_id="waits", **NOTHING))
    await asyncio.sleep(600)
    await notifier.stop()
    assert desk.messages == []


@virtual
async def test_an_event_that_is_reported_again_after_all_is_told_again_in_its_message() -> None:
    desk = FakeReceiver()
    notifier = engine({"desk": desk})
    notifier.start()
    await notifier.assign(0, [])
    await notifier.accept(event(1))
    await asyncio.sleep(60)
    await notifier.accept(event(2, **NOTHING))
    await asyncio.sleep(60)
    await notifier.accept(event(3))
    await asyncio.sleep(60)
    await notifier.stop()
    assert [(message.tell, message.struck) for message in desk.messages] == [
        ("first", False), ("retract", True), ("loud", False),
    ]  # fmt: skip
    assert all(head == {"id": desk.messages[0].id} for head in desk.heads[1:])
