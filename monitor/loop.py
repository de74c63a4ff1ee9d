"""The event loop of a process that talks to thousands of hosts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """What makes uvloop's event loop, for `asyncio.Runner`; None, which means asyncio's own, where it is not installed.

    Connections cost half as much on it, and those of a poller live for one answer.
    """
    try:
        import uvloop  # noqa: PLC0415  # an extra
    except ImportError:
        return None
    return uvloop.new_event_loop
