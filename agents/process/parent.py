"""Start child processes that end with their parent.

`python -m agents.process.parent PARENT -- COMMAND` asks the Linux kernel to kill it when process PARENT dies (prctl(2),
PR_SET_PDEATHSIG), then becomes COMMAND. On other systems a child ends only when its parent stops it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Sequence

#: A process of ours that finds its parent's id in this environment variable binds itself, without the launcher.
PARENT = "SUMMITRY_PARENT"
#: How often a child was started again, told to it so that its metrics can say so.
RESTARTS = "SUMMITRY_RESTARTS"
_PR_SET_PDEATHSIG = 1


def bound_to_parent(command: Sequence[str]) -> list[str]:
    """Give the command line that runs `command` bound to the life of this process."""
    return [sys.executable, "-m", "agents.process.parent", str(os.getpid()), "--", *command]


def bind(parent: int) -> bool:
    """Make this process die with `parent`; gives False when that one is gone already."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    return os.getppid() == parent


def main(arguments: Sequence[str]) -> int:
    """Become the command after `--`, bound to the parent whose process id is the first argument."""
    parent, dashes, *command = arguments
    if dashes != "--" or not command:
        sys.stderr.write("usage: python -m agents.process.parent PARENT -- COMMAND...\n")
        return 64
    if not bind(int(parent)):
        return 75
    return os.execvp(command[0], command)  # noqa: S606  # the command is our own, and no shell is wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
