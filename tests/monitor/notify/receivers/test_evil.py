"""Test badly behaved receivers as real processes: each attempt ends in time, with a reason and bounded memory."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import (
    AppriseReceiver,
    EmailReceiver,
    Secret,
    SlackBotReceiver,
    SlackWebhookReceiver,
    WebhookReceiver,
)
from monitor.errors import DeliveryError
from monitor.http.transport import system_trust
from monitor.notify.receivers.apprise import AppriseService
from monitor.notify.receivers.base import Receiver, UncertainError
from monitor.notify.receivers.mail import Email
from monitor.notify.receivers.slack.slack_bot import SlackBot
from monitor.notify.receivers.slack.slack_webhook import SlackWebhook
from monitor.notify.receivers.webhook import Webhook
from tests.monitor.notify.samples import message
from tests.receivers.rude import MANNERS
from tests.receivers.webhook import SECRET

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]

LOOPBACK = ("127.0.0.0/8", "::1/128")
TIMEOUT = timedelta(seconds=0.5)
#: What an attempt may cost, in KB of memory. An endless answer brought some hundred MB a second.
MOST = 64 * 1024

#: How an attempt ends, by manner: its error's reason, "" where the message is taken; `?` where it may have arrived.
HTTP = dict.fromkeys(MANNERS, "no_answer?") | {
    "good": "", "continues": "", "hints": "", "silent": "timeout?", "drips": "timeout?",
    "redirects": "redirect", "redirects-elsewhere": "redirect",
}  # fmt: skip
#: A webhook's answer is its status; whatever comes behind the head is not read.
WEBHOOK = HTTP | dict.fromkeys(
    [
        "drips-body", "endless-body", "bomb", "half-a-body", "half-a-chunk", "negative-length", "a-list", "deep",
        "not-a-number", "half-characters", "no-text",
    ],
    "",
)  # fmt: skip
SLACK = HTTP | {
    "drips-body": "timeout?", "continues-for-ever": "timeout?", "hints-slowly-for-ever": "timeout?",
    "switches": "server?", "status-zero": "server?", "a-list": "server?",
}  # fmt: skip
TLS = {"tls": "", "other-name": "tls", "expired": "tls", "self-signed": "tls", "no-tls": "timeout?"}


@pytest.fixture(scope="module")
def ports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Where the process listens; its authority is one that everybody trusts."""
    folder = tmp_path_factory.mktemp("rude")
    command = [sys.executable, "-m", "tests.receivers.rude", str(folder)]
    with (
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process,
        pytest.MonkeyPatch.context() as patch,
    ):
        assert process.stdout is not None
        found = json.loads(process.stdout.readline())
        patch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
        system_trust.cache_clear()
        yield found
    system_trust.cache_clear()


def receiver(kind: str, url: str) -> Receiver:
    if kind == "webhook":
        return Webhook(
            WebhookReceiver(
                url=Secret(f"{url}/secret-part"), secrets=(Secret(SECRET),), allow_private_networks=LOOPBACK,
                timeout=TIMEOUT,
            )
        )  # fmt: skip
    if kind == "slack_webhook":
        return SlackWebhook(
            SlackWebhookReceiver(url=Secret(f"{url}/secret-part"), allow_private_networks=LOOPBACK, timeout=TIMEOUT)
        )
    return SlackBot(
        SlackBotReceiver(token=Secret("xoxb-secret-part"), channel="C0123456789", api_url=f"{url}/", timeout=TIMEOUT),
        pace=0,
    )


async def outcome(one: Receiver, *, find: bool = False) -> str:
    """How an attempt ends, in the words of the tables above; it has to be in time by itself."""
    before = memory()
    failed: DeliveryError | None = None
    try:
        async with asyncio.timeout(5 if not isinstance(one, AppriseService) else 30):
            await (one.find(message(), None) if find else one.deliver(message(), None))
    except DeliveryError as error:
        failed = error
    finally:
        await one.close()
    assert memory() - before < MOST
    if failed is None:
        return ""
    assert "secret-part" not in f"{failed} {failed.__cause__}"
    return f"{failed.reason}{'?' if isinstance(failed, UncertainError) else ''}"


def memory() -> int:
    """KB that this process takes, 0 where nobody says."""
    path = Path("/proc/self/status")
    lines = path.read_text().splitlines() if path.exists() else []
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)


