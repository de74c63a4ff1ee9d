"""The program of the process in which apprise runs; `apprise.py` starts it by its path.

Its standard input has lines of JSON: first the settings (`url`, `seconds` for one message, `memory` in bytes), then one
message a line (`title`, `body`). It prints `ready`, then `sent` or `refused` for each message. It ends when its input
ends, or by SIGALRM when a message takes too long. It imports nothing of the project, so that it starts fast.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys


def main() -> None:
    """Send messages until the input ends."""
    import apprise  # noqa: PLC0415  # an optional package

    settings = json.loads(sys.stdin.readline())
    resource.setrlimit(resource.RLIMIT_AS, (settings["memory"], settings["memory"]))
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # so that the output of a plugin is not taken for an answer
    service = apprise.Apprise()
    service.add(settings["url"])
    print("ready", file=answers, flush=True)
    for line in sys.stdin:
        message = json.loads(line)
        signal.alarm(settings["seconds"])
        sent = service.notify(**message, body_format=apprise.NotifyFormat.TEXT)
        signal.alarm(0)
        print("sent" if sent else "refused", file=answers, flush=True)


if __name__ == "__main__":
    main()
