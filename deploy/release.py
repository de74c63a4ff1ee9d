"""Build what a release consists of, and try it: `make release`.

Into `dist/`: a source archive, a wheel, and a bill of materials (CycloneDX) of exactly what the wheel runs with. The
wheel is installed into a clean environment from the hash-locked requirements, and runs the demonstration there. What is
in it is then looked up in an index of advisories; where none can be reached, that is said and is no failure.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DIST, WORK = ROOT / "dist", ROOT / ".build" / "release"
REQUIREMENTS = ROOT / "requirements"
#: What pip-audit says when it reaches no index.
UNREACHED = ("ConnectionError", "ServiceError", "Failed to establish", "Max retries", "timed out", "403", "404")
NOT_AUDITED = "no index of advisories can be reached from here; nothing was audited"


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and end the build when it fails."""
    sys.stdout.write(f"release: {' '.join(Path(str(word)).name for word in command[:4])}\n")
    sys.stdout.flush()
    subprocess.run(command, check=True, cwd=cwd)  # noqa: S603  # our own commands


def environment(name: str, lock: str) -> Path:
    """Make an empty environment with what a lock file names; gives its folder of programs."""
    venv.create(WORK / name, with_pip=True)
    programs = WORK / name / "bin"
    run(programs / "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary",
        ":all:", "-r", REQUIREMENTS / lock)  # fmt: skip
    return programs


def build() -> Path:
    """Make the archives; gives the wheel."""
    for folder in (DIST, WORK, ROOT / "build"):
        shutil.rmtree(folder, ignore_errors=True)
    DIST.mkdir()
    code = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
    run(sys.executable, "-c", code)
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def audit(tools: Path) -> None:
    """Look up the locked packages. Raises SystemExit when an advisory is about one of them."""
    command = [
        tools / "pip-audit",
        "--disable-pip",
        "--require-hashes",
        "--format",
        "json",
        "-r",
        REQUIREMENTS / "run.txt",
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)  # noqa: S603
    if done.stdout:
        sys.stdout.write(f"release: {told(done.stdout)}\n")
    elif any(word in done.stderr for word in UNREACHED):
        sys.stdout.write(f"release: {NOT_AUDITED}\n")
    else:
        sys.exit(f"release: the audit failed\n{done.stderr}")


def told(report: str) -> str:
    """Say what an audit found, from its report. Raises SystemExit when an advisory is about one of the packages.

    An index that is a mirror without advisories answers that it knows none of the packages, and pip-audit then finds
    nothing and is content.
    """
    packages = json.loads(report)["dependencies"]
    named = [f"{one['name']} {one['version']} ({', '.join(each['id'] for each in one['vulns'])})"
             for one in packages if one.get("vulns")]  # fmt: skip
    if named:
        sys.exit(f"release: there are advisories about {', '.join(named)}")
    looked_up = [one for one in packages if "skip_reason" not in one]
    return f"no advisory about {len(looked_up)} of {len(packages)} packages" if looked_up else NOT_AUDITED


def main() -> None:
    """Build, try, list and audit."""
    wheel = build()
    clean = environment("clean", "run.txt")
    run(clean / "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", wheel)
    run(clean / "python", "-P", "-m", "agents.demo", cwd=WORK)
    tools = environment("tools", "release.txt")
    bill = DIST / f"{wheel.name.split('-py3')[0]}.cdx.json"
    run(tools / "cyclonedx-py", "environment", "--pyproject", ROOT / "pyproject.toml", "--output-reproducible",
        "--output-file", bill, clean / "python")  # fmt: skip
    audit(tools)
    sys.stdout.write(f"release: {', '.join(sorted(path.name for path in DIST.iterdir()))}\n")


if __name__ == "__main__":
    main()