@pytest.mark.parametrize("kind", ["webhook", "slack_webhook"])
@pytest.mark.parametrize("manner", MANNERS)
async def test_a_webhook_that_answers_rudely(ports: dict[str, int], manner: str, kind: str) -> None:
    assert await outcome(receiver(kind, f"http://127.0.0.1:{ports['plain']}/{manner}")) == WEBHOOK[manner]


@pytest.mark.parametrize("find", [False, True], ids=["deliver", "find"])
@pytest.mark.parametrize("manner", MANNERS)
async def test_a_slack_that_answers_rudely(ports: dict[str, int], manner: str, find: bool) -> None:
    told = await outcome(receiver("slack", f"http://127.0.0.1:{ports['plain']}/{manner}"), find=find)
    assert told == SLACK[manner]


@pytest.mark.parametrize("kind", ["webhook", "slack_webhook", "slack"])
@pytest.mark.parametrize("port", TLS)
async def test_a_certificate_that_is_not_valid_is_said_and_leaves_no_doubt(
    ports: dict[str, int], port: str, kind: str
) -> None:
    assert await outcome(receiver(kind, f"https://localhost:{ports[port]}/good")) == TLS[port]


@pytest.mark.parametrize("kind", ["webhook", "slack"])
@pytest.mark.parametrize("manner", ["drips", "resets", "half-a-head", "endless-header", "continues"])
async def test_bad_manners_behind_tls(ports: dict[str, int], manner: str, kind: str) -> None:
    expected = (WEBHOOK if kind == "webhook" else SLACK)[manner]
    assert await outcome(receiver(kind, f"https://localhost:{ports['tls']}/{manner}")) == expected


@pytest.mark.parametrize("kind", ["webhook", "slack"])
async def test_a_server_that_speaks_http2_only(ports: dict[str, int], kind: str) -> None:
    assert await outcome(receiver(kind, f"https://localhost:{ports['http2']}/frames")) == "no_answer?"


async def test_an_expired_certificate_is_told_as_such(ports: dict[str, int]) -> None:
    for kind in ("webhook", "slack"):
        one = receiver(kind, f"https://localhost:{ports['expired']}/good")
        with pytest.raises(DeliveryError, match="certificate has expired"):
            await one.deliver(message(), None)
        await one.close()


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # apprise asks for it
@pytest.mark.parametrize(
    ("manner", "expected"),
    [
        ("good", {""}),
        ("redirects", {"refused?"}),
        ("drips", {"timeout?"}),
        # Its process has half a second and 512 MB, and how fast the machine is decides which of them ends first.
        ("endless-body", {"timeout?", "refused?", "no_answer?"}),
        ("bomb", {"timeout?", "refused?", "no_answer?"}),
    ],
)
async def test_a_service_of_apprise_that_answers_rudely(ports: dict[str, int], manner: str, expected: set[str]) -> None:
    one = AppriseService(AppriseReceiver(url=Secret(f"json://127.0.0.1:{ports['plain']}/{manner}"), timeout=TIMEOUT))
    assert await outcome(one) in expected
    assert await outcome(one) in expected, "the next message has a process of its own"


@asynccontextmanager
async def mail_server(first: bytes, then: bytes, every: float) -> AsyncIterator[int]:
    async def talk(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            writer.write(first)
            while True:
                writer.write(then)
                await writer.drain()
                await asyncio.sleep(every)
        except (ConnectionError, asyncio.CancelledError):
            writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("first", "then", "every", "expected"),
    [
        (b"2", b"2", 0.1, "connect"),
        (b"220-", b"a" * 65536, 0, "refused"),
        (b"", b"220-and more\r\n" * 1000, 0, "refused"),
        (b"\xff\xfe\r\n", b"", 0.1, "refused"),
    ],
    ids=["drips", "endless-line", "endless-lines", "garbage"],
)
async def test_a_mail_server_that_answers_rudely(first: bytes, then: bytes, every: float, expected: str) -> None:
    async with mail_server(first, then, every) as port:
        settings = EmailReceiver(
            host="127.0.0.1", port=port, tls="none", sender="a@example.org", to=("b@example.org",), timeout=TIMEOUT
        )
        assert await outcome(Email(settings)) == expected
