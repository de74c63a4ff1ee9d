"""The signed links with which readers answer a message, and the record of an acknowledgement.

A link contains the event's id, its time of expiry and an HMAC-SHA256 of both (RFC 2104). So only people who got the
message can answer, and no state is needed to check a link. GET only shows a form and POST acknowledges, because chat
programs and mail filters fetch links by themselves.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias
from urllib.parse import urlencode

from monitor.config import Acknowledge
from monitor.errors import SummitryError
from monitor.notify.harmless import clean
from monitor.records import Moment, Record

PATH, FEEDBACK_PATH = "/ack", "/feedback"
#: What a link is for: to acknowledge the event, to say that it is wrong, or that an article belongs to another event.
Purpose: TypeAlias = Literal["ack", "wrong", "not_this_event"]
PURPOSES: tuple[Purpose, ...] = ("ack", "wrong", "not_this_event")


class Ack(Record, frozen=True, kw_only=True):
    """Who acknowledged an event, and when. It is stored in the topic of acknowledgements under the event's id.

    `verdict` is the reader's feedback, '' for an acknowledgement alone.
    """

    event_id: str
    by: str
    verdict: Literal["", "wrong", "not_this_event", "right"] = ""
    at: Moment


class AckRefusedError(SummitryError):
    """Raised for a link with a wrong signature. `expired` is True for a valid link that has expired."""

    reason = "ack_refused"
    expired = False


class AckExpiredError(AckRefusedError):
    """Raised for a valid link that has expired."""

    expired = True


class AckLinks:
    """Makes and checks signed links that expire."""

    def __init__(self, config: Acknowledge) -> None:
        self._base = config.url.rstrip("/")
        self._secret = config.secret.reveal().encode()
        self._valid: timedelta = config.valid

    def _signature(self, event_id: str, expires: str, purpose: Purpose) -> str:
        text = f"{purpose}|{event_id}|{expires}".encode(errors="surrogatepass")
        return hmac.new(self._secret, text, hashlib.sha256).hexdigest()

    def link(self, event_id: str, now: datetime, purpose: Purpose = "ack", language: str = "en") -> str:
        """Return the link for one purpose. Its page is in the language `language`."""
        expires = str(int((now + self._valid).timestamp()))
        fields = {"event": event_id, "until": expires, "sig": self._signature(event_id, expires, purpose)}
        if language != "en":
            fields["lang"] = language
        if purpose == "ack":
            return f"{self._base}{PATH}?{urlencode(fields)}"
        return f"{self._base}{FEEDBACK_PATH}?{urlencode({'verdict': purpose, **fields})}"

    def check(self, event_id: str, until: str, signature: str, now: datetime, purpose: Purpose = "ack") -> None:
        """Check the signature and expiry of a link. Raises AckRefusedError, or AckExpiredError when it has expired."""
        given = signature.encode(errors="surrogatepass")
        good = hmac.compare_digest(self._signature(event_id, until, purpose).encode(), given)
        if not good or not until.isascii() or not until.isdecimal():
            raise AckRefusedError("this link is not valid")
        if datetime.fromtimestamp(int(until), UTC) < now:
            raise AckExpiredError("this link has expired")

    def acknowledged(self, event_id: str, until: str, signature: str, by: str, now: datetime) -> Ack:
        """Check a link, and return the acknowledgement. Raises AckRefusedError."""
        self.check(event_id, until, signature, now)
        return Ack(event_id=event_id, by=clean(by, 80) or "somebody", at=now)
