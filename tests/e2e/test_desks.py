"""Test the way from feeds to Slack and mail: one message and one thread for a visit, planned and then cancelled."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.harness import Entry, until, world
from tests.receivers.slack import CHANNEL, TOKEN, Slack
from tests.receivers.smtp import MailServer

pytestmark = [pytest.mark.broker, pytest.mark.e2e, pytest.mark.timeout(240)]


async def test_one_slack_message_and_one_mail_thread_through_a_killed_worker(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    async with Slack() as slack, MailServer() as mail:
        receivers = {
            "room": {"type": "slack", "token": TOKEN, "channel": CHANNEL, "api_url": slack.api_url},
            "post": {
                "type": "email", "host": "127.0.0.1", "port": mail.port, "tls": "none",
                "sender": "alerts@example.org", "to": ["desk@example.org"],
            },
        }  # fmt: skip
        async with world(broker, prefix, tmp_path, ["alpha", "bravo"], receivers=receivers) as now:
            plan = "Emmanuel Macron will visit India on 20 February to meet Narendra Modi"
            now.newsroom.print("alpha", Entry("a1", plan))
            await until("the room and the mailbox are told", lambda: slack.heads() and mail.mails)
            assert "Macron to visit India for talks with Modi" in slack.heads()[0].visible()

            # the worker dies; its successor knows the message and edits it
            await now.service.kill("worker")
            off = "Emmanuel Macron's visit to India to meet Narendra Modi on 20 February has been cancelled"
            now.newsroom.print("bravo", Entry("b1", off))
            await now.service.start("worker")
            await until("the room is told that it is off", slack.replies, within=90)
            await until("the mailbox, too", lambda: any(one["In-Reply-To"] for one in mail.mails))
        (head,) = slack.heads()
        assert head.blocks[0]["text"]["text"].startswith("~*")
        assert "Called off" in head.visible()
        assert head.edits >= 1
        assert slack.replies()[0].broadcast
        assert len({reply.metadata["event_payload"]["message"] for reply in slack.replies()}) == len(slack.replies())
        first, *later = mail.mails
        # The worker may die between sending and noting it: then the mail is sent once more, the same to mail programs.
        replies = [mail for mail in later if mail["Message-ID"] != first["Message-ID"]]
        assert len(later) - len(replies) <= 1
        assert all(reply["In-Reply-To"] == first["Message-ID"] for reply in replies)
        assert not any(posted.pings() for posted in slack.messages)
        assert slack.limited == 0


async def test_a_correction_withdraws_the_alert_in_slack_and_by_webhook(
    broker: str, prefix: str, tmp_path: Path
) -> None:
    """The only source takes back what it said: its article comes again without the contact."""
    async with Slack() as slack:
        room = {"type": "slack", "token": TOKEN, "channel": CHANNEL, "api_url": slack.api_url}
        async with world(broker, prefix, tmp_path, ["alpha"], receivers={"room": room}) as now:
            now.newsroom.print("alpha", Entry("a1", "Emmanuel Macron and Narendra Modi held a phone call on Tuesday"))
            await until("the room is told", slack.heads)
            await until("the webhook, too", lambda: now.desk.of("emmanuel-macron", "narendra-modi"))
            now.newsroom.correct("alpha", Entry("a1", "Wheat prices rise in Paris for the third week"))
            await until("the room is told that it is withdrawn", slack.replies, within=60)
            told = now.desk.of("emmanuel-macron", "narendra-modi")
            await until("the webhook, too", lambda: now.desk.of("emmanuel-macron", "narendra-modi")[-1] not in told[:1])
            last = now.desk.of("emmanuel-macron", "narendra-modi")[-1]
    (head,), (reply,) = slack.heads(), slack.replies()
    assert head.blocks[0]["text"]["text"].startswith("~*")
    assert "Withdrawn" in head.visible()
    assert reply.broadcast
    assert "Withdrawn" in reply.text
    assert (last["tell"], last["event"]["status"]) == ("retract", "retracted")
