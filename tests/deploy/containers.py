"""Read the commands, environment and files of each container from the deployment files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import yaml

from agents.board.access import password_line

ROOT = Path(__file__).parents[2]


class Container(msgspec.Struct, frozen=True):
    """One container: its name, the arguments of `summitry`, its environment, and its files by their path inside."""

    name: str
    arguments: list[str]
    environment: dict[str, str]
    files: dict[str, str]


def of_compose(path: Path = ROOT / "docker-compose.yml") -> list[Container]:
    """The services of our image, those first that others wait for."""
    document = yaml.safe_load(path.read_text())
    found = [
        Container(
            name,
            service["command"],
            {key: str(value) for key, value in service.get("environment", {}).items()},
            _mounted(service["volumes"]) | _secrets(service["secrets"], document["secrets"]),
        )
        for name, service in document["services"].items()
        if service["image"].startswith("summitry:")
    ]
    return sorted(found, key=lambda one: one.name != "topics")


def of_manifests(path: Path) -> list[Container]:
    """The containers of our image, the job first. The Secret is made up: readers' passwords, nothing else."""
    manifests = [one for one in yaml.safe_load_all(path.read_text()) if one]
    maps = {one["metadata"]["name"]: one["data"] for one in manifests if one["kind"] == "ConfigMap"}
    found = []
    for manifest in sorted(manifests, key=lambda one: one["kind"] != "Job"):
        if manifest["kind"] not in {"Job", "Deployment", "StatefulSet"}:
            continue
        pod = manifest["spec"]["template"]["spec"]
        (container,) = pod["containers"]
        sources = {volume["name"]: volume for volume in pod["volumes"]}
        files: dict[str, str] = {}
        for mount in container["volumeMounts"]:
            source = sources.get(mount["name"], {})
            if "configMap" in source:
                data = maps[source["configMap"]["name"]]
                files |= {f"{mount['mountPath']}/{name}": text for name, text in data.items()}
            if "secret" in source:
                files[f"{mount['mountPath']}/board-passwords"] = password_line("ada", "a password")
        environment = {one["name"]: str(one["value"]) for one in container.get("env", ())}
        found.append(Container(container["name"], container["args"], environment, files))
    return found


def _mounted(volumes: list[str]) -> dict[str, str]:
    places = (volume.split(":") for volume in volumes if volume.startswith("./"))
    return {inside: (ROOT / outside).read_text() for outside, inside, *_ in places}


def _secrets(names: list[str], known: dict[str, Any]) -> dict[str, str]:
    """Each secret of the container, from where `.env.example` says that the files are."""
    lines = [line for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line and line[0] != "#"]
    example = dict(line.split("=", 1) for line in lines)
    folder = example["SUMMITRY_SECRETS"]
    paths = {name: known[name]["file"].replace("${SUMMITRY_SECRETS:-./deploy/secrets}", folder) for name in names}
    return {f"/run/secrets/{name}": (ROOT / path).read_text() for name, path in paths.items()}


def require_restricted(pod: dict[str, Any]) -> None:
    """Assert what the profile `restricted` asks (https://kubernetes.io/docs/concepts/security/pod-security-standards/)."""
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "readOnlyRootFilesystem": True, "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert container["resources"]["limits"]["memory"]
