"""Cases for the keys of `receivers`, by type: what a local server receives, and the receiver's traits."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from monitor.config import Config
from monitor.errors import DeliveryError
from monitor.kafka import BrokerSettings
from monitor.notify import Delivery, Pending
from monitor.notify.messages.compose import compose
from monitor.notify.messages.wording import words_of
from monitor.notify.receivers import build, kafka_topic
from monitor.notify.receivers.console import Console
from tests.monitor.config.settings.case import Case, case
from tests.monitor.notify.samples import NOW, event, message, policy
from tests.receivers.slack import CHANNEL, TOKEN, Slack
from tests.receivers.smtp import MailServer
from tests.receivers.webhook import OLD_SECRET, SECRET, WebhookServer

_SERVICE = BrokerSettings(servers=("service:9092",))
_LOCAL = ["127.0.0.0/8"]

#: What each type needs besides the key that is changed.
REQUIRED: dict[str, dict[str, Any]] = {
    "console": {},
    "webhook": {"url": "$url/hook", "secrets": [SECRET], "allow_private_networks": _LOCAL},
    "slack": {"token": TOKEN, "channel": CHANNEL, "api_url": "$url/api/"},
    "slack_webhook": {"url": "$url/services/a", "allow_private_networks": _LOCAL},
    "email": {"host": "127.0.0.1", "port": "$port", "sender": "a@a.example", "to": ["b@b.example"], "tls": "none"},
    "apprise": {"url": "json://127.0.0.1/hook"},
    "kafka": {"topic": "alerts"},
}


def required(name: str, **changes: Any) -> dict[str, Any]:
    """Give the keys of a receiver that works."""
    return {f"receivers.{name}.{key}": value for key, value in {**REQUIRED[name], **changes}.items()}


def without_server(name: str) -> dict[str, Any]:
    """Give the same for a receiver that is not used."""
    filled = {"$port": 25}
    return {
        key: filled.get(value, value.replace("$url", "https://a.example")) if isinstance(value, str) else value
        for key, value in required(name).items()
    }


def sent(name: str, seen: Callable[[Any], Any] = lambda _: "sent") -> Callable[[Config, Any], Coroutine[Any, Any, Any]]:
    """Make an outcome: what `seen` says of the server after a message was sent, or the reason why it was not."""

    async def outcome(config: Config, server: Any) -> Any:
        receiver = build(config.receivers[name], _SERVICE)
        try:
            await receiver.deliver(message(), None)
        except DeliveryError as error:
            return error.reason
        finally:
            await receiver.close()
        return seen(server)

    return outcome


def title(name: str) -> Callable[[Config], list[str]]:
    """Make an outcome: which of two languages' words the title of the receiver's message has."""

    def outcome(config: Config) -> list[str]:
        pending = Pending(event=event(), tell="first", reason="first", route="all", since=NOW, due=NOW)
        delivery = Delivery(receiver=name, event_id="ev-1", route="all")
        words = compose(words_of(config)[name], policy(), delivery, pending).title
        return [each for each in ("video call", "per Video") if each in words]

    return outcome


def time_of_day(name: str) -> Callable[[Config], str]:
    """Make an outcome: the reader's time of day in a message of 12:00 UTC."""

    def outcome(config: Config) -> str:
        pending = Pending(event=event(), tell="first", reason="first", route="all", since=NOW, due=NOW)
        delivery = Delivery(receiver=name, event_id="ev-1", route="all")
        text = Console(colour=False).text(compose(words_of(config)[name], policy(), delivery, pending))
        return text.split()[1]

    return outcome


def built(name: str, what: Callable[[Any], Any]) -> Callable[[Config], Coroutine[Any, Any, Any]]:
    """Make an outcome: something of the receiver itself."""

    async def outcome(config: Config) -> Any:
        receiver = build(config.receivers[name], _SERVICE)
        try:
            return what(receiver)
        finally:
            await receiver.close()

    return outcome


def coloured(config: Config) -> bool:
    """Say whether the console's alerts hold colours."""
    console = build(config.receivers["console"], _SERVICE)
    assert isinstance(console, Console)
    return "\x1b[" in console.text(message())


def signers(server: WebhookServer) -> list[str]:
    """Give the secrets with which the message was signed."""
    received = server.received[-1]
    found = []
    for secret in (SECRET, OLD_SECRET):
        try:
            Verifier(secret).verify(received.content, received.headers)
        except WebhookVerificationError:
            continue
        found.append(secret)
    return found


async def written(config: Config) -> tuple[str, str]:
    """Give the broker and the topic that a message is written to."""
    found: list[str] = []

    async def send_and_wait(topic: str, *_: object, **__: object) -> None:
        found.append(topic)

    @asynccontextmanager
    async def producer(broker: BrokerSettings) -> AsyncIterator[SimpleNamespace]:
        found.append(broker.servers[0])
        yield SimpleNamespace(send_and_wait=send_and_wait)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kafka_topic, "producer", producer)
        assert await sent("kafka")(config, None) == "sent"
    broker, topic = found
    return broker, topic


