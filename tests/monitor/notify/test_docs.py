"""Test that every setting, reason and receiver is documented."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import yaml
from msgspec import inspect as types

from monitor.config import Config, Match, ReceiverConfig, load_config
from monitor.notify.logbook import TELLS
from monitor.notify.policy.decision import WHY_NOT

DOCS = Path(__file__).parents[3] / "docs"
CONFIGURATION = (DOCS / "configuration.md").read_text("utf-8")
ALERTS = (DOCS / "alerts.md").read_text("utf-8")


def keys(expected: types.Type, path: str) -> list[str]:
    """The dotted keys below a type, as the document writes them; receivers and matchers have their own tables."""
    match expected:
        case types.Metadata():
            return keys(expected.type, path)
        case types.UnionType():
            inner = [kind for kind in expected.types if not isinstance(kind, types.NoneType)]
            return keys(inner[0], path) if len(inner) == 1 else [path]
        case types.VarTupleType() if isinstance(expected.item_type, types.StructType):
            return keys(expected.item_type, f"{path}[]")
        case types.DictType():
            return []
        case types.StructType() if expected.cls is not Match:
            dotted = f"{path}." if path else ""
            return [key for field in expected.fields for key in keys(field.type, dotted + field.encode_name)]
    return [path]


def is_documented(key: str) -> bool:
    parent, _, last = key.rpartition(".")
    row = re.compile(rf"^\| .*`{re.escape(parent)}\.\w+`, `\.{last}`", re.MULTILINE)  # "`a.start`, `.end`"
    return f"`{key}`" in CONFIGURATION or row.search(CONFIGURATION) is not None


def test_every_key_of_the_configuration_is_documented():
    assert not is_documented("board.made_up")
    found = keys(types.type_info(Config), "")
    assert len(found) > 50
    assert [key for key in found if not is_documented(key)] == [], "docs/configuration.md lacks them"


@pytest.mark.parametrize("receiver", get_args(ReceiverConfig))
def test_every_key_of_every_receiver_is_documented(receiver):
    tag = receiver.__struct_config__.tag
    rows = "\n".join(line for line in CONFIGURATION.splitlines() if line.startswith(f"| {tag}: "))
    for name in receiver.__struct_fields__:
        assert f"`receivers.NAME.{name}`" in CONFIGURATION or f"`{name}`" in rows, (
            f"docs/configuration.md lacks {tag}: {name}"
        )
    assert f"| `{tag}` |" in ALERTS, f"docs/alerts.md lacks the receiver {tag}"


def test_every_matcher_reason_and_way_of_telling_is_documented():
    for name in Match.__struct_fields__:
        assert f"`{name}`" in CONFIGURATION
    for reason in WHY_NOT:
        assert f"| `{reason}` |" in ALERTS
    for tell in TELLS:
        assert f"**{tell}**" in ALERTS or f"`{tell}`" in ALERTS


def test_no_document_names_a_key_that_is_not_there():
    known = set(keys(types.type_info(Config), ""))
    named = set(
        re.findall(
            r"^\| `((?:broker|topics|poller|detection|assembly|routes|alerts|silences|web|log)[^`]*)`",
            CONFIGURATION,
            re.MULTILINE,
        )
    )
    assert named <= known


def test_the_example_is_a_configuration(tmp_path):
    example = re.search(r"```yaml\n(.*?)```", CONFIGURATION, re.DOTALL)
    assert example
    values = yaml.safe_load(example[1])
    values["receivers"]["desk"]["token"] = "xoxb-1"
    file = tmp_path / "summitry.yaml"
    file.write_text(yaml.safe_dump(values))
    key = "whsec_" + "c3VtbWl0cnktdGVzdC1zaWduaW5nLWtleS0wMQ=="
    config = load_config(file, {"PAGER_URL": "https://pager.example.org/", "PAGER_SECRET": key})
    assert [route.name for route in config.routes] == ["the pair", "the rest"]
