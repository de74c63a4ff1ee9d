"""Answers of readers: signed, expiring links in the message, and what following one leaves behind.

The link carries the event's id, when it expires and an HMAC-SHA256 over both (RFC 2104), so nobody can acknowledge
what they were not told, and nothing needs to be stored to check it. Chat programs and mail filters fetch links by
themselves: GET only shows a form, POST acknowledges.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from monitor.config import Acknowledge
from monitor.errors import SummitryError
from monitor.notify.harmless import clean
from monitor.records import Moment, Record

PATH, FEEDBACK_PATH = "/ack", "/feedback"
#: What a link says: that somebody has seen the event, that it is wrong, or that an article is of another event.
Purpose: TypeAlias = Literal["ack", "wrong", "not_this_event"]
PURPOSES: tuple[Purpose, ...] = ("ack", "wrong", "not_this_event")


class Ack(Record, frozen=True, kw_only=True):
    """Who has seen an event, and when; kept in the topic of acknowledgements under the event's id.

    `verdict` is what they said of it, empty when they have only seen it.
    """

    event_id: str
    by: str
    verdict: Literal["", "wrong", "not_this_event", "right"] = ""
    at: Moment


class AckRefusedError(SummitryError):
    """Raised for a link that is not ours, was changed, or has expired."""

    reason = "ack_refused"


class AckLinks:
    """Makes links that expire, and checks them."""

    def __init__(self, config: Acknowledge) -> None:
        self._base = config.url.rstrip("/")
        self._secret = config.secret.reveal().encode()
        self._valid: timedelta = config.valid

    def _signature(self, event_id: str, expires: str, purpose: Purpose) -> str:
        text = f"{purpose}|{event_id}|{expires}".encode(errors="surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def link(self, event_id: str, now: datetime, purpose: Purpose = "ack") -> str:
        """Return the link with which a reader says one thing of an event."""
        expires = str(int((now + self._valid).timestamp()))
        fields = {"event": event_id, "until": expires, "sig": self._signature(event_id, expires, purpose)}
        if purpose == "ack":
            return f"{self._base}{PATH}?{urlencode(fields)}"
        return f"{self._base}{FEEDBACK_PATH}?{urlencode({'verdict': purpose, **fields})}"

    def check(self, event_id: str, until: str, signature: str, now: datetime, purpose: Purpose = "ack") -> None:
        """Check what a link carries. Raises AckRefusedError when it is not good (any more)."""
        given = signature.encode(errors="surrogatepass")
        good = hmac.compare_digest(self._signature(event_id, until, purpose).encode(), given)
        if not good or not until.isascii() or not until.isdecimal():
            raise AckRefusedError("this link is not valid")
        if datetime.fromtimestamp(int(until), UTC) < now:
            raise AckRefusedError("this link has expired")

    def acknowledged(self, event_id: str, until: str, signature: str, by: str, now: datetime) -> Ack:
        """Return the acknowledgement that a followed link makes. Raises AckRefusedError."""
        self.check(event_id, until, signature, now)
        return Ack(event_id=event_id, by=clean(by, 80) or "somebody", at=now)


def feedback_form(purpose: Purpose, event_id: str, until: str, signature: str) -> str:
    """Return the page that asks who says that an event is wrong, or which article is of another one."""
    asks_which = purpose == "not_this_event"
    which = '<p><label>Address of the article <input name="article" maxlength="2000"></label></p>' if asks_which else ""
    return _page(
        "Is an article here about another event?" if asks_which else "Is this alert wrong?",
        f'<form method="post" action="{FEEDBACK_PATH}">'
        f"{_hidden({'verdict': purpose, 'event': event_id, 'until': until, 'sig': signature})}{which}"
        '<p><label>What is wrong? <input name="comment" maxlength="500"></label></p>'
        '<label>Your name <input name="by" maxlength="80" autofocus required></label> '
        "<button>Say so</button></form><p>The event is silenced, and what you say is kept.</p>",
    )


def noted(by: str) -> str:
    """Return the page after it."""
    return _page(f"Thank you, {escape(by)}.", "<p>It is noted, and nothing more is told of this event.</p>")


def _hidden(fields: Mapping[str, str]) -> str:
    return "".join(f'<input type="hidden" name="{name}" value="{escape(text)}">' for name, text in fields.items())


def form(event_id: str, until: str, signature: str) -> str:
    """Return the page that asks who has seen the event."""
    hidden = _hidden({"event": event_id, "until": until, "sig": signature})
    return _page(
        "Mark this alert as seen?",
        f'<form method="post" action="{PATH}">{hidden}'
        '<label>Your name <input name="by" maxlength="80" autofocus required></label> '
        "<button>Mark as seen</button></form>",
    )


def thanks(ack: Ack) -> str:
    """Return the page after somebody has seen an event."""
    return _page(f"Seen by {escape(ack.by)}.", "<p>Reminders for this event have stopped.</p>")


def trouble(text: str) -> str:
    """Return the page for what went wrong with a form."""
    return _page(escape(text), "")


def refusal(error: AckRefusedError) -> str:
    """Return the page for a link that is not good."""
    return _page(escape(str(error)), "")


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        '<title>Summitry</title><body style="font:16px system-ui;margin:3rem auto;max-width:30rem">'
        f"<h1>{title}</h1>{body}"
    )
