"""Acknowledgement: a signed, expiring link in the message, and what following it leaves behind.

The link carries the event's id, when it expires and an HMAC-SHA256 over both (RFC 2104), so nobody can acknowledge
what they were not told, and nothing needs to be stored to check it. Chat programs and mail filters fetch links by
themselves: GET only shows a form, POST acknowledges.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Annotated
from urllib.parse import urlencode

from msgspec import Meta

from monitor.config import Acknowledge
from monitor.errors import SummitryError
from monitor.notify.messages.texts import clean
from monitor.records import Record

PATH = "/ack"


class Ack(Record, frozen=True, kw_only=True):
    """Who has seen an event, and when; kept in the topic of acknowledgements under the event's id."""

    event_id: str
    by: str
    at: Annotated[datetime, Meta(tz=True)]


class AckRefusedError(SummitryError):
    """The link is not ours, was changed, or has expired."""

    reason = "ack_refused"


class AckLinks:
    """Makes and checks links."""

    def __init__(self, config: Acknowledge) -> None:
        self._base = config.url.rstrip("/")
        self._secret = config.secret.reveal().encode()
        self._valid: timedelta = config.valid

    def _signature(self, event_id: str, expires: str) -> str:
        text = f"ack|{event_id}|{expires}".encode(errors="surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def link(self, event_id: str, now: datetime) -> str:
        """The link that acknowledges an event."""
        expires = str(int((now + self._valid).timestamp()))
        query = urlencode({"event": event_id, "until": expires, "sig": self._signature(event_id, expires)})
        return f"{self._base}{PATH}?{query}"

    def check(self, event_id: str, until: str, signature: str, now: datetime) -> None:
        """Raises AckRefusedError when the link is not good (any more)."""
        given = signature.encode(errors="surrogatepass")
        good = hmac.compare_digest(self._signature(event_id, until).encode(), given)
        if not good or not until.isascii() or not until.isdecimal():
            raise AckRefusedError("this link is not valid")
        if datetime.fromtimestamp(int(until), UTC) < now:
            raise AckRefusedError("this link has expired")

    def acknowledged(self, event_id: str, until: str, signature: str, by: str, now: datetime) -> Ack:
        """The acknowledgement that a followed link makes. Raises AckRefusedError."""
        self.check(event_id, until, signature, now)
        return Ack(event_id=event_id, by=clean(by, 80) or "somebody", at=now)


def form(event_id: str, until: str, signature: str) -> str:
    """The page that asks who has seen the event."""
    fields = {"event": event_id, "until": until, "sig": signature}
    hidden = "".join(f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in fields.items())
    return _page(
        "Mark this alert as seen?",
        f'<form method="post" action="{PATH}">{hidden}'
        '<label>Your name <input name="by" maxlength="80" autofocus required></label> '
        "<button>Mark as seen</button></form>",
    )


def thanks(ack: Ack) -> str:
    """The page after it."""
    return _page(f"Seen by {escape(ack.by)}.", "<p>Reminders for this event have stopped.</p>")


def trouble(text: str) -> str:
    """Return the page for what went wrong with a form."""
    return _page(escape(text), "")


def refusal(error: AckRefusedError) -> str:
    """The page for a link that is not good."""
    return _page(escape(str(error)), "")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Summitry</title><body style="font:16px system-ui;margin:3rem auto;max-width:30rem">'
        f"<h1>{title}</h1>{body}"
    )
