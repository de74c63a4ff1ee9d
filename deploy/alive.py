"""Say by the exit code whether the process in this container is live: the image's HEALTHCHECK.

Whichever of the three pages is there is asked (board, poller, worker); other ports can be given as arguments.
"""

from __future__ import annotations

import sys
import urllib.request

PORTS = ("9650", "9651", "9652")


def live(port: str) -> bool:
    """Whether the page on a port of this container says that the process works."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=3) as answer:  # our own page
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not any(live(port) for port in sys.argv[1:] or PORTS))
