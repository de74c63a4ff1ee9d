"""Build and test a release: `make release`.

This writes to `dist/` a source archive, a wheel, and a bill of materials (CycloneDX) of the packages that the wheel
needs. The wheel is installed into a clean environment with the hash-locked requirements, and the demonstration is run
there. Then the packages are looked up in an index of security advisories. If no index can be reached, that is reported
but is not a failure.
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
#: Words in pip-audit's errors when it reaches no index.
UNREACHED = ("ConnectionError", "ServiceError", "Failed to establish", "Max retries", "timed out", "403", "404")
NOT_AUDITED = "no index of advisories can be reached from here; nothing was audited"


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run a command and end the build when it fails."""
    sys.stdout.write(f"release: {' '.join(Path(str(word)).name for word in command[:4])}\n")
    sys.stdout.flush()
    subprocess.run(command, check=True, cwd=cwd)  # noqa: S603  # our own commands


def environment(name: str, lock: str) -> Path:
    """Make a clean environment with the packages of a lock file. Returns its folder of programs."""
    venv.create(WORK / name, with_pip=True)
    programs = WORK / name / "bin"
    run(programs / "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes", "--only-binary",
        ":all:", "-r", REQUIREMENTS / lock)  # fmt: skip
    return programs


def build() -> Path:
    """Build the source archive and the wheel. Returns the path of the wheel."""
    for folder in (DIST, WORK, ROOT / "build"):
        shutil.rmtree(folder, ignore_errors=True)
    DIST.mkdir()
    code = "from setuptools import build_meta as b; b.build_sdist('dist'); b.build_wheel('dist')"
    run(sys.executable, "-c", code)
    shutil.rmtree(ROOT / "build", ignore_errors=True)
    (wheel,) = DIST.glob("*.whl")
    return wheel


def audit(tools: Path) -> None:
    """Look up the locked packages. Raises SystemExit when there is an advisory about one of them."""
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
    """Return a sentence on the report of an audit. Raises SystemExit when there is an advisory about a package.

    With an index that is a mirror without advisories, pip-audit skips every package and reports no problem. That counts
    as not audited.
    """
    packages = json.loads(report)["dependencies"]
    named = [f"{one['name']} {one['version']} ({', '.join(each['id'] for each in one['vulns'])})"
             for one in packages if one.get("vulns")]  # fmt: skip
    if named:
        sys.exit(f"release: there are advisories about {', '.join(named)}")
    looked_up = [one for one in packages if "skip_reason" not in one]
    return f"no advisory about {len(looked_up)} of {len(packages)} packages" if looked_up else NOT_AUDITED


def main() -> None:
    """Build the release, try it, write its bill of materials, and audit it."""
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
