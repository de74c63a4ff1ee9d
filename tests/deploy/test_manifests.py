"""Container file, compose file and manifests are valid, pinned and hardened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.config import load_config

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
MANIFESTS = list(yaml.safe_load_all((ROOT / "deploy" / "kubernetes" / "summitry.yaml").read_text()))


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


def test_compose_runs_the_whole_service() -> None:
    assert set(COMPOSE["services"]) == {"kafka", "topics", "poller", "worker", "board", "prometheus", "grafana"}


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_compose_services_are_pinned_hardened_and_local(name: str) -> None:
    service = COMPOSE["services"][name]
    tag = service["image"].rpartition(":")[2]
    assert tag[0].isdigit() or tag[0] == "v", service["image"]
    assert service["cap_drop"] == ["ALL"]
    assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))
    assert name == "kafka" or service["read_only"] is True


def test_prometheus_scrapes_the_ports_that_the_processes_serve() -> None:
    config = load_config(ROOT / "deploy" / "config" / "summitry.yaml", {})
    scrape = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    targets = {target for job in scrape for group in job["static_configs"] for target in group["targets"]}
    assert targets == {
        f"poller:{config.web.poller_port}",
        f"worker:{config.web.worker_port}",
        f"board:{config.board.port}",
    }


def test_the_configuration_in_the_manifest_is_valid(tmp_path: Path) -> None:
    text = next(m for m in MANIFESTS if m["kind"] == "ConfigMap")["data"]["summitry.yaml"]
    path = tmp_path / "summitry.yaml"
    path.write_text(text)
    assert load_config(path, {}).topics.replication == 3


@pytest.mark.parametrize(
    "manifest", [m for m in MANIFESTS if m["kind"] == "Deployment"], ids=lambda m: m["metadata"]["name"]
)
def test_pods_are_hardened_and_probed(manifest: dict[str, Any]) -> None:
    pod = manifest["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    for container in pod["containers"]:
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["readinessProbe"]["httpGet"]["path"] == "/ready"
        assert container["livenessProbe"]["httpGet"]["path"] == "/live"
        assert container["resources"]["limits"]["memory"]
