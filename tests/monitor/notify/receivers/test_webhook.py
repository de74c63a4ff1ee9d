"""Test webhooks over HTTP with a local endpoint: signatures, body, answers, and refused addresses."""

from __future__ import annotations

import asyncio
import json
import ssl
from datetime import timedelta
from importlib import resources
from typing import Any

import jsonschema
import pytest
import trustme
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from standardwebhooks import Webhook as Verifier
from standardwebhooks import WebhookVerificationError

from monitor.config import Secret, WebhookReceiver
from monitor.errors import DeliveryError
from monitor.http.transport import system_trust
from monitor.notify.messages.cloudevents import schema
from monitor.notify.messages.compose import gathered, notice
from monitor.notify.messages.wording import wording
from monitor.notify.receivers.base import GoneError, UncertainError
from monitor.notify.receivers.webhook import Webhook
from tests.monitor.notify.samples import BEIJING, NOW, event, message
from tests.receivers.webhook import OLD_SECRET, SECRET, WebhookServer

LOOPBACK = ("127.0.0.0/8", "::1/128")


def config(url: str, **changes: Any) -> WebhookReceiver:
    values: dict[str, Any] = {
        "url": Secret(url), "secrets": (Secret(SECRET),), "allow_private_networks": LOOPBACK,
        "timeout": timedelta(seconds=2),
    }  # fmt: skip
    return WebhookReceiver(**{**values, **changes})


@pytest.fixture
async def server():
    async with WebhookServer() as running:
        yield running


@pytest.fixture
async def webhook(server):
    receiver = Webhook(config(server.hook))
    yield receiver
    await receiver.close()


async def test_the_signature_is_verified_by_the_standards_own_package(server, webhook):
    sent = message()
    await webhook.deliver(sent, None)
    (received,) = server.received
    verified = Verifier(SECRET).verify(received.content, received.headers)
    assert verified["id"] == received.id == sent.id
    with pytest.raises(WebhookVerificationError):
        Verifier(SECRET).verify(received.content.replace(b"Xi", b"Yi"), received.headers)


async def test_both_secrets_sign_during_a_rotation(server):
    receiver = Webhook(config(server.hook, secrets=(Secret(SECRET), Secret(OLD_SECRET))))
    await receiver.deliver(message(), None)
    await receiver.close()
    (received,) = server.received
    for secret in (SECRET, OLD_SECRET):
        Verifier(secret).verify(received.content, received.headers)
    assert len(received.headers["webhook-signature"].split()) == 2


async def test_the_body_is_a_cloud_event_with_the_events_json(server, webhook):
    told = event(1)
    await webhook.deliver(message("loud", told, changed=("place",), revision=2, place=BEIJING), {"id": "msg_0"})
    (received,) = server.received
    cloud = from_http_event(HTTPMessage(received.headers, received.content))
    assert cloud.get_type() == "summitry.event.changed"
    assert cloud.get_source() == "urn:summitry"
    assert cloud.get_subject() == "ev-1"
    assert cloud.get_time() == NOW
    data = received.body["data"]
    assert data["event"]["place"] == {"name": "Beijing", "country": "CN"}
    assert data["changed"] == ["Place: Beijing, China"]
    assert data["event"]["revision"] == 2


async def test_every_kind_of_body_is_valid_by_the_published_schema(server, webhook):
    messages = [message(tell) for tell in ("first", "loud", "quiet", "retract", "merged", "reminder")]
    messages.append(gathered(wording(), tuple(messages[:3]), "msg_digest"))
    messages.append(notice(wording(), "desk", "msg_n", title="No articles", text="since noon", at=NOW))
    for sent in messages:
        await webhook.deliver(sent, None)
    validator = jsonschema.Draft202012Validator(schema())
    for received in server.received:
        validator.validate(received.body)
    broken = server.received[0].body
    broken["data"]["event"]["kind"] = "dinner"
    with pytest.raises(jsonschema.ValidationError):
        validator.validate(broken)


