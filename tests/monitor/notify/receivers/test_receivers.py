"""Test mail, apprise, the console and a Kafka topic, each with a local server or stream."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from datetime import timedelta
from email.message import EmailMessage

import pytest

from monitor.config import AppriseReceiver, ConsoleReceiver, EmailReceiver, KafkaReceiver, Secret
from monitor.errors import ConfigError, DeliveryError
from monitor.kafka import BrokerSettings, read_to_end
from monitor.notify.messages.compose import gathered, notice
from monitor.notify.messages.wording import wording
from monitor.notify.receivers import build
from monitor.notify.receivers.apprise import AppriseService
from monitor.notify.receivers.base import UncertainError
from monitor.notify.receivers.console import Console
from monitor.notify.receivers.kafka_topic import KafkaTopic
from monitor.notify.receivers.mail import Email
from tests.monitor.notify.samples import BEIJING, NOW, event, message
from tests.receivers.smtp import MailServer
from tests.receivers.webhook import WebhookServer

NO_BROKER = BrokerSettings(servers=())


@pytest.fixture
async def mail_server():
    async with MailServer() as running:
        yield running


def mailer(server: MailServer, **changes) -> Email:
    values = {
        "host": "127.0.0.1", "port": server.port, "tls": "none", "sender": "Summitry <alerts@example.org>",
        "to": ("desk@example.org", "Night Desk <night@example.org>"), "timeout": timedelta(seconds=2),
    }  # fmt: skip
    return Email(EmailReceiver(**{**values, **changes}))


def text_of(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body((kind,))
    assert part is not None
    return part.get_content()


async def test_an_alert_is_a_thread(mail_server):
    receiver = mailer(mail_server)
    head = await receiver.deliver(message(revision=1), None)
    told = event(1)
    await receiver.deliver(message("loud", told, changed=("place",), revision=2, place=BEIJING), head)
    first, reply = mail_server.mails
    assert first["Subject"] == "Putin and Xi held a video call, Wed 4 Feb · 2 sources"
    assert reply["Subject"] == "Re: Putin and Xi held a video call, Wed 4 Feb · 2 sources"
    assert reply["In-Reply-To"] == reply["References"] == first["Message-ID"]
    assert first["Message-ID"] != reply["Message-ID"]
    assert first["Auto-Submitted"] == "auto-generated"
    assert mail_server.recipients[0] == ["desk@example.org", "night@example.org"]
    assert "Place: Beijing, China" in text_of(reply, "plain")
    assert "<li>Place: Beijing, China</li>" in text_of(reply, "html")
    assert "https://news1.example.org/world/1" in text_of(first, "plain")


async def test_a_repetition_has_the_same_message_id(mail_server):
    receiver = mailer(mail_server)
    mail_server.hang_up = True
    with pytest.raises(UncertainError):
        await receiver.deliver(message(), None)
    await receiver.deliver(message(), None)
    assert mail_server.mails[0]["Message-ID"] == mail_server.mails[1]["Message-ID"]


async def test_nothing_from_outside_becomes_a_header_or_markup(mail_server):
    receiver = mailer(mail_server)
    evil = event(brief="<script>x</script>\r\nBcc: all@example.org").participants[0]
    evil = type(evil)(leader="x", name="Eve\r\nBcc: all@example.org <b>", country="RU")
    await receiver.deliver(message(participants=(evil,), brief="<script>x</script>"), None)
    (mail,) = mail_server.mails
    assert mail["Bcc"] is None
    assert "<script>" not in text_of(mail, "html")
    assert "&lt;script&gt;" in text_of(mail, "html")


async def test_a_retraction_is_struck_through_in_html(mail_server):
    receiver = mailer(mail_server)
    await receiver.deliver(message("retract", event(1), changed=("status",), revision=2, status="denied"), None)
    assert "<s>" in text_of(mail_server.mails[0], "html")
    assert text_of(mail_server.mails[0], "plain").startswith("Putin–Xi video call denied")


async def test_mail_that_can_not_be_sent_says_why(mail_server):
    mail_server.refuse = ["550 no such user", "550 no such user"]
    with pytest.raises(DeliveryError) as caught:
        await mailer(mail_server).deliver(message(), None)
    assert caught.value.reason == "refused"
    with pytest.raises(DeliveryError) as caught:
        await mailer(mail_server, port=1).deliver(message(), None)
    assert caught.value.reason == "connect"
    assert not isinstance(caught.value, UncertainError)


async def test_a_digest_by_mail(mail_server):
    items = tuple(message(event_id=f"ev-{n}") for n in range(3))
    await mailer(mail_server).deliver(gathered(wording(), items, "msg_digest"), None)
    assert text_of(mail_server.mails[0], "plain").count("held a video call") == 3


# apprise still asks for a module that Python 3.13 no longer has
old_module = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")


@pytest.mark.slow
@old_module
async def test_apprise_reaches_its_services():
    async with WebhookServer() as server:
        url = f"{server.url.replace('http', 'json', 1)}/hook"
        receiver = AppriseService(AppriseReceiver(url=Secret(url)))
        head = await receiver.deliver(message(), None)
        update = message("loud", event(1), changed=("place",), revision=2, place=BEIJING)
        await receiver.deliver(update, head)
        first, second = (item.body for item in server.received)
        server.down = True
        with pytest.raises(DeliveryError):
            await receiver.deliver(message(), None)
        await receiver.close()
    assert first["title"] == "Putin and Xi held a video call, Wed 4 Feb · 2 sources"
    assert second["title"].startswith("Place: Beijing, China · ")
    assert "Beijing" in second["message"]
    assert not receiver.traits.edits


@old_module
def test_apprise_says_when_it_does_not_know_a_url():
    with pytest.raises(ConfigError, match="does not know this URL") as caught:
        AppriseService(AppriseReceiver(url=Secret("nonsense://token-part")))
    assert "token-part" not in str(caught.value)


async def test_the_console_prints_alerts_and_one_line_for_quiet_updates():
    stream = io.StringIO()
    console = Console(colour=False, stream=stream)
    await console.deliver(message(), None)
    alert = stream.getvalue()
    assert alert.startswith("● 12:00:00 Putin and Xi held a video call, Wed 4 Feb · 2 sources\n")
    assert "[1]             Sample Outlet 1  https://news1.example.org/world/1\n" in alert
    assert "\x1b" not in alert
    stream.truncate(0), stream.seek(0)
    await console.deliver(message("quiet", event(1), revision=2, publishers=9), {})
    assert stream.getvalue().count("\n") == 1
    await console.deliver(
        notice(wording(), "console", "m", title="No article has come in", text="for long", at=NOW), None
    )
    assert "No article" in stream.getvalue()


async def test_the_console_is_coloured_where_it_is_wanted_and_strikes_a_denial_through():
    stream = io.StringIO()
    await Console(colour=True, stream=stream).deliver(message("retract", event(1), status="denied"), {})
    assert "\x1b[9m" in stream.getvalue()
    assert Console.of(ConsoleReceiver(colour="always"))._colour
    assert not Console.of(ConsoleReceiver(colour="never"))._colour


async def test_a_console_that_knows_only_ascii_shows_escapes_and_a_closed_one_is_a_failure():
    raw = io.BytesIO()
    ascii_stream = io.TextIOWrapper(raw, encoding="ascii")
    await Console(colour=False, stream=ascii_stream).deliver(message(brief="習近平 spoke"), None)
    ascii_stream.flush()
    assert b"\\u7fd2" in raw.getvalue()
    ascii_stream.close()
    with pytest.raises(DeliveryError):
        await Console(colour=False, stream=ascii_stream).deliver(message(), None)


def test_each_receiver_type_is_built(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    assert isinstance(build(ConsoleReceiver(), NO_BROKER), Console)
    assert isinstance(build(KafkaReceiver(topic="alerts"), NO_BROKER), KafkaTopic)
    assert sys.__stdout__ is not None


@pytest.mark.broker
async def test_a_kafka_topic_gets_the_webhooks_body(broker, prefix):
    from aiokafka.admin import AIOKafkaAdminClient, NewTopic

    settings = BrokerSettings.from_url(broker)
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    await admin.create_topics([NewTopic(f"{prefix}.alerts", 1, 1)])
    await admin.close()
    receiver = KafkaTopic(KafkaReceiver(topic=f"{prefix}.alerts"), settings)
    async with asyncio.timeout(30):
        for revision in (1, 2):
            await receiver.deliver(message(revision=revision), None)
    await receiver.close()
    records = [record async for record in read_to_end(settings, f"{prefix}.alerts")]
    assert [record.key for record in records] == [b"ev-1", b"ev-1"]
    bodies = [json.loads(record.value) for record in records]
    assert [dict(record.headers)["id"].decode() for record in records] == [body["id"] for body in bodies]
    assert [body["data"]["event"]["revision"] for body in bodies] == [1, 2]


async def test_no_broker_is_a_failure_that_can_be_tried_again():
    receiver = KafkaTopic(KafkaReceiver(topic="alerts"), BrokerSettings.from_url("kafka://127.0.0.1:1"))
    with pytest.raises(DeliveryError) as caught:
        await receiver.deliver(message(), None)
    await receiver.close()
    assert caught.value.reason == "connect"
