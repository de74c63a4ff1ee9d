"""Post alerts to an incoming webhook of Slack. A bot token (`slack_bot`) can do more.

The webhook answers only "ok", so messages can't be edited, found or threaded. Important updates are new messages; new
coverage alone is not sent. After a crash between sending and logging, a message may be posted twice.
https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import msgspec

from monitor import __version__
from monitor.config import SlackWebhookReceiver
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits
from monitor.notify.receivers.slack import slack_blocks
from monitor.notify.receivers.webhook_client import WebhookClient


class SlackWebhook:
    """Posts to one incoming webhook."""

    def __init__(self, config: SlackWebhookReceiver) -> None:
        timeout = config.timeout.total_seconds()
        self.traits = Traits(edits=False, timeout=timeout)
        self._poster = WebhookClient(config.url.reveal(), config.allow_private_networks, timeout)

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Post the message once."""
        update = head is not None and message.tell != "retract"
        content = {
            "text": slack_blocks.fallback(message, prefixed=head is not None),
            "blocks": slack_blocks.update(message) if update else slack_blocks.alert(message),
            "unfurl_links": False,
        }
        headers = {"content-type": "application/json; charset=utf-8", "user-agent": f"Summitry/{__version__}"}
        await self._poster.post(msgspec.json.encode(content), headers)
        return head or {}

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: the webhook can't be asked."""
        return UNKNOWN

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
