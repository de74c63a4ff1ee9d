"""Test that deployment files are valid, pinned and hardened, and run commands that exist."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import kubernetes_validate
import pytest
import yaml
from click.testing import CliRunner

from agents.cli import COMMANDS, cli
from monitor import __version__
from monitor.config import load_config
from tests.deploy.containers import require_restricted

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
KUBERNETES = ROOT / "deploy" / "kubernetes"
MANIFESTS: list[dict[str, Any]] = list(yaml.safe_load_all((KUBERNETES / "summitry.yaml").read_text()))
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
WORKLOADS = {"Deployment", "StatefulSet", "Job"}


def named(manifest: dict[str, Any]) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def commands() -> list[tuple[str, list[str]]]:
    """Every command line of ours that the deployment files run, with where it stands."""
    found = [
        (f"compose {name}", service["command"])
        for name, service in COMPOSE["services"].items()
        if service["image"].startswith("summitry:")
    ]
    for manifest in MANIFESTS:
        if manifest["kind"] in WORKLOADS:
            found += [(named(manifest), one["args"]) for one in manifest["spec"]["template"]["spec"]["containers"]]
    for unit in UNITS:
        line = next(line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
        found.append((unit.name, line.partition(" ")[2].replace("%i", "worker").split()))
    return found


@pytest.mark.parametrize(
    "command",
    [
        ["hadolint", "deploy/Dockerfile"],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", "docker-compose.yml"],
    ],
    ids=lambda command: command[0],
)
def test_linters_agree(command: list[str]) -> None:
    done = subprocess.run([str(BIN / command[0]), *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("where", "words"), commands(), ids=lambda value: value if isinstance(value, str) else "")
def test_each_command_line_is_one_that_the_program_takes(where: str, words: list[str]) -> None:
    names = [word for word in words if not word.startswith("-") and "/" not in word]
    options = [word for word in words if word.startswith("--")]
    assert names[0] in COMMANDS, where
    told = CliRunner().invoke(cli, [*names, "--help"])
    assert told.exit_code == 0, told.output
    assert all(option in told.output for option in options), where


def test_compose_runs_the_whole_service() -> None:
    assert set(COMPOSE["services"]) == {
        "kafka", "topics", "poller", "worker", "board", "caddy", "prometheus", "alertmanager", "grafana",
    }  # fmt: skip
    mounted = {
        mount.split(":")[0]
        for service in COMPOSE["services"].values()
        for mount in service.get("volumes", ())
        if mount.startswith("./")
    }
    assert all((ROOT / path).exists() for path in mounted), mounted


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_services_are_pinned_hardened_limited_and_local(name: str) -> None:
    service = COMPOSE["services"][name]
    tag = service["image"].rpartition(":")[2]
    assert tag[0].isdigit() or tag[0] == "v", service["image"]
    assert service["cap_drop"] == ["ALL"]
    assert service["mem_limit"]
    assert all(re.match(r"(\$\{\w+:-)?127\.0\.0\.1:", port) for port in service.get("ports", []))
    assert name == "kafka" or service["read_only"] is True


def test_image_tags_are_the_version_of_the_project() -> None:
    kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    tags = {kustomization["images"][0]["newTag"]}
    tags |= {s["image"].split(":")[1] for s in COMPOSE["services"].values() if s["image"].startswith("summitry:")}
    assert tags == {__version__}


def test_prometheus_finds_each_process_by_the_port_that_it_serves() -> None:
    config = load_config(ROOT / "deploy" / "config" / "summitry.yaml", {})
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    found = {(name, group["port"]) for job in scrape for group in job["dns_sd_configs"] for name in group["names"]}
    assert found == {
        ("poller", config.web.poller_port), ("worker", config.web.worker_port), ("board", config.board.port),
    }  # fmt: skip
    assert {name for name, _ in found} <= set(COMPOSE["services"])


@pytest.mark.skipif(shutil.which("amtool") is None, reason="amtool is not installed")
def test_alertmanager_takes_its_configuration() -> None:
    command = ["amtool", "check-config", "deploy/prometheus/alertmanager.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_tells_the_alertmanager_that_runs() -> None:
    told = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["alerting"]["alertmanagers"]
    ((target,),) = (group["targets"] for one in told for group in one["static_configs"])
    name, _, port = target.partition(":")
    assert any(published.endswith(f":{port}") for published in COMPOSE["services"][name]["ports"])


@pytest.mark.skipif(shutil.which("caddy") is None, reason="caddy is not installed")
@pytest.mark.parametrize("site", [":8080", "board.example.org"])
def test_caddy_takes_its_configuration_and_has_the_ports_for_it(site: str) -> None:
    done = subprocess.run(
        ["caddy", "adapt", "--validate", "--config", "deploy/caddy/Caddyfile"], cwd=ROOT,
        env=os.environ | {"SUMMITRY_SITE": site}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    ways = {":8080": {"8080"}, "board.example.org": {"80", "443"}}
    published = {port.rpartition(":")[2] for port in COMPOSE["services"]["caddy"]["ports"]}
    assert ways[site] <= published


def test_links_in_alarms_lead_to_a_page_that_caddy_serves() -> None:
    labels = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["global"][
        "external_labels"
    ]
    path = urlsplit(labels["runbooks"]).path.removeprefix("/docs/")
    assert (ROOT / "docs" / path).is_file()
    assert "./docs:/srv/docs:ro" in COMPOSE["services"]["caddy"]["volumes"]


def test_secrets_that_the_configurations_name_are_mounted() -> None:
    mounted = {name for service in COMPOSE["services"].values() for name in service.get("secrets", ())}
    texts = [(ROOT / "deploy" / place).read_text() for place in ("config/summitry.yaml", "prometheus/alertmanager.yml")]
    named_there = {name for text in texts for name in re.findall(r"/run/secrets/([\w-]+)", text)}
    assert named_there == mounted == set(COMPOSE["secrets"])
    assert all((ROOT / "deploy" / "secrets" / name).is_file() for name in mounted)


def test_the_configuration_in_the_manifest_is_valid(tmp_path: Path) -> None:
    text = next(m for m in MANIFESTS if m["kind"] == "ConfigMap")["data"]["summitry.yaml"]
    path = tmp_path / "summitry.yaml"
    path.write_text(text)
    assert load_config(path, {}).topics.replication == 3


@pytest.mark.parametrize("manifest", MANIFESTS, ids=named)
def test_manifests_are_valid(manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, "1.34", strict=True)


def test_kustomizations_name_files_that_exist() -> None:
    for file in KUBERNETES.rglob("kustomization.yaml"):
        for resource in yaml.safe_load(file.read_text())["resources"]:
            documents = list(yaml.safe_load_all((file.parent / resource).read_text()))
            assert all(document["kind"] and document["metadata"]["name"] for document in documents)


@pytest.mark.parametrize("manifest", [m for m in MANIFESTS if m["kind"] in WORKLOADS], ids=named)
def test_pods_are_hardened_and_probed(manifest: dict[str, Any]) -> None:
    pod = manifest["spec"]["template"]["spec"]
    require_restricted(pod)
    for container in pod["containers"]:
        if manifest["kind"] != "Job":
            assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
            assert container["livenessProbe"]["httpGet"]["path"] == "/live"


def test_services_and_ingress_lead_to_pods_that_exist() -> None:
    pods = {
        (m["spec"]["template"]["metadata"]["labels"]["part"], port["name"])
        for m in MANIFESTS
        if m["kind"] in WORKLOADS - {"Job"}
        for one in m["spec"]["template"]["spec"]["containers"]
        for port in one["ports"]
    }
    services = {m["metadata"]["name"]: m["spec"] for m in MANIFESTS if m["kind"] == "Service"}
    for spec in services.values():
        assert (spec["selector"]["part"], spec["ports"][0]["targetPort"]) in pods
    (ingress,) = (m for m in MANIFESTS if m["kind"] == "Ingress")
    backends = {p["backend"]["service"]["name"] for rule in ingress["spec"]["rules"] for p in rule["http"]["paths"]}
    assert backends <= set(services)


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_units_are_little_exposed(unit: Path) -> None:
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=25", str(unit)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_a_mistake_in_the_configuration_does_not_start_a_unit_again_and_again(unit: Path) -> None:
    text = unit.read_text()
    assert "Type=oneshot" in text or "RestartPreventExitStatus=2" in text
