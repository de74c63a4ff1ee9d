"""Start child processes that end when their parent dies.

`python -m agents.process.parent PARENT -- COMMAND` asks the Linux kernel to kill this process when the process PARENT
dies (prctl(2), PR_SET_PDEATHSIG), and then executes COMMAND in its place. On other systems a child ends only when its
parent stops it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

#: The environment variable with the id of the parent process. Our own processes then call `bind` themselves.
PARENT = "SUMMITRY_PARENT"
#: The environment variable with the number of restarts of a child, for its metrics.
RESTARTS = "SUMMITRY_RESTARTS"
_PR_SET_PDEATHSIG = 1


def bound_to_parent(command: Sequence[str]) -> list[str]:
    """Return the command line that runs `command` so that it ends when this process dies."""
    return [sys.executable, "-m", "agents.process.parent", str(os.getpid()), "--", *command]


def bind(parent: int) -> bool:
    """Make this process die when the process `parent` dies. Returns False when that is dead already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def main(arguments: Sequence[str]) -> int:
    """Execute the command after `--` in place of this process; it dies with the process of the first argument."""
    parent, dashes, *command = arguments
    if dashes != "--" or not command:
        sys.stderr.write("usage: python -m agents.process.parent PARENT -- COMMAND...\n")
        return 64
    if not bind(int(parent)):
        return 75
    return os.execvp(command[0], command)  # noqa: S606  # the command is our own and needs no shell


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
