"""Test that manifests for operators (Prometheus operator, KEDA, Strimzi) match those operators' schemas."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.deploy.test_chart import OPERATED
from tests.deploy.test_manifests import KUBERNETES, named

KINDS: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("operators.yaml").read_text())
OPTIONS = [
    one
    for path in sorted((KUBERNETES / "options").rglob("resources.yaml"))
    for one in yaml.safe_load_all(path.read_text())
]
MANIFESTS = [*(one for one in OPERATED if one["kind"] in KINDS), *OPTIONS]


def check(manifest: dict[str, Any]) -> None:
    """Raise ValidationError for a manifest that its operator would refuse."""
    kind = KINDS[manifest["kind"]]
    jsonschema.Draft202012Validator.check_schema(kind["spec"])
    metadata: dict[str, Any] = {
        "properties": {"name": {"pattern": r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$"}}, "required": ["name"],
    }  # fmt: skip
    whole = {
        "required": ["apiVersion", "kind", "metadata", "spec"],
        "additionalProperties": False,
        "properties": {
            "apiVersion": {"const": kind["apiVersion"]},
            "kind": {},
            "metadata": {"allOf": [metadata, kind.get("metadata", {})]},
            "spec": kind["spec"],
        },
    }
    jsonschema.validate(manifest, whole, jsonschema.Draft202012Validator)


@pytest.mark.parametrize("manifest", MANIFESTS, ids=named)
def test_it_is_what_its_operator_takes(manifest: dict[str, Any]) -> None:
    check(manifest)


def test_each_kind_is_in_the_chart_and_each_option_is_of_a_known_kind() -> None:
    assert {one["kind"] for one in OPERATED} >= set(KINDS)
    assert {one["kind"] for one in OPTIONS} <= set(KINDS)


MISTAKES: list[tuple[str, tuple[str | int, ...], object]] = [
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "intervall"), "15s"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "interval"), "15 seconds"),
    ("PodMonitor", ("spec", "podMetricsEndpoints", 0, "port"), 9652),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "labels", "severity"), 1),
    ("PrometheusRule", ("spec", "groups", 0, "rules", 0, "four"), "5m"),
    ("ScaledObject", ("spec", "triggers", 0, "metadata", "lagThreshold"), 2000),
    ("ScaledObject", ("spec", "triggers", 0, "metadata", "bootstrapServers"), "kafka://kafka:9092"),
    ("ScaledObject", ("spec", "minReplicas"), 2),
    ("KafkaNodePool", ("spec", "roles"), ["zookeeper"]),
    ("KafkaNodePool", ("spec", "storage"), {"type": "persistent-claim"}),
    ("KafkaNodePool", ("metadata", "labels"), {}),
    ("Kafka", ("spec", "kafka", "listeners", 0, "name"), "plain-text"),
    ("Kafka", ("spec", "kafka", "config", "listeners"), "PLAINTEXT://:9092"),
    ("Kafka", ("spec", "zookeeper"), {"replicas": 3}),
    ("Kafka", ("apiVersion",), "kafka.strimzi.io/v1beta1"),
    ("KafkaTopic", ("spec", "partitions"), "8"),
    ("KafkaTopic", ("spec", "config", "retention.hours"), 24),
    ("KafkaTopic", ("metadata", "name"), "summitry.Articles"),
]


@pytest.mark.parametrize(("kind", "place", "value"), MISTAKES)
def test_a_mistake_is_refused(kind: str, place: tuple[str | int, ...], value: object) -> None:
    wrong: Any = copy.deepcopy(next(one for one in MANIFESTS if one["kind"] == kind))
    inner = wrong
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    with pytest.raises(jsonschema.ValidationError):
        check(wrong)
