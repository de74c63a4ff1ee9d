"""Run the benchmarks: `python -m tests.bench [NAME...]`, all of them without a name.

Each is a module of this package with `run()`, which prints ratios within one run, since seconds differ from machine to
machine. Each runs in a process of its own, so that none inherits the memory or the threads of another.
"""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def names() -> list[str]:
    """The benchmarks there are."""
    return sorted(path.stem for path in HERE.glob("*.py") if not path.stem.startswith(("_", "test_")))


def main(wanted: list[str]) -> int:
    """Run the wanted ones, or all; the exit status is 1 when one fails, 2 when one is not known."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"bench: no benchmark {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    if len(wanted) == 1:
        importlib.import_module(f"tests.bench.{wanted[0]}").run()
        return 0
    failed = []
    for name in wanted or names():
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", "tests.bench", name], check=False).returncode:
            failed.append(name)
        print(flush=True)
    if failed:
        print(f"bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
