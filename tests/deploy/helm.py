"""Build Helm from source with Go, once, into `.build/helm`, and render the chart with it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.deploy.containers import ROOT

VERSION = "v3.19.2"
CHART = ROOT / "deploy" / "chart"
#: The chart with its own values, as Helm renders it: `python -m tests.deploy.helm` writes it anew.
RENDERED = Path(__file__).with_name("chart-rendered.yaml")
#: The same with everything that needs an operator in the cluster.
RENDERED_WITH_OPERATORS = Path(__file__).with_name("chart-rendered-operators.yaml")
WITH_OPERATORS = (
    "--set", "scaling.by=lag,podMonitor.enabled=true,rules.enabled=true,strimzi.enabled=true,ingress.className=nginx",
    "--set", "config.broker.url=kafka-kafka-bootstrap:9092,config.topics.retention=36h",
)  # fmt: skip


def helm() -> Path | None:
    """The program; None where it is neither installed nor can be built."""
    if found := shutil.which("helm"):
        return Path(found)
    program = ROOT / ".build" / "helm" / VERSION / "helm"
    if not program.exists():
        go = shutil.which("go")
        if go is None:
            return None
        environment = os.environ | {"GOBIN": str(program.parent)}
        done = subprocess.run([go, "install", f"helm.sh/helm/v3/cmd/helm@{VERSION}"], env=environment, check=False)
        if done.returncode:
            return None
    return program


def template(program: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Render the chart."""
    command = [str(program), "template", "summitry", str(CHART), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


if __name__ == "__main__":
    built = helm()
    assert built is not None
    RENDERED.write_text(template(built).stdout)
    RENDERED_WITH_OPERATORS.write_text(template(built, *WITH_OPERATORS).stdout)
