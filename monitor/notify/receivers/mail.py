"""Send alerts by mail: the first message starts a thread, and updates are replies to it.

Threads follow RFC 5322, 3.6.4: an update names the first message in In-Reply-To and References, and keeps its subject.
The Message-ID is made from the message's id, so mail programs recognise a message that is sent again after a crash.
`Auto-Submitted` (RFC 3834) prevents automatic replies.
"""

from __future__ import annotations

import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from html import escape

from monitor.config import EmailReceiver
from monitor.errors import ConfigError, DeliveryError
from monitor.notify.harmless import clean
from monitor.notify.logbook import Handle
from monitor.notify.messages.compose import Message
from monitor.notify.messages.plain import details, plain_text, replies
from monitor.notify.receivers.base import UNKNOWN, Lookup, Traits, UncertainError

try:
    import aiosmtplib
except ImportError as error:  # pragma: no cover - an optional package
    _fix = "pip install 'summitry[email]'"
    raise ConfigError("receivers", "type: email", "the aiosmtplib package is not installed", _fix) from error

_MAX_SUBJECT = 160


class Email:
    """Sends through one SMTP server."""

    def __init__(self, config: EmailReceiver, *, tls: ssl.SSLContext | None = None) -> None:
        self.traits = Traits(edits=False, timeout=config.timeout.total_seconds())
        self._config = config
        self._tls = tls
        self._domain = parseaddr(config.sender)[1].rpartition("@")[2]

    async def deliver(self, message: Message, head: Handle | None) -> Handle | None:
        """Send the message once to all addresses."""
        config = self._config
        mail = self.mail(message, head)
        try:
            await aiosmtplib.send(
                mail,
                sender=parseaddr(config.sender)[1],
                recipients=[parseaddr(address)[1] for address in config.to],
                hostname=config.host,
                port=config.port,
                username=config.username or None,
                password=config.password.reveal() if config.password else None,
                use_tls=config.tls == "tls",
                start_tls=config.tls == "starttls",
                tls_context=self._tls,
                timeout=config.timeout.total_seconds(),
            )
        except (aiosmtplib.SMTPConnectError, aiosmtplib.SMTPConnectTimeoutError) as error:
            raise DeliveryError("no connection", reason="connect") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise DeliveryError("the server refuses the login", reason="auth") from error
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise DeliveryError("the server refuses all recipients", reason="refused") from error
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryError(f"the server answers {error.code}", reason="refused") from error
        except (aiosmtplib.SMTPServerDisconnected, aiosmtplib.SMTPTimeoutError, OSError) as error:
            raise UncertainError(f"no answer: {type(error).__name__}") from error
        except aiosmtplib.SMTPException as error:
            raise DeliveryError(f"not sent: {type(error).__name__}", reason="refused") from error
        return head or {"message_id": str(mail["Message-ID"]), "subject": str(mail["Subject"])}

    def mail(self, message: Message, head: Handle | None) -> EmailMessage:
        """Return the message as a mail with a plain and an HTML part."""
        mail = EmailMessage(policy=SMTP)
        subject = clean(message.title, _MAX_SUBJECT)
        mail["Message-ID"] = f"<{message.id}@{self._domain}>"
        mail["Date"] = format_datetime(message.at)
        mail["From"] = _address(self._config.sender)
        mail["To"] = [_address(address) for address in self._config.to]
        if head:
            subject = head.get("subject", subject)
            mail["In-Reply-To"] = mail["References"] = head["message_id"]
        mail["Subject"] = f"Re: {subject}" if head else subject
        mail["Auto-Submitted"] = "auto-generated"
        if message.event:
            mail["X-Summitry-Event"] = clean(message.event.event_id, 200)
        mail.set_content(plain_text(message))
        mail.add_alternative(_html(message), subtype="html")
        return mail

    async def find(self, message: Message, head: Handle | None) -> Lookup:
        """Return UNKNOWN: a mail server can't be asked. A repetition has the same Message-ID."""
        return UNKNOWN

    async def close(self) -> None:
        """Do nothing: each message has its own connection."""


def _address(text: str) -> Address:
    name, address = parseaddr(text)
    return Address(display_name=name, addr_spec=address)


def _html(message: Message) -> str:
    title = escape(message.title)
    if message.struck:
        title = f"<s>{title}</s>"
    parts = [f'<h2 style="font:600 18px system-ui,sans-serif;margin:0 0 12px">{title}</h2>']
    for item in message.items:
        url = next((link.url for link in item.links if link.url), "")
        text = escape(item.headline)
        parts.append(f'<p><a href="{escape(url)}">{text}</a><br>' if url else f"<p>{text}<br>")
        parts.append("<br>".join(f"<small>{escape(line)}</small>" for line in details(item)) + "</p>")
    if message.changed:
        parts.append("<ul>" + "".join(f"<li>{escape(line)}</li>" for line in message.changed) + "</ul>")
    if message.facts:
        rows = "".join(
            f'<tr><td style="color:#667;padding:2px 16px 2px 0">{escape(name)}</td><td>{escape(value)}</td></tr>'
            for name, value in message.facts
        )
        parts.append(f'<table style="font:14px system-ui,sans-serif;border-spacing:0">{rows}</table>')
    if message.brief:
        parts.append(f"<p>{escape(message.brief)}</p>")
    if message.links:
        items = "".join(
            f'<li value="{link.n}">'
            + (f'<a href="{escape(link.url)}">{escape(link.outlet)}</a>' if link.url else escape(link.outlet))
            + (" ✓" if link.official else "")
            + (f" — {escape(link.title)}" if link.title else "")
            + "</li>"
            for link in message.links
        )
        parts.append(f"<ol>{items}</ol>")
    if message.sources:
        parts.append(f'<p style="color:#667">{escape(message.sources)}<br>{escape(message.why)}</p>')
    if links := [f'<a href="{escape(url)}">{escape(label)}</a>' for label, url in replies(message)]:
        parts.append(f"<p>{' · '.join(links)}</p>")
    body = "".join(parts)
    return f'<!doctype html><html><body style="font:14px system-ui,sans-serif;max-width:640px">{body}</body></html>'
