"""The image's HEALTHCHECK: exit with 0 if the process in this container is live, else with 1.

It asks `/live` on the default ports of board, poller and worker; other ports can be given as arguments.
"""

from __future__ import annotations

import sys
import urllib.request

PORTS = ("9650", "9651", "9652")


def live(port: str) -> bool:
    """Tell whether `/live` on a port of this container answers 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/live", timeout=3) as answer:  # our own page
            return bool(answer.status == 200)
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(not any(live(port) for port in sys.argv[1:] or PORTS))
