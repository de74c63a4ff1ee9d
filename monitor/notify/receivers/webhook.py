"""Post alerts to a webhook as the Standard Webhooks specification 1.0 says, with a CloudEvents 1.0 structured body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md: `webhook-id` is the same for
all attempts; there is a signature for each secret, so that secrets can be replaced; 2xx is success; redirects are not
followed; 410 means that the endpoint is gone; Retry-After is obeyed.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

import msgspec
from standardwebhooks import Webhook as Signer

from monitor import __version__
from monitor.config import WebhookReceiver
from monitor.notify.logbook import Handle
from monitor.notify.messages.cloudevents import body
from monitor.notify.messages.compose import Message
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits
from monitor.notify.receivers.webhook_client import WebhookClient


class Webhook:
    """Posts to one endpoint."""

    def __init__(self, config: WebhookReceiver, *, now: Callable[[], float] = time.time) -> None:
        timeout = config.timeout.total_seconds()
        self.traits = Traits(edits=True, concurrency=config.concurrency, timeout=timeout)
        self._signers = [Signer(secret.reveal()) for secret in config.secrets]
        self._headers = {name: value.reveal() for name, value in config.headers.items()}
        self._now = now
        self._poster = WebhookClient(config.url.reveal(), config.allow_private_networks, timeout)

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Post the message once."""
        content = msgspec.json.encode(body(message))
        # The machine's time, not the service's clock, since the receiver compares it with its own clock.
        at = datetime.fromtimestamp(int(self._now()), UTC)
        text = content.decode()
        headers = {
            **self._headers,
            "content-type": "application/cloudevents+json; charset=utf-8",
            "user-agent": f"Summitry/{__version__}",
            "webhook-id": message.id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(signer.sign(message.id, at, text) for signer in self._signers),
        }
        await self._poster.post(content, headers)
        return head or {"id": message.id}

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: an endpoint can't be asked. It recognises a repetition by its webhook-id."""
        return UNKNOWN

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()
