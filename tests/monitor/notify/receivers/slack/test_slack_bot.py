"""Test Slack over HTTP with a local server that has its limits, its rate limit and its faults."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest

from monitor.clock import real_clock
from monitor.config import Secret, SlackBotReceiver, SlackWebhookReceiver
from monitor.errors import DeliveryError
from monitor.notify import MemoryLog, NotifierSetup
from monitor.notify.delivery.attempt import Attempts
from monitor.notify.messages.compose import gathered, notice
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.base import ABSENT, UNKNOWN, Lookup, UncertainError
from monitor.notify.receivers.slack import slack_blocks
from monitor.notify.receivers.slack.slack_bot import SlackBot
from monitor.notify.receivers.slack.slack_webhook import SlackWebhook
from tests.monitor.notify.samples import BEIJING, NOW, Graveyard, engine, event, message, policy
from tests.receivers.slack import CHANNEL, TOKEN, Slack


@pytest.fixture
async def slack():
    async with Slack(burst=10) as running:
        yield running


def bot(slack: Slack, *, pace: float = 0.0, **changes: Any) -> SlackBot:
    values = {"token": Secret(TOKEN), "channel": CHANNEL, "api_url": slack.api_url, "timeout": timedelta(seconds=2)}
    return SlackBot(SlackBotReceiver(**{**values, **changes}), pace=pace)


@pytest.fixture
async def desk(slack):
    receiver = bot(slack)
    yield receiver
    await receiver.close()


async def test_the_head_is_posted_edited_and_replied_to(slack, desk):
    told = event(1)
    head = await desk.deliver(message(revision=1), None)
    assert head["channel"] == CHANNEL
    await desk.deliver(message("loud", told, changed=("place",), revision=2, place=BEIJING), head)
    await desk.deliver(message("quiet", told, changed=("coverage",), revision=3, place=BEIJING, publishers=9), head)
    (posted,) = slack.heads()
    (reply,) = slack.replies()
    assert posted.edits == 2
    assert "9 publishers" in posted.visible()
    assert "Beijing" in posted.visible()
    assert "Place: Beijing, China" in reply.visible()
    assert reply.thread_ts == posted.ts
    assert not reply.broadcast


async def test_a_retraction_strikes_the_head_through_and_is_told_to_the_channel(slack, desk):
    told = event(1)
    head = await desk.deliver(message(revision=1), None)
    await desk.deliver(message("retract", told, changed=("status",), revision=2, status="denied"), head)
    (posted,), (reply,) = slack.heads(), slack.replies()
    assert posted.blocks[0]["text"]["text"].startswith("~*")
    assert posted.blocks[0]["text"]["text"].endswith("*~")
    assert "Denied" in posted.visible()
    assert reply.broadcast
    assert "Status: denied (before: held)" in reply.visible()


async def test_a_message_that_somebody_deleted_is_posted_anew(slack, desk):
    head = await desk.deliver(message(revision=1), None)
    slack.messages.clear()
    again = await desk.deliver(message("quiet", event(1), revision=2, publishers=5), head)
    assert again["ts"] == slack.heads()[0].ts != head["ts"]


async def test_a_reply_goes_where_the_head_is_although_the_channel_was_changed(slack, desk):
    head = await desk.deliver(message(revision=1), None)
    moved = bot(slack, channel="C9999999999")
    await moved.deliver(message("loud", event(1), changed=("place",), revision=2, place=BEIJING), head)
    await moved.close()
    assert slack.replies()[0].channel == CHANNEL


async def test_a_lost_answer_is_found_in_the_history(slack, desk):
    sent = message(revision=1)
    slack.script.faults.append(("lose", None))
    with pytest.raises(UncertainError):
        await desk.deliver(sent, None)
    lookup = await desk.find(sent, None)
    assert lookup.state == "there"
    assert lookup.head["ts"] == slack.heads()[0].ts
    assert await desk.find(message(revision=7), None) == lookup, "a later report of the event is no other first message"
    assert await desk.find(message(event_id="another"), None) == ABSENT


async def test_a_lost_reply_is_found_in_its_thread(slack, desk):
    head = await desk.deliver(message(revision=1), None)
    update = message("loud", event(1), changed=("place",), revision=2, place=BEIJING)
    slack.script.faults.extend([("", None), ("lose", None)])
    with pytest.raises(UncertainError):
        await desk.deliver(update, head)
    assert await desk.find(update, head) == Lookup("there", head)
    assert await desk.find(message("quiet", event(1), revision=3), head) == UNKNOWN, "an edit is made again"


async def test_a_message_is_found_on_a_later_page_of_the_history(slack, desk):
    first = message(revision=1, event_id="first")
    await desk.deliver(first, None)
    posted = slack.messages[0]
    slack.messages += [type(posted)(f"{float(posted.ts) + n:.6f}", CHANNEL, "chat", [], None) for n in range(1, 450)]
    assert (await desk.find(first, None)).state == "there"


async def test_without_the_right_to_read_history_a_repetition_is_better_than_a_loss(slack, desk):
    slack.history_allowed = False
    assert await desk.find(message(), None) == UNKNOWN


@pytest.mark.parametrize(
    ("fault", "reason", "unsure"),
    [
        (("status", 503), "server", True),
        (("error", "fatal_error"), "server", True),
        (("error", "invalid_auth"), "auth", False),
        (("error", "channel_not_found"), "channel", False),
        (("error", "something_new"), "refused", False),
        (("ratelimit", 30), "rate_limited", False),
        (("lose_before", None), "no_answer", True),
    ],
)
async def test_each_refusal_has_its_reason(slack, desk, fault, reason, unsure):
    slack.script.faults.append(fault)
    with pytest.raises(DeliveryError) as caught:
        await desk.deliver(message(), None)
    assert caught.value.reason == reason
    assert isinstance(caught.value, UncertainError) is unsure
    assert caught.value.retryable
    assert TOKEN not in str(caught.value)
    if reason == "rate_limited":
        assert caught.value.retry_after == 30


async def test_a_connection_that_breaks_is_not_tried_again_behind_our_back(slack, desk):
    slack.script.faults.append(("lose", None))
    with pytest.raises(UncertainError):
        await desk.deliver(message(), None)
    assert len(slack.messages) == 1


async def test_no_slack_is_no_connection():
    receiver = SlackBot(SlackBotReceiver(token=Secret(TOKEN), channel=CHANNEL, api_url="http://127.0.0.1:1/api/"))
    with pytest.raises(DeliveryError) as caught:
        await receiver.deliver(message(), None)
    await receiver.close()
    assert caught.value.reason == "connect"


async def test_blocks_that_slack_does_not_take_are_sent_as_text(slack, desk):
    slack.script.faults.append(("error", "msg_blocks_too_long"))
    await desk.deliver(message(), None)
    (posted,) = slack.heads()
    assert posted.blocks == []
    assert "Putin and Xi held a video call" in posted.text


@pytest.mark.slow
async def test_one_message_a_second_keeps_within_the_rate_limit():
    async with Slack(burst=1, per_second=5.0) as slack:
        attempts = Attempts(
            NotifierSetup(policy(), {"desk": bot(slack, pace=0.35)}, MemoryLog(), wording(), (), Graveyard())
        )
        for number in range(4):
            await attempts.deliver("desk", (), message(event_id=f"ev-{number}"), None)
        await attempts.receiver("desk").close()
    assert len(slack.messages) == 4
    assert slack.limited == 0


async def test_a_digest_is_one_message_whose_events_are_updated_in_its_thread(slack, desk):
    items = tuple(message(event_id=f"ev-{n}", revision=1) for n in range(3))
    head = await desk.deliver(gathered(wording(), items, "msg_digest"), None)
    told = event(1, event_id="ev-1")
    update = message("loud", told, changed=("place",), event_id="ev-1", revision=2, place=BEIJING)
    await desk.deliver(update, {**head, "batch": "msg_digest"})
    (posted,), (reply,) = slack.heads(), slack.replies()
    assert posted.text.startswith("🟢 Digest, Wed 4 Feb 12:00: Putin–Xi (3)\n")
    assert posted.edits == 0
    assert reply.thread_ts == posted.ts


async def test_a_notice_of_the_service(slack, desk):
    await desk.deliver(notice(wording(), "desk", "msg_n", title="No articles", text="since 12:00", at=NOW), None)
    assert "No articles" in slack.heads()[0].visible()


@pytest.mark.slow
async def test_the_engine_on_slack_doubles_nothing_through_lost_answers_limits_and_restarts(slack):
    """Answers are lost after posting, a limit is hit, the process dies: one head for each event, each reply once."""
    log, graveyard = MemoryLog(), Graveyard()
    retries = (timedelta(seconds=0.05),) * 20
    slack.script.faults.extend(
        [("lose", None), ("", None), ("ratelimit", 1), ("lose", None), ("status", 500), ("lose_before", None)]
    )

    def started():
        receiver = bot(slack)
        receiver.traits = type(receiver.traits)(edits=True, timeout=3.0, settle=0.0)
        options = {"clock": real_clock, "retries": retries, "dead_letters": graveyard}
        notifier = engine({"desk": receiver}, log, **options)
        notifier.start()
        return notifier

    now = real_clock()
    first = started()
    await first.assign(0, [])
    for number in range(5):
        await first.accept(event(1, event_id=f"ev-{number}", last_seen=now, when=None))
    await slack.arrivals.wait_for(3)
    await first.stop()
    second = started()
    await second.assign(0, log.load(0))
    for number in range(5):
        await second.accept(event(2, event_id=f"ev-{number}", last_seen=now, when=None, status="cancelled"))
    async with asyncio.timeout(30):
        while any(record.state != "sent" or record.told.revision != 2 for record in second.deliveries()):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await second.stop()
    assert graveyard.letters == []
    heads = [posted.metadata["event_payload"]["event_id"] for posted in slack.heads()]
    assert sorted(heads) == [f"ev-{number}" for number in range(5)]
    replies = [posted.metadata["event_payload"]["message"] for posted in slack.replies()]
    assert len(replies) == len(set(replies))


# --- the lesser mode ----------------------------------------------------------------------------------------------


@pytest.fixture
async def incoming(slack):
    config = SlackWebhookReceiver(url=Secret(slack.incoming_url), allow_private_networks=("127.0.0.0/8",))
    receiver = SlackWebhook(config)
    yield receiver
    await receiver.close()


async def test_an_incoming_webhook_posts_the_alert_and_updates_as_messages(slack, incoming):
    head = await incoming.deliver(message(revision=1), None)
    told = event(1)
    await incoming.deliver(message("loud", told, changed=("place",), revision=2, place=BEIJING), head)
    await incoming.deliver(message("retract", told, changed=("status",), revision=3, status="denied"), head)
    assert len(slack.messages) == 3
    assert "Place: Beijing, China · " in slack.messages[1].text
    assert slack.messages[2].text.startswith("🔴 Putin–Xi video call denied")
    assert not incoming.traits.edits


async def test_an_incoming_webhook_that_was_removed_is_a_failure_that_shows_no_address(slack, incoming):
    slack.script.faults.append(("status", 404))
    with pytest.raises(DeliveryError) as caught:
        await incoming.deliver(message(), None)
    assert "secret-part" not in str(caught.value)


def test_all_blocks_together_stay_within_the_budget():
    items = tuple(message(event_id=f"ev-{n}") for n in range(80))
    blocks = slack_blocks.alert(gathered(wording(), items, "msg_digest"))
    assert len(blocks) <= slack_blocks.MAX_BLOCKS
    assert len(json.dumps(blocks, ensure_ascii=False)) <= slack_blocks.MAX_TOTAL
