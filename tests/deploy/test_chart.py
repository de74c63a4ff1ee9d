"""Test that the chart renders valid, hardened manifests that run the same commands, and refuses wrong values."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from agents.stream.topics import declare
from monitor import __version__
from monitor.config import load_config
from tests.deploy.containers import of_manifests, require_restricted
from tests.deploy.helm import CHART, RENDERED, RENDERED_WITH_OPERATORS, WITH_OPERATORS, helm, template
from tests.deploy.test_manifests import MANIFESTS, WORKLOADS, named

OBJECTS: list[dict[str, Any]] = [one for one in yaml.safe_load_all(RENDERED.read_text()) if one]
OPERATED: list[dict[str, Any]] = [one for one in yaml.safe_load_all(RENDERED_WITH_OPERATORS.read_text()) if one]
VALUES: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text())
SCHEMA: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text())
#: What clusters have by themselves; the rest are kinds of operators.
_OPERATORS = {"ScaledObject", "PodMonitor", "PrometheusRule", "Kafka", "KafkaNodePool", "KafkaTopic"}


def test_the_chart_is_of_this_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    assert (chart["version"], chart["appVersion"]) == (__version__, __version__)
    images = {
        container["image"]
        for one in OBJECTS
        if one["kind"] in WORKLOADS
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    assert images == {f"registry.example.org/summitry:{__version__}"}


@pytest.mark.parametrize("manifest", [*OBJECTS, *(one for one in OPERATED if one["kind"] not in _OPERATORS)], ids=named)
def test_what_it_renders_is_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_it_runs_what_the_plain_manifests_run(tmp_path: Path) -> None:
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump_all(MANIFESTS))
    ours, theirs = of_manifests(RENDERED), of_manifests(plain)
    assert [(one.name, one.arguments) for one in ours] == [(one.name, one.arguments) for one in theirs]
    kinds = {named(one) for one in OBJECTS}
    assert {named(one) for one in MANIFESTS} <= kinds


def test_the_topics_come_first_with_a_configuration_of_their_own() -> None:
    hooks = {named(one): one["metadata"]["annotations"] for one in OBJECTS if "annotations" in one["metadata"]}
    job, settings = hooks["Job/summitry-topics"], hooks["ConfigMap/summitry-topics"]
    assert job["helm.sh/hook"] == settings["helm.sh/hook"] == "pre-install,pre-upgrade"
    assert int(settings["helm.sh/hook-weight"]) < int(job["helm.sh/hook-weight"])
    (job_pod,) = (one["spec"]["template"]["spec"] for one in OBJECTS if one["kind"] == "Job")
    assert {"name": "config", "configMap": {"name": "summitry-topics"}} in job_pod["volumes"]


def test_strimzi_makes_the_topics_that_the_service_declares(tmp_path: Path) -> None:
    (settings,) = (one for one in OPERATED if named(one) == "ConfigMap/summitry")
    path = tmp_path / "summitry.yaml"
    path.write_text(settings["data"]["summitry.yaml"])
    wanted = load_config(path, {}).topics
    made = {one["metadata"]["name"]: one for one in OPERATED if one["kind"] == "KafkaTopic"}
    assert {
        name: (one["spec"]["partitions"], {key: str(value) for key, value in one["spec"]["config"].items()})
        for name, one in made.items()
    } == {topic.name: (topic.partitions, dict(topic.config)) for topic in declare(wanted)}
    assert {one["spec"]["replicas"] for one in made.values()} == {wanted.replication}
    (cluster,) = (one for one in OPERATED if one["kind"] == "Kafka")
    assert "topicOperator" in cluster["spec"]["entityOperator"], "nobody else makes topics of resources"
    assert {one["metadata"]["labels"]["strimzi.io/cluster"] for one in made.values()} == {cluster["metadata"]["name"]}


def test_the_rules_on_a_cluster_are_those_of_everywhere() -> None:
    (loaded,) = (one["spec"] for one in OPERATED if one["kind"] == "PrometheusRule")
    rules = CHART.parent / "prometheus" / "rules.yml"
    assert loaded == yaml.safe_load(rules.read_text())
    assert (CHART / "rules.yml").resolve() == rules
    (monitor,) = (one["spec"] for one in OPERATED if one["kind"] == "PodMonitor")
    (job,) = set(re.findall(r'up\{job="(\w+)"\}', str(loaded)))
    assert monitor["selector"]["matchLabels"][monitor["jobLabel"]] == job, "or SummitryDown would never ring"


def test_a_broker_of_the_chart_is_not_waited_for_before_it_is_installed() -> None:
    hooks = {named(one): one["metadata"].get("annotations", {}).get("helm.sh/hook") for one in OPERATED}
    assert hooks["Job/summitry-topics"] == hooks["ConfigMap/summitry-topics"] == "post-install,post-upgrade"
    assert hooks["Kafka/kafka"] is hooks["KafkaTopic/summitry.articles"] is None


@pytest.mark.parametrize("manifest", [one for one in OBJECTS if one["kind"] in WORKLOADS], ids=named)
def test_pods_are_restricted(manifest: dict[str, Any]) -> None:
    require_restricted(manifest["spec"]["template"]["spec"])


def test_the_configuration_of_the_values_is_valid(tmp_path: Path) -> None:
    path = tmp_path / "summitry.yaml"
    path.write_text(yaml.safe_dump(VALUES["config"]))
    assert load_config(path, {}).topics.partitions >= VALUES["scaling"]["max"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("worker", {"replicas": 0, "resources": {"limits": {"memory": "1Gi"}}}),
        ("worker", {"replicas": 2, "resources": {}}),
        ("image", {"repository": "a", "tag": "latest"}),
        ("config", {"broker": {"url": "embedded"}}),
        ("scaling", {**VALUES["scaling"], "by": "memory"}),
        ("secret", "Not A Name"),
        ("wrkr", {}),
    ],
)
def test_wrong_values_are_refused(key: str, value: object) -> None:
    jsonschema.validate(VALUES, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**VALUES, key: value}, SCHEMA)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_helm_renders_what_is_tested_and_the_options() -> None:
    program = helm()
    if program is None:
        pytest.skip("there is neither helm nor Go")
    assert template(program).stdout == RENDERED.read_text(), "run `python -m tests.deploy.helm`"
    for options in ((), WITH_OPERATORS):
        linted = subprocess.run(
            [program, "lint", "--strict", CHART, *options], capture_output=True, text=True, check=False
        )
        assert linted.returncode == 0, linted.stdout + linted.stderr
    refused = template(program, "--set", "worker.replicas=none")
    assert refused.returncode
    assert "replicas" in refused.stderr
    assert template(program, *WITH_OPERATORS).stdout == RENDERED_WITH_OPERATORS.read_text(), "as above"
    assert {one["kind"] for one in OPERATED} >= _OPERATORS
    by_cpu = [one for one in yaml.safe_load_all(template(program, "--set", "scaling.by=cpu").stdout) if one]
    (scaler,) = (one for one in by_cpu if one["kind"] == "HorizontalPodAutoscaler")
    kubernetes_validate.validate(scaler, "1.34", strict=True)
    (worker,) = (one for one in by_cpu if named(one) == "Deployment/summitry-worker")
    assert "replicas" not in worker["spec"], "the scaler decides"
    least = template(program, "--set", "ingress.enabled=false,networkPolicy.enabled=false").stdout
    assert {one["kind"] for one in yaml.safe_load_all(least) if one}.isdisjoint({"Ingress", "NetworkPolicy"})