def test_the_published_schema_is_the_one_of_the_code():
    text = (resources.files("monitor.notify") / "data" / "event.schema.json").read_text("utf-8")
    assert json.loads(text) == json.loads(json.dumps(schema()))


@pytest.mark.parametrize(
    ("fault", "expected", "reason"),
    [
        (("status", 500), UncertainError, "server"),
        (("status", 503), UncertainError, "server"),
        (("status", 404), DeliveryError, "refused"),
        (("redirect", "/elsewhere"), DeliveryError, "redirect"),
        (("gone", None), GoneError, "gone"),
        (("lose", None), UncertainError, "no_answer"),
        (("retry_after", 17), DeliveryError, "rate_limited"),
    ],
)
async def test_an_answer_that_is_not_2xx_is_a_failure_with_a_reason(server, webhook, fault, expected, reason):
    server.script.faults.append(fault)
    with pytest.raises(expected) as caught:
        await webhook.deliver(message(), None)
    assert caught.value.reason == reason
    assert isinstance(caught.value, UncertainError) is (expected is UncertainError)
    assert "secret-part" not in str(caught.value)
    if reason == "rate_limited":
        assert caught.value.retry_after == 17
    if reason == "redirect":
        assert server.received == [], "a redirect is not followed"


async def test_a_slow_answer_leaves_it_open_whether_the_message_arrived(server):
    receiver = Webhook(config(server.hook, timeout=timedelta(seconds=0.2)))
    server.script.faults.append(("slow", 5))
    with pytest.raises(UncertainError):
        await receiver.deliver(message(), None)
    await receiver.close()


async def test_no_server_is_no_connection_and_no_doubt(server):
    receiver = Webhook(config("http://127.0.0.1:1/hook"))
    with pytest.raises(DeliveryError) as caught:
        await receiver.deliver(message(), None)
    await receiver.close()
    assert caught.value.reason == "connect"
    assert not isinstance(caught.value, UncertainError)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/",
        "http://[::ffff:127.0.0.1]:{port}/",
        "http://169.254.169.254/latest",
        "http://10.0.0.1/",
    ],
)
async def test_an_address_of_the_own_network_is_refused_unless_it_is_allowed(server, url):
    receiver = Webhook(config(url.format(port=server.url.rpartition(":")[2]), allow_private_networks=()))
    with pytest.raises(DeliveryError) as caught:
        await receiver.deliver(message(), None)
    await receiver.close()
    assert caught.value.reason == "address_refused"
    assert server.received == []


async def test_the_name_on_the_certificate_is_checked_although_the_address_is_ours(tmp_path, monkeypatch, request):
    request.addfinalizer(system_trust.cache_clear)
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(tls)
    async with WebhookServer(tls) as server:
        port = server.url.rpartition(":")[2]

        async def deliver(host: str) -> None:
            receiver = Webhook(config(f"https://{host}:{port}/hook"))
            try:
                await receiver.deliver(message(), None)
            finally:
                await receiver.close()

        with pytest.raises(DeliveryError, match="certificate verify failed"):
            await deliver("localhost")  # by an authority that nobody knows
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        system_trust.cache_clear()  # as in a process that starts with this setting
        await deliver("localhost")
        assert len(server.received) == 1
        with pytest.raises(DeliveryError, match="certificate verify failed"):
            await deliver("127.0.0.1")  # not the name of the certificate


async def test_own_headers_are_sent_and_can_not_replace_the_signature(server):
    headers = {"x-desk": Secret("world"), "webhook-id": Secret("mine")}
    receiver = Webhook(config(server.hook, headers=headers))
    sent = message()
    await receiver.deliver(sent, None)
    await receiver.close()
    assert server.received[0].headers["x-desk"] == "world"
    assert server.received[0].id == sent.id


async def test_an_attempt_can_be_cancelled(server, webhook):
    server.script.faults.append(("slow", 5))
    task = asyncio.create_task(webhook.deliver(message(), None))
    await server.arrivals.wait_for(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