def _common(name: str) -> list[Case]:
    """Give the rows of the keys that every type has."""
    given = without_server(name)
    rows = [
        case(f"receivers.{name}.language", title(name), ("en", ["video call"]), ("de", ["per Video"]), given=given),
        case(f"receivers.{name}.zone", time_of_day(name), ("UTC", "12:00:00"), ("Asia/Tokyo", "21:00:00"), given=given),
    ]
    if name != "console":
        seconds = built(name, lambda receiver: receiver.traits.timeout)
        rows.append(case(f"receivers.{name}.timeout", seconds, ("15s", 15.0), ("1m", 60.0), given=given))
    return rows


WEBHOOK = (
    case("receivers.webhook.url", sent("webhook", lambda server: server.paths), ("$url/one", ["/one"]),
         ("$url/two", ["/two"]), given=required("webhook"), server=WebhookServer),
    case("receivers.webhook.secrets", sent("webhook", signers), ([SECRET], [SECRET]),
         ([SECRET, OLD_SECRET], [SECRET, OLD_SECRET]), given=required("webhook"), server=WebhookServer),
    case("receivers.webhook.headers", sent("webhook", lambda server: server.received[-1].headers.get("x-desk")),
         ({}, None), ({"X-Desk": "night"}, "night"), given=required("webhook"), server=WebhookServer),
    case("receivers.webhook.allow_private_networks", sent("webhook"), ([], "address_refused"), (_LOCAL, "sent"),
         given=required("webhook"), server=WebhookServer),
    case("receivers.webhook.concurrency", built("webhook", lambda receiver: receiver.traits.concurrency), (1, 1),
         (8, 8), given=without_server("webhook")),
)  # fmt: skip

SLACK = (
    case("receivers.slack.token", sent("slack"), (TOKEN, "sent"), ("xoxb-another", "auth"), given=required("slack"),
         server=Slack),
    case("receivers.slack.channel", sent("slack"), (CHANNEL, "sent"), ("C0000000000", "channel"),
         given=required("slack"), server=Slack),
    case("receivers.slack.api_url", sent("slack", lambda server: server.calls), ("$url/api/", ["chat.postMessage"]),
         ("$url/nowhere/", "server"), given=required("slack"), server=Slack),
    case("receivers.slack_webhook.url", sent("slack_webhook"), ("$url/services/a", "sent"), ("$url/other", "refused"),
         given=required("slack_webhook"), server=Slack),
    case("receivers.slack_webhook.allow_private_networks", sent("slack_webhook"), ([], "address_refused"),
         (_LOCAL, "sent"), given=required("slack_webhook"), server=Slack),
)  # fmt: skip

EMAIL = (
    case("receivers.email.host", sent("email"), ("127.0.0.1", "sent"), ("127.0.0.2", "connect"),
         given=required("email"), server=MailServer),
    case("receivers.email.port", sent("email"), ("$port", "sent"), (1, "connect"), given=required("email"),
         server=MailServer),
    case("receivers.email.sender", sent("email", lambda server: server.mails[-1]["From"]), ("a@a.example",
         "a@a.example"), ("Desk <c@c.example>", "Desk <c@c.example>"), given=required("email"), server=MailServer),
    case("receivers.email.to", sent("email", lambda server: server.recipients[-1]), (["b@b.example"],
         ["b@b.example"]), (["c@c.example", "d@d.example"], ["c@c.example", "d@d.example"]), given=required("email"),
         server=MailServer),
    case("receivers.email.tls", sent("email"), ("none", "sent"), ("starttls", "refused"), ("tls", "connect"),
         given=required("email"), server=MailServer),
    case("receivers.email.username", sent("email", lambda server: server.logins), ("ada", [("ada", "one")]),
         ("bob", [("bob", "one")]),
         given=required("email", password="one"), server=MailServer),
    case("receivers.email.password", sent("email", lambda server: server.logins), ("one", [("ada", "one")]),
         ("two", [("ada", "two")]), given=required("email", username="ada"), server=MailServer),
)  # fmt: skip

OTHERS = (
    case("receivers.console.colour", coloured, ("never", False), ("always", True)),
    case("receivers.apprise.url", sent("apprise", lambda server: server.paths), ("json://$host/one", ["/one"]),
         ("json://$host/two", ["/two"]), server=WebhookServer),
    case("receivers.kafka.topic", written, ("alerts", ("service:9092", "alerts")),
         ("other", ("service:9092", "other"))),
    case("receivers.kafka.broker", written, (None, ("service:9092", "alerts")), ({"url": "own:9092"},
         ("own:9092", "alerts")), given=required("kafka")),
)  # fmt: skip

ROWS: tuple[Case, ...] = (*(row for name in REQUIRED for row in _common(name)), *WEBHOOK, *SLACK, *EMAIL, *OTHERS)
