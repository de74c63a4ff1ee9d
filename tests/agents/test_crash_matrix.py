"""Kill each receiver's delivery at each step (SIGKILL, real broker): no message is lost, few are repeated.

Slack with a token never doubles. Webhooks, mail and the Kafka topic repeat the same message with the same id. The
console, Slack's incoming webhooks and apprise can't be asked and give no id: they repeat at most once, and only where
the process died after the message was sent and before that was written.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from agents.stream.topics import create
from monitor.config import TopicSettings
from monitor.kafka import BrokerSettings, read_to_end
from monitor.notify.delivery.setup import CHECKPOINTS
from tests.receivers.slack import CHANNEL, TOKEN, Slack
from tests.receivers.smtp import MailServer
from tests.receivers.webhook import SECRET, WebhookServer

pytestmark = [pytest.mark.broker, pytest.mark.chaos, pytest.mark.slow, pytest.mark.timeout(400)]

RECEIVERS = ("slack", "webhook", "slack_webhook", "email", "apprise", "kafka", "console")
#: Where the message was sent and nobody knows.
IN_DOUBT = {"after_send", "before_sent"}


def cases(folder: Path) -> list[dict[str, object]]:
    return [
        {
            "receiver": receiver,
            "step": step,
            "message": number,
            "event_id": f"{receiver}-{step}-{number}",
            "stdout": str(folder / f"{receiver}-{step}-{number}.txt"),
        }
        for receiver in RECEIVERS
        for number in (1, 2)
        for step in CHECKPOINTS
        if number == 1 or receiver in {"slack", "webhook"}
    ]


def _about(metadata: dict[str, Any]) -> str:
    return str(metadata["event_payload"]["event_id"])


async def test_sigkill_at_each_step_for_each_receiver(broker, prefix, tmp_path):
    settings = BrokerSettings.from_url(broker)
    await create(settings, TopicSettings(prefix=prefix, partitions=1))
    admin = AIOKafkaAdminClient(**settings.client_options())
    await admin.start()
    await admin.create_topics([NewTopic(f"{prefix}.out", 1, 1)])
    await admin.close()
    matrix = cases(tmp_path)
    async with Slack(burst=10_000) as slack, WebhookServer() as hook, WebhookServer() as team, MailServer() as mail:
        loopback = ["127.0.0.0/8"]
        config = {
            "topics": {"prefix": prefix},
            "receivers": {
                "slack": {"type": "slack", "token": TOKEN, "channel": CHANNEL, "api_url": slack.api_url},
                "webhook": {
                    "type": "webhook", "url": hook.hook, "secrets": [SECRET], "allow_private_networks": loopback,
                },
                "slack_webhook": {
                    "type": "slack_webhook", "url": slack.incoming_url, "allow_private_networks": loopback,
                },
                "email": {
                    "type": "email", "host": "127.0.0.1", "port": mail.port, "tls": "none",
                    "sender": "alerts@example.org", "to": ["desk@example.org"],
                },
                "apprise": {"type": "apprise", "url": f"{team.url.replace('http', 'json', 1)}/team"},
                "kafka": {"type": "kafka", "topic": f"{prefix}.out"},
                "console": {"type": "console", "colour": "never"},
            },
        }  # fmt: skip
        (tmp_path / "summitry.yaml").write_text(yaml.safe_dump(config))
        (tmp_path / "cases.json").write_text(json.dumps(matrix))
        driver = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", "-m", "tests.agents.crash_driver",
            broker, prefix, str(tmp_path / "summitry.yaml"), str(tmp_path / "cases.json"),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        output, errors = await driver.communicate()
        assert driver.returncode == 0, errors.decode()
        ends = [json.loads(line) for line in output.splitlines()]
        assert [end["event_id"] for end in ends] == [case["event_id"] for case in matrix]
        bad = [end for end in ends if (end["died"], end["successor"]) != (-9, 0)]
        assert not bad, (bad, errors.decode())

        written = [json.loads(record.value) async for record in read_to_end(settings, f"{prefix}.out")]
        for case in matrix:
            event_id, step, number = str(case["event_id"]), str(case["step"]), case["message"]
            match case["receiver"]:
                case "slack":
                    posted = [m for m in slack.messages if m.metadata and _about(m.metadata) == event_id]
                    heads = [m for m in posted if m.thread_ts is None]
                    replies = [m for m in posted if m.thread_ts is not None]
                    assert len(heads) == 1, f"{event_id}: {len(heads)} heads"
                    assert len(replies) <= 1, f"{event_id}: {len(replies)} replies"
                    assert "Beijing" in heads[0].visible(), f"{event_id}: not in its current state"
                case "webhook" | "kafka" as kind:
                    bodies = [item.body for item in hook.received] if kind == "webhook" else written
                    mine = [body for body in bodies if body["subject"] == event_id]
                    ids = Counter(body["id"] for body in mine)
                    assert mine[-1]["data"]["event"]["revision"] == 2
                    assert len({body["id"] for body in mine if body["data"]["tell"] == "first"}) == 1
                    repeated = [identity for identity, times in ids.items() if times > 1]
                    assert len(repeated) == (step in IN_DOUBT), f"{event_id}: {ids}"
                    assert max(ids.values()) <= 2
                    if repeated:
                        again = [body for body in mine if body["id"] == repeated[0]]
                        assert again[0]["data"]["tell"] == ("first" if number == 1 else "loud")
                        assert again[0]["data"] == again[1]["data"]
                case "email":
                    ids = Counter(m["Message-ID"] for m in mail.mails if m["X-Summitry-Event"] == event_id)
                    assert sum(times - 1 for times in ids.values()) == (step in IN_DOUBT), f"{event_id}: {ids}"
                case "console":
                    printed = Path(str(case["stdout"])).read_text()
                    firsts = printed.count("● ")
                    assert firsts == 1 + (step in IN_DOUBT), f"{event_id}: {printed}"
                    assert "Beijing" in printed
        # those without an id: all cases of a receiver together
        doubts = sum(step in IN_DOUBT for step in CHECKPOINTS)
        incoming = [m.text for m in slack.messages if m.metadata is None]
        teams = [item.body["title"] for item in team.received]
        for texts in (incoming, teams):
            firsts = [text for text in texts if "Place: " not in text]
            assert len(firsts) == len(CHECKPOINTS) + doubts
