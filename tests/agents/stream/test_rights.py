"""Test that docs/security.md and `summitry topics rights` list exactly the declared rights."""

from __future__ import annotations

import re

from click.testing import CliRunner

from agents.cli import cli
from agents.stream.rights import CODES, PARTS, AccessRight, lacking, rights_of
from monitor.config import Broker, Config, KafkaReceiver
from tests.brokers import ROOT


def test_the_documented_table_is_the_declared_one() -> None:
    rows = re.findall(
        r"^\| (\w+) \| (topic|group) (`.*`) \| ([A-Z, ]+) \|$", (ROOT / "docs/security.md").read_text(), re.MULTILINE
    )
    for part in PARTS:
        told = {
            (kind, name, operation)
            for whose, kind, names, operations in rows
            for name in re.findall(r"`(\S+)`", names)
            for operation in operations.split(", ")
            if whose == part
        }
        assert told == {(right.kind, right.name, right.operation) for right in rights_of(part, Config())}, part


def test_commands_are_for_the_parts_and_users_that_were_asked_for() -> None:
    done = CliRunner().invoke(cli, ["topics", "rights", "board", "--user", "desk-{part}", "--broker", "kafka://k:9"])
    assert done.exit_code == 0, done.output
    first, *commands = done.stdout.splitlines()
    assert first == "# board"
    assert (
        "kafka-acls.sh --bootstrap-server k:9 --add --allow-principal User:desk-board "
        "--operation Read --operation Write --topic summitry.acks"
    ) in commands
    assert all("User:desk-board" in command for command in commands)


def test_a_kafka_receiver_on_the_same_broker_needs_a_right_on_its_topic() -> None:
    own, others = KafkaReceiver(topic="alerts"), KafkaReceiver(topic="far", broker=Broker(url="other:9092"))
    wanted = rights_of("worker", Config(receivers={"own": own, "others": others}))
    assert set(wanted) - set(rights_of("worker", Config())) == {AccessRight("topic", "alerts", "WRITE")}


def test_what_a_broker_does_not_tell_is_not_missing() -> None:
    read, write = AccessRight("topic", "a", "READ"), AccessRight("topic", "a", "WRITE")
    assert lacking([read, write], {("topic", "a"): 1 << CODES["WRITE"]}) == (read,)
    assert lacking([read, write], {("topic", "a"): 0}) == (read, write)
    assert lacking([read], {("topic", "a"): None}) == lacking([read], {}) == ()
