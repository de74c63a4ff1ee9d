"""Slack by incoming webhook, the lesser mode: it answers "ok" and nothing else.

So nothing can be edited, found or threaded. Updates that deserve it are messages of their own; new coverage alone is
not told; after a crash between sending and noting it, a message may come twice. https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
"""

from __future__ import annotations

import msgspec

from monitor import __version__
from monitor.config import SlackWebhookReceiver
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.receivers import slack_blocks
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits
from monitor.notify.receivers.posting import Poster


class SlackWebhook:
    """Posts to one incoming webhook."""

    def __init__(self, config: SlackWebhookReceiver) -> None:
        timeout = config.timeout.total_seconds()
        self.traits = Traits(edits=False, timeout=timeout)
        self._poster = Poster(config.url.reveal(), config.allow_private_networks, timeout)

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
        """Say that nobody can know: Slack gives nothing back."""
        return UNKNOWN

    async def close(self) -> None:
        """Let the connections go."""
        await self._poster.close()
